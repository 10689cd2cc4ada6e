import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { positionAt } from '../engine/position.ts';
import type { Sql, SqlValue } from '../sql.ts';
import { chunkEndFrom, chunkedUpTo, chunksBefore, keyOf, mayHold } from './trail-chunk.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

export interface Trail {
  /** Written last in the transaction, with whatever else waits, so that a record costs as little as it can. */
  append(row: TrailRow): Promise<void>;
  /**
   * Newest first. A page may hold fewer than `limit`, even none, and still have a `next`: it says how far was looked.
   * Records of one millisecond may stand in any order.
   */
  lookup(query: LookupQuery): Promise<LookupPage>;
  /**
   * Every record of every account once, in the order of commits, from a position on (0: the first); for delivery and digests.
   * On PostgreSQL those of the last half minute are not yet told, since one that commits late may still come before them.
   */
  since(position: number, limit: number): Promise<{ readonly rows: readonly TrailRow[]; readonly position: number }>;
}

export interface LookupQuery {
  readonly accountId: AccountId;
  readonly region: string;
  /** Both included. */
  readonly from: Instant;
  readonly to: Instant;
  readonly attribute?: { readonly name: LookupAttribute; readonly value: string };
  /** `next` of the page before. */
  readonly before?: string;
  readonly limit: number;
}

export interface LookupPage {
  readonly rows: readonly TrailRow[];
  readonly next?: string;
}

interface EventRow {
  readonly position: number;
  readonly event_id: string;
  readonly account_id: AccountId;
  readonly region: string;
  readonly at_ms: number;
  readonly event_name: string;
  readonly event_source: string;
  readonly read_only: number;
  readonly user_name: string | null;
  readonly access_key_id: string | null;
  readonly resources: string;
  readonly document: string;
}

const COLUMNS =
  'position, event_id, account_id, region, at_ms, event_name, event_source, read_only, user_name, access_key_id, resources, document';
const COLUMN_COUNT = 12;

/**
 * Milliseconds within which a request is recorded after it was received.
 * Assumed: no request takes longer, and the clock is never set back by more; a record that was later than this is missed by a look-up with an end.
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
  // SQLite's LIKE ignores the case of ASCII letters: these let too many through, and `names` decides.
  ResourceType: "resources LIKE $7 ESCAPE '!'",
  ResourceName: "resources LIKE $7 ESCAPE '!'",
};

/** The trail of one transaction. `pending` is written by `flush` when the work is done, and before a look-up. */
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
      const rows = await sql.rows<EventRow>(SELECT_SINCE, [after, settled(), limit]);
      return { rows: rows.map(toTrailRow), position: rows.at(-1)?.position ?? after };
    },
  };
}

const SELECT_SINCE = `SELECT ${COLUMNS} FROM trail_event WHERE position > $1 AND position < $2 ORDER BY position LIMIT $3`;

/** Chunks a look-up reads the records of, and filters it reads, before it answers what it has and where to go on. */
const CHUNKS_READ_MAX = 64;
const FILTERS_READ_MAX = 4096;

/** Filters of one statement. */
const FILTERS_PAGE = 64;

async function search(sql: Sql, query: LookupQuery): Promise<LookupPage> {
  const first = positionAt(query.from);
  const key = keyOf(query.accountId, query.region, query.attribute);
  const found: EventRow[] = [];
  /** What lies at or after it was looked at. */
  let end = query.before === undefined ? positionAt(query.to + LATEST_MS) : Number.parseInt(query.before, 36);
  const look = async (from: number): Promise<void> => {
    found.push(...(await select(sql, query, Math.max(first, from), end, query.limit + 1 - found.length)));
  };

  const chunked = await chunkedUpTo(sql);
  if (end > chunked) {
    await look(chunked + 1);
    end = chunked + 1;
  }
  // A page may begin within a chunk: that one ends after where the page begins.
  let before = ((await chunkEndFrom(sql, end)) ?? chunked) + 1;
  let read = 0;
  let filters = 0;
  while (found.length <= query.limit) {
    const chunks = await chunksBefore(sql, before, first, FILTERS_PAGE);
    for (const chunk of chunks) {
      if (found.length > query.limit) break;
      if (chunk.first_position >= end) continue;
      if (mayHold(chunk.filter, key)) {
        if (read++ === CHUNKS_READ_MAX) return page(query, found, end);
        await look(chunk.first_position);
      }
      end = chunk.first_position;
    }
    const last = chunks.at(-1);
    if (last === undefined || chunks.length < FILTERS_PAGE) break;
    before = last.last_position;
    filters += chunks.length;
    if (filters >= FILTERS_READ_MAX) return page(query, found, end);
  }
  return page(query, found);
}

