import type { Instant } from '#core/instant.ts';
import type { Sql } from '../sql.ts';
import { type ChainPage, type ChainPlace, chainSince } from './trail-chain-reads.ts';
import type { DocumentPart } from './trail-documents.ts';
import { type DecidedRow, decisionsOf, decoded, PACK_NAMES, type Pack, recordsOf, TRAIL_PACK } from './trail-pack.ts';
import type { TrailRow } from './trail-row.ts';
import { type FoundPage, find, type LookupPage, type LookupQuery, search } from './trail-search.ts';
import type { ChainOrder } from './trail-writers.ts';

export interface Trail {
  /**
   * Appends a record. The engine writes it at the end of the transaction, together with other records, so that it costs
   * little.
   */
  append(row: TrailRow): Promise<void>;
  /**
   * Returns records of earlier transactions, newest first. Records of one millisecond are in any order.
   * If the page has `next`, it may have fewer records than `limit`, or no records, because the search can stop early.
   * `next` is the place where the search stopped.
   *
   * @throws UnreadablePack  the next records of the search were altered in the database, so that they cannot be read. A page with the
   *   records after them is returned first
   */
  lookup(query: LookupQuery): Promise<LookupPage>;
  /**
   * Returns the records of all accounts after a position, in the order of commits. 0 is before the first record.
   * Calls that continue at the returned `position` return each record once.
   * Reads at most `limit` packs (rows with several records), and also all other packs at the position of the last pack.
   * On PostgreSQL it omits the last half minute, because a record that commits late may still precede these records.
   * `upTo` is the last position that it reads. Default: no limit.
   */
  since(position: number, limit: number, upTo?: number): Promise<{ readonly rows: readonly TrailRow[]; readonly position: number }>;
  /**
   * Returns the same records as `since`, with their decision contexts.
   *
   * @throws Error  a newer version of the program wrote the contexts
   */
  decisionsSince(position: number, limit: number): Promise<{ readonly rows: readonly DecidedRow[]; readonly position: number }>;
  /**
   * Returns a record with its decision context. Also finds data events. Returns `undefined` if the account has no such record in the
   * region. Does not see records of its own transaction.
   *
   * @throws UnreadablePack  the pack of the record was altered in the database, or a newer version of the program wrote its contexts
   */
  decisionOf(wanted: Pick<LookupQuery, 'accountId' | 'region'> & { readonly eventId: string }): Promise<DecidedRow | undefined>;
  /**
   * Returns at most `limit` packs (rows with several records) of one writer after a place, in the order of their numbers,
   * and the place for the next call. The first place is `START_OF_CHAIN`. Omits no record, even one that commits late, because
   * each writer commits its numbers in order. Packs of deleted records have their hashes. The last pack of an ended writer has no records.
   * A page can have fewer packs, or none, before the end: SQLite reads a bounded number of packs of all writers.
   */
  chainSince(writer: string, after: ChainPlace, limit: number): Promise<ChainPage>;
}

/** Range that contains all records. */
const ALL_TIME = { from: 0 as Instant, to: 8_640_000_000_000 as Instant };

/** Functions of the transaction that the trail uses. */
export interface TrailParts {
  readonly sql: Sql;
  /** Adds a record to the list that the engine writes at the end of the transaction. */
  readonly append: (row: TrailRow) => void;
  /** Writes the records of earlier transactions that are not written yet. */
  readonly writeEarlier: () => void;
  /** Returns a position below which no further record appears. */
  readonly settled: () => number;
  /** Order in which the engine reads the packs of a writer. */
  readonly chainOrder: ChainOrder;
  /** Expression with which the engine reads parts of documents. */
  readonly documentPart: DocumentPart;
}

/** Creates the trail of one transaction. */
export function trail(parts: TrailParts): Trail {
  return new TransactionTrail(parts);
}

/** A class, because most transactions only append, and need no function for each method. */
class TransactionTrail implements Trail {
  readonly #parts: TrailParts;

  constructor(parts: TrailParts) {
    this.#parts = parts;
  }

  async append(row: TrailRow): Promise<void> {
    this.#parts.append(row);
  }

  async lookup(query: LookupQuery): Promise<LookupPage> {
    this.#parts.writeEarlier();
    return search(this.#parts.sql, this.#parts.documentPart, query);
  }

  async since(after: number, limit: number, upTo?: number): Promise<{ readonly rows: readonly TrailRow[]; readonly position: number }> {
    const { packs, position } = await this.#packsSince(PACK_NAMES, after, limit, upTo);
    return { rows: packs.flatMap(recordsOf), position };
  }

  async decisionsSince(after: number, limit: number): Promise<{ readonly rows: readonly DecidedRow[]; readonly position: number }> {
    const { packs, position } = await this.#packsSince(TRAIL_PACK.names, after, limit);
    return { rows: packs.flatMap(decisionsOf), position };
  }

  async decisionOf({ accountId, region, eventId }: Parameters<Trail['decisionOf']>[0]): Promise<DecidedRow | undefined> {
    const { sql, writeEarlier } = this.#parts;
    writeEarlier();
    const query = { accountId, region, attribute: { name: 'EventId', value: eventId }, ...ALL_TIME, withData: true, limit: 1 } as const;
    for (let next: string | undefined, more = true; more; ) {
      const page: FoundPage = await find(sql, next === undefined ? query : { ...query, before: next });
      const pack = page.found[0]?.pack;
      const stored = pack && (await TRAIL_PACK.rows(sql, SELECT_PACK, [pack.position, pack.eventId]))[0];
      if (stored !== undefined) return decoded(stored.position, () => decisionsOf(stored)).find(({ row }) => row.eventId === eventId);
      next = page.next;
      more = next !== undefined;
    }
    return undefined;
  }

  async chainSince(writer: string, after: ChainPlace, limit: number): Promise<ChainPage> {
    this.#parts.writeEarlier();
    return chainSince(this.#parts.sql, this.#parts.chainOrder, writer, after, limit);
  }

  /** Reads the packs after a position. Also returns the position of the last pack. */
  async #packsSince(
    names: string,
    after: number,
    limit: number,
    upTo = Number.MAX_SAFE_INTEGER - 1,
  ): Promise<{ packs: readonly Pack[]; position: number }> {
    const { sql, writeEarlier, settled } = this.#parts;
    writeEarlier();
    const packs = await TRAIL_PACK.rows(sql, selectSince(names), [after, Math.min(settled(), upTo + 1), limit]);
    const position = packs.at(-1)?.position;
    if (position === undefined) return { packs: [], position: after };
    // The limit may separate packs of several servers that have the same position. So all packs at the last position
    // are read.
    const last = packs.length < limit ? [] : await TRAIL_PACK.rows(sql, selectAt(names), [position]);
    const earlier = last.length === 0 ? packs : packs.filter((pack) => pack.position !== position);
    return { packs: [...earlier, ...last], position };
  }
}

const selectSince = (names: string): string =>
  `SELECT ${names} FROM trail_pack WHERE position > $1 AND position < $2 ORDER BY position, event_id LIMIT $3`;
const SELECT_PACK = `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE position = $1 AND event_id = $2`;
const selectAt = (names: string): string => `SELECT ${names} FROM trail_pack WHERE position = $1 ORDER BY event_id`;
