import type { Sql } from '../sql.ts';
import { bytes, int, type Row, table } from '../table.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

/**
 * Filters of the trail (Decision 0008). The trail has no index except its key, so that a record costs one insert into one tree. Instead, each
 * 1024 settled records, a *chunk*, get a Bloom filter of their accounts and attributes. A look-up reads the filters, and the records of
 * those chunks that may match. A filter is written once and has 0.2 % of the size of its chunk.
 */

/** Number of records in a chunk. */
export const CHUNK_ROWS = 1024;

/** Bits per key. With seven probes, a filter reports an absent key with a probability of 1 %. */
const BITS_PER_KEY = 10;
const PROBES = 7;

/** Maximum number of chunks that one transaction writes, so that it does not delay others. */
const CHUNKS_MAX = 4;

export const TRAIL_CHUNK = table('trail_chunk', {
  columns: { lastPosition: int, firstPosition: int, filter: bytes },
  key: ['lastPosition'],
  clustered: false,
});
export type Chunk = Row<typeof TRAIL_CHUNK>;

interface KeyRow {
  readonly position: number;
  readonly account_id: string;
  readonly region: string;
  readonly event_id: string;
  readonly event_name: string;
  readonly event_source: string;
  readonly user_name: string | null;
  readonly access_key_id: string | null;
  readonly resources: string;
}

const SELECT_END = 'SELECT MAX(last_position) AS last FROM trail_chunk';
const SELECT_NEXT_END = 'SELECT MIN(last_position) AS last FROM trail_chunk WHERE last_position >= $1';
const SELECT_KEYS = `
  SELECT position, account_id, region, event_id, event_name, event_source, user_name, access_key_id, resources
  FROM trail_event WHERE position > $1 AND position < $2 ORDER BY position LIMIT $3`;
const SELECT_CHUNKS = `
  SELECT * FROM trail_chunk
  WHERE last_position < $1 AND last_position >= $2 ORDER BY last_position DESC LIMIT $3`;

/** Returns the last position in a chunk, or -1 without chunks. */
export async function chunkedUpTo(sql: Sql): Promise<number> {
  return (await sql.row<{ readonly last: number | null }>(SELECT_END))?.last ?? -1;
}

/** Returns the newest chunks that end before `position` and at or after `from`. */
export function chunksBefore(sql: Sql, position: number, from: number, limit: number): Promise<readonly Chunk[]> {
  return TRAIL_CHUNK.rows(sql, SELECT_CHUNKS, [position, from, limit]);
}

/** Returns the end of the first chunk that ends at or after a position. */
export async function chunkEndFrom(sql: Sql, position: number): Promise<number | undefined> {
  return (await sql.row<{ readonly last: number | null }>(SELECT_NEXT_END, [position]))?.last ?? undefined;
}

/**
 * Writes the filters of full chunks before `settled`, a position below which no further record appears.
 * 'more': further chunks may be full.
 */
export async function makeChunks(sql: Sql, settled: number): Promise<'more' | 'done'> {
  let end = await chunkedUpTo(sql);
  for (let made = 0; made < CHUNKS_MAX; made++) {
    const rows = await sql.rows<KeyRow>(SELECT_KEYS, [end, settled, CHUNK_ROWS]);
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined || rows.length < CHUNK_ROWS) return 'done';
    const keys = new Set<string>();
    for (const [i, row] of rows.entries()) addKeys(keys, row, rows[i - 1]);
    await TRAIL_CHUNK.insert(sql, { lastPosition: last.position, firstPosition: first.position, filter: makeFilter(keys) });
    end = last.position;
  }
  return 'more';
}

/** Returns the key of a look-up in filters. Filters do not contain `ReadOnly`, because nearly each of them would. */
export function keyOf(accountId: string, region: string, attribute?: { readonly name: LookupAttribute; readonly value: string }): string {
  const place = `${accountId} ${region}`;
  return attribute === undefined || attribute.name === 'ReadOnly' ? place : `${place} ${attribute.name} ${attribute.value}`;
}

/** Adds a record's keys, except those that it shares with the previous record. */
function addKeys(keys: Set<string>, row: KeyRow, before: KeyRow | undefined): void {
  const elsewhere = before === undefined || before.account_id !== row.account_id || before.region !== row.region;
  const add = (name: LookupAttribute, value: string): void => void keys.add(keyOf(row.account_id, row.region, { name, value }));
  if (elsewhere) keys.add(keyOf(row.account_id, row.region));
  add('EventId', row.event_id);
  if (elsewhere || before.event_name !== row.event_name) add('EventName', row.event_name);
  if (elsewhere || before.event_source !== row.event_source) add('EventSource', row.event_source);
  if (row.user_name !== null && (elsewhere || before.user_name !== row.user_name)) add('Username', row.user_name);
  if (row.access_key_id !== null && (elsewhere || before.access_key_id !== row.access_key_id)) add('AccessKeyId', row.access_key_id);
  if (!elsewhere && before.resources === row.resources) return;
  for (const { type, name } of JSON.parse(row.resources) as TrailRow['resources']) {
    if (type !== undefined) add('ResourceType', type);
    add('ResourceName', name);
  }
}

/** Reports whether a filter may have a key. False is certain. */
export function mayHold(filter: Uint8Array, key: string): boolean {
  const { hash, step } = hashesOf(key);
  for (let i = 0; i < PROBES; i++) {
    const bit = bitAt(hash, step, i, filter.length * 8);
    if (((filter[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** Creates the filter of a set of keys. */
export function makeFilter(keys: ReadonlySet<string>): Uint8Array {
  const filter = new Uint8Array(Math.ceil((keys.size * BITS_PER_KEY) / 8));
  const bits = filter.length * 8;
  for (const key of keys) {
    const { hash, step } = hashesOf(key);
    for (let i = 0; i < PROBES; i++) {
      const bit = bitAt(hash, step, i, bits);
      filter[bit >>> 3] = (filter[bit >>> 3] as number) | (1 << (bit & 7));
    }
  }
  return filter;
}

/** Returns two hashes of a key: double hashing over FNV-1a. Keys that collide on purpose only cause additional reads. */
function hashesOf(key: string): { readonly hash: number; readonly step: number } {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  let step = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  step = Math.imul(step ^ (step >>> 13), 0xc2b2ae35) | 1;
  return { hash, step };
}

function bitAt(hash: number, step: number, probe: number, bits: number): number {
  return ((hash + Math.imul(probe, step)) >>> 0) % bits;
}
