import { lruMap } from '#core/lru-map.ts';
import type { Sql, SqlValue } from '../sql.ts';
import type { Store, StoreOptions, Tx } from '../store.ts';
import { positions } from './position.ts';
import type { SqliteDriver, SqliteStatement } from './sqlite-driver.ts';
import { chunking, isWrite, type Shared, startRun } from './transaction.ts';

/**
 * Transactions that share one commit at most. The sync of one group goes on while the next works, and those before it are answered while it
 * works, so groups are small; syncs are shared by as many groups as are committed when they begin.
 */
const GROUP_MAX = 16;

/** Syncs under way at once: while one ends, the next has begun. */
const SYNCS_MAX = 2;

/** Statements kept prepared. Texts are ours, so there are few; lists of placeholders make some more. */
const PREPARED_MAX = 1_000;

/** SQLite's primary result codes after which nothing written can be trusted. Source: sqlite.org/rescode.html. */
// biome-ignore format: a table
const FATAL_CODES: ReadonlySet<number> = new Set([
  7,  // NOMEM
  10, // IOERR
  11, // CORRUPT
  13, // FULL
  26, // NOTADB
]);

/** A transaction that waits for its group. */
interface Member {
  /** Runs the work; resolves to what is to be told once the group is durable. Rejects only where the store is broken. */
  run(): Promise<() => void>;
  reject(error: unknown): void;
}

/** Makes durable what has been committed; calls back when it is. */
export type SyncLog = (done: (error: Error | null) => void) => void;

/**
 * Runs transactions one after the other on one connection, and commits those that wait together as one: each of them is a savepoint.
 * A commit writes the log and does not wait for the disk: that goes on beside the work (`syncLog`, Decision 0013). Whatever was committed
 * by the time a sync begins shares it, and none is answered before its own has ended, nor one that may have read what is not yet durable.
 *
 * Invariant (one writer): nobody else writes to the file, so what a transaction read before the group's BEGIN is what it would read after.
 * BEGIN therefore waits for the first write, and a group that only reads touches no disk.
 */
