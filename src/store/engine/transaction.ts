import { type Attempts, attempts } from '../attempts.ts';
import { type Idempotency, idempotency } from '../idempotency.ts';
import { type LastUses, lastUses } from '../identity/last-use.ts';
import { type Identity, identity } from '../identity/repository.ts';
import { type Meta, meta } from '../meta.ts';
import { type Resources, resources } from '../resources.ts';
import type { Sql } from '../sql.ts';
import type { Store, Tx } from '../store.ts';
import { insertTrailRows, type Trail, trail } from '../trail/trail.ts';
import { CHUNK_ROWS, makeChunks } from '../trail/trail-chunk.ts';
import type { TrailRow } from '../trail/trail-row.ts';
import type { Positions } from './position.ts';

/** Parts that the transactions of a store share. */
export interface Shared {
  readonly positions: Positions;
  /** Returns a position below which no further record appears. */
  settled(): number;
  /** Called with the number of records that became durable. */
  recorded(count: number): void;
}

/**
 * One run of the work of a transaction, without its connection. Each repository is created when it is first used.
 *
 * A class, because V8 gives all its instances one hidden class. An object literal with getters gets a hidden class for each instance,
 * which makes all code that reads it slower.
 */
export class Run implements Tx {
  readonly sql: Sql;
  readonly #shared: Shared;
  /** Appended records that are not written yet. The engine writes them after the work. */
  readonly pending: TrailRow[] = [];
  #written = 0;
  #trail: Trail | undefined;
  #repositories: Map<(connection: Sql) => unknown, unknown> | undefined;
  #afterCommit: (() => void)[] | undefined;

  constructor(sql: Sql, shared: Shared) {
    this.sql = sql;
    this.#shared = shared;
  }

  get identity(): Identity {
    return this.of(identity);
  }
  get resources(): Resources {
    return this.of(resources);
  }
  get trail(): Trail {
    return (this.#trail ??= trail(this.sql, this.pending, () => this.flush(), this.#shared.settled));
  }
  get idempotency(): Idempotency {
    return this.of(idempotency);
  }
  get meta(): Meta {
    return this.of(meta);
  }
  get lastUses(): LastUses {
    return this.of(lastUses);
  }
  get attempts(): Attempts {
    return this.of(attempts);
  }

  of<Repository>(repository: (connection: Sql) => Repository): Repository {
    const repositories = (this.#repositories ??= new Map());
    let found = repositories.get(repository) as Repository | undefined;
    if (found === undefined) repositories.set(repository, (found = repository(this.sql)));
    return found;
  }

  afterCommit(fn: () => void): void {
    (this.#afterCommit ??= []).push(fn);
  }

  /** Writes the pending records. */
  async flush(): Promise<void> {
    const { pending } = this;
    if (pending.length === 0) return;
    await insertTrailRows(this.sql.run, pending, this.#shared.positions.next);
    this.#written += pending.length;
    pending.length = 0;
  }

  /** Calls the `afterCommit` functions. Call it when the commit is durable. */
  committed(): void {
    // The pending records were written outside the transaction.
    this.#shared.recorded(this.#written + this.pending.length);
    for (const fn of this.#afterCommit ?? []) fn();
  }
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
