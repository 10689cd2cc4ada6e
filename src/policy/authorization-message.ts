import type { ConditionContext } from '#core/condition-context.ts';
import { documentOf } from './compile.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { Decision } from './decision.ts';
import type { StatementNode } from './document.ts';
import { explain } from './explain.ts';
import type { PolicyLayers } from './link.ts';
import { documentsOf } from './simulate.ts';
import { type StepBudget, takeSteps } from './steps.ts';

/** Cost of one character of a statement in the message, in steps. */
const STEPS_OF_CHARACTER = 8;

/** Principal in an authorization message. */
export interface MessagePrincipal {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
}

/** Facts of one denial, for its authorization message. */
export interface MessageFacts {
  readonly principal: MessagePrincipal;
  readonly action: string;
  readonly resource: string;
  /**
   * The denial. If the caller's own policies allow the action, the denial comes from a trust policy or from the account
   * that owns the resource.
   */
  readonly decision: Extract<Decision, { effect: 'Deny' }>;
  /** The caller's own policies. */
  readonly layers: PolicyLayers;
  /** Context in which the policies were evaluated. */
  readonly context: ConditionContext;
  /** The context that the message contains. It leaves out facts of another account. Default: `context`. */
  readonly shown?: ConditionContext;
  /** The trust policy or resource-based policy of the resource. Absent if it belongs to another account. */
  readonly denying?: CompiledPolicy;
  /** Steps that the explanation may take. */
  readonly budget: StepBudget;
}

/**
 * Returns the explanation that a client later reads with DecodeAuthorizationMessage. The document is not encrypted, so
 * the code that calls this function must encrypt it.
 *
 * For an explicit denial, the document lists the statements that deny. For an implicit denial, it lists the statements
 * that allow. Service control policies belong to the management account, so their statements are omitted.
 *
 * @throws StepsExceeded  the policies are too long to be explained within the budget
 * Source: STS API Reference, DecodeAuthorizationMessage. The shape of the document: policy-engine.md §5.
 * Assumed: (1) If a trust policy or resource-based policy denies explicitly, the document lists only its denying statement.
 * (2) If the account of the resource denies, the document lists only statements of the caller's own policies.
 */
export function authorizationMessage({
  principal,
  action,
  resource,
  decision,
  layers,
  context,
  shown,
  denying,
  budget,
}: MessageFacts): string {
  const explicitDeny = decision.kind === 'explicit';
  const documents = documentsOf(layers);
  const matched: { readonly sid: string | undefined; readonly node: StatementNode | undefined }[] =
    explicitDeny && (decision.policyType === 'trust' || decision.policyType === 'resource')
      ? [{ sid: decision.by.sid, node: denying && documentOf(denying).statements[decision.by.statement] }]
      : (explain(layers, { action, resources: [resource], context }, budget).resources[0]?.layers ?? []).flatMap(
          ({ policyType, policies }) =>
            (policyType === 'service-control' ? [] : policies).flatMap(({ statements }) =>
              statements
                .filter((each) => each.applies && each.effect === (explicitDeny ? 'Deny' : 'Allow'))
                .map(({ ref }) => ({ sid: ref.sid, node: documents.get(ref.policyId)?.statements[ref.statement] })),
            ),
        );
  for (const { node } of matched) takeSteps(budget, ((node?.node.end ?? 0) - (node?.node.start ?? 0)) * STEPS_OF_CHARACTER);
  const list = (values: readonly string[]) => ({ items: values.map((value) => ({ value })) });
  return JSON.stringify({
    allowed: false,
    explicitDeny,
    matchedStatements: {
      items: matched.map(({ sid, node }) => {
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
      conditions: {
        items: [...(shown ?? context)].map(([key, value]) => ({ key, values: list(typeof value === 'string' ? [value] : value) })),
      },
    },
  });
}
