import { attempts } from '../attempts.ts';
import { idempotency } from '../idempotency.ts';
import { lastUses } from '../identity/last-use.ts';
import { identity } from '../identity/repository.ts';
import { meta } from '../meta.ts';
import { resources } from '../resources.ts';
import type { Sql } from '../sql.ts';
import type { Store, Tx } from '../store.ts';
import { insertTrailRows, trail } from '../trail/trail.ts';
import { CHUNK_ROWS, makeChunks } from '../trail/trail-chunk.ts';
import type { TrailRow } from '../trail/trail-row.ts';
import type { Positions } from './position.ts';

/** One run of one transaction's work: what the engine keeps of it beside the connection. */
export interface Run {
  readonly tx: Tx;
  /** Records appended and not yet written: the engine writes them after the work, its own way. */
  readonly pending: TrailRow[];
  flush(): Promise<void>;
  /** Tells those who asked for it that the commit is durable. */
  committed(): void;
}

/** What the transactions of a store have in common. */
export interface Shared {
  readonly positions: Positions;
  /** A position below which no record will appear any more. */
  settled(): number;
  /** Hears how many records became durable. */
  recorded(count: number): void;
}

/** Joins the repositories over one connection; each is made when first used. */
export function startRun(sql: Sql, { positions, settled, recorded }: Shared): Run {
  const pending: TrailRow[] = [];
  let written = 0;
  const afterCommit: (() => void)[] = [];
  const made: { -readonly [Name in keyof Tx]?: Tx[Name] } = {};
  const repositories = new Map<(connection: Sql) => unknown, unknown>();
  const flush = async (): Promise<void> => {
    if (pending.length === 0) return;
    await insertTrailRows(sql.run, pending, positions.next);
    written += pending.length;
    pending.length = 0;
  };
  const tx: Tx = {
    sql,
    get identity() {
      return (made.identity ??= identity(sql));
    },
    get resources() {
      return (made.resources ??= resources(sql));
    },
    get trail() {
      return (made.trail ??= trail(sql, pending, flush, settled));
    },
    get idempotency() {
      return (made.idempotency ??= idempotency(sql));
    },
    get meta() {
      return (made.meta ??= meta(sql));
    },
    get lastUses() {
      return (made.lastUses ??= lastUses(sql));
    },
    get attempts() {
      return (made.attempts ??= attempts(sql));
    },
    of<Repository>(repository: (connection: Sql) => Repository): Repository {
      let opened = repositories.get(repository);
      if (opened === undefined) repositories.set(repository, (opened = repository(sql)));
      return opened as Repository;
    },
    afterCommit(fn) {
      afterCommit.push(fn);
    },
  };
  return {
    tx,
    pending,
    flush,
    committed() {
      // What is still pending was written beside the transaction.
      recorded(written + pending.length);
      for (const fn of afterCommit) fn();
    },
  };
}

/**
 * Makes the trail's chunks as records come, in transactions of their own: hears of records, and looks whenever a chunk may be full.
 * What goes wrong is tried again with the next records; a look-up only reads more until then.
 */
export function chunking(store: Pick<Store, 'transaction'>, settled: () => number): (count: number) => void {
  // The first record looks too: what came before this process may have stayed without.
  let since = CHUNK_ROWS;
  let running = false;
  async function run(): Promise<void> {
    running = true;
    try {
      while ((await store.transaction(({ sql }) => makeChunks(sql, settled()))) === 'more');
    } catch {
      // A conflict with another server, which made them; or the store is closing.
    }
    running = false;
  }
  return (count) => {
    since += count;
    if (since < CHUNK_ROWS || running || count === 0) return;
    since = 0;
    void run();
  };
}

/** Whether a statement changes anything. A `WITH` only reads: statements that change data inside one are not in the common subset. */
export function isWrite(text: string): boolean {
  return !/^\s*(?:SELECT|WITH)\b/.test(text);
}
