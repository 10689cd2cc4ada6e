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
