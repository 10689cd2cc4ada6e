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

/** One run of the work of a transaction, without its connection. */
export interface Run {
  readonly tx: Tx;
  /** Appended records that are not written yet. The engine writes them after the work. */
  readonly pending: TrailRow[];
  flush(): Promise<void>;
  /** Calls the `afterCommit` functions. Call it when the commit is durable. */
  committed(): void;
}

/** Parts that the transactions of a store share. */
export interface Shared {
  readonly positions: Positions;
  /** Returns a position below which no further record appears. */
  settled(): number;
  /** Called with the number of records that became durable. */
  recorded(count: number): void;
}

/** Creates the repositories of one connection. Each is created when it is first used. */
export function startRun(sql: Sql, { positions, settled, recorded }: Shared): Run {
  const pending: TrailRow[] = [];
  let written = 0;
  const afterCommit: (() => void)[] = [];
  const opened: { -readonly [Name in keyof Tx]?: Tx[Name] } = {};
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
      return (opened.identity ??= identity(sql));
    },
    get resources() {
      return (opened.resources ??= resources(sql));
    },
    get trail() {
      return (opened.trail ??= trail(sql, pending, flush, settled));
    },
    get idempotency() {
      return (opened.idempotency ??= idempotency(sql));
    },
    get meta() {
      return (opened.meta ??= meta(sql));
    },
    get lastUses() {
      return (opened.lastUses ??= lastUses(sql));
    },
    get attempts() {
      return (opened.attempts ??= attempts(sql));
    },
    of<Repository>(repository: (connection: Sql) => Repository): Repository {
      let found = repositories.get(repository);
      if (found === undefined) repositories.set(repository, (found = repository(sql)));
      return found as Repository;
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
      // The pending records were written outside the transaction.
      recorded(written + pending.length);
      for (const fn of afterCommit) fn();
    },
  };
}

/**
 * Creates the function that writes the trail's chunks in their own transactions. Call it with each number of durable records. It checks the
 * trail when a chunk may be full. After an error, it tries again with the next records. Until then a look-up only reads more.
 */
export function chunking(store: Pick<Store, 'transaction'>, settled: () => number): (count: number) => void {
  // The first record also causes a check: an earlier process may have left records without a chunk.
  let since = CHUNK_ROWS;
  let running = false;
  async function run(): Promise<void> {
    running = true;
    try {
      while ((await store.transaction(({ sql }) => makeChunks(sql, settled()))) === 'more');
    } catch {
      // Another server wrote the same chunks, or the store is closing.
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

/** Reports whether a statement changes data. `WITH` only reads: the common subset has no statements that change data inside one. */
export function isWrite(text: string): boolean {
  return !/^\s*(?:SELECT|WITH)\b/.test(text);
}
