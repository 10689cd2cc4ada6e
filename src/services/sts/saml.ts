import { hash } from 'node:crypto';
import { type AccountId, parseArn } from '#core/arn.ts';
import type { Federation } from '#core/federation.ts';
import type { AssumeRoleWithSAMLRequest, StsApi } from '#model/generated/sts.ts';
import type { Call, DeclaredOperation } from '../kit/operation.ts';
import type { StsDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { broughtBy, federatedAccess, federatedSession, notAuthorized } from './federated.ts';

const ACTION = 'sts:AssumeRoleWithSAML';

/**
 * Makes a session of a role for who brings an assertion of a SAML provider: of a role that the assertion offers with this
 * provider and that trusts it. The assertion names the session, and may end it before its duration is over.
 *
 * @throws AwsError AccessDenied the assertion does not offer the role
 * @throws AwsError InvalidIdentityToken the provider was deleted, or the assertion has made a session before
 *
 * Source: STS API reference, AssumeRoleWithSAML. Requirement FED-1.
 * Assumed: an assertion is good once, as SAML's own rules have it for bearers; the text is ours.
 */
export function assumeRoleWithSaml(deps: StsDeps): DeclaredOperation<AssumeRoleWithSAMLRequest, StsApi['AssumeRoleWithSAML']['output']> {
  return {
    access(input, { principal }) {
      const federation = broughtBy(principal, 'saml');
      return federatedAccess(input, principal, federation, federation.sessionName);
    },
    async handle(call, input) {
      const federation = broughtBy(call.principal, 'saml');
      if (!federation.roleArns.includes(input.RoleArn)) throw notAuthorized(ACTION);
      const name = input.PrincipalArn.slice(input.PrincipalArn.indexOf('/') + 1);
      const provider = await call.tx.identity.get(call.principal.accountId, 'saml-provider', name.toLowerCase());
      if (provider?.arn !== federation.provider) throw new AwsError('InvalidIdentityTokenException', "Specified provider doesn't exist");
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

/** Remembers the assertion until it is too old to be taken; where the session is not made after all, that is rolled back too. */
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
