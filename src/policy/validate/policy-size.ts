import type { PolicyType } from '../decision.ts';

/** A quota of IAM on the size of policies, by its name in `Cannot exceed quota for PolicySize: 6144`. */
export interface PolicyQuota {
  readonly name: string;
  readonly characters: number;
}

/**
 * The sizes IAM allows: of one document, or of all inline documents of one user, group or role together.
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
  /** Source: EventBridge, "Quotas": the policy of an event bus, the one resource policy here besides trust policies. */
  resource: { name: 'PolicySize', characters: 10_240 },
  serviceControl: { name: 'PolicySize', characters: 10_240 },
} as const satisfies Record<string, PolicyQuota>;

/**
 * The size of a policy as IAM counts it against a quota: white space between the elements of the JSON does not count.
 *
 * Source: IAM User Guide, "IAM and AWS STS quotas": white space is not counted. For service control policies all characters count.
 * Assumed: white space inside strings counts. It is part of what policies compare, and would else be free of any quota.
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
