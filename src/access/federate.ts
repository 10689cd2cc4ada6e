import { type AccountId, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Federation } from '#core/federation.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { invalid } from './passed-tags.ts';
import { verifySaml } from './saml.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Verifies the token that stands for a signature in an operation nobody signs, and answers who brings it; undefined where the
 * operation brings none.
 *
 * Runs between decoding and the transaction, because it may have to fetch keys; the operation looks again, in its
 * transaction, whether the provider is still there.
 *
 * @throws AwsError InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError
 */
export type Federate = (operation: string, input: unknown, now: Instant) => Promise<Principal | undefined>;

export interface FederateParts {
  readonly snapshot: Snapshot;
  readonly keys: IssuerKeys;
}

/** Makes the stage that federates. Requirements FED-1, FED-2. */
export function federating({ snapshot, keys }: FederateParts): Federate {
  async function webIdentity({ RoleArn, WebIdentityToken }: { readonly RoleArn: string; readonly WebIdentityToken: string }, now: Instant) {
    // Read when the first token comes: most servers never need the library of tokens.
    const { issuerOf, verifyWebIdentity } = await import('./web-identity.ts');
    const issuer = issuerOf(WebIdentityToken);
    const accountId = parseArn(RoleArn)?.accountId as AccountId | undefined;
    // Only an issuer that the role's account has registered is ever asked for its keys.
    const provider =
      accountId === undefined || !issuer.startsWith('https://')
        ? undefined
        : snapshot.record(accountId, 'oidc-provider', issuer.slice('https://'.length).replace(/\/$/, ''));
    if (provider === undefined) {
      throw new AwsError('InvalidIdentityTokenException', `No OpenIDConnect provider found in your account for ${issuer.slice(0, 255)}`);
    }
    const federation = await verifyWebIdentity(WebIdentityToken, provider, keys, now);
    // Before the trust policy, which cannot lift this limit.
    if (federation.kind === 'web-identity' && federation.roleArns !== undefined && !federation.roleArns.includes(RoleArn)) {
      throw invalid('The target role ARN is not present in the roles claim of the identity token');
    }
    return tokenCaller(provider.accountId, federation);
  }

  async function saml({ PrincipalArn, SAMLAssertion }: { readonly PrincipalArn: string; readonly SAMLAssertion: string }, now: Instant) {
    const parts = parseArn(PrincipalArn);
    const name = parts?.resource.startsWith('saml-provider/') ? parts.resource.slice('saml-provider/'.length) : '';
    const provider = snapshot.record(parts?.accountId as AccountId, 'saml-provider', name.toLowerCase());
    if (provider?.arn !== PrincipalArn) throw new AwsError('InvalidIdentityTokenException', "Specified provider doesn't exist");
    return tokenCaller(provider.accountId, await verifySaml(SAMLAssertion, provider, now));
  }

  return async (operation, input, now) => {
    if (operation === 'AssumeRoleWithWebIdentity') return await webIdentity(input as Parameters<typeof webIdentity>[0], now);
    if (operation === 'AssumeRoleWithSAML') return await saml(input as Parameters<typeof saml>[0], now);
    return undefined;
  };
}

/** Returns the principal that presents a token, in the account of the provider. `principalId` is the one that CloudTrail records. */
function tokenCaller(accountId: AccountId, federation: Federation): Principal {
  const { provider, issuer, audience, subject } = federation;
  const principalId = federation.kind === 'saml' ? `${federation.nameQualifier}:${subject}` : `${issuer}:${audience}:${subject}`;
  return { type: 'Unknown', accountId, arn: provider, principalId, federation };
}
