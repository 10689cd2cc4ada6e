import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { positionAt } from '../engine/position.ts';
import type { Sql } from '../sql.ts';
import { hitsBefore, indexedUpTo, runEndFrom } from './trail-index.ts';
import { keyOf, keyText, matches } from './trail-keys.ts';
import { type Pack, recordsOf, TRAIL_PACK } from './trail-pack.ts';
import type { LookupAttribute, TrailRow } from './trail-row.ts';

export interface Trail {
  /** Appends a record. The engine writes it at the end of the transaction, together with others, so that it costs little. */
  append(row: TrailRow): Promise<void>;
  /**
   * Returns records of earlier transactions, newest first. A page with `next` may have fewer records than `limit`, even none: `next` is
   * the place where the search stopped. Records of one millisecond are in any order.
   */
  lookup(query: LookupQuery): Promise<LookupPage>;
  /**
   * Returns each record of all accounts once, in the order of commits, after a position (0: from the first), for delivery and digests.
   * It reads at most `limit` packs of one or more records, and any further packs at the position of the last pack.
   * On PostgreSQL it omits the last half minute, because a record that commits late may still precede these records.
   */
  since(position: number, limit: number): Promise<{ readonly rows: readonly TrailRow[]; readonly position: number }>;
}

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
 * Longest time between a request and its record, in milliseconds.
 * Assumed: no request takes longer, and the clock is never set back by more. A look-up with an end misses records that are later.
 */
const LATEST_MS = 15 * 60_000;

/** Functions of the transaction that the trail uses. */
export interface TrailParts {
  readonly sql: Sql;
  /** Adds a record to those that the engine writes at the end of the transaction. */
  readonly append: (row: TrailRow) => void;
  /** Writes the records of earlier transactions that are not written yet. */
  readonly writeEarlier: () => void;
  /** Returns a position below which no further record appears. */
  readonly settled: () => number;
}

/** Creates the trail of one transaction. */
export function trail({ sql, append, writeEarlier, settled }: TrailParts): Trail {
  return {
    async append(row) {
      append(row);
    },
    async lookup(query) {
      writeEarlier();
      return search(sql, query);
    },
    async since(after, limit) {
      writeEarlier();
      const packs = await TRAIL_PACK.rows(sql, SELECT_SINCE, [after, settled(), limit]);
      const position = packs.at(-1)?.position;
      if (position === undefined) return { rows: [], position: after };
      // The limit may be between packs of several servers that have one position.
      const last = packs.length < limit ? [] : await TRAIL_PACK.rows(sql, SELECT_AT, [position]);
      const earlier = last.length === 0 ? packs : packs.filter((pack) => pack.position !== position);
      return { rows: [...earlier, ...last].flatMap(recordsOf), position };
    },
  };
}

const SELECT_SINCE = `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE position > $1 AND position < $2 ORDER BY position, event_id LIMIT $3`;
const SELECT_AT = `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE position = $1 ORDER BY event_id`;
const SELECT_TAIL = `
  SELECT ${TRAIL_PACK.names} FROM trail_pack
  WHERE position <= $1 AND NOT (position = $1 AND event_id >= $2) AND position > $3 AND position >= $4 AND keys LIKE $5 ESCAPE '!'
  ORDER BY position DESC, event_id DESC LIMIT $6`;
/** Event IDs are before it. */
const AFTER_EVENT_IDS = '\u{10ffff}';

/** Number of packs that a statement reads. The first statement reads fewer, because a few packs can fill the page of a frequent value. */
const PACKS_PAGE = 16;
const PACKS_FIRST = 4;
const SELECT_PACKS = `
  SELECT ${TRAIL_PACK.names} FROM trail_pack
  WHERE position IN (${Array.from({ length: PACKS_PAGE }, (_, i) => `$${i + 1}`).join(', ')}) ORDER BY position DESC, event_id DESC`;

/** Maximum number of packs, of UTF-16 units in them, and of runs that a look-up reads. Then it returns a page with `next`. */
const PACKS_READ_MAX = 256;
const UNITS_READ_MAX = 2 ** 23;
const RUNS_READ_MAX = 1_024;

/** Number of runs that one statement reads: few at first, because frequent values are in the newest. */
const RUNS_PAGE = { first: 2, growth: 4, max: 64 } as const;

/**
 * Place in a look-up: a position, and the number of its matching records that were read already. Packs of several servers can have one
 * position, so the number counts through all of them, from the newest.
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

/** A search in progress. Reads packs from new to old, and collects their matching records until the page has one more than its limit. */
interface Search {
  readonly query: LookupQuery;
  /** Place at which the page continues. */
  readonly end: Place;
  readonly found: { readonly row: TrailRow; readonly place: Place }[];
  /** Place of the matching record that was read last. */
  at: Place;
  packsRead: number;
  unitsRead: number;
}

