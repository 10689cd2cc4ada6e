import { AwsError } from '#core/aws-error.ts';
import type { Principal } from '#core/principal.ts';
import { Denied, NO_POLICY } from './denied.ts';

/**
 * Rejects operations that a kind of session cannot call, regardless of the session's policies.
 *
 * - Credentials of GetFederationToken cannot call IAM. In STS, they can call only GetCallerIdentity.
 * - Credentials of GetSessionToken can call IAM only with MFA. In STS, they can call only AssumeRole and GetCallerIdentity.
 *
 * @throws InvalidClientTokenId  the action belongs to IAM
 * @throws Denied                the action belongs to STS
 *
 * Source: IAM User Guide, "Comparing the AWS STS API operations"; requirement §2.6. The error code for IAM is from
 * users' reports.
 * Assumed: the error code for STS.
 */
export function refuseBySessionKind(principal: Principal, action: string): void {
  const federated = principal.type === 'FederatedUser';
  const fromUser = (principal.type === 'IAMUser' || principal.type === 'Root') && principal.session !== undefined;
  // The limits do not apply to console sessions. Source: the notes on the page "Comparing the AWS STS API operations".
  if ((!federated && !fromUser) || principal.session?.fromConsole) return;
  if (action.startsWith('iam:') && (federated || !principal.session?.mfaAuthenticated)) {
    throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid');
  }
  if (!action.startsWith('sts:') || action === 'sts:GetCallerIdentity') return;
  const mayAssume = fromUser && action === 'sts:AssumeRole';
  // GetFederationToken and GetSessionToken reject every session with their own messages. Requirement STS-3.
  const refusesItself = action === 'sts:GetFederationToken' || action === 'sts:GetSessionToken';
  if (!mayAssume && !refusesItself) {
    throw new Denied(`User: ${principal.arn} is not authorized to perform: ${action}`, NO_POLICY, []);
  }
}
