import { type AccountId, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Federation } from '#core/federation.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { invalid } from './passed-tags.ts';
import type { SamlJob, VerifiedAssertion } from './saml.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Verifies the token in a request for AssumeRoleWithWebIdentity or AssumeRoleWithSAML. Returns the caller that the
 * token identifies. Returns `undefined` for all other operations.
 *
 * Runs between decoding and the transaction, because it may have to fetch keys or wait for a thread. So the operation
 * checks again, in its transaction, that the provider exists and accepts the token. `source` is the IP address or
 * network of the client (`sourceOf`). The server limits the unauthenticated load from each source.
 *
 * @throws InvalidIdentityTokenException   the provider is unknown, or the token is invalid
 * @throws ExpiredTokenException           the token has expired
 * @throws IDPRejectedClaimException       the status of a SAML response is not Success
 * @throws IDPCommunicationErrorException  the keys of the provider cannot be fetched
 * @throws Throttling, ServiceUnavailable  too many assertions are waiting, or the verification took too long
 */
export type Federate = (operation: string, input: unknown, now: Instant, source: string) => Promise<Principal | undefined>;

/**
 * Verifies a SAML assertion in a worker thread. If assertions from several sources (client networks) are waiting, one
 * assertion of each source is verified in turn. Rejects with the errors of `verifySaml` or with those of `Federate`.
 */
export type RunSamlJob = (source: string, job: SamlJob) => Promise<VerifiedAssertion>;

/** Dependencies of `federating`. */
export interface FederateParts {
  readonly snapshot: Snapshot;
  readonly keys: IssuerKeys;
  readonly verifySaml: RunSamlJob;
}

/** Creates the function that verifies tokens of identity providers. Requirements FED-1, FED-2. */
export function federating({ snapshot, keys, verifySaml }: FederateParts): Federate {
  async function webIdentity({ RoleArn, WebIdentityToken }: { readonly RoleArn: string; readonly WebIdentityToken: string }, now: Instant) {
    // Loads the token library when the first token arrives, because most servers never need it.
    const { issuerOf, verifyWebIdentity } = await import('./web-identity.ts');
    const issuer = issuerOf(WebIdentityToken);
    const accountId = parseArn(RoleArn)?.accountId as AccountId | undefined;
    // Fetches keys only from issuers that are registered in the role's account.
    const provider =
      accountId === undefined || !issuer.startsWith('https://')
        ? undefined
        : snapshot.record(accountId, 'oidc-provider', issuer.slice('https://'.length));
    if (provider === undefined) {
      throw new AwsError('InvalidIdentityTokenException', `No OpenIDConnect provider found in your account for ${issuer.slice(0, 255)}`);
    }
    const federation = await verifyWebIdentity(WebIdentityToken, provider, keys, now);
    // If the token has a roles claim that does not list the role, the trust policy cannot allow the call. So the claim
    // is checked before the trust policy.
    if (federation.kind === 'web-identity' && federation.roleArns !== undefined && !federation.roleArns.includes(RoleArn)) {
      throw invalid('The target role ARN is not present in the roles claim of the identity token');
    }
    return tokenCaller(provider.accountId, federation);
  }

  async function saml({ PrincipalArn, SAMLAssertion: assertion }: SamlInput, now: Instant, source: string) {
    const parts = parseArn(PrincipalArn);
    const name = parts?.resource.startsWith('saml-provider/') ? parts.resource.slice('saml-provider/'.length) : '';
    const provider = snapshot.record(parts?.accountId as AccountId, 'saml-provider', name.toLowerCase());
    if (provider?.arn !== PrincipalArn) throw new AwsError('InvalidIdentityTokenException', "Specified provider doesn't exist");
    const { accountId, arn, metadata } = provider;
    const verified = await verifySaml(source, { assertion, provider: { accountId, arn, name: provider.name, metadata }, now });
    if (verified.provider !== arn) throw new Error('A SAML assertion was verified for another provider.');
    return tokenCaller(accountId, { ...verified, providerMetadata: metadata });
  }

  return async (operation, input, now, source) => {
    if (operation === 'AssumeRoleWithWebIdentity') return await webIdentity(input as Parameters<typeof webIdentity>[0], now);
    if (operation === 'AssumeRoleWithSAML') return await saml(input as SamlInput, now, source);
    return undefined;
  };
}

interface SamlInput {
  readonly PrincipalArn: string;
  readonly SAMLAssertion: string;
}

/**
 * Returns the caller that a token identifies, in the provider's account. `principalId` has CloudTrail's format for SAML
 * users and web identity users.
 *
 * Source: IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", the samples of SAML and OIDC.
 */
function tokenCaller(accountId: AccountId, federation: Federation): Principal {
  const { provider, audience, subject } = federation;
  const principalId = federation.kind === 'saml' ? `${federation.nameQualifier}:${subject}` : `${provider}:${audience}:${subject}`;
  return { type: 'Unknown', accountId, arn: provider, principalId, federation };
}
