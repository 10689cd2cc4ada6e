/** The search of look-ups in the packs of the trail and in their index. */
import type { AccountId } from '#core/arn.ts';
import { SECOND_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { positionAt, timeOf } from '../engine/position.ts';
import type { Sql } from '../sql.ts';
import { type DocumentPart, type PackedRecord, withDocuments } from './trail-documents.ts';
import { earlierHits, hitsBefore, type RunHits, type Wanted } from './trail-index.ts';
import { type KeyFacts, keyOf, keyText, matches } from './trail-keys.ts';
import { decoded, type UndocumentedRecords, UnreadablePack, undocumentedRecords, undocumentedWith } from './trail-pack.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

export interface LookupQuery {
  readonly accountId: AccountId;
  readonly region: string;
  /** Earliest time of the records. `to` is the latest time. The range includes both times. */
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

/**
 * Longest time between a request and its record, in milliseconds. A look-up with an end time misses records that are
 * written more than this after the end time.
 * Assumed: (1) no request takes longer, and (2) the clock is never set back by more.
 */
export const LATEST_MS = 15 * 60_000;

/** Returns the time of a pack in whole seconds, and the latest end and the earliest start of look-ups that do not read the pack. */
export function rangesWithout({ position }: UnreadablePack): { readonly at: Instant; readonly until: Instant; readonly from: Instant } {
  const at = instant(Math.floor(timeOf(position) / SECOND_MS) * SECOND_MS);
  return { at, until: instant(Math.max(0, at - LATEST_MS - SECOND_MS)), from: instant(at + SECOND_MS) };
}

/** Number of packs without an index that a look-up searches. There are more if the index of older records is not complete. */
const TAIL_READ_MAX = 2_048;

/**
 * Selects where a search begins: the last position that the runs of the index contain, the last position of the first run that ends at or
 * after a position, and the position of the oldest pack without an index that a look-up searches if it does not search all.
 */
const SELECT_PLACES = `
  SELECT ends.indexed,
    (SELECT MIN(last_position) FROM trail_run WHERE last_position >= $1) AS run_end,
    (SELECT position FROM trail_pack WHERE position <= $1 AND position > ends.indexed
      ORDER BY position DESC LIMIT 1 OFFSET ${TAIL_READ_MAX - 1}) AS tail_start
  FROM (SELECT COALESCE(MAX(last_position), -1) AS indexed FROM trail_run) AS ends`;

/** A pack without its documents. */
interface HeadsRow {
  readonly position: number;
  readonly event_id: string;
  readonly heads: string;
  /** Length of the documents in bytes. Both engines know it without reading the documents. */
  readonly bytes: number;
}
const HEADS = 'position, event_id, heads, OCTET_LENGTH(documents) AS bytes';

const SELECT_TAIL = `
  SELECT ${HEADS} FROM trail_pack
  WHERE position <= $1 AND NOT (position = $1 AND event_id >= $2) AND position > $3 AND position >= $4 AND keys LIKE $5 ESCAPE '!'
  ORDER BY position DESC, event_id DESC LIMIT $6`;
/** Event IDs are before it. */
const AFTER_EVENT_IDS = '\u{10ffff}';

/**
 * Numbers of packs (rows with several records) that a statement can read. The first statement reads few, because a few packs often contain
 * enough records for a page. Later ones read as many as the page probably needs.
 */
const PACKS_PAGES = [4, 16, 64] as const;
const PACKS_FIRST = PACKS_PAGES[0];
const PACKS_MOST = PACKS_PAGES[2];
const SELECT_PACKS: ReadonlyMap<number, string> = new Map(
  PACKS_PAGES.map((count) => {
    const places = Array.from({ length: count }, (_, i) => `$${i + 1}`).join(', ');
    return [count, `SELECT ${HEADS} FROM trail_pack WHERE position IN (${places}) ORDER BY position DESC, event_id DESC`];
  }),
);

/**
 * Limits of one look-up: the number of packs that it reads, the length of these packs in bytes, and the number of runs of the index. At a
 * limit, the look-up returns a page with `next`.
 */
const PACKS_READ_MAX = 256;
const BYTES_READ_MAX = 2 ** 23;
const RUNS_READ_MAX = 1_024;

/** Number of runs that one statement reads: few at first, because frequent values are in the newest. */
const RUNS_PAGE = { first: 2, growth: 32, max: 64 } as const;

/**
 * Place where a look-up stopped: a position, and the number of matching records at this position that were already
 * read.
 * Several servers can write packs (rows with several records) at the same position. `passed` counts the matching
 * records in all of these packs, newest first.
 */
interface Place {
  readonly position: number;
  readonly passed: number;
}

/** Returns the string of a place, for `next`: two numbers in base 36, of which the second has three digits. */
function placeText({ position, passed }: Place): string {
  return position.toString(36) + passed.toString(36).padStart(3, '0');
}

/** Reports whether a string has the form of `next` of a page. */
export function isPlace(text: string): boolean {
  return /^[0-9a-z]{4,15}$/.test(text);
}

function parsePlace(text: string): Place {
  return { position: Number.parseInt(text.slice(0, -3), 36), passed: Number.parseInt(text.slice(-3), 36) };
}

/**
 * State of a look-up. It reads packs from new to old, and collects their matching records until it has one more than
 * the limit of the page.
 */
interface Search {
  readonly query: FindQuery;
  /** Place at which the search begins: the end of the previous page, or of the range of time. */
  readonly end: Place;
  readonly found: { readonly record: PackedRecord; readonly place: Place }[];
  /** Place of the matching record that was read last. */
  at: Place;
  packsRead: number;
  bytesRead: number;
}

/** A look-up that can also find data events. */
export type FindQuery = LookupQuery & Pick<KeyFacts, 'withData'>;

/** Page of records whose documents are not read yet. */
export interface FoundPage {
  readonly found: readonly PackedRecord[];
  readonly next?: string;
}

/** Runs a look-up. */
export async function search(sql: Sql, part: DocumentPart, query: LookupQuery): Promise<LookupPage> {
  const { found, ...rest } = await find(sql, query);
  return { rows: await withDocuments(sql, part, found), ...rest };
}

/** Finds the records of a look-up, without their documents. */
export async function find(sql: Sql, query: FindQuery): Promise<FoundPage> {
  const from = positionAt(query.from);
  const end = query.before === undefined ? { position: positionAt(query.to + LATEST_MS), passed: 0 } : parsePlace(query.before);
  const state: Search = { query, end, found: [], at: { position: end.position, passed: 0 }, packsRead: 0, bytesRead: 0 };
  const key = keyOf(query);
  const places = await sql.row<{ readonly indexed: number; readonly run_end: number | null; readonly tail_start: number | null }>(
    SELECT_PLACES,
    [end.position],
  );
  const { indexed = -1, run_end: runEnd = null, tail_start: tailStart = null } = places ?? {};
  const tail = { after: indexed, from, ...(tailStart !== null && { start: tailStart }) };
  const stopped =
    (end.position > indexed ? await searchTail(sql, state, keyText(key), tail) : undefined) ??
    (await searchRuns(sql, state, { key, last: Math.min(end.position, indexed), from }, runEnd ?? indexed));
  const found = state.found.slice(0, query.limit);
  const next = state.found.length > query.limit ? found.at(-1)?.place : stopped;
  return { found: found.map(({ record }) => record), ...(next === undefined ? {} : { next: placeText(next) }) };
}

/**
 * Reports whether the search ends after a pack. The limits on reading do not apply at the position where the search
 * began. So a page that stops at these limits has always moved to another position.
 */
function isFull({ found, query, end, packsRead, bytesRead }: Search, position: number): boolean {
  return found.length > query.limit || (position !== end.position && (packsRead >= PACKS_READ_MAX || bytesRead >= BYTES_READ_MAX));
}

/** Returns the number of packs that the next statement reads, if the next packs have as many matching records as those before. */
function pageOf({ packsRead, found, query }: Search): number {
  if (packsRead === 0) return PACKS_FIRST;
  const packs = Math.ceil(((query.limit + 1 - found.length) * packsRead) / Math.max(1, found.length));
  return Math.min(packs, PACKS_MOST);
}

/** Returns records of a pack, which include all that match, without their documents. @throws UnreadablePack  someone altered the pack */
function candidatesOf({ position, heads }: HeadsRow, { attribute }: LookupQuery): UndocumentedRecords {
  // The facts of a record contain `readOnly` as a number.
  return decoded(position, () =>
    attribute === undefined || attribute.name === 'ReadOnly' ? undocumentedRecords(heads) : undocumentedWith(heads, attribute.value),
  );
}

/**
 * Adds the matching records of packs to the search. The packs are in descending order. Returns the place where the
 * search stopped, or `undefined` if it continues. It stops before a pack that cannot be read, if it has found records.
 *
 * @throws UnreadablePack  someone altered the next pack, and no record was found before it
 */
function collect(state: Search, packs: readonly HeadsRow[]): Place | undefined {
  const { query, end, found } = state;
  for (const each of packs) {
    const { position, event_id: eventId, heads, bytes } = each;
    const candidates = readable(() => candidatesOf(each, query), found.length > 0);
    if (candidates === undefined) return placeIn(state, position);
    const { records, units } = candidates;
    const pack = { position, eventId, units, bytes };
    for (const record of records.toReversed()) {
      const { row, begin, length } = record;
      // `passed` also counts records outside the range of time, because the next page can have another range.
      if (!matches(row, query)) continue;
      state.at = { position, passed: state.at.position === position ? state.at.passed + 1 : 1 };
      if (position === end.position && state.at.passed <= end.passed) continue;
      if (row.at >= query.from && row.at <= query.to) found.push({ record: { row, begin, length, pack }, place: state.at });
    }
    state.packsRead++;
    state.bytesRead += heads.length + bytes;
    if (isFull(state, position)) return placeIn(state, position);
  }
  return undefined;
}

/** Returns the place at a position after the records that were read. */
function placeIn({ at }: Search, position: number): Place {
  return at.position === position ? at : { position, passed: 0 };
}

/** Runs `read`. Returns `undefined` if the pack cannot be read and `hasFound` is true. */
function readable<Result>(read: () => Result, hasFound: boolean): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadablePack && hasFound) return undefined;
    throw error;
  }
}

