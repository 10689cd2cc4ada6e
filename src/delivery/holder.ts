/** Turn of one server to deliver: on each database, one server at a time delivers the records of all trails. */
import { HOUR_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import type { Store, Tx } from '#store/store.ts';

/** Time after the last sign of a server at which another server takes its turn. */
export const HOLDER_MS = 60_000;

/** Longest time between two turns. Source: the maximum of BELFRY_TRAIL_DELIVERY_SECONDS. */
const INTERVAL_MAX_MS = HOUR_MS;
/** Largest difference between the clocks of two servers. */
const SKEW_MS = 60_000;

/**
 * Reports whether a stored time has not come. A time that is further ahead than `max` was stored while a clock was wrong, so it does not
 * count. Otherwise a clock that was ahead for a moment would stop the delivery until that time.
 */
function isAhead(at: number, now: Instant, max: number): boolean {
  return at > now && at <= now + max + SKEW_MS;
}

interface TurnState {
  /** Server that has the turn, and the time until which no other server takes it. */
  readonly holder?: { readonly id: string; readonly until: number };
  /** Earliest start of the next turn. */
  readonly nextAt: number;
}

/** Turns of one server, whose random ID is `id`. Each function runs in a transaction of the caller. */
export interface Turns {
  /** Takes the turn if it is due and no other server has it. Returns false otherwise. */
  take(tx: Tx, now: Instant): Promise<boolean>;
  /** Prolongs the turn. Returns false if the server has lost it. A server without the turn must change nothing. */
  hold(tx: Tx, now: Instant): Promise<boolean>;
  /** Ends the turn. The next one is due at `nextAt`. */
  end(tx: Tx, nextAt: number): Promise<void>;
}

/** Error of a server that has lost its turn. */
export class TurnLost extends Error {}

/** Runs work in a transaction. */
export type Transact = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

/**
 * Returns the function that runs transactions of the server that has the turn. Each one prolongs the turn.
 *
 * The function rejects with `TurnLost`, and changes nothing, if another server has the turn.
 */
export function transactionsOfTurn(store: Pick<Store, 'transaction'>, turn: Turns, now: () => Instant): Transact {
  return (work) =>
    store.transaction(async (tx) => {
      if (!(await turn.hold(tx, now()))) throw new TurnLost('another server delivers');
      return await work(tx);
    });
}

/** Work that one server at a time does. */
export interface TurnOptions {
  /** Name of the state in the table `meta`. */
  readonly state: string;
  /** Time after the last sign of a server at which another server takes its turn. */
  readonly holderMs: number;
  /** True if no other server can use the database. Then the turn of an earlier process has ended. */
  readonly isAlone?: boolean;
}

/** Creates the turns of a server. The default is the delivery of log files. */
export function turns(id: string, options: TurnOptions = { state: 'trail-delivery', holderMs: HOLDER_MS }): Turns {
  const { state: name, holderMs, isAlone = false } = options;
  async function read(tx: Tx): Promise<TurnState> {
    const text = await tx.meta.get(name);
    return text === undefined ? { nextAt: 0 } : (JSON.parse(text) as TurnState);
  }
  const write = (tx: Tx, state: TurnState): Promise<void> => tx.meta.put(name, JSON.stringify(state));

  return {
    async take(tx, now) {
      const { holder, nextAt } = await read(tx);
      const isHeld = !isAlone && holder !== undefined && holder.id !== id && isAhead(holder.until, now, holderMs);
      // A holder that has stopped left its turn unfinished, so the turn is due at once.
      if (isHeld || (holder === undefined && isAhead(nextAt, now, INTERVAL_MAX_MS))) return false;
      await write(tx, { holder: { id, until: now + holderMs }, nextAt });
      return true;
    },
    async hold(tx, now) {
      const state = await read(tx);
      if (state.holder?.id !== id) return false;
      // Most transactions of a run only read the turn.
      if (state.holder.until > now + holderMs / 2 && state.holder.until <= now + holderMs) return true;
      await write(tx, { ...state, holder: { id, until: now + holderMs } });
      return true;
    },
    async end(tx, nextAt) {
      if ((await read(tx)).holder?.id === id) await write(tx, { nextAt });
    },
  };
}
