/**
 * Test kit: the messaging sessions of one server, on a store in memory or on a store of several servers. The sessions of its role may
 * connect as any user of one app instance, until `setRolePolicy`. Its sockets record the frames from the server.
 */
import { randomUUID } from 'node:crypto';
import type { Authorize } from '#access/authorize.ts';
import { arn } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { APP_INSTANCE_USER } from '#services/chime-kit/app-instances.ts';
import type { ChannelEvent, IdentityEvent } from '#services/chime-kit/events.ts';
import { type ChannelRecord, channels } from '#services/chime-sdk-messaging/tables/channels.ts';
import { memberships } from '#services/chime-sdk-messaging/tables/memberships.ts';
import { emitterOf } from '#services/kit/events.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store, Tx } from '#store/store.ts';
import { ACCOUNT, newTestRole, REGION } from './fixture-role.ts';
import { newTestSockets, type TestSocket } from './fixture-sockets.ts';
import { SESSION_LIMITS, type SessionLimits } from './limits.ts';
import { messagingSessions } from './messaging-sessions.ts';
import { appendOpened, sessionSubscriptions } from './session-events.ts';

export type { TestSocket } from './fixture-sockets.ts';

export const APP = 'a6b1e9b0-0000-4000-8000-000000000001';

/** Returns the ARN of a user of the app instance. */
export const user = (id: string): string => arn('chime', REGION, ACCOUNT, `app-instance/${APP}/user/${id}`);
export const channelArn = (id: string): string => arn('chime', REGION, ACCOUNT, `app-instance/${APP}/channel/${id}`);
export const inChannel = (channelId: string) => ({ accountId: ACCOUNT, region: REGION, appInstanceId: APP, channelId });

/** Returns the event of a new message. */
export function message(channelId: string, content: string, more: object = {}): ChannelEvent {
  const message = { ChannelArn: channelArn(channelId), MessageId: randomUUID(), Content: content, Type: 'STANDARD' as const, ...more };
  return { type: 'CREATE_CHANNEL_MESSAGE', ...inChannel(channelId), message };
}

/** Returns the event of a changed membership. */
export function membership(type: 'CREATE' | 'UPDATE' | 'DELETE', channelId: string, id: string, more: object = {}): ChannelEvent {
  const membership = { ChannelArn: channelArn(channelId), Member: { Arn: user(id) }, Type: 'DEFAULT' as const, ...more };
  return { type: `${type}_CHANNEL_MEMBERSHIP`, ...inChannel(channelId), membership };
}

/** Returns the content of the received messages. */
export function contentsOf({ frames }: TestSocket): readonly unknown[] {
  return frames.flatMap(({ payload }) => (payload?.['Content'] === undefined ? [] : [payload['Content']]));
}

/**
 * Creates the messaging sessions of one server. With `shared`, several servers use the same store. A server that stores
 * an event notifies only itself. The other servers find the event when they poll the store.
 */
export async function openSessions(limits: Partial<SessionLimits> = {}, shared?: Store) {
  const store = shared ?? (await openSqlite(':memory:'));
  const clock = newTestClock();
  const role = newTestRole(store, clock.now);
  const sockets = newTestSockets((news) => sessions.receive(news));
  const hints = newTestHints();
  const authorizations = newAuthorizationCounter(role.authorize);
  const requestIds = new Map<string, string>();
  const sessions = messagingSessions({
    ...role,
    store,
    authorize: authorizations.authorize,
    guide2021: false,
    now: clock.now,
    monotonic: () => performance.now(),
    onHint: hints.on,
    follow: sockets.follow,
    limits: { ...SESSION_LIMITS, ...limits },
    report() {},
  });
  await role.setPolicy({ Effect: 'Allow', Action: 'chime:Connect', Resource: '*' });

  return {
    store,
    sessions,
    now: clock.now,
    setNow: clock.set,
    setHolds: role.setHolds,
    setRolePolicy: role.setPolicy,
    until: sockets.until,
    confirmWrites: sockets.confirmWrites,
    batches: sockets.batches,
    countDuring: authorizations.during,
    ...testData(store, clock.now, hints.send),
    /** Opens a session, as the listener does after a Connect request succeeded. */
    connect(
      userArn: string,
      {
        sessionId = randomUUID() as string,
        expiresAt = instant(clock.now() + HOUR_MS),
        userAgent = 'chat',
        parameters = {} as Readonly<Record<string, string>>,
      } = {},
    ): TestSocket {
      const { number, socket } = sockets.add();
      const received = role.sign({ userArn, sessionId, expiresAt, userAgent, parameters });
      requestIds.set(userArn, received.requestId);
      sessions.admit(number, received);
      sessions.receive({ opened: number });
      return socket;
    },
    /**
     * Stores the SessionOpened event of the session that a user opened last. In a real server, the Connect operation
     * stores this event.
     */
    storeOpened: (userArn: string, sessionId: string) =>
      store.transaction((tx) =>
        appendOpened(tx, { appInstanceId: APP, userArn, sessionId, key: requestIds.get(userArn) ?? '' }, clock.now()),
      ),
    async stop() {
      await sessions.stop();
      await store.close();
    },
  };
}