/** Packs that are in no run yet. */
interface Tail {
  /** Last position that the runs contain. */
  readonly after: number;
  /** Position of the earliest pack of the range of time. */
  readonly from: number;
  /** Position of the oldest pack that a look-up searches. Absent if it searches all. */
  readonly start?: number;
}

/** Searches the newest packs that are in no run yet. */
async function searchTail(sql: Sql, state: Search, text: string, { after, from, start }: Tail): Promise<Place | undefined> {
  for (let [before, beforeEvent] = [state.end.position, AFTER_EVENT_IDS]; ; ) {
    const limit = pageOf(state);
    const values = [before, beforeEvent, after, Math.max(from, start ?? from), `%${text}%`, limit];
    const packs = await sql.rows<HeadsRow>(SELECT_TAIL, values);
    const stopped = collect(state, packs);
    if (stopped !== undefined) return stopped;
    if (packs.length < limit) break;
    ({ position: before, event_id: beforeEvent } = packs.at(-1) as HeadsRow);
  }
  return start !== undefined && start > from ? { position: start - 1, passed: 0 } : undefined;
}

/**
 * Searches the runs of the index, from new to old, beginning with the run that ends at `runEnd`. The pack at `wanted.last` can be in the middle
 * of this run.
 */
async function searchRuns(sql: Sql, state: Search, wanted: Wanted, runEnd: number): Promise<Place | undefined> {
  const { key, from } = wanted;
  let before = runEnd + 1;
  let limit: number = RUNS_PAGE.first;
  for (let runs = 0; ; ) {
    const hits = await hitsBefore(sql, wanted, before, limit);
    let positions: number[] = [];
    for (let [i, run] = [0, hits[0]]; run !== undefined; ) {
      for (const position of run.positions.toReversed()) if (position >= from) positions.push(position);
      const earlier: RunHits | undefined = run.more && (run.positions[0] as number) > from ? run : undefined;
      if (earlier !== undefined || i + 1 === hits.length || positions.length >= PACKS_MOST) {
        const stopped = await searchPacks(sql, state, positions);
        if (stopped !== undefined) return stopped;
        positions = [];
      }
      run = (earlier && (await earlierHits(sql, key, earlier))) ?? hits[++i];
    }
    const oldest = hits.at(-1);
    if (oldest === undefined || hits.length < limit) return undefined;
    before = oldest.lastPosition;
    runs += hits.length;
    if (runs >= RUNS_READ_MAX) return { position: oldest.firstPosition - 1, passed: 0 };
    limit = Math.min(limit * RUNS_PAGE.growth, RUNS_PAGE.max);
  }
}

/** Searches the packs at positions in descending order. A position can occur twice. */
async function searchPacks(sql: Sql, state: Search, positions: readonly number[]): Promise<Place | undefined> {
  // Packs of several servers can have one position, and old runs then have it twice. One statement reads all of them.
  const rest = positions.filter((position, i) => position !== positions[i - 1]);
  while (rest.length > 0) {
    const page = rest.splice(0, pageOf(state));
    const size = PACKS_PAGES.find((count) => count >= page.length) ?? PACKS_MOST;
    const filled = Array.from({ length: size }, (_, each) => page[each] ?? (page[0] as number));
    const stopped = collect(state, await sql.rows<HeadsRow>(SELECT_PACKS.get(size) as string, filled));
    if (stopped !== undefined) return stopped;
  }
  return undefined;
}