async function search(sql: Sql, query: LookupQuery): Promise<LookupPage> {
  const from = positionAt(query.from);
  const end = query.before === undefined ? { position: positionAt(query.to + LATEST_MS), passed: 0 } : parsePlace(query.before);
  const state: Search = { query, end, found: [], at: { position: end.position, passed: 0 }, packsRead: 0, unitsRead: 0 };
  const key = keyOf(query);
  const indexed = await indexedUpTo(sql);
  const stopped =
    (end.position > indexed ? await searchTail(sql, state, keyText(key), indexed, from) : undefined) ??
    (await searchRuns(sql, state, key, Math.min(end.position, indexed), from));
  const rows = state.found.slice(0, query.limit);
  const next = state.found.length > query.limit ? rows.at(-1)?.place : stopped;
  return { rows: rows.map(({ row }) => row), ...(next === undefined ? {} : { next: placeText(next) }) };
}

/** Reports whether the search ends after a pack. The packs at the place where it began are never the only ones, so each page continues. */
function isFull({ found, query, end, packsRead, unitsRead }: Search, position: number): boolean {
  return found.length > query.limit || (position !== end.position && (packsRead >= PACKS_READ_MAX || unitsRead >= UNITS_READ_MAX));
}

/** Returns the number of packs that the next statement reads. */
function pageOf({ packsRead }: Search): number {
  return packsRead === 0 ? PACKS_FIRST : PACKS_PAGE;
}

/** Adds the matching records of packs, which are in descending order. Returns the place where a full search stopped. */
function collect(state: Search, packs: readonly Pack[]): Place | undefined {
  const { query, end, found } = state;
  for (const pack of packs) {
    const { position } = pack;
    const records = recordsOf(pack);
    for (let index = records.length - 1; index >= 0; index--) {
      const row = records[index] as TrailRow;
      // Counts records outside the range of time too, because the range can be another at the next page.
      if (!matches(row, query)) continue;
      state.at = { position, passed: state.at.position === position ? state.at.passed + 1 : 1 };
      if (position === end.position && state.at.passed <= end.passed) continue;
      if (row.at >= query.from && row.at <= query.to) found.push({ row, place: state.at });
    }
    state.packsRead++;
    state.unitsRead += pack.heads.length + pack.documents.length;
    if (isFull(state, position)) return state.at.position === position ? state.at : { position, passed: 0 };
  }
  return undefined;
}

/** Searches the packs that are in no run yet. */
async function searchTail(sql: Sql, state: Search, text: string, indexed: number, from: number): Promise<Place | undefined> {
  for (let [before, beforeEvent] = [state.end.position, AFTER_EVENT_IDS]; ; ) {
    const limit = pageOf(state);
    const packs = await TRAIL_PACK.rows(sql, SELECT_TAIL, [before, beforeEvent, indexed, from, `%${text}%`, limit]);
    const stopped = collect(state, packs);
    if (stopped !== undefined || packs.length < limit) return stopped;
    ({ position: before, eventId: beforeEvent } = packs.at(-1) as Pack);
  }
}

/** Searches the runs, from the one that has the pack at `last`. */
async function searchRuns(sql: Sql, state: Search, key: number, last: number, from: number): Promise<Place | undefined> {
  // Begins with the run that contains the pack at `last`, which may be in the middle of the run.
  let before = (await runEndFrom(sql, last)) + 1;
  let limit: number = RUNS_PAGE.first;
  for (let runs = 0; ; ) {
    const hits = await hitsBefore(sql, key, before, from, limit);
    // Packs of several servers can have one position, which then occurs twice. One statement reads all of them.
    const positions = hits
      .flatMap((run) => run.positions.toReversed())
      .filter((position, i, all) => position <= last && position >= from && position !== all[i - 1]);
    while (positions.length > 0) {
      const page = positions.splice(0, pageOf(state));
      const filled = Array.from({ length: PACKS_PAGE }, (_, each) => page[each] ?? (page[0] as number));
      const stopped = collect(state, await TRAIL_PACK.rows(sql, SELECT_PACKS, filled));
      if (stopped !== undefined) return stopped;
    }
    const oldest = hits.at(-1);
    if (oldest === undefined || hits.length < limit) return undefined;
    before = oldest.lastPosition;
    runs += hits.length;
    if (runs >= RUNS_READ_MAX) return { position: oldest.firstPosition - 1, passed: 0 };
    limit = Math.min(limit * RUNS_PAGE.growth, RUNS_PAGE.max);
  }
}