export function groupCommit(
  db: SqliteDriver,
  { fatal = crash, now = Date.now }: StoreOptions,
  closed: () => void,
  syncLog: SyncLog = (done) => done(null),
): Store {
  const { prepare, exec } = preparing(db);
  // Nothing commits behind the end of the trail: all of it has settled.
  const settled = (): number => Number.MAX_SAFE_INTEGER;
  const shared: Shared = { positions: positions(now, () => lastPosition(db)), settled, recorded: (count) => chunk(count) };
  const queue: Member[] = [];
  let state: 'open' | 'closing' | 'broken' = 'open';
  let draining: Promise<void> | undefined;
  /** Whether the group has begun to write. */
  let begun = false;
  /** What is to be told of groups that are committed and not yet durable, in commit order. */
  let unsynced: (() => void)[] = [];
  let syncs = 0;
  let lastSync = Promise.resolve();

  // A function, because the compiler does not see that a call may have changed the state.
  const isBroken = (): boolean => state === 'broken';

  function stop(error: unknown): void {
    if (isBroken()) return;
    state = 'broken';
    fatal(error);
  }

  /** Runs what only fails where the file or the disk does. */
  function control(text: 'BEGIN IMMEDIATE' | 'COMMIT' | 'ROLLBACK' | 'SAVEPOINT member' | 'RELEASE member' | 'ROLLBACK TO member'): void {
    try {
      exec(text);
    } catch (error) {
      stop(error);
      throw error;
    }
  }

  /** The connection as one member of the group sees it: it knows how to take back what that member wrote. */
  function connection() {
    let undo: 'nothing' | 'savepoint' | 'group' = 'nothing';
    let last = false;
    let ended = false;
    let failure: { readonly error: unknown } | undefined;

    function beforeWrite(): void {
      if (undo !== 'nothing') return;
      if (!begun) {
        // Nobody wrote before this member: taking back the group takes back this member alone.
        control('BEGIN IMMEDIATE');
        begun = true;
        undo = 'group';
      } else if (!last) {
        control('SAVEPOINT member');
        undo = 'savepoint';
      }
    }
    function execute<T>(text: string, use: (statement: SqliteStatement) => T): T {
      if (ended) throw new Error('A transaction was used after its end.');
      if (isBroken()) throw new Error('The store has stopped.');
      if (failure !== undefined)
        throw new Error('A statement of this transaction failed: it can only be given up.', { cause: failure.error });
      try {
        const { statement, writes } = prepare(text);
        if (writes) beforeWrite();
        return use(statement);
      } catch (error) {
        // As PostgreSQL has it: nothing is built on a statement that failed.
        failure = { error };
        if (FATAL_CODES.has(db.resultCode(error)) || db.isInTransaction() !== begun) stop(error);
        throw error;
      }
    }
    const sql: Sql = {
      row: async <Row>(text: string, values: readonly SqlValue[] = []) => execute(text, (s) => s.get(values)) as Row | undefined,
      rows: async <Row>(text: string, values: readonly SqlValue[] = []) => execute(text, (s) => s.all(values)) as Row[],
      run: async (text, values = []) => execute(text, (s) => s.run(values)),
    };
    return {
      sql,
      /** One statement is kept whole or not at all: what only records needs no savepoint. */
      beforeLastStatement(): void {
        last = true;
      },
      keep(): void {
        if (failure !== undefined) throw failure.error;
        ended = true;
        if (undo === 'savepoint') control('RELEASE member');
      },
      takeBack(): void {
        ended = true;
        if (undo === 'savepoint') {
          control('ROLLBACK TO member');
          control('RELEASE member');
        } else if (undo === 'group') {
          control('ROLLBACK');
          begun = false;
        }
      },
    };
  }

  let giveUp = (_: Error): void => {};

  /** Work that can be given up: nobody else gets a turn while one waits. */
  function unlessStuck<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      giveUp = reject;
      work().then(resolve, reject);
    });
  }

  /**
   * Everything a group does is done before the loop turns: statements answer at once. If it turns, the work that runs awaits something else
   * than its transaction, perhaps for ever, and all the others with it.
   */
  function watchStuck(): () => void {
    let watch = setImmediate(function turned() {
      giveUp(new Error('The work of a transaction awaited something else than its transaction.'));
      watch = setImmediate(turned);
    });
    return () => clearImmediate(watch);
  }

  function member<T>(work: (tx: Tx) => Promise<T>, resolve: (value: T) => void, reject: (error: unknown) => void): Member {
    return {
      async run() {
        const { sql, beforeLastStatement, keep, takeBack } = connection();
        const run = startRun(sql, shared);
        try {
          const value = await unlessStuck(() => work(run.tx));
          beforeLastStatement();
          await run.flush();
          keep();
          return () => {
            run.committed();
            resolve(value);
          };
        } catch (error) {
          if (isBroken()) throw error;
          takeBack();
          // What it failed on may be another member's write: that must be durable before anyone hears of it.
          return () => reject(error);
        }
      },
      reject,
    };
  }

  async function commitGroup(group: readonly Member[]): Promise<void> {
    const unwatch = watchStuck();
    try {
      const settle: (() => void)[] = [];
      for (const one of group) settle.push(await one.run());
      if (begun) {
        // A member may have caught the error that broke the store; nothing of this group is to be made durable.
        if (isBroken()) throw new Error('The store has stopped.');
        control('COMMIT');
        begun = false;
        unsynced.push(...settle);
        sync();
      } else if (syncs > 0) unsynced.push(...settle);
      else for (const tell of settle) tell();
    } catch (error) {
      stop(error);
      for (const { reject } of group) reject(error);
    } finally {
      unwatch();
    }
  }

  /**
   * Begins a sync for what is committed and not yet covered by one, unless enough of them are under way: what is committed meanwhile
   * shares the next. Each covers all that was committed before it began; they are told in the order of their beginning.
   */
  function sync(): void {
    if (unsynced.length === 0 || syncs === SYNCS_MAX || isBroken()) return;
    const told = unsynced;
    unsynced = [];
    syncs += 1;
    const ended = new Promise<Error | null>((done) => syncLog(done));
    lastSync = lastSync.then(async () => {
      const error = await ended;
      syncs -= 1;
      if (error !== null) stop(error);
      // Whether it is durable is not known: nobody is told that it is, and the process is at its end.
      if (isBroken()) return;
      for (const tell of told) tell();
      sync();
    });
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // The loop turns once, so that what arrived while the disk worked is in the queue.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await commitGroup(queue.splice(0, GROUP_MAX));
    }
    draining = undefined;
  }

  const store: Store = {
    transaction(work) {
      return new Promise((resolve, reject) => {
        if (state !== 'open') return reject(new Error(isBroken() ? 'The store has stopped.' : 'The store is closed.'));
        queue.push(member(work, resolve, reject));
        draining ??= drain();
      });
    },
    async close() {
      if (state === 'open') state = 'closing';
      await draining;
      while (syncs > 0) await lastSync;
      db.close();
      closed();
    },
  };
  const chunk = chunking(store, settled);
  return store;
}

interface Prepared {
  readonly statement: SqliteStatement;
  readonly writes: boolean;
}

/** Prepares each SQL string once, and keeps the `PREPARED_MAX` most recently used statements. */
function preparing(db: SqliteDriver) {
  const prepared = lruMap<string, Prepared>(PREPARED_MAX);
  function prepare(text: string): Prepared {
    let known = prepared.get(text);
    if (known === undefined) {
      known = { statement: db.prepare(text), writes: isWrite(text) };
      prepared.set(text, known);
    }
    return known;
  }
  return { prepare, exec: (text: string): void => void prepare(text).statement.run([]) };
}

/** Returns the largest position in the trail, so that new records follow it even if the clock was set back. */
function lastPosition(db: SqliteDriver): number {
  return Number(db.prepare('SELECT MAX(position) AS last FROM trail_event').get([])?.['last'] ?? 0);
}

/** Where nobody says how to stop: as an exception that nobody catches. */
function crash(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
