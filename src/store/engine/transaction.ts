import { type Attempts, attempts } from '../attempts.ts';
import { type Idempotency, idempotency } from '../idempotency.ts';
import { type LastUses, lastUses } from '../identity/last-use.ts';
import { type Identity, identity } from '../identity/repository.ts';
import { type Meta, meta } from '../meta.ts';
import { type Resources, resources } from '../resources.ts';
import type { Sql } from '../sql.ts';
import type { Store, Tx } from '../store.ts';
import { type Trail, trail } from '../trail/trail.ts';
import { mergeRuns, writeRun } from '../trail/trail-index.ts';
import type { TrailRow } from '../trail/trail-row.ts';

/** Number of new trail records after which the next run of the trail's index may be full. */
const CHECKED_RECORDS = 512;

/** Parts that the transactions of a store share. */
export interface Shared {
  /** Returns a position below which no further record appears. */
  settled(): number;
  /** Called with the number of records that became durable. */
  recorded(count: number): void;
}

/**
 * One execution of a transaction's work, without its connection. Each repository is created when it is first used.
 *
 * A class, because V8 gives all its instances one hidden class. An object literal with getters gets a hidden class for each instance,
 * which makes all code that reads it slower.
 */
export class Run implements Tx {
  readonly sql: Sql;
  readonly #shared: Shared;
  readonly #writeEarlier: () => void;
  /** Appended records. The engine writes them after the work. */
  readonly records: TrailRow[] = [];
  #trail: Trail | undefined;
  #repositories: Map<(connection: Sql) => unknown, unknown> | undefined;
  #afterCommit: (() => void)[] | undefined;

  /** `writeEarlier` writes the records of earlier transactions that are not written yet. */
  constructor(sql: Sql, shared: Shared, writeEarlier: () => void = () => {}) {
    this.sql = sql;
    this.#shared = shared;
    this.#writeEarlier = writeEarlier;
  }

  get identity(): Identity {
    return this.of(identity);
  }
  get resources(): Resources {
    return this.of(resources);
  }
  get trail(): Trail {
    return (this.#trail ??= trail({
      sql: this.sql,
      append: (row) => this.records.push(row),
      writeEarlier: this.#writeEarlier,
      settled: this.#shared.settled,
    }));
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

  /** Calls the `afterCommit` functions. Call it when the commit is durable. */
  committed(): void {
    this.#shared.recorded(this.records.length);
    for (const fn of this.#afterCommit ?? []) fn();
  }
}

/**
 * Creates the function that writes the trail's index in its own transactions. Call it with each number of durable records. It checks the
 * trail when a run of the index may be full. After an error, it tries again with the next records. Until then, look-ups are only slower.
 */
export function indexing({ transaction }: Pick<Store, 'transaction'>, settled: () => number): (count: number) => void {
  // The first record also causes a check: an earlier process may have left records without an index.
  let since = CHECKED_RECORDS;
  let running = false;
  async function run(): Promise<void> {
    running = true;
    try {
      while ((await transaction(({ sql }) => writeRun(sql, settled()))) === 'more') await mergeRuns(transaction);
    } catch {
      // Another server wrote the same runs, or the store is closing.
    }
    running = false;
  }
  return (count) => {
    since += count;
    if (since < CHECKED_RECORDS || running || count === 0) return;
    since = 0;
    void run();
  };
}

/** Reports whether a statement changes data. `WITH` only reads: the common subset has no statements that change data inside one. */
export function isWrite(text: string): boolean {
  return !/^\s*(?:SELECT|WITH)\b/.test(text);
}
