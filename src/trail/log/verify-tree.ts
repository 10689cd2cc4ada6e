/** Checks the stored trees of the transparency log: tiles, roots, ranges, signatures of checkpoints. Reads, and changes nothing. */
import type { Sql } from '#store/sql.ts';
import { TRAIL_LOG_RANGE, TRAIL_LOG_TILE, type TrailLogRow, trailLog } from '#store/trail/log/trail-log.ts';
import { openCheckpoint } from '#tlog/checkpoint.ts';
import { HASH_BYTES, leafHash, perfectSubtree } from '#tlog/hash.ts';
import { hasHead, TILE_WIDTH, type TileReader, tileLevels, tileWidth } from '#tlog/merkle.ts';
import { type NoteKey, parseVkey } from '#tlog/note-key.ts';
import { type Opening, parseOpening } from './log-key.ts';

/** Number of tiles or ranges that one statement reads. */
const PAGE = 256;

/** Returns the reader of the tiles of a log. */
export function tileReader(sql: Sql, epoch: number): TileReader {
  const logs = trailLog(sql);
  return (level, index) => logs.tile(epoch, level, index);
}

/** Returns the hash at an offset of a tile. */
export function hashAt(hashes: Uint8Array, offset: number): Uint8Array {
  return hashes.subarray(offset * HASH_BYTES, (offset + 1) * HASH_BYTES);
}

export function isSame(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && Buffer.compare(one, other) === 0;
}

/** Checks one stored log. Returns its problems, each as one line. */
export async function treeProblems(sql: Sql, log: TrailLogRow): Promise<readonly string[]> {
  const problems: string[] = [];
  const problem = (what: string) => problems.push(`epoch ${log.epoch}: ${what}`);
  const tile = await firstWrongTile(sql, log);
  if (tile !== undefined) problem(`${tile} of the tree is missing or wrong`);
  const read = tileReader(sql, log.epoch);
  if (tile === undefined && !(await hasHead(read, log))) problem('the stored root does not match the tree');
  const range = await firstWrongRange(sql, log);
  if (range !== undefined) problem(`no record is known for index ${range} of the tree of ${log.size} leaves`);
  const key = parseVkey(log.vkey);
  if (key.name !== log.origin) problem('the name of its key is not its origin');
  const checkpoints = await trailLog(sql).checkpoints(log.epoch);
  const unsigned = log.opening === undefined ? 0 : 1;
  if (log.size > unsigned && !checkpoints.some(({ kind }) => kind === 'signed')) problem('the tree has no signed checkpoint');
  for (const { kind, signed } of checkpoints) {
    const wrong = await checkpointProblem(signed, key, log, read);
    if (wrong !== undefined) problem(`the ${kind} checkpoint ${wrong}`);
  }
  return problems;
}

/**
 * Returns the number of entries of a new log, none of which is signed yet. Returns 0 if a checkpoint has entries, or none is signed.
 * The signature of the first checkpoint of a log has only the entry that names the log before, if there is one.
 */
export async function unsignedEntries(sql: Sql, { epoch, size, opening }: TrailLogRow): Promise<number> {
  const signed = (await trailLog(sql).checkpoints(epoch)).find(({ kind }) => kind === 'signed');
  const first = opening === undefined ? 0 : 1;
  return signed?.size === first ? size - first : 0;
}

/** Returns why a checkpoint of a log is wrong, or `undefined`. */
async function checkpointProblem(signed: string, key: NoteKey, { size }: TrailLogRow, read: TileReader): Promise<string | undefined> {
  const opened = openCheckpoint(signed, key);
  if (opened === undefined) return 'has no valid signature of the log';
  if (opened.size > size) return `has ${opened.size} leaves, but the tree has only ${size}: the end was removed`;
  return (await hasHead(read, opened)) ? undefined : `of ${opened.size} leaves does not match the tree`;
}

/** Compares each tile with the tile above it. Returns the name of the first wrong or missing tile. */
async function firstWrongTile(sql: Sql, { epoch, size }: TrailLogRow): Promise<string | undefined> {
  for (let level = 0; level < tileLevels(size); level++) {
    let next = 0;
    let parent: { readonly index: number; readonly hashes: Uint8Array } | undefined;
    for (let isLast = false; !isLast; ) {
      const page = await TRAIL_LOG_TILE.page(sql, [epoch, level], [next - 1], PAGE);
      isLast = page.length < PAGE;
      for (const { tile, hashes } of page) {
        const width = tileWidth(level, tile, size);
        const name = `tile ${next} of level ${level}`;
        if (tile !== next || width === 0 || hashes.length !== width * HASH_BYTES) return name;
        next++;
        if (width < TILE_WIDTH) continue;
        const index = Math.floor(tile / TILE_WIDTH);
        if (parent?.index !== index)
          parent = { index, hashes: (await TRAIL_LOG_TILE.get(sql, epoch, level + 1, index))?.hashes ?? new Uint8Array() };
        if (!isSame(perfectSubtree(hashes), hashAt(parent.hashes, tile % TILE_WIDTH))) return name;
      }
    }
    if (tileWidth(level, next, size) > 0) return `tile ${next} of level ${level}`;
  }
  return undefined;
}

