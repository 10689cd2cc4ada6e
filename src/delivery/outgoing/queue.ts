/**
 * Changes of the queue of outgoing messages: accepts added messages, stores the results of attempts, and selects the next messages. Runs in
 * transactions of the server that has the turn.
 *
 * Invariant (sent before removed): a message is removed only after its receiver has responded, or together with the insert of its dead
 * letter. So a crash loses no message.
 */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Work } from '#services/kit/events.ts';
import {
  laneOf,
  type NewMessage,
  type OutgoingAnswered,
  type OutgoingFailed,
  type OutgoingMessage,
  type OutgoingSent,
  outgoing,
} from '#services/kit/outgoing.ts';
import type { Tx } from '#store/store.ts';
import type { Exhausted, Failure, Next } from './outcome.ts';
import { type Lane, type LaneKey, lanes, NEVER, type Totals } from './tables/lanes.ts';

/** Most messages that one transaction accepts, and bytes after which it accepts no more. */
const ACCEPTED = { messages: 200, bytes: 2 ** 22 } as const;

/** Limits of the stored messages. A message that does not fit becomes a dead letter, or is lost. */
export interface QueueLimits {
  readonly lane: Totals;
  readonly account: Totals;
}

/** Attempt that has ended, and the decision about its message. */
export interface Settled {
  readonly message: OutgoingMessage;
  readonly next: Next;
  /** Whether the attempt failed, so that the lane gets fewer attempts at the same time. */
  readonly failed: boolean;
}

/** Message that has ended, for metrics. */
export interface Ended {
  readonly message: OutgoingMessage;
  readonly fate: 'sent' | Undelivered['fate'];
  /** False if the message did not fit, so that it was never tried. */
  readonly tried: boolean;
}

/** Message that was not delivered, for the counters and the log. */
export interface Undelivered {
  readonly message: OutgoingMessage;
  readonly failure: Failure;
  readonly fate: 'dead-letter' | 'lost';
}

/** Returns the messages that ended in a transaction. `unfit`: those that did not fit. */
export function endedOf(settled: readonly Settled[], undelivered: readonly Undelivered[], unfit: readonly Undelivered[]): readonly Ended[] {
  return [
    ...settled.flatMap(({ message, next }) => (next.kind === 'remove' ? [{ message, fate: 'sent' as const, tried: true }] : [])),
    ...undelivered.map(({ message, fate }) => ({ message, fate, tried: true })),
    ...unfit.map(({ message, fate }) => ({ message, fate, tried: false })),
  ];
}

/** Lifetime and attempts of a dead letter. Source: the defaults of a retry policy of EventBridge. */
const DEAD_LETTER = { lifetimeMs: DAY_MS, attempts: 185 } as const;

/** Failure of a message that does not fit. Assumed: EventBridge documents no code. */
const FULL: Failure = { code: 'THROTTLING', message: 'too many messages wait for this target' };

const keyOf = ({ accountId, lane }: LaneKey): string => `${accountId} ${lane}`;

/** Lanes that one transaction reads and changes. */
export interface LaneChanges {
  lane(message: Pick<OutgoingMessage, 'accountId' | 'lane' | 'ordered'>): Promise<LaneState>;
  store(): Promise<void>;
}
type LaneState = { -readonly [Name in keyof Lane]: Lane[Name] };

/** Creates the changes of one transaction. Each lane is read and written once. */
export function laneChanges(tx: Tx, now: Instant): LaneChanges {
  const repository = tx.of(lanes);
  const changed = new Map<string, LaneState>();
  return {
    async lane({ accountId, lane, ordered }) {
      const key = keyOf({ accountId, lane });
      let found = changed.get(key);
      if (found === undefined) {
        const stored = await repository.get({ accountId, lane });
        found = { ...(stored ?? { accountId, lane, ordered, messages: 0, bytes: 0, dueAt: now, failing: false }) };
        changed.set(key, found);
      }
      return found;
    },
    async store() {
      for (const lane of changed.values()) {
        if (lane.messages <= 0) await repository.remove(lane);
        else await repository.put(lane);
      }
    },
  };
}

