import { closingQuote } from '#core/json-scan.ts';
import type { PolicyType } from '../decision.ts';

/** Quota on the size of a policy. `name` is the name in IAM's message `Cannot exceed quota for PolicySize: 6144`. */
export interface PolicyQuota {
  readonly name: string;
  readonly characters: number;
}

/**
 * Largest policy sizes, in characters. The inline quotas apply to the sum of all inline policies of one user, group or role.
 *
 * Source: IAM User Guide, "IAM and AWS STS quotas"; AWS Organizations User Guide, "Quotas" (service control policies, 10,240 since 2025).
 */
export const POLICY_QUOTAS = {
  managed: { name: 'PolicySize', characters: 6144 },
  inlineUser: { name: 'InlinePolicySize', characters: 2048 },
  inlineGroup: { name: 'InlinePolicySize', characters: 5120 },
  inlineRole: { name: 'InlinePolicySize', characters: 10_240 },
  trust: { name: 'ACLSizePerRole', characters: 2048 },
  session: { name: 'PackedPolicySize', characters: 2048 },
  /** Policy of an event bus. Source: EventBridge, "Quotas". */
  resource: { name: 'PolicySize', characters: 10_240 },
  serviceControl: { name: 'PolicySize', characters: 10_240 },
  /** Source: Amazon S3 User Guide, "Adding a bucket policy": 20 KB. */
  bucket: { name: 'PolicySize', characters: 20_480 },
} as const satisfies Record<string, PolicyQuota>;

/**
 * Returns the number of characters of a policy that count against the policy's quota.
 *
 * White space outside strings does not count. In a service control policy, all characters count.
 *
 * Source: IAM User Guide, "IAM and AWS STS quotas".
 * Assumed: white space inside strings counts. IAM says only "white space".
 */
export function policySize(text: string, policyType?: PolicyType): number {
  if (policyType === 'service-control') return text.length;
  let size = text.length;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      const end = closingQuote(text, i);
      i = end < 0 ? text.length : end;
    } else if (character === ' ' || character === '\t' || character === '\n' || character === '\r') size--;
  }
  return size;
}
