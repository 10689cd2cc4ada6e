import { hash } from 'node:crypto';
import { type AccountId, parseArn } from '#core/arn.ts';
import type { Federation } from '#core/federation.ts';
import type { AssumeRoleWithSAMLRequest, StsApi } from '#model/generated/sts.ts';
import type { Call, DeclaredOperation } from '../kit/operation.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { federatedAccess, federatedSession, federationOf, notAuthorized } from './federated.ts';

const ACTION = 'sts:AssumeRoleWithSAML';

/**
 * Creates a role session for an assertion of a SAML provider. The assertion must contain the ARN of the role together
 * with the ARN of the provider. The role must trust the provider. The assertion contains the session name. It may limit
 * the session to less than the requested duration.
 *
 * The assertion was verified before the transaction. This operation checks again that the provider exists, that its metadata is unchanged,
 * and that the assertion is still valid.
 *
 * @throws AwsError AccessDenied          the assertion does not offer the role
 * @throws AwsError InvalidIdentityToken  the provider was deleted, or the assertion was used before
 * @throws AwsError ServiceUnavailable    the metadata of the provider changed after the assertion was verified
 * @throws AwsError ExpiredToken          the assertion expired after it was verified
 *
 * Source: STS API reference, AssumeRoleWithSAML. Requirement FED-1.
 * Assumed: the server accepts each assertion once, as SAML requires for bearer assertions. The message for a second use
 * is not from AWS.
 */
export function assumeRoleWithSaml(deps: StsDeps): DeclaredOperation<AssumeRoleWithSAMLRequest, StsApi['AssumeRoleWithSAML']['output']> {
  return {
    access(input, { principal }) {
      const federation = federationOf(principal, 'saml');
      return federatedAccess(input, principal, federation, federation.sessionName);
    },
    async handle(call, input) {
      const federation = federationOf(call.principal, 'saml');
      if (!federation.roleArns.includes(input.RoleArn)) throw notAuthorized(ACTION);
      const name = input.PrincipalArn.slice(input.PrincipalArn.indexOf('/') + 1);
      const provider = await call.tx.identity.get(call.principal.accountId, 'saml-provider', name.toLowerCase());
      if (provider?.arn !== federation.provider) throw new AwsError('InvalidIdentityTokenException', "Specified provider doesn't exist");
      if (provider.metadata !== federation.providerMetadata) {
        throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
      }
      if (call.now >= federation.validUntil) throw new AwsError('ExpiredTokenException', 'Token is expired');
      await useOnce(call, federation);
      return {
        ...(await federatedSession(deps, call, ACTION, input, federation, federation.sessionName)),
        Subject: federation.subject,
        SubjectType: federation.subjectType,
        Issuer: federation.issuer,
        Audience: federation.audience,
        NameQualifier: federation.nameQualifier,
      };
    },
  };
}

/**
 * Stores the assertion's ID until the assertion is too old to be accepted. If the session cannot be created, the
 * transaction is rolled back. Then the ID is not stored, and the assertion can be used again.
 */
async function useOnce(
  { tx, now }: Call,
  { assertionId, issuer, provider, redeemUntil }: Extract<Federation, { kind: 'saml' }>,
): Promise<void> {
  const accountId = parseArn(provider)?.accountId as AccountId;
  const key = { accountId, region: '', operation: ACTION, token: hash('sha256', `${issuer}\n${assertionId}`) };
  if ((await tx.idempotency.get(key, now)) !== undefined) {
    throw new AwsError('InvalidIdentityTokenException', 'The assertion has been used before.');
  }
  await tx.idempotency.put(key, { requestHash: '', answer: '', expiresAt: redeemUntil });
}
