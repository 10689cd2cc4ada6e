import { AwsError } from '#core/aws-error.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { policySize } from '#policy/validate/policy-size.ts';

/**
 * Makes sure that a permissions policy is one, and answers how long it is as quotas count.
 *
 * @throws AwsError MalformedPolicyDocument. Requirement ERR-4.
 */
export function ensureWellFormed(text: string, kept: 'managed' | 'inline'): number {
  const problem = malformedPolicyText(text, 'identity', kept);
  if (problem !== undefined) throw new AwsError('MalformedPolicyDocumentException', problem);
  return policySize(text);
}
