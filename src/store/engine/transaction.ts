import { instant } from '#core/instant.ts';
import { type Attempts, attempts } from '../attempts.ts';
import { type Idempotency, idempotency } from '../idempotency.ts';
import { type LastUses, lastUses } from '../identity/last-use.ts';
import { type Identity, identity } from '../identity/repository.ts';
import { type Meta, meta } from '../meta.ts';
import { type Resources, resources } from '../resources.ts';
import type { Sql } from '../sql.ts';
import type { Store, Tx } from '../store.ts';
import { type Trail, trail } from '../trail/trail.ts';
import type { DocumentPart } from '../trail/trail-documents.ts';
import { writeRun } from '../trail/trail-index.ts';
import { merging } from '../trail/trail-merge.ts';
import type { TrailRow } from '../trail/trail-row.ts';
import { type ChainOrder, numberOldPacks } from '../trail/trail-writers.ts';
import { StoreUnwritable } from '../unwritable.ts';

/**
 * Number of new trail records after which the store checks whether they fill the next run. A run is the unit in which
 * the trail's index is written.
 */
const CHECKED_RECORDS = 512;

/**
 * Number of parts of merges between two checks for new runs, of which each writes two runs at most. The parts have twice the entries of
 * the runs for each level: three levels keep up.
 */
const PARTS_PER_CHECK = 4;

/** Parts that the transactions of a store share. */
export interface Shared {
  /** Returns a position in the trail below which no further record appears. */
  settled(): number;
  /** Order in which the engine reads the packs (rows with several records) of a writer. */
  readonly chainOrder: ChainOrder;
  readonly documentPart: DocumentPart;
  /** Called with the number of records that became durable. */
  recorded(count: number): void;
}

/**
 * One execution of a transaction's work, without its connection. Each repository is created when it is first used.
 *
 * It is a class, because V8 gives all instances of a class one hidden class. An object literal with getters gets a
 * hidden class for each instance, which makes all code that reads it slower.
 */
export class Run implements Tx {
  readonly sql: Sql;
  readonly #shared: Shared;
  readonly #writeEarlier: () => void;
  /** Trail records that the work has appended. The engine writes them after the work. */
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
  get usedIdentity(): Identity | undefined {
    return this.#repositories?.get(identity) as Identity | undefined;
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
      chainOrder: this.#shared.chainOrder,
      documentPart: this.#shared.documentPart,
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

  /** Checks the end of a read-only transaction. @throws StoreUnwritable  the work appended trail records */
  requireNoRecords(): void {
    if (this.records.length > 0) throw new StoreUnwritable(new Error('a read-only transaction cannot append trail records'));
  }

  /** Calls the `afterCommit` functions. Call it when the commit is durable. */
  committed(): void {
    this.#shared.recorded(this.records.length);
    for (const fn of this.#afterCommit ?? []) fn();
  }
}

/**
 * Number of packs (rows with several records) from before the chains of records that one transaction numbers, and the
 * pause after it, as a multiple of its duration.
 */
const OLD_PACKS = 8;
const PAUSE_FACTOR = 4;

/** Numbers the packs that are older than chains, after an upgrade. After an error, the next start continues. */
async function numberOld({ transaction }: Pick<Store, 'transaction'>): Promise<void> {
  try {
    for (let state = 'more'; state === 'more'; ) {
      const began = performance.now();
      state = await transaction(({ sql }) => numberOldPacks(sql, instant(Date.now()), OLD_PACKS));
      const pause = (performance.now() - began) * PAUSE_FACTOR;
      if (state === 'more') await new Promise<void>((resolve) => setTimeout(resolve, pause).unref());
    }
  } catch {
    // Another server numbers the same packs, or the store is closing.
  }
}

/**
 * Creates the function that writes the trail's index in its own transactions. After each durable commit, call the
 * function with the number of committed records. When enough records are new, it checks whether they fill a run, the
 * unit in which the index is written. After an error, it tries again with the next records. Until then, look-ups are
 * slower, but complete.
 */
export function indexing({ transaction }: Pick<Store, 'transaction'>, settled: () => number): (count: number) => void {
  // The first record also causes a check: an earlier process may have left records without an index.
  let since = CHECKED_RECORDS;
  let running = false;
  let checkedOld = false;
  const merges = merging(transaction);
  async function run(): Promise<void> {
    running = true;
    let hasOld = false;
    try {
      for (let more = true; more; ) {
        // Writes runs between the parts of a merge, because look-ups read the records without an index one after the other.
        since = 0;
        const [written, isDue] = await transaction(async ({ sql }) => {
          const first = await writeRun(sql, settled());
          if (!checkedOld) hasOld = (await numberOldPacks(sql, instant(Date.now()), OLD_PACKS)) === 'more';
          return [first === 'more' ? await writeRun(sql, settled()) : first, await merges.due(sql)] as const;
        });
        if (!checkedOld && hasOld) void numberOld({ transaction });
        checkedOld = true;
        more = written === 'more' || isDue;
        for (let [part, isPartDue] = [0, isDue]; isPartDue; part++) {
          const isRunDue = written === 'more' || since >= CHECKED_RECORDS;
          isPartDue = (part < PARTS_PER_CHECK || !isRunDue) && (await merges.part());
        }
      }
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

/** Returns a connection that runs only statements that read. The other statements fail with `StoreUnwritable`. */
export function readOnlySql(sql: Sql): Sql {
  const refused = () => Promise.reject(new StoreUnwritable(new Error('a read-only transaction cannot change data')));
  return {
    row: (text, values) => (isWrite(text) ? refused() : sql.row(text, values)),
    rows: (text, values) => (isWrite(text) ? refused() : sql.rows(text, values)),
    run: refused,
  };
}

/**
 * Reports whether a statement changes data. `tools/check-sql.ts` rejects a `WITH` that changes data, so `WITH` only
 * reads.
 */
export function isWrite(text: string): boolean {
  return !/^\s*(?:SELECT|WITH)\b/.test(text);
}