/**
 * Stores the decisions about messages whose attempts have ended. Returns those that were not delivered.
 *
 * Emits: OutgoingSent, OutgoingAnswered, OutgoingFailed.
 */
export async function settle(work: Work, changes: LaneChanges, settled: readonly Settled[]): Promise<readonly Undelivered[]> {
  const { tx, now } = work;
  const undelivered: Undelivered[] = [];
  for (const { message, next, failed } of settled) {
    const lane = await changes.lane(message);
    lane.failing = failed;
    lane.dueAt = now;
    if (next.kind === 'again') {
      await tx.of(lanes).retry({ number: message.number, attempts: next.attempts, dueAt: next.dueAt });
      continue;
    }
    await tx.of(lanes).removeMessage(message.number);
    lane.messages -= 1;
    lane.bytes -= message.bytes;
    if (next.kind === 'undeliverable') {
      undelivered.push(await giveUp(work, message, next));
      continue;
    }
    await work.emit<OutgoingSent>({ type: 'OutgoingSent', message });
    if (next.answer !== undefined) await work.emit<OutgoingAnswered>({ type: 'OutgoingAnswered', message, answer: next.answer });
  }
  return undelivered;
}

/** Ends a message that was not sent. Adds its dead letter, if the message has a queue for it. */
async function giveUp(
  { tx, now, emit }: Work,
  message: OutgoingMessage,
  { attempts, failure, exhausted }: { readonly attempts: number; readonly failure: Failure; readonly exhausted?: Exhausted },
): Promise<Undelivered> {
  const { code, message: reason, gone = false, refused } = failure;
  await emit<OutgoingFailed>(omitUndefined({ type: 'OutgoingFailed' as const, message, code, reason, gone, refused }));
  const letter = deadLetterOf(message, { attempts, failure, ...(exhausted !== undefined && { exhausted }) }, now);
  if (letter === undefined) return { message, failure, fate: 'lost' };
  await tx.of(outgoing).add(letter);
  return { message, failure, fate: 'dead-letter' };
}

/**
 * Returns the dead letter of a message, or `undefined` if the message has no queue for it. The service sends it without the role of the target.
 * Source: EventBridge User Guide, "Granting permissions to the dead-letter queue": the policy of the queue allows the service.
 */
export function deadLetterOf(
  { deadLetter, id, accountId, region, sender, body }: Pick<NewMessage, 'deadLetter' | 'id' | 'accountId' | 'region' | 'sender' | 'body'>,
  { attempts, failure, exhausted }: { readonly attempts: number; readonly failure: Failure; readonly exhausted?: Exhausted },
  now: Instant,
): NewMessage | undefined {
  if (deadLetter === undefined) return undefined;
  const { roleArn: _, ...service } = sender;
  return {
    ...{ id, accountId, region, sender: service, body },
    lane: laneOf('dead-letter', deadLetter.arn),
    ordered: false,
    target: {
      kind: 'sqs',
      arn: deadLetter.arn,
      attributes: {
        ...deadLetter.attributes,
        ERROR_CODE: failure.code,
        ERROR_MESSAGE: failure.message,
        RETRY_ATTEMPTS: String(Math.max(attempts - 1, 0)),
        ...(exhausted !== undefined && { EXHAUSTED_RETRY_CONDITION: exhausted }),
      },
    },
    createdAt: now,
    maximumAttempts: DEAD_LETTER.attempts,
    expiresAt: instant(now + DEAD_LETTER.lifetimeMs),
  };
}

/** Result of accepting messages. */
export interface Accepted {
  readonly undelivered: readonly Undelivered[];
  /** Whether more added messages may wait. */
  readonly more: boolean;
}