/** Returns functions for tests that change users and channels, and emit events. */
function testData(store: Store, now: () => Instant, hint: () => void) {
  const addEmit = emitterOf(sessionSubscriptions(hint));
  const workIn = (tx: Tx) => addEmit({ tx, now: now(), newId: randomUUID });
  const keyOf = (id: string) => ({ accountId: ACCOUNT, region: REGION, parent: APP, id });

  return {
    async addUser(id: string): Promise<string> {
      const record = { ...keyOf(id), createdAt: now(), updatedAt: now(), tags: [], document: { Name: id } };
      await store.transaction((tx) => tx.resources.add(APP_INSTANCE_USER, record));
      return user(id);
    },
    async addChannel(channelId: string, ...members: readonly (readonly [id: string, subChannelId: string])[]): Promise<ChannelRecord> {
      const channel: ChannelRecord = {
        ...inChannel(channelId),
        channelKey: randomUUID(),
        privacy: 'PRIVATE',
        createdAt: now(),
        updatedAt: now(),
        tags: [],
        document: { name: channelId, mode: 'UNRESTRICTED', createdBy: 'user/ada' },
      };
      await store.transaction(async (tx) => {
        await tx.of(channels).add(channel);
        for (const [id, subChannelId] of members) await tx.of(memberships).add(membershipRecord(channel, id, subChannelId));
      });
      return channel;
    },
    /** Runs `work` and emits an event in one transaction. */
    emit: (event: ChannelEvent, work: (tx: Tx) => Promise<unknown> = async () => {}) =>
      store.transaction(async (tx) => {
        await work(tx);
        await workIn(tx).emit<ChannelEvent>(event);
      }),
    /** Emits an event in a transaction. */
    emitIn: (tx: Tx, event: ChannelEvent) => workIn(tx).emit<ChannelEvent>(event),
    async deleteUser(id: string): Promise<void> {
      await store.transaction(async (tx) => {
        await tx.resources.remove(APP_INSTANCE_USER, keyOf(id));
        const where = { accountId: ACCOUNT, region: REGION, appInstanceId: APP };
        await workIn(tx).emit<IdentityEvent>({ type: 'AppInstanceUserDeleted', ...where, id, arn: user(id) });
      });
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

/** Creates a clock that changes only by `set`. */
function newTestClock() {
  let now = Date.now();
  return {
    now: (): Instant => instant(now),
    set(to: number): void {
      now = to;
    },
  };
}

/** Creates functions that send and receive notifications of new events ("hints"). Hints arrive asynchronously. */
function newTestHints() {
  const receivers = new Set<() => void>();
  return {
    on(receive: () => void): () => void {
      receivers.add(receive);
      return () => receivers.delete(receive);
    },
    send(): void {
      setImmediate(() => {
        for (const receive of receivers) receive();
      });
    },
  };
}

/**
 * Numbers of authorized sessions and of policy evaluation steps. `mostSteps` is the maximum number of steps in one
 * iteration of the event loop.
 */
export interface AuthorizationCounts {
  readonly sessions: number;
  readonly steps: number;
  readonly mostSteps: number;
}

/** Counts authorizations and the steps that the evaluation of policies takes. */
function newAuthorizationCounter(authorize: Authorize) {
  const counts = { sessions: 0, steps: 0, mostSteps: 0 };
  let stepsOfTurn = 0;
  return {
    async authorize(...[request, tx]: Parameters<Authorize>): ReturnType<Authorize> {
      const before = request.meter?.stepsLeft ?? 0;
      try {
        return await authorize(request, tx);
      } finally {
        const steps = before - (request.meter?.stepsLeft ?? 0);
        counts.sessions += 1;
        counts.steps += steps;
        counts.mostSteps = Math.max(counts.mostSteps, (stepsOfTurn += steps));
      }
    },
    /** Counts authorizations while `work` runs. `work` can read the current counts from its parameter. */
    async during(work: (counts: AuthorizationCounts) => Promise<void>): Promise<AuthorizationCounts> {
      Object.assign(counts, { sessions: 0, steps: 0, mostSteps: 0 });
      let next = setImmediate(function reset() {
        stepsOfTurn = 0;
        next = setImmediate(reset);
      });
      await work(counts);
      clearImmediate(next);
      return { ...counts };
    },
  };
}
