import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { positionAt } from '../engine/position.ts';
import type { Sql, SqlValue } from '../sql.ts';
import { flag, instant, int, json, optional, type Row, table, text, textOf } from '../table.ts';
import { chunkEndFrom, chunkedUpTo, chunksBefore, keyOf, mayHold } from './trail-chunk.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

export interface Trail {
  /** Appends a record. The engine writes it at the end of the transaction, together with others, so that it costs little. */
  append(row: TrailRow): Promise<void>;
  /**
   * Returns records, newest first. A page with `next` may have fewer records than `limit`, even none: `next` is the place where the search
   * stopped. Records of one millisecond are in any order.
   */
  lookup(query: LookupQuery): Promise<LookupPage>;
  /**
   * Returns each record of all accounts once, in the order of commits, after a position (0: from the first), for delivery and digests.
   * On PostgreSQL it omits the last half minute, because a record that commits late may still precede these records.
   */
  since(position: number, limit: number): Promise<{ readonly rows: readonly TrailRow[]; readonly position: number }>;
}

export interface LookupQuery {
  readonly accountId: AccountId;
  readonly region: string;
  /** Both are inclusive. */
  readonly from: Instant;
  readonly to: Instant;
  readonly attribute?: { readonly name: LookupAttribute; readonly value: string };
  /** `next` of the previous page. */
  readonly before?: string;
  readonly limit: number;
}

export interface LookupPage {
  readonly rows: readonly TrailRow[];
  readonly next?: string;
}

/** Trail events. They have no index except the key, so that a record costs one insert into one tree (Decision 0008). */
export const TRAIL_EVENT = table('trail_event', {
  columns: {
    /** Order of the trail. See `Positions`. */
    position: int,
    eventId: text,
    accountId: textOf<AccountId>(),
    region: text,
    at: instant,
    eventName: text,
    eventSource: text,
    readOnly: flag,
    userName: optional(text),
    accessKeyId: optional(text),
    resources: json<TrailRow['resources']>(),
    document: text,
  },
  key: ['position'],
  // Two servers can use the same position.
  keyOnPostgres: ['position', 'eventId'],
  clustered: false,
});
type EventRow = Row<typeof TRAIL_EVENT>;

const COLUMN_COUNT = TRAIL_EVENT.schema.columns.length;

/**
 * Longest time between a request and its record, in milliseconds.
 * Assumed: no request takes longer, and the clock is never set back by more. A look-up with an end misses records that are later.
 */
const LATEST_MS = 15 * 60_000;

// biome-ignore format: a table
const CONDITIONS: Readonly<Record<LookupAttribute, string>> = {
  EventId:      'event_id = $7',
  EventName:    'event_name = $7',
  ReadOnly:     'read_only = $7',
  Username:     'user_name = $7',
  EventSource:  'event_source = $7',
  AccessKeyId:  'access_key_id = $7',
  // SQLite's LIKE ignores the case of ASCII letters. These conditions match too many records, and `hasResource` decides.
  ResourceType: "resources LIKE $7 ESCAPE '!'",
  ResourceName: "resources LIKE $7 ESCAPE '!'",
};

/** Creates the trail of one transaction. `flush` writes `pending`, at the end of the work and before each look-up. */
export function trail(sql: Sql, pending: TrailRow[], flush: () => Promise<void>, settled: () => number): Trail {
  return {
    async append(row) {
      pending.push(row);
    },
    async lookup(query) {
      await flush();
      return search(sql, query);
    },
    async since(after, limit) {
      await flush();
      const rows = await TRAIL_EVENT.rows(sql, SELECT_SINCE, [after, settled(), limit]);
      return { rows: rows.map(toTrailRow), position: rows.at(-1)?.position ?? after };
    },
  };
}

const SELECT_SINCE = `SELECT ${TRAIL_EVENT.names} FROM trail_event WHERE position > $1 AND position < $2 ORDER BY position LIMIT $3`;

/** Maximum number of chunks whose records one look-up reads. At the maximum, it returns a page with `next`. */
const CHUNKS_READ_MAX = 64;
/** Maximum number of filters that one look-up reads. At the maximum, it returns a page with `next`. */
const FILTERS_READ_MAX = 4096;

/** Number of filters that one statement reads. */
const FILTERS_PAGE = 64;

