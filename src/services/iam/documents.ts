import { AwsError } from '#core/aws-error.ts';
import type { IamDeps } from './deps.ts';
import { policyCharacters } from './quotas.ts';

/**
 * Makes sure that a policy is one, and answers how long it is as quotas count.
 *
 * @throws AwsError MalformedPolicyDocument. Requirement ERR-4.
 */
export function ensureWellFormed(deps: IamDeps, text: string, policyType: 'identity' | 'trust'): number {
  const problem = deps.malformedPolicyText(text, policyType);
  if (problem !== undefined) throw new AwsError('MalformedPolicyDocumentException', problem);
  return policyCharacters(text);
}
