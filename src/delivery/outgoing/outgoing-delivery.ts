/**
 * Delivery of outgoing messages: one server at a time has the turn, and sends the messages of all accounts (Decision 0033). A commit that
 * adds messages wakes it.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Instant } from '#core/instant.ts';
import type { Work } from '#services/kit/events.ts';
import type { OutgoingMessage } from '#services/kit/outgoing.ts';
import type { Store, Tx } from '#store/store.ts';
import { TurnLost, transactionsOfTurn, turns } from '../holder.ts';
import { type Deliveries, deliveryCounters, undeliveredReport } from './delivery-counters.ts';
import { nextOf, type Outcome } from './outcome.ts';
import { accept, type Ended, endedOf, laneChanges, type QueueLimits, type Selected, type Settled, select, settle } from './queue.ts';
import { RUNNING_MAX, type RunningAttempts, runningAttempts } from './running.ts';
import { signal } from './signal.ts';
import { type Source, sourceRunner } from './sources.ts';
import { lanes } from './tables/lanes.ts';

/** Sends one message. Rejects only if the server has a bug. */
export type Attempt = () => Promise<Outcome>;

/** Reads, in a transaction, everything that an attempt needs, such as its endpoint. It opens no connection. */
export type PrepareAttempt = (tx: Tx, message: OutgoingMessage) => Promise<Attempt>;

export interface OutgoingParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly clock: LeaseClock;
  readonly newId: () => string;
  /** Returns unpredictable bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly limits: QueueLimits;
  readonly prepare: PrepareAttempt;
  /** Returns the context with which the delivery emits domain events. */
  readonly workIn: (tx: Tx, now: Instant) => Work;
  /** Receives the messages that have ended, after the commit. */
  readonly onEnded: (ended: readonly Ended[]) => void;
  /** Work that adds messages, in order. Runs only on the server that has the turn. */
  readonly sources: readonly Source[];
  /** Whether other servers can use the database. */
  readonly shared: boolean;
  /** Returns false while the server may change nothing. */
  readonly isOpen: () => boolean;
  readonly report: (line: string) => void;
}

export interface OutgoingDelivery {
  start(): void;
  /** Looks for messages now. */
  wake(): void;
  /** Starts no further attempts. Waits for running attempts, but not long. The messages of the others are sent again. */
  stop(): Promise<void>;
  readonly counters: Deliveries;
}

/** Time after the last sign of a server at which another server takes its turn, and interval between two signs. */
const TURN_MS = 15_000;
const SIGN_EVERY_MS = 5_000;
/** Interval between two checks whether the turn is free. */
const CHECK_EVERY_MS = 5_000;
/** Wait after an error of the store. */
const AFTER_ERROR_MS = 1_000;
/** Longest wait of a stop for running attempts. */
const STOP_MS = 2_000;

/** Time for which a step waits for the results of half of the running attempts. */
const GATHER_MS = 4;

/** Attempts of one turn. After a lost turn, its attempts still run, but their results change nothing. */
interface TurnState {
  readonly running: RunningAttempts;
  /** Attempts that have ended, and still count as running. */
  ended: { readonly selected: Selected; readonly settled: Settled }[];
  /** Attempts whose results the next transaction stores. */
  settling: Settled[];
}

