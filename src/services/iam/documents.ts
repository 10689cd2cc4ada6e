import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { policySize } from '#policy/validate/policy-size.ts';
import { AwsError } from './errors.ts';

/**
 * Validates a permissions policy and returns its size as quotas count it.
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
 * Returns a valid policy as it is stored: as passed, or without white space outside strings if most of it is white space.
 *
 * No quota counts white space, so 7,500 versions of 131,072 characters each could otherwise fill the memory of the server.
 * Source: IAM User Guide, "IAM and AWS STS quotas". Assumed: the limit. IAM returns all white space.
 */
export function storedDocument(text: string): string {
  const size = policySize(text);
  if (text.length - size <= Math.max(size, WHITE_SPACE_MIN)) return text;
  return text.replace(/("(?:[^"\\]|\\.)*")|[ \t\n\r]+/g, '$1');
}
