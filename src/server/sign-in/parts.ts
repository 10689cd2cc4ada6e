import type { Federate } from '#access/federate.ts';
import type { NameDigest } from '#access/name-digest.ts';
import type { Principals } from '#access/principals.ts';
import type { SessionTokens } from '#access/session-token.ts';
import type { Begun, ConsoleSignIns } from '#access/sign-in.ts';
import type { Snapshot } from '#access/snapshot.ts';
import type { Received } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { VerifyMfa } from '#services/iam/mfa.ts';
import type { Store, Tx } from '#store/store.ts';
import { type SignInEvent, signInEventRow } from '#trail/sign-in-event.ts';
import type { UnprovenRecords } from '#trail/unproven.ts';
import type { Calls } from '../core/call.ts';
import type { Gate } from '../core/offload.ts';
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
  /** Gate that runs password comparisons off the main thread. */
  readonly gate: Gate;
  /** Calls an operation for a browser, as `Calls.callWithDocument`. */
  readonly call: Calls['callWithDocument'];
  readonly now: () => Instant;
  /** Returns a UUID in lower case. */
  readonly newId: () => string;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly recording: boolean;
  readonly region: string;
  /** Bound on the records of refused sign-ins. */
  readonly unproven: UnprovenRecords;
  /** Requests with a sign-in event, recorded or counted. `recordSignIn` adds them. */
  readonly recorded: WeakSet<Received>;
  /** Reports whether the lease on the identity snapshot holds. */
  readonly holds: () => boolean;
  readonly site: Site;
  /** Digest of unknown names, which replaces them in the store. */
  readonly nameDigest: NameDigest;
  /** Number of failed sign-ins after which one source must wait. 0 means no limit. */
  readonly failuresPerSource: number;
  readonly report: (requestId: string, error: unknown) => void;
}

type Recorded = Omit<SignInEvent, 'region' | 'now' | 'eventId' | 'mfaUsed'> & { readonly mfaUsed?: boolean };

/** Records a sign-in event in a transaction. A failure that exceeds the bound on unproven records is only counted. Decision 0015. */
export async function recordSignIn(parts: SignInParts, tx: Tx, event: Recorded): Promise<void> {
  const { received, accountId, outcome } = event;
  parts.recorded.add(received);
  if (!parts.recording) return;
  const now = parts.now();
  if (outcome === 'Failure' && !parts.unproven.admit(received, accountId, now)) return;
  await tx.trail.append(signInEventRow({ mfaUsed: false, ...event, region: parts.region, now, eventId: parts.newId() }));
}

/** Records a successful sign-in in a transaction of its own. */
export async function recordLogin(parts: SignInParts, received: Received, { signIn }: Begun, loginTo: string): Promise<void> {
  const { principal } = signIn;
  const { accountId } = principal;
  const mfaUsed = principal.session?.mfaAuthenticated === true;
  await parts.store.transaction((tx) =>
    recordSignIn(parts, tx, { received, eventName: 'ConsoleLogin', outcome: 'Success', accountId, principal, mfaUsed, loginTo }),
  );
}
