/** Statements of policies as the report lists them: as written, without the values of conditions. */
import { omitUndefined } from '#core/omit-undefined.ts';
import { documentOf } from '#policy/compile.ts';
import type { TextsNode } from '#policy/document.ts';
import type { SourcedPolicy } from '#policy/engine.ts';
import { described, list, type Of, object, oneOf, optional, text, whole } from '../shape.ts';

const texts = optional(list(text));

/** A policy in the file of all policies. */
export const POLICY_STATEMENTS = object({
  accountId: described(optional(text), 'Absent for a policy of AWS.'),
  policy: text,
  policyType: oneOf('identity', 'boundary', 'service-control', 'trust'),
  statements: list(
    object({
      statement: described(whole, 'Index, counted from 0.'),
      sid: optional(text),
      effect: oneOf('Allow', 'Deny'),
      principals: described(texts, 'Principals of a trust policy, or * for all.'),
      notPrincipals: texts,
      actions: texts,
      notActions: texts,
      resources: texts,
      notResources: texts,
      conditions: described(list(text), 'Operators and keys of the conditions.'),
    }),
  ),
});
export type PolicyStatements = Of<typeof POLICY_STATEMENTS>;

/** Returns the statements of a policy. */
export function statementsOf(policyType: PolicyStatements['policyType'], { policyId, policy }: SourcedPolicy): PolicyStatements {
  const { lowered } = policy;
  const statements = documentOf(policy).statements.map((node, statement) => {
    const { effect, sid, principals } = lowered.statements[statement] ?? { effect: 'Deny' as const };
    const named = principals && (principals.anyone ? ['*'] : principals.entries.map(({ value }) => value));
    return {
      statement,
      effect,
      ...omitUndefined({
        sid,
        [principals?.not === true ? 'notPrincipals' : 'principals']: named,
        actions: valuesOf(node.action),
        notActions: valuesOf(node.notAction),
        resources: valuesOf(node.resource),
        notResources: valuesOf(node.notResource),
      }),
      conditions: (node.condition?.blocks ?? []).flatMap(({ operator, tests }) => tests.map(({ key }) => `${operator.value} ${key.value}`)),
    };
  });
  return { policy: policyId, policyType, statements };
}

function valuesOf(node: TextsNode | undefined): readonly string[] | undefined {
  return node?.values.map(({ value }) => value);
}
