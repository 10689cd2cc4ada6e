import type { AccountId } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { ChimeQuotas } from '../chime-kit/quotas.ts';
import type { CheckDirectory } from '../kit/directories.ts';
import type { TryOutgoing } from '../kit/outgoing.ts';
import type { OwnedBuckets } from '../kit/owned-buckets.ts';
import type { InvitationTokens } from './invitation-tokens.ts';

/**
 * Sends JSON to an https URL. Resolves to the JSON of a response with the status 200. Resolves to undefined if the exchange fails or takes more
 * than 2 seconds, or if the address is internal and the operator does not allow its host.
 */
export type PostJson = (url: string, body: object) => Promise<unknown>;

/** Parts of the server that the operations need. */
export interface ChimeDeps {
  readonly vault: Vault;
  readonly postJson: PostJson;
  /** Tries the functions of Lambda that receive the events of bots. */
  readonly tryOutgoing: TryOutgoing;
  readonly invitationTokens: InvitationTokens;
  /** Returns the URL of the OpenID issuer of an AWS account on this server. */
  readonly issuerUrl: (accountId: AccountId) => string;
  /** Returns the address of the page on which an invited person registers. */
  readonly invitationUrl: (token: string) => string;
  /** Buckets of AWS accounts on this server. */
  readonly ownedBuckets: OwnedBuckets;
  /** Address to which support requests are sent. Without it, they are refused. */
  readonly supportAddress: string | undefined;
  readonly checkDirectory: CheckDirectory;
  readonly quotas: ChimeQuotas;
  /** Returns the URL of the SCIM endpoint. */
  readonly scimUrl: () => string;
  /** Returns the URL to which OpenID providers send the browser of a person. */
  readonly openIdCallback: (chimeAccountId: string) => string;
}
