import type { Sql, SqlValue } from '../sql.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

/**
 * Decision 0008: the trail has no index beside its key, so that a record costs one insert into one tree. Instead, behind its end, each thousand records get
 * a filter (Bloom) that says which accounts and attributes are surely *not* among them: a look-up reads filters, and only those thousands
 * that may hold what it seeks. A filter is written once and costs 0.2 % of what it speaks for.
 */

/** Records a filter speaks for. */
export const CHUNK_ROWS = 1024;

/** With seven probes, one in a hundred filters says "perhaps" wrongly. */
const BITS_PER_KEY = 10;
const PROBES = 7;

/** Chunks made in one go; more wait for the next, so that no transaction holds up the others for long. */
const CHUNKS_MAX = 4;

export interface Chunk {
  readonly first_position: number;
  readonly last_position: number;
  readonly filter: Uint8Array;
}

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
const INSERT = 'INSERT INTO trail_chunk (last_position, first_position, filter) VALUES ($1, $2, $3)';
const SELECT_CHUNKS = `
  SELECT first_position, last_position, filter FROM trail_chunk
  WHERE last_position < $1 AND last_position >= $2 ORDER BY last_position DESC LIMIT $3`;

/** The last position that a filter speaks for; -1 where there is none. */
export async function chunkedUpTo(sql: Sql): Promise<number> {
  return (await sql.row<{ readonly last: number | null }>(SELECT_END))?.last ?? -1;
}

/** The newest chunks that end before a position, and at or after another. */
export function chunksBefore(sql: Sql, position: number, from: number, limit: number): Promise<Chunk[]> {
  return sql.rows<Chunk>(SELECT_CHUNKS, [position, from, limit]);
}

/** Where the chunk ends that a position is in, if it is in one. */
export async function chunkEndFrom(sql: Sql, position: number): Promise<number | undefined> {
  return (await sql.row<{ readonly last: number | null }>(SELECT_NEXT_END, [position]))?.last ?? undefined;
}

/**
 * Makes filters for records before `settled`, a position below which no record can appear any more.
 * Answers 'more' where there may be further chunks to make.
 */
export async function makeChunks(sql: Sql, settled: number): Promise<'more' | 'done'> {
  let end = await chunkedUpTo(sql);
  for (let made = 0; made < CHUNKS_MAX; made++) {
    const rows = await sql.rows<KeyRow>(SELECT_KEYS, [end, settled, CHUNK_ROWS]);
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined || rows.length < CHUNK_ROWS) return 'done';
    const keys = new Set<string>();
    for (const [i, row] of rows.entries()) addKeys(keys, row, rows[i - 1]);
    await sql.run(INSERT, [last.position, first.position, makeFilter(keys)] satisfies SqlValue[]);
    end = last.position;
  }
  return 'more';
}

/** What a look-up seeks, as filters know it. Whether a record only read is not in them: it would be in every one. */
export function keyOf(accountId: string, region: string, attribute?: { readonly name: LookupAttribute; readonly value: string }): string {
  const place = `${accountId} ${region}`;
  return attribute === undefined || attribute.name === 'ReadOnly' ? place : `${place} ${attribute.name} ${attribute.value}`;
}

/** Adds a record's keys; what it shares with the record before it, which is most of it, is there already. */
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

/** False: the key is not among those of the filter. True: it may be. */
export function mayHold(filter: Uint8Array, key: string): boolean {
  const { hash, step } = hashesOf(key);
  for (let i = 0; i < PROBES; i++) {
    const bit = bitAt(hash, step, i, filter.length * 8);
    if (((filter[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

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

/** Double hashing over FNV-1a. Keys that are made to collide cost a look-up some reading, and nothing else. */
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
