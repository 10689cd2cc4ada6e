import type { Store, StoreOptions, Tx } from '../store.ts';
import { packInserts } from '../trail/trail-pack.ts';
import type { TrailRow } from '../trail/trail-row.ts';
import { groupWriter } from './group-writer.ts';
import { logSyncs, type SyncLog } from './log-syncs.ts';
import { memberConnection } from './member-connection.ts';
import { positions } from './position.ts';
import type { SqliteDriver } from './sqlite-driver.ts';
import { stuckWork } from './stuck-work.ts';
import { indexing, Run, type Shared } from './transaction.ts';

/**
 * Maximum number of transactions that share one commit. Small groups allow three steps at the same time: the disk syncs one group, the
 * next group runs, and the server responds to the previous group. All groups that are committed before a sync begins share this sync.
 */
const GROUP_MAX = 16;

/** A transaction in the queue, which runs with the next group. */
interface Member {
  /** Runs the work. Resolves to the response for the caller, to be sent when the group is durable. Rejects only if the store is broken. */
  run(): Promise<() => void>;
  reject(error: unknown): void;
}

/**
 * Runs transactions one after another on one connection. Transactions that wait together share one commit: each of them is a savepoint.
 *
 * A commit writes the log without waiting for the disk. A sync of the log runs off the thread (`syncLog`, Decision 0013). A response
 * waits until its own commit, and every commit that it may have read, is durable.
 *
 * Invariant (one writer): no other connection writes to the file. So the BEGIN of a group never waits. It runs before the first statement,
 * also if that only reads. A COMMIT of a group that only reads does not touch the disk.
 */
export function groupCommit(
  db: SqliteDriver,
  { fatal = crash, now = Date.now }: StoreOptions,
  closed: () => void,
  syncLog: SyncLog = (done) => done(null),
): Store {
  const writer = groupWriter(db, fatal);
  const syncs = logSyncs({ syncLog, stop: writer.stop, isBroken: writer.isBroken });
  const stuck = stuckWork();
  // New records are always at the end of the trail, so every position is settled.
  const settled = (): number => Number.MAX_SAFE_INTEGER;
  const { next } = positions(now, () => lastPosition(db));
  const shared: Shared = { settled, recorded: (count) => index(count) };
  /** Trail records of the members that have ended, of the current group. */
  let records: TrailRow[] = [];
  const queue: Member[] = [];
  let isOpen = true;
  let draining: Promise<void> | undefined;

  function member<T>(work: (tx: Tx) => Promise<T>, resolve: (value: T) => void, reject: (error: unknown) => void): Member {
    return {
      async run() {
        const { sql, hasWritten, keep, undo } = memberConnection(writer);
        const run = new Run(sql, shared, () => {
          // Otherwise `undo` of this member would undo the records of the others.
          if (!hasWritten()) writeRecords();
        });
        try {
          const value = await stuck.run(() => work(run));
          keep();
          records.push(...run.records);
          return () => {
            run.committed();
            resolve(value);
          };
        } catch (error) {
          if (writer.isBroken()) throw error;
          undo();
          // The error may depend on another member's write, which must be durable before the caller gets the error.
          return () => reject(error);
        }
      },
      reject,
    };
  }

  /** Writes the trail records of the members that have ended. */
  function writeRecords(): void {
    if (records.length === 0) return;
    writer.beginWrite();
    for (const { text, values } of packInserts(records, next)) writer.control(text, values);
    records = [];
  }

  async function commitGroup(group: readonly Member[]): Promise<void> {
    const unwatch = stuck.watch();
    try {
      const respond: (() => void)[] = [];
      for (const one of group) respond.push(await one.run());
      writeRecords();
      // A member may have caught the error that broke the store. No change of this group must become durable.
      if (writer.isBroken()) throw new Error('the store has stopped after a failed write');
      const { wrote } = writer;
      writer.end('COMMIT');
      if (wrote) syncs.afterCommit(respond);
      else syncs.afterRead(respond);
    } catch (error) {
      writer.stop(error);
      for (const { reject } of group) reject(error);
    } finally {
      unwatch();
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // The loop turns once, so that transactions that arrived during the last group are in the queue.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await commitGroup(queue.splice(0, GROUP_MAX));
    }
    draining = undefined;
  }

  const store: Store = {
    transaction(work) {
      return new Promise((resolve, reject) => {
        if (writer.isBroken()) return reject(new Error('the store has stopped after a failed write'));
        if (!isOpen) return reject(new Error('the store is closed'));
        queue.push(member(work, resolve, reject));
        draining ??= drain();
      });
    },
    async close() {
      isOpen = false;
      await draining;
      await syncs.idle();
      db.close();
      closed();
    },
  };
  const index = indexing(store, settled);
  return store;
}

/** Returns the largest position in the trail, so that new records follow it even if the clock was set back. */
function lastPosition(db: SqliteDriver): number {
  return Number(db.prepare('SELECT MAX(position) AS last FROM trail_pack').get([])?.['last'] ?? 0);
}

/** Throws an uncaught exception, which ends the process. Default of the option `fatal`. */
function crash(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
