/** What the tests of messaging sessions share: a store in memory, a role whose sessions may connect, and sockets that only remember. */
import { randomBytes, randomUUID } from 'node:crypto';
import { authenticating } from '#access/authenticate.ts';
import { type Authorize, authorizing } from '#access/authorize.ts';
import { newSessionTokens } from '#access/session-token.ts';
import { newSnapshot } from '#access/snapshot.ts';
import { newStacks } from '#access/stacks.ts';
import { openVault } from '#access/vault.ts';
import { type AccountId, arn } from '#core/arn.ts';
import type { Received } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';
import { APP_INSTANCE_USER } from '#services/chime/app-instances.ts';
import type { ChannelEvent, IdentityEvent } from '#services/chime/events.ts';
import { type ChannelRecord, channels } from '#services/chime-sdk-messaging/tables/channels.ts';
import { memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import { emitterOf } from '#services/kit/events.ts';
import { presign } from '#sigv4/sign.ts';
import { signingKeyCache } from '#sigv4/signing-key.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store, Tx } from '#store/store.ts';
import { messagingSessions, SESSION_LIMITS, type SessionLimits } from './messaging-sessions.ts';
import type { Closing, SocketOrder } from './protocol.ts';
import { appendOpened, sessionSubscriptions } from './session-events.ts';

export const ACCOUNT = '111122223333' as AccountId;
export const APP = 'a6b1e9b0-0000-4000-8000-000000000001';
export const REGION = 'us-east-1';
const KEY = Buffer.alloc(32, 7);
/** Conditions come true long before. */
const PATIENCE_MS = 20_000;
const ROLE = { roleName: 'Chat', roleId: 'AROACHAT' };

/** The ARN of a user of the app instance. */
export const user = (id: string): string => arn('chime', REGION, ACCOUNT, `app-instance/${APP}/user/${id}`);
export const channelArn = (id: string): string => arn('chime', REGION, ACCOUNT, `app-instance/${APP}/channel/${id}`);
export const inChannel = (channelId: string) => ({ accountId: ACCOUNT, region: REGION, appInstanceId: APP, channelId });

/** A message as its event has it. */
export function message(channelId: string, content: string, more: object = {}): ChannelEvent {
  const message = { ChannelArn: channelArn(channelId), MessageId: randomUUID(), Content: content, Type: 'STANDARD' as const, ...more };
  return { type: 'CREATE_CHANNEL_MESSAGE', ...inChannel(channelId), message };
}

export function membership(type: 'CREATE' | 'UPDATE' | 'DELETE', channelId: string, id: string, more: object = {}): ChannelEvent {
  const membership = { ChannelArn: channelArn(channelId), Member: { Arn: user(id) }, Type: 'DEFAULT' as const, ...more };
  return { type: `${type}_CHANNEL_MEMBERSHIP`, ...inChannel(channelId), membership };
}

/** What one socket was sent, and with what it was closed. */
export interface Heard {
  readonly frames: { readonly type: string; readonly payload: Readonly<Record<string, unknown>> | undefined }[];
  closed?: Closing;
}

/** A server of its own on a store, which others may share; what happens on it is hinted at on it alone. */
export async function openSessions(limits: Partial<SessionLimits> = {}, shared?: Store) {
  const store = shared ?? (await openSqlite(':memory:'));
  const snapshot = newSnapshot();
  const vault = openVault([KEY]);
  const tokens = newSessionTokens([KEY]);
  const heard = new Map<number, Heard>();
  const looking = new Set<() => void>();
  const hints = new Set<() => void>();
  const keys = new Map<string, string>();
  let now = Date.now();
  let holds = true;
  let last = 0;
  const clock = (): Instant => instant(now);

  const follow = (orders: readonly SocketOrder[]): void => {
    for (const order of orders) {
      for (const socket of order.to) {
        const one = heard.get(socket) as Heard;
        if ('close' in order) one.closed = order.close;
        else {
          const { Headers, Payload } = JSON.parse(order.send);
          one.frames.push({ type: Headers['x-amz-chime-event-type'], payload: Payload && JSON.parse(Payload) });
        }
      }
    }
    for (const look of looking) look();
  };
  /** Steps of all authorizations since the thread could serve others, and the most there were. */
  const steps = { now: 0, most: 0, total: 0 };
  const decides = authorizing({ snapshot, stacks: newStacks(snapshot), holds: () => holds });
  const authorize: Authorize = async (request, tx) => {
    const before = request.meter?.stepsLeft ?? 0;
    try {
      return await decides(request, tx);
    } finally {
      const taken = before - (request.meter?.stepsLeft ?? 0);
      steps.now += taken;
      steps.total += taken;
      steps.most = Math.max(steps.most, steps.now);
    }
  };
  const sessions = messagingSessions({
    store,
    snapshot,
    authenticate: authenticating({ snapshot, vault, sessions: tokens, keyCache: signingKeyCache(), region: REGION }),
    authorize,
    holds: () => holds,
    guide2021: false,
    now: clock,
    monotonic: () => performance.now(),
    onHint(heard) {
      hints.add(heard);
      return () => hints.delete(heard);
    },
    follow,
    limits: { ...SESSION_LIMITS, ...limits },
    report() {},
  });
  const hint = () =>
    setImmediate(() => {
      for (const each of hints) each();
    });

  /** Gives the role one policy in place of the one it has. */
  async function mayConnect(statement: object): Promise<void> {
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
  }
  await mayConnect({ Effect: 'Allow', Action: 'chime:Connect', Resource: '*' });

  function received(userArn: string, sessionId: string, expiresAt: Instant, userAgent: string): Received {
    const session = { issuedAt: clock(), expiresAt, mfaAuthenticated: false, tags: {}, transitiveTagKeys: [], chained: false };
    const issued = tokens.issue({ kind: 'role', accountId: ACCOUNT, sessionName: 'me', session, ...ROLE }, randomBytes);
    if (issued.outcome !== 'issued') throw new Error('no token');
    const target = presign(
      { method: 'GET', target: `/connect?${new URLSearchParams({ userArn, sessionId })}`, headers: { host: 'chat.example' }, body: '' },
      { credentials: issued.credentials, region: REGION, signingName: 'chime', now: clock(), expiresSeconds: 10 },
    );
    const requestId = randomUUID();
    return {
      requestId,
      receivedAt: clock(),
      method: 'GET',
      target,
      rawHeaders: ['Host', 'chat.example', 'User-Agent', userAgent],
      body: new Uint8Array(),
      sourceIp: '192.0.2.1',
    };
  }

  const addEmit = emitterOf(sessionSubscriptions(hint));
  const workIn = (tx: Tx) => addEmit({ tx, now: clock(), newId: randomUUID });
  return {
    store,
    sessions,
    mayConnect,
    now: clock,
    setNow(to: number) {
      now = to;
    },
    setHolds(to: boolean) {
      holds = to;
    },
    async addUser(id: string): Promise<string> {
      const key = { accountId: ACCOUNT, region: REGION, parent: APP, id };
      const record = { ...key, createdAt: clock(), updatedAt: clock(), tags: [], document: { Name: id } };
      await store.transaction((tx) => tx.resources.add(APP_INSTANCE_USER, record));
      return user(id);
    },
    async addChannel(channelId: string, ...members: readonly (readonly [id: string, subChannelId: string])[]): Promise<ChannelRecord> {
      const channel: ChannelRecord = {
        ...inChannel(channelId),
        channelKey: randomUUID(),
        privacy: 'PRIVATE',
        createdAt: clock(),
        updatedAt: clock(),
        tags: [],
        document: { name: channelId, mode: 'UNRESTRICTED', createdBy: 'user/ada' },
      };
      await store.transaction(async (tx) => {
        await tx.of(channels).add(channel);
        for (const [id, subChannelId] of members) await tx.of(memberships).add(membershipRecord(channel, id, subChannelId));
      });
      return channel;
    },
    /** Changes something and emits an event in one transaction. */
    happens: (event: ChannelEvent, work: (tx: Tx) => Promise<unknown> = async () => {}) =>
      store.transaction(async (tx) => {
        await work(tx);
        await workIn(tx).emit<ChannelEvent>(event);
      }),
    async deleteUser(id: string): Promise<void> {
      const key = { accountId: ACCOUNT, region: REGION, parent: APP, id };
      await store.transaction(async (tx) => {
        await tx.resources.remove(APP_INSTANCE_USER, key);
        const where = { accountId: ACCOUNT, region: REGION, appInstanceId: APP };
        await workIn(tx).emit<IdentityEvent>({ type: 'AppInstanceUserDeleted', ...where, id, arn: user(id) });
      });
    },
    /** As the listener does once the Connect was answered. */
    connect(userArn: string, { sessionId = randomUUID() as string, expiresAt = instant(now + 3_600_000), userAgent = 'chat' } = {}): Heard {
      const one: Heard = { frames: [] };
      heard.set(++last, one);
      const connecting = received(userArn, sessionId, expiresAt, userAgent);
      keys.set(userArn, connecting.requestId);
      sessions.admit(last, connecting);
      sessions.opened(last);
      return one;
    },
    /** As the Connect does that was answered: of the last session of a user. */
    openElsewhere: (userArn: string, sessionId: string) =>
      store.transaction((tx) => appendOpened(tx, { appInstanceId: APP, userArn, sessionId, key: keys.get(userArn) ?? '' }, clock())),
    /** Resolves once a condition holds; looks whenever something was sent or closed. */
    until(holdsNow: () => boolean): Promise<void> {
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('What was waited for did not come.')), PATIENCE_MS);
        const look = () => {
          if (!holdsNow()) return;
          looking.delete(look);
          clearTimeout(late);
          resolve();
        };
        looking.add(look);
        look();
      });
    },
    /** Counts the steps of authorizations while `work` runs: in all, and the most between two turns of the event loop. */
    async stepsDuring(work: () => Promise<void>): Promise<{ readonly most: number; readonly total: number }> {
      Object.assign(steps, { now: 0, most: 0, total: 0 });
      let turn = setImmediate(function next() {
        steps.now = 0;
        turn = setImmediate(next);
      });
      await work();
      clearImmediate(turn);
      return { most: steps.most, total: steps.total };
    },
    async stop() {
      await sessions.stop();
      await store.close();
    },
  };
}

export function membershipRecord({ channelKey }: ChannelRecord, id: string, subChannelId = '') {
  const at = instant(0);
  return {
    channelKey,
    subChannelId,
    member: `user/${id}`,
    appInstanceId: APP,
    type: 'DEFAULT',
    invitedBy: 'user/ada',
    createdAt: at,
    updatedAt: at,
  };
}
