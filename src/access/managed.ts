import type { Arn } from '#core/arn.ts';
import { managedPolicies } from '#model/managed-policies.ts';

let byArn: ReadonlyMap<string, { readonly document: string }> | undefined;

/** An AWS managed policy's document by its ARN; the same object every time. Undefined where it is a customer's. */
export function managedPolicyDocument(policyArn: Arn): { readonly document: string } | undefined {
  if (!policyArn.startsWith('arn:aws:iam::aws:policy/')) return undefined;
  byArn ??= new Map(managedPolicies().map((policy) => [policy.arn, policy]));
  return byArn.get(policyArn);
}
