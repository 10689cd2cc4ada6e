/** Composition of the parts of a core that know users, roles, keys and policies. */
import { authenticating } from '#access/authenticate.ts';
import { authorizing } from '#access/authorize.ts';
import { federating } from '#access/federate.ts';
import { issuerKeys } from '#access/issuer-keys.ts';
import { type Lease, newLease, withdrawing } from '#access/lease.ts';
import { ownIssuer, withOwnKeys } from '#access/own-issuer.ts';
import { principalsOf } from '#access/principals.ts';
import { roleDeciding } from '#access/service-role.ts';
import { newSessionTokens } from '#access/session-token.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import type { Decision, OverLimit } from '#policy/decision.ts';
import { mfaVerifier } from '#services/iam/mfa.ts';
import { signingKeyCache } from '#sigv4/signing-key.ts';
import type { CoreParts } from './core-parts.ts';

export type Identity = ReturnType<typeof composeIdentity>;

/**
 * Creates the parts that use the identity snapshot: authentication, authorization and a store. If a transaction of the
 * store changes identity, its promise resolves after all servers have applied the change.
 *
 * While `isOpen` returns false, the server refuses all requests, as without a lease. `onDecision` receives the result of each authorization.
 */
export function composeIdentity(
  { settings, store, registry, bus, ring, vault, clock, fetchJson, ...parts }: CoreParts,
  isOpen: () => boolean,
  onDecision: (decision: Decision | OverLimit) => void,
) {
  const snapshot = newSnapshot();
  const own = newLease({
    servers: registry.servers,
    shared: registry.shared,
    hints: bus,
    snapshot,
    clock,
    leaseMilliseconds: parts.leaseMilliseconds,
    name: parts.serverName,
    newId: parts.newId,
    report: parts.report,
  });
  const lease: Lease = { ...own, holds: () => isOpen() && own.holds(), holdsForMs: () => (isOpen() ? own.holdsForMs() : 0) };
  const stacks = newStacks(snapshot);
  const sessions = newSessionTokens(ring.keys);
  const authorize = authorizing({ snapshot, stacks, holds: lease.holds, denialWording: settings.denialWording, onDecision });
  return {
    snapshot,
    lease,
    /** A transaction that changes identity returns after every server has applied the change. */
    store: withdrawing(store, lease),
    stacks,
    sessions,
    principals: principalsOf(snapshot),
    authenticate: authenticating({ snapshot, vault, sessions, keyCache: signingKeyCache(), region: settings.region }),
    authorize,
    decideRole: roleDeciding({ snapshot, stacks, authorize, holds: lease.holds }),
    federate: federating({ snapshot, keys: withOwnKeys(issuerKeys(fetchJson), ownIssuer(ring.keys)), verifySaml: parts.samlThreads.run }),
    verifyMfa: mfaVerifier(vault),
  };
}
