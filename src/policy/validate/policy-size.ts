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
  /** Policy of an event bus, the only resource policy of this server except trust policies. Source: EventBridge, "Quotas". */
  resource: { name: 'PolicySize', characters: 10_240 },
  serviceControl: { name: 'PolicySize', characters: 10_240 },
} as const satisfies Record<string, PolicyQuota>;

/**
 * Returns the size of a policy that counts against a quota, in characters.
 *
 * White space does not count. In a service control policy, all characters count.
 *
 * Source: IAM User Guide, "IAM and AWS STS quotas".
 * Assumed: white space inside strings does not count either. IAM says only "white space".
 */
export function policySize(text: string, policyType?: PolicyType): number {
  if (policyType === 'service-control') return text.length;
  let size = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString && code === BACKSLASH) {
      size += 2;
      i++;
      continue;
    }
    if (code === QUOTE) inString = !inString;
    if (inString || (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d)) size++;
  }
  return size;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
