import type { AccountId, Arn } from '#core/arn.ts';
import type { SessionFacts } from '#core/principal.ts';
import type { PolicyDescriptorType } from '#model/generated/sts.ts';
import { managedPolicies } from '#model/managed-policies.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import type { Tx } from '#store/store.ts';
import { AwsError } from './errors.ts';

/** Session policies, in the form in which a session contains them. */
export type SessionPolicies = Pick<SessionFacts, 'sessionPolicy' | 'sessionPolicyArns'>;

const PLAIN_MAX = 2048;
const ARNS_MAX = 10;

/**
 * Returns the session policies of a request: an inline policy, and managed policies of the account that owns the session.
 *
 * @throws AwsError MalformedPolicyDocument  the inline policy is invalid, or a managed policy does not exist
 * @throws AwsError PackedPolicyTooLarge     the inline policy and the ARNs have more than 2,048 characters
 * @throws AwsError ValidationError          the request has more than ten managed policies
 *
 * Source: STS API reference, AssumeRole, "Policy" and "PolicyArns". Requirement §2.4.
 * Assumed: (1) policies over the limit of 2,048 characters cause the same error as a session token that is too large;
 * (2) the error code and message for a missing managed policy.
 */
export async function sessionPolicies(
  tx: Tx,
  accountId: AccountId,
  { Policy, PolicyArns }: { readonly Policy?: string; readonly PolicyArns?: readonly PolicyDescriptorType[] },
): Promise<SessionPolicies> {
  const arns = (PolicyArns ?? []).map(({ arn }) => arn as Arn | undefined).filter((arn) => arn !== undefined);
  if (arns.length > ARNS_MAX) {
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to ${ARNS_MAX}`,
    );
  }
  const plain = [Policy ?? '', ...arns].reduce((sum, text) => sum + text.length, 0);
  if (plain > PLAIN_MAX) throw packedPolicyTooLarge(Math.ceil((plain * 100) / PLAIN_MAX));

  const problem = Policy === undefined ? undefined : malformedPolicyText(Policy, 'session');
  if (problem !== undefined) throw new AwsError('MalformedPolicyDocumentException', problem);
  for (const arn of arns) {
    if (!(await isManagedPolicy(tx, accountId, arn))) {
      throw new AwsError('MalformedPolicyDocumentException', `Policy ${arn} does not exist or is not attachable.`);
    }
  }
  return { ...(Policy !== undefined && { sessionPolicy: Policy }), ...(arns.length > 0 && { sessionPolicyArns: arns }) };
}

async function isManagedPolicy(tx: Tx, accountId: AccountId, arn: Arn): Promise<boolean> {
  if (arn.startsWith('arn:aws:iam::aws:policy/')) return managedPolicies().some((policy) => policy.arn === arn);
  const record = await tx.identity.get(accountId, 'policy', arn.slice(arn.lastIndexOf('/') + 1).toLowerCase());
  return record?.arn === arn;
}

/**
 * Returns the error for session policies and tags that are too large. `percent` is their size in percent of the limit:
 * more than 100.
 */
export function packedPolicyTooLarge(percent: number): AwsError {
  return new AwsError('PackedPolicyTooLargeException', `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`);
}
