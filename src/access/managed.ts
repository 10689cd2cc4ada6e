import type { Arn } from '#core/arn.ts';
import { managedPolicies } from '#model/managed-policies.ts';

let byArn: ReadonlyMap<string, { readonly document: string }> | undefined;

/** Returns an AWS managed policy by its ARN, always the same object. Returns `undefined` for other policies. */
export function managedPolicyDocument(policyArn: Arn): { readonly document: string } | undefined {
  if (!policyArn.startsWith('arn:aws:iam::aws:policy/')) return undefined;
  byArn ??= new Map(managedPolicies().map((policy) => [policy.arn, policy]));
  return byArn.get(policyArn);
}
