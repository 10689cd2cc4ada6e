/** Requests with records in two accounts, such as AssumeRole of a role of another account, so that a window counts them once. */
import type { AccountId } from '#core/arn.ts';
import { pairedEventId } from '#core/event-id.ts';
import type { RecordFacts } from '#store/trail/trail-heads.ts';

/** Finds the second records of requests. Each has the same decision as the first one, which is in the account of the caller. */
export interface RequestCopies {
  /**
   * Reports whether the record `i` of a pack is the copy of an earlier record of the window. Only a record in another account than that of its
   * caller can be one.
   */
  isCopy(records: readonly RecordFacts[], i: number): boolean;
  /** Notes that the records of a pack were read. */
  noteRead(records: readonly RecordFacts[]): void;
}

/**
 * Number of earlier packs of whose last record a copy is found. Both records are written one after the other. If the pack of the first one is
 * full, the copy is in the next pack of the server, and concurrent requests and other servers can write a few packs in between.
 */
const PACKS = 64;

/** Creates the finder for a window of accounts (all if undefined). A copy whose first record is in none of them is the only record. */
export function requestCopies(accountIds: ReadonlySet<AccountId> | undefined): RequestCopies {
  /** Last records of the last packs. A new one replaces the oldest. */
  const lastRecords: RecordFacts[] = [];
  let packs = 0;
  const isPair = (record: RecordFacts, pairedId: string): boolean =>
    record.eventId === pairedId && (accountIds === undefined || accountIds.has(record.accountId));

  return {
    isCopy(records, i) {
      const pairedId = pairedEventId((records[i] as RecordFacts).eventId);
      const before = records[i - 1];
      return before === undefined ? lastRecords.some((record) => isPair(record, pairedId)) : isPair(before, pairedId);
    },
    noteRead(records) {
      const last = records.at(-1);
      if (last !== undefined) lastRecords[packs++ % PACKS] = last;
    },
  };
}