async function search(sql: Sql, query: LookupQuery): Promise<LookupPage> {
  const first = positionAt(query.from);
  const key = keyOf(query.accountId, query.region, query.attribute);
  const found: EventRow[] = [];
  /** Position from which all records have been searched. */
  let end = query.before === undefined ? positionAt(query.to + LATEST_MS) : Number.parseInt(query.before, 36);
  const look = async (from: number): Promise<void> => {
    found.push(...(await select(sql, query, Math.max(first, from), end, query.limit + 1 - found.length)));
  };

  const chunked = await chunkedUpTo(sql);
  if (end > chunked) {
    await look(chunked + 1);
    end = chunked + 1;
  }
  // A page may begin within a chunk. Such a chunk ends after the start of the page.
  let before = ((await chunkEndFrom(sql, end)) ?? chunked) + 1;
  let read = 0;
  let filters = 0;
  while (found.length <= query.limit) {
    const chunks = await chunksBefore(sql, before, first, FILTERS_PAGE);
    for (const chunk of chunks) {
      if (found.length > query.limit) break;
      if (chunk.firstPosition >= end) continue;
      if (mayHold(chunk.filter, key)) {
        if (read++ === CHUNKS_READ_MAX) return page(query, found, end);
        await look(chunk.firstPosition);
      }
      end = chunk.firstPosition;
    }
    const last = chunks.at(-1);
    if (last === undefined || chunks.length < FILTERS_PAGE) break;
    before = last.lastPosition;
    filters += chunks.length;
    if (filters >= FILTERS_READ_MAX) return page(query, found, end);
  }
  return page(query, found);
}

/** Returns matching records of a part of the trail, newest first. */
function select(sql: Sql, query: LookupQuery, from: number, end: number, limit: number): Promise<readonly EventRow[]> {
  const { accountId, region, to, attribute } = query;
  const values: SqlValue[] = [end, from, accountId, region, to, limit];
  if (attribute !== undefined) values.push(comparand(attribute));
  return TRAIL_EVENT.rows(
    sql,
    `SELECT ${TRAIL_EVENT.names} FROM trail_event
     WHERE position < $1 AND position >= $2 AND account_id = $3 AND region = $4 AND at_ms <= $5
       ${attribute === undefined ? '' : `AND ${CONDITIONS[attribute.name]}`}
     ORDER BY position DESC LIMIT $6`,
    values,
  );
}

/** Returns the page of the found records, which may be one more than the limit. `searched`: the position where the search stopped. */
function page(query: LookupQuery, found: readonly EventRow[], searched?: number): LookupPage {
  const rows = found.slice(0, query.limit);
  const next = found.length > query.limit ? rows.at(-1)?.position : searched;
  return {
    rows: rows.map(toTrailRow).filter((row) => row.at >= query.from && hasResource(row, query.attribute)),
    ...(next === undefined ? {} : { next: next.toString(36) }),
  };
}

/** Writes records in one statement. Their positions increase in the order of commits of this server. */
export async function insertTrailRows(
  execute: (text: string, values: readonly SqlValue[]) => Promise<unknown>,
  rows: readonly TrailRow[],
  nextPosition: () => number,
): Promise<void> {
  await execute(
    insertText(rows.length),
    rows.flatMap((row) => toColumns(row, nextPosition())),
  );
}

const insertTexts: string[] = [];

function insertText(count: number): string {
  return (insertTexts[count] ??= `INSERT INTO trail_event (${TRAIL_EVENT.names}) VALUES ${placeholders(count)}`);
}

/** `($1, $2, …), ($13, …)`. */
function placeholders(rowCount: number): string {
  const rows: string[] = [];
  for (let row = 0; row < rowCount; row++) {
    rows.push(`(${Array.from({ length: COLUMN_COUNT }, (_, column) => `$${row * COLUMN_COUNT + column + 1}`).join(', ')})`);
  }
  return rows.join(', ');
}

function toColumns(row: TrailRow, position: number): SqlValue[] {
  return [
    position,
    row.eventId,
    row.accountId,
    row.region,
    row.at,
    storable(row.eventName),
    storable(row.eventSource),
    row.readOnly ? 1 : 0,
    storable(row.userName ?? null),
    storable(row.accessKeyId ?? null),
    JSON.stringify(row.resources),
    row.document,
  ];
}

/** Replaces NUL, which PostgreSQL does not store. No string of a caller may prevent its record. JSON escapes NUL. */
function storable<Text extends string | null>(text: Text): Text | string {
  return text?.includes('\0') ? text.replaceAll('\0', '\u{fffd}') : text;
}

function toTrailRow({ position, ...row }: EventRow): TrailRow {
  return row;
}

/** Returns the parameter of an attribute's condition. `ReadOnly` is `true` or `false`. Other values match no record. */
function comparand({ name, value }: { readonly name: LookupAttribute; readonly value: string }): SqlValue {
  if (name === 'ReadOnly') return value === 'true' ? 1 : value === 'false' ? 0 : 2;
  if (name === 'ResourceType' || name === 'ResourceName') return `%${JSON.stringify(value).replace(/[!%_]/g, '!$&')}%`;
  return value;
}

/** Reports whether a record has the resource that an attribute names. True for all other attributes. */
function hasResource(row: TrailRow, attribute?: { readonly name: LookupAttribute; readonly value: string }): boolean {
  if (attribute?.name === 'ResourceType') return row.resources.some(({ type }) => type === attribute.value);
  if (attribute?.name === 'ResourceName') return row.resources.some(({ name }) => name === attribute.value);
  return true;
}