/** Returns the first index that no range of records contains, or that two contain. */
async function firstWrongRange(sql: Sql, { epoch, size, opening }: TrailLogRow): Promise<number | undefined> {
  let next = opening === undefined ? 0 : 1;
  for (let isLast = false; !isLast; ) {
    const page = await TRAIL_LOG_RANGE.page(sql, [epoch], [next - 1], PAGE);
    isLast = page.length < PAGE;
    for (const { firstIndex, count } of page) {
      if (firstIndex !== next || count < 1) return next;
      next += count;
    }
  }
  return next === size ? undefined : Math.min(next, size);
}

/** First number of a writer that no range has, or that two ranges have. A window function reads the ranges once, in the order of an index. */
const SELECT_WRONG_NUMBER = `
  SELECT writer, first_number AS first, expected FROM (
    SELECT writer, first_number,
      COALESCE(LAG(first_number + count) OVER (PARTITION BY writer ORDER BY first_number), 1) AS expected
    FROM trail_log_range
  ) AS ranges WHERE first_number <> expected ORDER BY writer, first_number LIMIT 1`;
/** First writer whose place is not after its last range. */
const SELECT_WRONG_PLACE = `
  SELECT place.writer AS writer, place.number AS number, COALESCE(MAX(part.first_number + part.count - 1), 0) AS last
  FROM trail_log_writer AS place LEFT JOIN trail_log_range AS part ON part.writer = place.writer
  GROUP BY place.writer, place.number
  HAVING place.number <> COALESCE(MAX(part.first_number + part.count - 1), 0) ORDER BY place.writer LIMIT 1`;

/**
 * Checks that the logs have the numbers of each writer once and without gaps, so that each index belongs to one record, and no record
 * before the end of a log lacks an index. Otherwise a changed record could pass for one that no log has yet.
 */
export async function numberProblems(sql: Sql): Promise<readonly string[]> {
  const problems: string[] = [];
  const range = await sql.row<{ writer: string; first: number; expected: number }>(SELECT_WRONG_NUMBER, []);
  if (range !== undefined) {
    const { writer, first, expected } = range;
    const what = first > expected ? 'is in no log, but a later number is' : 'is in the log twice';
    problems.push(`wrong range in the log: number ${Math.min(first, expected)}, writer ${writer}: the number ${what}`);
  }
  const place = await sql.row<{ writer: string; number: number; last: number }>(SELECT_WRONG_PLACE, []);
  if (place !== undefined)
    problems.push(`wrong place in the log: writer ${place.writer}: the log ends at number ${place.last}, but its place is ${place.number}`);
  return problems;
}

/** A log that ended with a loss, which the next log names. */
export interface EndedLog {
  readonly epoch: number;
  readonly opening: Opening;
  /** Number of leaves that a witness cosigned, and number that the database has. */
  readonly witnessSize: number;
  readonly size: number;
}

/** Checks how logs follow each other. Returns the logs that ended with a loss. */
export async function successions(
  sql: Sql,
  logs: readonly TrailLogRow[],
): Promise<{ readonly ended: readonly EndedLog[]; readonly problems: readonly string[] }> {
  const ended: EndedLog[] = [];
  const problems: string[] = [];
  for (const [i, log] of logs.entries()) {
    const previous = logs[i - 1];
    if (log.epoch !== i + 1) problems.push(`epoch ${i + 1} of the trail log is missing`);
    if (previous === undefined) {
      if (log.opening !== undefined) problems.push(`epoch ${log.epoch}: the first log has an opening`);
      continue;
    }
    const opening = log.opening && openingOf(log.opening);
    const first = await TRAIL_LOG_TILE.get(sql, log.epoch, 0, 0);
    const checkpoint = opening && openCheckpoint(opening.checkpoint, parseVkey(previous.vkey));
    const isIntact =
      opening?.previousOrigin === previous.origin &&
      opening.restoredSize === previous.size &&
      opening.restoredRoot === Buffer.from(previous.root).toString('base64') &&
      isSame(leafHash(log.opening as Uint8Array), first && hashAt(first.hashes, 0));
    if (opening === undefined || checkpoint === undefined || !isIntact)
      problems.push(`epoch ${log.epoch}: its first leaf does not name the log before`);
    else ended.push({ epoch: previous.epoch, opening, witnessSize: checkpoint.size, size: previous.size });
  }
  return { ended, problems };
}

function openingOf(bytes: Uint8Array): Opening | undefined {
  try {
    return parseOpening(bytes);
  } catch {
    return undefined;
  }
}
