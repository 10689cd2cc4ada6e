/** Test kit: an account with one role, whose sessions sign Connect requests. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Authenticate, authenticating } from '#access/authenticate.ts';
import { type Authorize, authorizing } from '#access/authorize.ts';
import { newSessionTokens } from '#access/session-token.ts';
import { newSnapshot, type Snapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import { openVault } from '#access/vault.ts';
import { type AccountId, arn } from '#core/arn.ts';
import type { Received } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';
import { presign } from '#sigv4/sign.ts';
import { signingKeyCache } from '#sigv4/signing-key.ts';
import type { Store } from '#store/store.ts';

export const ACCOUNT = '111122223333' as AccountId;
export const REGION = 'us-east-1';
const KEY = Buffer.alloc(32, 7);
const ROLE = { roleName: 'Chat', roleId: 'AROACHAT' };

/** Properties of a Connect request to sign. */
export interface ConnectFacts {
  readonly userArn: string;
  readonly sessionId: string;
  /** Expiration of the role session. */
  readonly expiresAt: Instant;
  readonly userAgent: string;
  /** Further query parameters of the request, such as `prefetch-on`. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Role whose role sessions send Connect requests, and the identity snapshot of one server that contains the role. */
export interface TestRole {
  readonly snapshot: Snapshot;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  /** Reports whether the server has a lease on the snapshot. Returns true until `setHolds(false)` is called. */
  holds(): boolean;
  setHolds(holds: boolean): void;
  /** Replaces the policy of the role. */
  setPolicy(statement: object): Promise<void>;
  /** Returns a Connect request that is signed with the credentials of a new role session. */
  sign(facts: ConnectFacts): Received;
}

/** Creates a role without policy. */
export function newTestRole(store: Store, now: () => Instant): TestRole {
  const snapshot = newSnapshot();
  const vault = openVault([KEY]);
  const tokens = newSessionTokens([KEY]);
  let holds = true;

  return {
    snapshot,
    authenticate: authenticating({ snapshot, vault, sessions: tokens, keyCache: signingKeyCache(), region: REGION }),
    authorize: authorizing({ snapshot, stacks: newStacks(snapshot), holds: () => holds }),
    holds: () => holds,
    setHolds(to) {
      holds = to;
    },
    async setPolicy(statement) {
      const { version, changes } = await store.transaction(async (tx) => {
        await tx.identity.put(ACCOUNT, 'account', ACCOUNT, { accountId: ACCOUNT, name: 'one', createdAt: instant(0) });
        await tx.identity.put(ACCOUNT, 'role', 'chat', {
          accountId: ACCOUNT,
          arn: arn('iam', '', ACCOUNT, 'role/Chat'),
          path: '/',
          createdAt: instant(0),
          attachedPolicyArns: [],
          inlinePolicies: { p: JSON.stringify({ Version: '2012-10-17', Statement: statement }) },
          trustPolicy: '{}',
          maxSessionSeconds: 3600,
          tags: [],
          ...ROLE,
        });
        return tx.identity.changesSince(snapshot.version());
      });
      snapshot.apply(version, changes);
    },
    sign({ userArn, sessionId, expiresAt, userAgent, parameters }) {
      const session = { issuedAt: now(), expiresAt, mfaAuthenticated: false, tags: {}, transitiveTagKeys: [], chained: false };
      const issued = tokens.issue({ kind: 'role', accountId: ACCOUNT, sessionName: 'me', session, ...ROLE }, randomBytes);
      if (issued.outcome !== 'issued') throw new Error('the server did not issue a session token');
      const target = `/connect?${new URLSearchParams({ userArn, sessionId, ...parameters })}`;
      return {
        requestId: randomUUID(),
        receivedAt: now(),
        method: 'GET',
        target: presign(
          { method: 'GET', target, headers: { host: 'chat.example' }, body: '' },
          { credentials: issued.credentials, region: REGION, signingName: 'chime', now: now(), expiresSeconds: 10 },
        ),
        rawHeaders: ['Host', 'chat.example', 'User-Agent', userAgent],
        body: new Uint8Array(),
        sourceIp: '192.0.2.1',
      };
    },
  };
}
