/** Reads what monitors of the transparency log get over HTTP: checkpoints, tiles and bundles of entries. Changes nothing. */
import type { Sql } from '#store/sql.ts';
import { type StoredCheckpoint, TRAIL_LOG_RANGE, type TrailLogRange, type TrailLogRow, trailLog } from '#store/trail/log/trail-log.ts';
import { placeBefore } from '#store/trail/trail-chain-place.ts';
import { type ChainPlace, chainSince } from '#store/trail/trail-chain-reads.ts';
import type { ChainOrder } from '#store/trail/trail-writers.ts';
import { leafHash } from '#tlog/hash.ts';
import { readTile, TILE_WIDTH } from '#tlog/merkle.ts';
import { encodeEntryBundle, type TileAddress } from '#tlog/tile-path.ts';
import { leavesOf } from './append-job.ts';
import { hashAt, isSame, tileReader } from './verify-tree.ts';

/** A log, and its latest checkpoint. */
export interface PublishedLog extends Pick<TrailLogRow, 'epoch' | 'origin' | 'vkey'> {
  readonly checkpoint: Pick<StoredCheckpoint, 'size' | 'signed'>;
}

/** Returns the logs that have a checkpoint, by epoch. Of two checkpoints of one size, returns the one with more cosignatures. */
export async function publishedLogs(sql: Sql): Promise<readonly PublishedLog[]> {
  const logs = trailLog(sql);
  const published: PublishedLog[] = [];
  for (const { epoch, origin, vkey } of await logs.logs()) {
    const checkpoints = await logs.checkpoints(epoch);
    const size = Math.max(...checkpoints.map((each) => each.size));
    const latest = KINDS.map((kind) => checkpoints.find((each) => each.kind === kind && each.size === size)).find((each) => each);
    if (latest !== undefined) published.push({ epoch, origin, vkey, checkpoint: { size, signed: latest.signed } });
  }
  return published;
}

const KINDS = ['cosigned-by-all', 'cosigned', 'signed'] as const;

/**
 * Returns the bytes of a tile, or of a bundle of entries. A tile that the log does not have is an error, so ask only for tiles of a
 * published checkpoint.
 *
 * @throws Error  the tile or a record is missing, or an entry does not have the hash of its leaf
 */
export async function publishedTile(sql: Sql, order: ChainOrder, epoch: number, address: TileAddress): Promise<Uint8Array> {
  const { level, index, width } = address;
  const hashes = await readTile(tileReader(sql, epoch), level === 'entries' ? 0 : level, index, width);
  if (level !== 'entries') return hashes;
  const first = index * TILE_WIDTH;
  const entries = await entriesOf(sql, order, epoch, { first, end: first + width });
  const wrong = Array.from({ length: width }, (_, i) => i).find(
    (i) => entries[i] === undefined || !isSame(leafHash(entries[i]), hashAt(hashes, i)),
  );
  if (wrong !== undefined) throw new Error(`the record at index ${first + wrong} of the log with epoch ${epoch} is missing or was changed`);
  return encodeEntryBundle(entries as readonly Uint8Array[]);
}

/** Indexes of a tree from `first` to before `end`. */
interface Indexes {
  readonly first: number;
  readonly end: number;
}

const SELECT_RANGE_AT = `
  SELECT ${TRAIL_LOG_RANGE.names} FROM trail_log_range WHERE epoch = $1 AND first_index <= $2 ORDER BY first_index DESC LIMIT 1`;
const SELECT_RANGES_AFTER = `
  SELECT ${TRAIL_LOG_RANGE.names} FROM trail_log_range WHERE epoch = $1 AND first_index > $2 AND first_index < $3
  ORDER BY first_index LIMIT ${TILE_WIDTH}`;

/** Returns the entries at some indexes. Entries without a record are absent. */
async function entriesOf(sql: Sql, order: ChainOrder, epoch: number, { first, end }: Indexes): Promise<(Uint8Array | undefined)[]> {
  const entries = new Array<Uint8Array | undefined>(end - first).fill(undefined);
  const log = (await trailLog(sql).logs()).find((each) => each.epoch === epoch);
  if (first === 0 && log?.opening !== undefined) entries[0] = log.opening;
  const at = await TRAIL_LOG_RANGE.row(sql, SELECT_RANGE_AT, [epoch, first]);
  const after = await TRAIL_LOG_RANGE.rows(sql, SELECT_RANGES_AFTER, [epoch, first, end]);
  for (const range of at === undefined ? after : [at, ...after]) await putLeaves(sql, order, range, { first, end }, entries);
  return entries;
}

/** Packs that one statement reads. A pack with many records needs as much memory as its documents. */
const PACKS_AT_ONCE = 4;

/** Puts the leaves of a range into `entries`, whose first index is `first`. */
async function putLeaves(
  sql: Sql,
  order: ChainOrder,
  range: TrailLogRange,
  { first, end }: Indexes,
  entries: (Uint8Array | undefined)[],
): Promise<void> {
  const { writer, firstIndex, firstNumber, count } = range;
  /** Index of a record of the writer in `entries`, if the record is in the range. */
  const offsetOf = (number: number): number => firstIndex + number - firstNumber - first;
  const from = Math.max(firstNumber, firstNumber + first - firstIndex);
  const to = Math.min(firstNumber + count, firstNumber + end - firstIndex);
  let place: ChainPlace | undefined = from < to ? await placeBefore(sql, order, writer, from) : undefined;
  while (place !== undefined && place.number < to - 1) {
    const page = await chainSince(sql, order, writer, place, PACKS_AT_ONCE);
    for (const pack of page.packs) {
      for (const [i, leaf] of leavesOf(pack, { id: writer }).entries()) {
        const number = (pack.firstNumber ?? 0) + i;
        if (number >= from && number < to) entries[offsetOf(number)] = leaf;
      }
    }
    place = page.isEnd ? undefined : page.place;
  }
}
