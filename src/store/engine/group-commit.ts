import { instant } from '#core/instant.ts';
import type { Store, StoreOptions, TransactionOptions } from '../store.ts';
import { type ChainTip, newTip } from '../trail/trail-chain.ts';
import type { TrailRow } from '../trail/trail-row.ts';
import { endStatements, recordStatements } from '../trail/trail-writers.ts';
import type { StoreUnwritable } from '../unwritable.ts';
import type { Checkpoints } from './checkpoints.ts';
import { type GroupMember, groupMember, type MemberParts } from './group-member.ts';
import { groupWriter } from './group-writer.ts';
import { logSyncs, type SyncLog } from './log-syncs.ts';
import { positions } from './position.ts';
import type { SqliteDriver } from './sqlite-driver.ts';
import { stuckWork } from './stuck-work.ts';
import { indexing, type Shared } from './transaction.ts';

/**
 * Maximum number of transactions in a group. The transactions of a group share one commit.
 *
 * With small groups, three steps happen at the same time: the disk syncs one group, the next group runs, and the server
 * responds to the previous group. All groups that are committed before a sync begins share this sync.
 */
const GROUP_MAX = 16;

/** Part of the documents of a pack. SQLite would count all characters before a part of a text. */
const DOCUMENT_PART = 'CAST(SUBSTR(CAST(p.documents AS BLOB), part.column3, part.column4) AS TEXT)';

/** Operations on the files of the database. These operations run outside the main thread. */
interface Files {
  /** Absent for a database in memory, which needs no syncs. */
  readonly syncLog?: SyncLog | undefined;
  /** Absent if SQLite itself runs the checkpoints, as part of a commit. */
  readonly checkpoints?: Checkpoints | undefined;
}

/**
 * Runs transactions one after another on one connection. Transactions that wait together share one commit: each of them
 * is a savepoint.
 *
 * A commit writes the log without waiting for the disk. A sync of the log runs off the thread (`syncLog`, Decision
 * 0013). A response waits until two kinds of commits are durable: the transaction's own commit, and all commits whose
 * data the transaction may have read.
 *
 * If the disk is full or read-only, the whole group is lost: no change of it becomes durable, and no caller gets its
 * response (Decision 0030). Other errors of the file stop the store.
 *
 * Invariant (one writer): no other connection writes to the file. So the BEGIN of a group waits at most for a moment, in
 * which the thread of checkpoints reads the head of the log with the lock for writing (`BUSY_MS`). BEGIN runs
 * before the first statement of the group, even if that statement only reads. A COMMIT of a group that only reads does
 * not touch the disk.
 */
export function groupCommit(
  db: SqliteDriver,
  { fatal = crash, now = Date.now, server = '' }: StoreOptions,
  closed: () => void,
  { syncLog = (done) => done(null), checkpoints }: Files = {},
): Store {
  const writer = groupWriter(db, fatal);
  const syncs = logSyncs({ syncLog, stop: writer.stop, isBroken: writer.isBroken });
  const stuck = stuckWork();
  // `settled` is the position before which no new record can appear. With one writer, new records are always at the end
  // of the trail, so the position of every existing record is settled.
  const settled = (): number => Number.MAX_SAFE_INTEGER;
  const { next } = positions(now, () => lastPosition(db));
  const shared: Shared = { settled, chainOrder: 'position', documentPart: DOCUMENT_PART, recorded: (count) => index(count) };
  /** Trail (event history) records of the ended transactions of the current group, not written yet. */
  let records: TrailRow[] = [];
  /**
   * State of the writer of the trail, which is this connection. No rollback of a member undoes a pack: a member of the
   * group that begins after a pack has a savepoint. If the group is lost, its packs are too, and the state before the
   * group is restored.
   */
  let tip = newTip(server, now());
  const members: MemberParts = { writer, stuck, shared, writeEarlier: () => writeRecords(), ended: (rows) => records.push(...rows) };
  const queue: GroupMember[] = [];
  let isOpen = true;
  let draining: Promise<void> | undefined;

  /** Writes the trail records of the ended transactions of the current group. */
  function writeRecords(): void {
    if (records.length === 0) return;
    writer.beginWrite();
    const written = recordStatements(records, next, tip);
    for (const { text, values } of written.statements) writer.control(text, values);
    tip = written.tip;
    records = [];
  }

  async function commitGroup(group: readonly GroupMember[]): Promise<void> {
    const unwatch = stuck.watch();
    const before = tip;
    try {
      const respond: (() => void)[] = [];
      for (const one of group) respond.push(await one.run());
      writeRecords();
      // A transaction may have caught the error that broke the store. No change of this group may become durable.
      if (writer.isBroken()) throw new Error('the store has stopped after a failed write');
      const { wrote } = writer;
      writer.end('COMMIT');
      if (wrote) {
        syncs.afterCommit(respond);
        checkpoints?.committed();
      } else syncs.afterRead(respond);
    } catch (error) {
      const lost = writer.isBroken() ? undefined : writer.lost();
      if (lost === undefined) {
        writer.stop(error);
        for (const { reject } of group) reject(error);
      } else undoGroup(group, before, lost);
    } finally {
      unwatch();
    }
  }

  /**
   * Undoes a lost group. Its transactions that wrote are rejected. The others may have read changes that do not exist
   * anymore, or have not run yet, so they run in the next group. That group is smaller, because only groups in which a
   * transaction wrote run again.
   */
  function undoGroup(group: readonly GroupMember[], before: ChainTip, lost: StoreUnwritable): void {
    records = [];
    tip = before;
    writer.undoLost();
    const runAgain = writer.isBroken() || !group.some(({ wrote }) => wrote()) ? [] : group.filter(({ wrote }) => !wrote());
    queue.unshift(...runAgain);
    for (const member of group) if (!runAgain.includes(member)) member.reject(lost);
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // Waits for one turn of the event loop, so that transactions that arrived during the last group are in the queue.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await checkpoints?.pause();
      await commitGroup(queue.splice(0, GROUP_MAX));
    }
    draining = undefined;
  }

  /** Writes the end of the writer. */
  async function endWriter(): Promise<void> {
    if (!tip.isStarted || writer.isBroken()) return;
    try {
      writer.beginWrite();
      for (const { text, values } of endStatements(tip, next(), instant(now()))) writer.control(text, values);
      writer.end('COMMIT');
      await new Promise<void>((resolve) => syncs.afterCommit([resolve]));
    } catch (error) {
      // The next start writes the end.
      if (writer.lost() === undefined) writer.stop(error);
      else writer.undoLost();
    }
  }

  const store: Store = {
    transaction(work, { readOnly = false }: TransactionOptions = {}) {
      return new Promise((resolve, reject) => {
        if (writer.isBroken()) return reject(new Error('the store has stopped after a failed write'));
        if (!isOpen) return reject(new Error('the store is closed'));
        queue.push(groupMember(members, work, readOnly, { resolve, reject }));
        draining ??= drain();
      });
    },
    async close() {
      isOpen = false;
      await draining;
      await endWriter();
      await syncs.idle();
      await checkpoints?.close();
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