/** Records of a stretch of the trail, newest first. */
function select(sql: Sql, query: LookupQuery, from: number, end: number, limit: number): Promise<EventRow[]> {
  const { accountId, region, to, attribute } = query;
  const values: SqlValue[] = [end, from, accountId, region, to, limit];
  if (attribute !== undefined) values.push(comparand(attribute));
  return sql.rows<EventRow>(
    `SELECT ${COLUMNS} FROM trail_event
     WHERE position < $1 AND position >= $2 AND account_id = $3 AND region = $4 AND at_ms <= $5
       ${attribute === undefined ? '' : `AND ${CONDITIONS[attribute.name]}`}
     ORDER BY position DESC LIMIT $6`,
    values,
  );
}

/** Of one more than the limit, a page; `searched` is how far was looked where there is more to look at. */
function page(query: LookupQuery, found: readonly EventRow[], searched?: number): LookupPage {
  const rows = found.slice(0, query.limit);
  const next = found.length > query.limit ? rows.at(-1)?.position : searched;
  return {
    rows: rows.map(toTrailRow).filter((row) => row.at >= query.from && names(row, query.attribute)),
    ...(next === undefined ? {} : { next: next.toString(36) }),
  };
}

/** Writes records in one statement. Positions rise with the order of commits on this server. */
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
  return (insertTexts[count] ??= `INSERT INTO trail_event (${COLUMNS}) VALUES ${placeholders(count)}`);
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
    keepable(row.eventName),
    keepable(row.eventSource),
    row.readOnly ? 1 : 0,
    keepable(row.userName ?? null),
    keepable(row.accessKeyId ?? null),
    JSON.stringify(row.resources),
    row.document,
  ];
}

/** PostgreSQL keeps no NUL in a text, and what a caller sent must never be the reason why it is not recorded. JSON has it escaped. */
function keepable<Text extends string | null>(text: Text): Text | string {
  return text?.includes('\0') ? text.replaceAll('\0', '\u{fffd}') : text;
}

function toTrailRow(row: EventRow): TrailRow {
  return {
    eventId: row.event_id,
    accountId: row.account_id,
    region: row.region,
    at: row.at_ms as Instant,
    eventName: row.event_name,
    eventSource: row.event_source,
    readOnly: row.read_only === 1,
    ...(row.user_name === null ? {} : { userName: row.user_name }),
    ...(row.access_key_id === null ? {} : { accessKeyId: row.access_key_id }),
    resources: JSON.parse(row.resources) as TrailRow['resources'],
    document: row.document,
  };
}

/** What the condition of an attribute compares with. `ReadOnly` is `true` or `false`; anything else is found nowhere. */
function comparand({ name, value }: { readonly name: LookupAttribute; readonly value: string }): SqlValue {
  if (name === 'ReadOnly') return value === 'true' ? 1 : value === 'false' ? 0 : 2;
  if (name === 'ResourceType' || name === 'ResourceName') return `%${JSON.stringify(value).replace(/[!%_]/g, '!$&')}%`;
  return value;
}

/** Whether a record found for an attribute of its resources really has it. */
function names(row: TrailRow, attribute?: { readonly name: LookupAttribute; readonly value: string }): boolean {
  if (attribute?.name === 'ResourceType') return row.resources.some(({ type }) => type === attribute.value);
  if (attribute?.name === 'ResourceName') return row.resources.some(({ name }) => name === attribute.value);
  return true;
}
