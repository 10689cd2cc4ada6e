import type { ConditionContext } from '#core/condition-context.ts';
import type { StatementRef } from './decision.ts';
import type { StatementNode } from './document.ts';
import { explain } from './explain.ts';
import type { PolicyLayers } from './link.ts';
import { documentsOf } from './simulate.ts';
import { type StepBudget, takeSteps } from './steps.ts';

/** Steps of one character of a statement that is written into the message. */
const STEPS_OF_CHARACTER = 8;

/** Who asked, for an authorization message. */
export interface MessagePrincipal {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
}

/**
 * The document that DecodeAuthorizationMessage answers, before it is sealed.
 *
 * Source: STS API Reference, DecodeAuthorizationMessage; shape: policy-engine.md §5.
 * @throws StepsExceeded  the policies are too long to be explained within the budget
 */
export function authorizationMessage(
  principal: MessagePrincipal,
  action: string,
  resource: string,
  context: ConditionContext,
  layers: PolicyLayers,
  budget: StepBudget,
): string {
  const { decision, resources } = explain(layers, { action, resources: [resource], context }, budget);
  const explicitDeny = decision.effect === 'Deny' && decision.kind === 'explicit';
  const documents = documentsOf(layers);
  const matched: StatementRef[] = (resources[0]?.layers ?? []).flatMap(({ policies }) =>
    policies.flatMap(({ statements }) =>
      statements.filter((each) => each.applies && each.effect === (explicitDeny ? 'Deny' : 'Allow')).map(({ ref }) => ref),
    ),
  );
  for (const { policyId, statement } of matched) {
    const { start, end } = documents.get(policyId)?.statements[statement]?.node ?? { start: 0, end: 0 };
    takeSteps(budget, (end - start) * STEPS_OF_CHARACTER);
  }
  const list = (values: readonly string[]) => ({ items: values.map((value) => ({ value })) });
  return JSON.stringify({
    allowed: decision.effect === 'Allow',
    explicitDeny,
    matchedStatements: {
      items: matched.map(({ policyId, statement, sid }) => {
        const node = documents.get(policyId)?.statements[statement];
        const texts = (element: StatementNode['action']) => list(element?.values.map(({ value }) => value) ?? []);
        return {
          statementId: sid ?? '',
          effect: (node?.effect?.value ?? '').toUpperCase(),
          principals: { items: [{ value: principal.id }] },
          principalGroups: { items: [] },
          actions: texts(node?.action ?? node?.notAction),
          resources: texts(node?.resource ?? node?.notResource),
          conditions: {
            items: (node?.condition?.blocks ?? []).flatMap(({ tests }) =>
              tests.map(({ key, values }) => ({ key: key.value, values: list(values.map(({ value }) => value)) })),
            ),
          },
        };
      }),
    },
    failures: { items: [] },
    context: {
      principal,
      action,
      resource,
      conditions: { items: [...context].map(([key, value]) => ({ key, values: list(typeof value === 'string' ? [value] : value) })) },
    },
  });
}