/**
 * Accepts added messages into their lanes. Those that do not fit become dead letters, or are lost.
 *
 * Emits: OutgoingFailed.
 */
export async function accept(work: Work, changes: LaneChanges, limits: QueueLimits): Promise<Accepted> {
  const { tx, now } = work;
  const repository = tx.of(lanes);
  const undelivered: Undelivered[] = [];
  const added = await repository.added(ACCEPTED.messages);
  /** Totals of accounts that are more than the stored ones. */
  const totals = new Map<AccountId, { messages: number; bytes: number }>();
  let bytes = 0;
  let count = 0;
  for (const message of added) {
    if (bytes > ACCEPTED.bytes) break;
    count++;
    bytes += message.bytes;
    const lane = await changes.lane(message);
    let total = totals.get(message.accountId);
    if (total === undefined) totals.set(message.accountId, (total = { ...(await repository.totals(message.accountId)) }));
    if (!fits(lane, limits.lane, message) || !fits(total, limits.account, message)) {
      await repository.removeMessage(message.number);
      undelivered.push(await giveUp(work, message, { attempts: 0, failure: FULL }));
      continue;
    }
    await repository.accept(message.number);
    for (const each of [lane, total]) {
      each.messages += 1;
      each.bytes += message.bytes;
    }
    lane.dueAt = now;
  }
  return { undelivered, more: count < added.length || added.length === ACCEPTED.messages };
}

function fits(used: Totals, limit: Totals, { bytes }: OutgoingMessage): boolean {
  return used.messages < limit.messages && used.bytes + bytes <= limit.bytes;
}

/** Attempts that run, as far as the selection needs them. */
export interface Running {
  has(number: number): boolean;
  /** Number of further attempts that may start now: in total, in failing lanes, for an account, and in a lane. */
  free(): number;
  freeOfFailing(): number;
  freeOfAccount(accountId: AccountId): number;
  freeOfLane(lane: Lane): number;
  /** At most two accounts that may start no further attempts now. */
  fullAccounts(): readonly AccountId[];
}

/** Most attempts in one lane at the same time. An ordered lane has one. */
export const LANE_RUNNING_MAX = 16;
/** Lanes that one transaction looks at. */
const LANES_AT_ONCE = 64;

/** A message that starts now, and whether its lane is failing. */
export interface Selected {
  readonly message: OutgoingMessage;
  readonly failing: boolean;
}

/** Selects the messages whose attempts start now. Each lane gets a time at which the server looks at it again. */
export async function select(tx: Tx, running: Running, now: Instant): Promise<readonly Selected[]> {
  const repository = tx.of(lanes);
  const selected: Selected[] = [];
  const [one = '', two = ''] = running.fullAccounts();
  for (const failing of [false, true]) {
    for (const lane of await repository.due(now, failing, [one, two], LANES_AT_ONCE)) {
      const free = Math.min(
        running.free() - selected.length,
        running.freeOfAccount(lane.accountId) - selected.filter(({ message }) => message.accountId === lane.accountId).length,
        failing ? running.freeOfFailing() - selected.filter((each) => each.failing).length : LANE_RUNNING_MAX,
      );
      const ofLane = running.freeOfLane(lane);
      const wanted = Math.min(free, ofLane);
      // The lane stays due, so that the next transaction looks at it.
      if (wanted <= 0 && ofLane > 0) continue;
      const found = wanted > 0 ? await repository.messages(lane, now, LANE_RUNNING_MAX + 1) : [];
      const fresh = found.filter(({ number }) => !running.has(number));
      for (const message of fresh.slice(0, wanted)) selected.push({ message, failing });
      if (fresh.length < ofLane) await repository.put({ ...lane, dueAt: await repository.nextOf(lane, now) });
      // The end of an attempt makes a full lane due again.
      else if (wanted === ofLane) await repository.put({ ...lane, dueAt: NEVER });
    }
  }
  return selected;
}
