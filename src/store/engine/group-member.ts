import type { Tx } from '../store.ts';
import type { TrailRow } from '../trail/trail-row.ts';
import type { GroupWriter } from './group-writer.ts';
import { memberConnection } from './member-connection.ts';
import type { StuckWork } from './stuck-work.ts';
import { Run, readOnlySql, type Shared } from './transaction.ts';

/**
 * A transaction that waits in the queue. It becomes a member of the next group, whose transactions share one commit.
 */
export interface GroupMember {
  /**
   * Runs the work. Resolves to a function that responds to the caller. Call that function when the group is durable.
   * The promise rejects only if the store is broken or the group is lost.
   */
  run(): Promise<() => void>;
  /** Reports whether the last run of the work changed data or appended trail records. */
  wrote(): boolean;
  reject(error: unknown): void;
}

/** Parts that the members of a store share. */
export interface MemberParts {
  readonly writer: GroupWriter;
  readonly stuck: StuckWork;
  readonly shared: Shared;
  /** Writes the trail records of earlier members of the group. */
  readonly writeEarlier: () => void;
  /** Receives the trail records of a member whose work has ended. */
  readonly ended: (records: readonly TrailRow[]) => void;
}

/** Creates the member that runs one transaction. `settle` has the functions of the promise of the transaction. */
export function groupMember<T>(
  { writer, stuck, shared, writeEarlier, ended }: MemberParts,
  work: (tx: Tx) => Promise<T>,
  readOnly: boolean,
  settle: { readonly resolve: (value: T) => void; readonly reject: (error: unknown) => void },
): GroupMember {
  let wrote = (): boolean => false;
  return {
    wrote: () => wrote(),
    async run() {
      const { sql, hasWritten, keep, undo } = memberConnection(writer);
      const run = new Run(readOnly ? readOnlySql(sql) : sql, shared, () => {
        // The records belong to earlier transactions of the group. If this transaction has already written data, its
        // `undo` would also undo an insert of these records. In this case, they are written later.
        if (!hasWritten()) writeEarlier();
      });
      wrote = () => hasWritten() || run.records.length > 0;
      try {
        const value = await stuck.run(() => work(run));
        // The work may have caught the error that lost the group.
        if (writer.lost() !== undefined) throw writer.lost();
        if (readOnly) run.requireNoRecords();
        keep();
        ended(run.records);
        return () => {
          run.committed();
          settle.resolve(value);
        };
      } catch (error) {
        if (writer.isBroken() || writer.lost() !== undefined) throw error;
        undo();
        if (writer.lost() !== undefined) throw writer.lost();
        // The error may depend on a write of another transaction in the group. That write must be durable before the
        // caller gets the error.
        return () => settle.reject(error);
      }
    },
    reject: settle.reject,
  };
}
