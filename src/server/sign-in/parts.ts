import type { Federate } from '#access/federate.ts';
import type { NameDigest } from '#access/name-digest.ts';
import type { Principals } from '#access/principals.ts';
import type { SessionTokens } from '#access/session-token.ts';
import type { Begun, ConsoleSignIns } from '#access/sign-in.ts';
import type { Snapshot } from '#access/snapshot.ts';
import type { SealingBox } from '#access/vault.ts';
import type { Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Vault } from '#core/vault.ts';
import type { ContactIssuer } from '#delivery/outgoing/targets/issuers.ts';
import type { VerifyMfa } from '#services/iam/mfa.ts';
import type { AddEmit } from '#services/kit/events.ts';
import type { Store, Tx } from '#store/store.ts';
import { type SignInEvent, signInEventRow } from '#trail/sign-in-event.ts';
import type { UnprovenRecords } from '#trail/unproven.ts';
import type { Calls } from '../core/call.ts';
import type { Gate } from '../core/offload.ts';
import type { People, Scim, Webhooks } from '../core/services.ts';
import type { Site } from './site.ts';

/** Parts of the server that the sign-in pages need. `composeCore` creates these parts. */
export interface SignInParts {
  readonly store: Store;
  readonly snapshot: Snapshot;
  readonly principals: Principals;
  readonly sessions: SessionTokens;
  readonly signIns: ConsoleSignIns;
  readonly federate: Federate;
  readonly verifyMfa: VerifyMfa;
  /** Limit on concurrent password comparisons, which run in Node's thread pool. */
  readonly gate: Gate;
  /** Calls an operation on behalf of a browser: authorizes, runs and records it. Returns the output. */
  readonly call: Calls['callWithDocument'];
  readonly now: () => Instant;
  /** Returns a UUID in lower case. */
  readonly newId: () => string;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly recording: boolean;
  readonly region: string;
  /** Limit on the records of refused sign-ins. */
  readonly unproven: UnprovenRecords;
  /**
   * Requests for which `recordSignIn` has recorded or counted a sign-in event. A refusal of such a request needs no
   * further record.
   */
  readonly recorded: WeakSet<Received>;
  /**
   * Reports whether the server holds its lease, the time-limited right to use the identity snapshot. The snapshot is
   * the copy of all users and permissions in memory.
   */
  readonly holds: () => boolean;
  readonly site: Site;
  /** Reports whether a request is for S3, whose bucket names can be paths of pages. */
  readonly isForS3: (received: Received) => boolean;
  /** Returns a digest of an unknown user name. The store contains the digest in place of the name. */
  readonly nameDigest: NameDigest;
  /** Number of failed sign-ins after which a source (client address) must wait. 0 means no limit. */
  readonly failuresPerSource: number;
  readonly report: (requestId: string, error: unknown) => void;
  /** Adds the function that emits domain events to the context of a transaction. */
  readonly addEmit: AddEmit;
  /** Returns the URL that browsers use for this server. */
  readonly publicUrl: () => string;
  /** Loads the functions of people of Amazon Chime. */
  readonly loadPeople: () => Promise<People>;
  /** Decrypts the secrets of OpenID providers and directories. */
  readonly vault: Pick<Vault, 'open'>;
  /** Hosts of directories that may have internal addresses. */
  readonly internalDirectories: readonly string[];
  /** Encrypts the state of sign-ins at OpenID providers, which is in a cookie. */
  readonly openIdStates: SealingBox;
  /** Sends a request to an OpenID provider. It refuses internal addresses that the operator does not allow. */
  readonly contactIssuer: ContactIssuer;
  /** Most users that SCIM provisions in an account. */
  readonly scimUsersMax: number;
  /** Loads the functions of the SCIM endpoint. */
  readonly loadScim: () => Promise<Scim>;
  /** Loads the functions of the webhooks of bots. */
  readonly loadWebhooks: () => Promise<Webhooks>;
}

type Recorded = Omit<SignInEvent, 'region' | 'now' | 'eventId' | 'mfaUsed'> & { readonly mfaUsed?: boolean };

/**
 * Records a sign-in event in a transaction. The number of records of requests that prove no identity is limited. Above
 * this limit, a failed sign-in is counted and gets no record of its own. Decision 0015.
 */
export async function recordSignIn(parts: SignInParts, tx: Tx, event: Recorded): Promise<void> {
  const { received, accountId, outcome } = event;
  parts.recorded.add(received);
  if (!parts.recording) return;
  const now = parts.now();
  if (outcome === 'Failure' && !parts.unproven.admit(received, accountId, now)) return;
  await tx.trail.append(signInEventRow({ mfaUsed: false, ...event, region: parts.region, now, eventId: parts.newId() }));
}

/** Records a successful sign-in in a transaction of its own. `samlProviderArn` is the provider of a sign-in with an assertion. */
export async function recordLogin(
  parts: SignInParts,
  received: Received,
  { signIn }: Begun,
  loginTo: string,
  samlProviderArn?: string,
): Promise<void> {
  const { principal } = signIn;
  const { accountId } = principal;
  const mfaUsed = principal.session?.mfaAuthenticated === true;
  await parts.store.transaction((tx) =>
    recordSignIn(parts, tx, {
      received,
      eventName: 'ConsoleLogin',
      outcome: 'Success',
      accountId,
      principal,
      mfaUsed,
      loginTo,
      ...omitUndefined({ samlProviderArn }),
    }),
  );
}