/** Creates the delivery of one server. Nothing runs before `start`. */
export function outgoingDelivery(parts: OutgoingParts): OutgoingDelivery {
  const { store, clock, report } = parts;
  const turn = turns(parts.newId(), { state: 'outgoing-delivery', holderMs: TURN_MS, isAlone: !parts.shared });
  const { counters, count } = deliveryCounters();
  const undelivered = undeliveredReport(clock.monotonic, report);
  const waiting = signal(clock);
  const sources = sourceRunner(parts);
  let isStopped = false;
  let loop: Promise<void> | undefined;

  /** Sends one message. */
  async function attempt(state: TurnState, selected: Selected, send: Attempt): Promise<void> {
    const { message } = selected;
    let outcome: Outcome;
    try {
      outcome = await send();
    } catch (error) {
      report(`could not send message '${message.id}': ${(error as Error).message}`);
      outcome = { kind: 'retry', code: 'TIMEOUT', message: 'internal error' };
    }
    const [byte = 0] = parts.random(1);
    const next = nextOf(message, outcome, clock.wall(), byte / 256);
    count(outcome);
    if (outcome.kind === 'retry' && next.kind === 'again') undelivered.add({ message, failure: outcome, fate: 'again' });
    state.ended.push({ selected, settled: { message, next, failed: outcome.kind === 'retry' || outcome.kind === 'failed' } });
    waiting.wake();
  }

  /** Runs one transaction: stores results, accepts added messages, and selects the next ones. Returns when the next step is due. */
  async function step(state: TurnState): Promise<'now' | Instant | undefined> {
    const { running } = state;
    for (const { selected, settled } of state.ended.splice(0)) {
      running.end(selected);
      state.settling.push(settled);
    }
    const settling = [...state.settling];
    const now = clock.wall();
    const result = await transactionsOfTurn(
      store,
      turn,
      clock.wall,
    )(async (tx) => {
      const changes = laneChanges(tx, now);
      const work = parts.workIn(tx, now);
      const settledNow = await settle(work, changes, settling);
      const accepted = await accept(work, changes, parts.limits);
      await changes.store();
      const failed = [...settledNow, ...accepted.undelivered];
      const ended = endedOf(settling, settledNow, accepted.undelivered);
      const selected = isStopped ? [] : await select(tx, running, now);
      const attempts: Attempt[] = [];
      for (const { message } of selected) attempts.push(await parts.prepare(tx, message));
      const nextDue = await tx.of(lanes).nextDue();
      return { failed, ended, more: accepted.more, selected, attempts, nextDue };
    });
    state.settling = [];
    parts.onEnded(result.ended);
    for (const each of result.failed) {
      counters[each.fate === 'lost' ? 'lost' : 'deadLetters'] += 1;
      undelivered.add(each);
    }
    for (const [i, selected] of result.selected.entries()) {
      running.begin(selected);
      void attempt(state, selected, result.attempts[i] as Attempt);
    }
    const isBusy = result.more || result.failed.length > 0 || result.selected.length > 0 || state.ended.length > 0;
    if (isBusy) return 'now';
    // If messages are due and none started, the end of an attempt starts the next step.
    return result.nextDue !== undefined && (result.nextDue > now || running.count() === 0) ? result.nextDue : undefined;
  }

  /** Sends messages until the server stops or loses the turn. */
  async function runTurn(): Promise<void> {
    const state: TurnState = { running: runningAttempts(), ended: [], settling: [] };
    await transactionsOfTurn(store, turn, clock.wall)((tx) => tx.of(lanes).dueAll(clock.wall()));
    while (!isStopped && parts.isOpen()) {
      await gather(state);
      const added = await sources(transactionsOfTurn(store, turn, clock.wall));
      const next = await step(state);
      if (added === 'more') continue;
      if (next === 'now' && state.running.count() < RUNNING_MAX.total) continue;
      await waiting.wait(next === undefined || next === 'now' ? SIGN_EVERY_MS : Math.min(SIGN_EVERY_MS, next - clock.wall()));
    }
    const deadline = clock.monotonic() + STOP_MS;
    while (state.running.count() > 0 && clock.monotonic() < deadline) {
      if (state.ended.length === 0) await waiting.wait(deadline - clock.monotonic());
      if (state.ended.length > 0) await step(state);
    }
    await store.transaction((tx) => turn.end(tx, clock.wall()));
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      try {
        const hasTurn = parts.isOpen() && (await store.transaction((tx) => turn.take(tx, clock.wall())));
        if (hasTurn) await runTurn();
        else await waiting.pause(CHECK_EVERY_MS, () => isStopped);
      } catch (error) {
        if (isStopped) return;
        if (!(error instanceof TurnLost)) report(`delivery of outgoing messages failed: ${(error as Error).message}`);
        await waiting.pause(AFTER_ERROR_MS, () => isStopped);
      }
    }
  }

  return {
    counters,
    start() {
      loop = run();
    },
    wake: waiting.wake,
    async stop() {
      isStopped = true;
      waiting.wake();
      await loop;
    },
  };
}

/** Waits a moment for further results, so that one transaction stores many. It is not a time of the service, so it uses no set clock. */
async function gather({ ended, running }: TurnState): Promise<void> {
  if (running.count() > 1) await setImmediate();
  if (ended.length > 0 && ended.length * 2 < running.count()) await setTimeout(GATHER_MS);
}
