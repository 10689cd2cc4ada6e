import { type AccountId, parseArn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Federation } from '#core/federation.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { Snapshot } from './snapshot.ts';
import { issuerOf, verifyWebIdentity } from './web-identity.ts';

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
  return async (operation, input, now) => {
    if (operation !== 'AssumeRoleWithWebIdentity') return undefined;
    const { RoleArn, WebIdentityToken } = input as { readonly RoleArn: string; readonly WebIdentityToken: string };
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
    return bringer(provider.accountId, await verifyWebIdentity(WebIdentityToken, provider, keys, now));
  };
}

/** Who brings a token: of the provider's account, and known by nothing but the token. `principalId` is CloudTrail's of a WebIdentityUser. */
function bringer(accountId: AccountId, federation: Federation): Principal {
  const { provider, issuer, audience, subject } = federation;
  return { type: 'Unknown', accountId, arn: provider, principalId: `${issuer}:${audience}:${subject}`, federation };
}
