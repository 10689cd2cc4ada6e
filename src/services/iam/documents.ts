import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { policySize } from '#policy/validate/policy-size.ts';
import { AwsError } from './errors.ts';

/**
 * Validates a permissions policy and returns the size that quotas limit: the number of characters without white space.
 *
 * @throws MalformedPolicyDocumentException  the document is invalid. Requirement ERR-4
 */
export function ensureWellFormed(text: string, form: 'managed' | 'inline'): number {
  const problem = malformedPolicyText(text, 'identity', form);
  if (problem !== undefined) throw new AwsError('MalformedPolicyDocumentException', problem);
  return policySize(text);
}

/** Number of white space characters that every stored policy may have, even if most of the policy is white space. */
const WHITE_SPACE_MIN = 2_048;

/**
 * Returns the form in which a valid policy is stored. If most of the policy is white space, removes the white space
 * outside strings. Otherwise returns the policy unchanged.
 *
 * No quota counts white space. An account may have 7,500 policy versions of 131,072 characters each. Without this
 * removal, these versions could fill the memory of the server.
 * Source: IAM User Guide, "IAM and AWS STS quotas".
 * Assumed: the amount of white space that starts the removal. IAM itself returns all white space.
 */
export function storedDocument(text: string): string {
  const size = policySize(text);
  if (text.length - size <= Math.max(size, WHITE_SPACE_MIN)) return text;
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\n\r]+/g, '$1');
}
