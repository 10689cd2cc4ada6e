import type { Instant } from '#core/instant.ts';
import type { Sql } from '../../sql.ts';
import type { Tx } from '../../store.ts';
import { bytes, instant, int, optional, type Row, table, text, textOf } from '../../table.ts';
import type { TrailWriter } from '../trail-chain.ts';

/**
 * Stored state of the transparency log of trail records (Decision 0028). Owns the SQL. Hashes and signatures are in `trail/log`.
 */

/** Logs, one for each epoch. The one with the highest epoch grows. Only `belfry trail restored` starts another epoch. */
export const TRAIL_LOG = table('trail_log', {
  columns: {
    /** 1 for the first log of a database. */
    epoch: int,
    /** Identifier of the log, and name of its key. */
    origin: text,
    /** Public key, as `formatVkey` returns it. */
    vkey: text,
    /** Signing key, sealed for `keyOwner(epoch)`. */
    sealedKey: text,
    createdAt: instant,
    /** Entry at index 0 that names the log before. Absent in the first log, which has only records. */
    opening: optional(bytes),
    /** Number of leaves, and root hash. */
    size: int,
    root: bytes,
    /** Number of the last change of the appender. An appender with a lower number can append nothing. */
    fence: int,
    /** ID of the appender, and the time until which no other server becomes the appender. */
    holder: text,
    heldUntil: instant,
  },
  key: ['epoch'],
});
export type TrailLogRow = Row<typeof TRAIL_LOG>;

/** Tiles of the trees. Tiles of level 0 contain the hashes of the leaves, and stay when records are deleted. */
export const TRAIL_LOG_TILE = table('trail_log_tile', {
  columns: { epoch: int, level: int, tile: int, hashes: bytes },
  key: ['epoch', 'level', 'tile'],
});

/** Records with successive numbers of one writer at successive indexes of a tree. */
export const TRAIL_LOG_RANGE = table('trail_log_range', {
  columns: { epoch: int, firstIndex: int, writer: text, firstNumber: int, count: int },
  key: ['epoch', 'firstIndex'],
  indexes: [['writer', 'firstNumber']],
});
export type TrailLogRange = Row<typeof TRAIL_LOG_RANGE>;

/** Place of each writer up to which a log has its records. */
export const TRAIL_LOG_WRITER = table('trail_log_writer', {
  columns: {
    writer: text,
    number: int,
    /** Position of the last pack, and link after it. */
    position: int,
    link: bytes,
  },
  key: ['writer'],
});
export type LoggedPlace = Row<typeof TRAIL_LOG_WRITER>;

/**
 * - `signed`: the latest checkpoint with the signature of the log
 * - `cosigned`: the latest one that at least one witness cosigned
 * - `cosigned-by-all`: the latest one that all configured witnesses cosigned
 */
export type CheckpointKind = 'signed' | 'cosigned' | 'cosigned-by-all';

/** Latest checkpoints of each log. */
export const TRAIL_CHECKPOINT = table('trail_checkpoint', {
  columns: { epoch: int, kind: textOf<CheckpointKind>(), size: int, signed: text, at: instant },
  key: ['epoch', 'kind'],
});
export type StoredCheckpoint = Row<typeof TRAIL_CHECKPOINT>;

/** State of each witness, and of each writer whose chain has a fault, for the operator. */
export const TRAIL_LOG_STATE = table('trail_log_state', {
  columns: { epoch: int, subject: text, state: text, detail: text, at: instant },
  key: ['epoch', 'subject'],
});
export type TrailLogState = Row<typeof TRAIL_LOG_STATE>;

/** Returns the owner for which the signing key of a log is sealed. */
export function keyOwner(epoch: number): string {
  return `trail log ${epoch}`;
}

/** Size and root hash of a tree, and its changed tiles. */
interface Tree {
  readonly size: number;
  readonly root: Uint8Array;
}
interface Tile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Uint8Array;
}

/** An append that was computed and is not stored yet. */
export interface LogAppend {
  readonly epoch: number;
  readonly fence: number;
  readonly before: Tree;
  readonly after: Tree;
  readonly tiles: readonly Tile[];
  readonly ranges: readonly Omit<TrailLogRange, 'epoch'>[];
  readonly places: readonly LoggedPlace[];
}

/** A writer with records that no log has yet, or that can still write. */
export interface OpenWriter {
  readonly writer: TrailWriter;
  /** Absent if no log has a record of the writer. */
  readonly place: LoggedPlace | undefined;
}

export interface TrailLog {
  /** Returns the log with the highest epoch. */
  current(): Promise<TrailLogRow | undefined>;
  /** Adds a log with its first tiles and its first signed checkpoint. Returns 'exists' and changes nothing if another server added this epoch. */
  create(log: TrailLogRow, tiles: readonly Tile[], signed: string): Promise<'added' | 'exists'>;
  /** Makes a server the appender with the next fencing number, if `fence` is still the last one. */
  take(log: Pick<TrailLogRow, 'epoch' | 'fence'>, holder: string, heldUntil: Instant): Promise<'taken' | 'lost'>;
  /** Extends the time of the appender. */
  renew(log: Pick<TrailLogRow, 'epoch' | 'fence'>, heldUntil: Instant): Promise<'renewed' | 'lost'>;
  /**
   * Stores an append: compares fencing number, size and root, and then writes. Returns 'lost' and changes nothing if
   * another server is the appender or the tree has grown.
   */
  append(step: LogAppend): Promise<'appended' | 'lost'>;
  /** Returns all hashes of a tile. @throws Error  the tile does not exist */
  tile(epoch: number, level: number, index: number): Promise<Uint8Array>;
  /** Returns at most `limit` open writers with a larger ID than `after`, in the order of their IDs. */
  openWriters(after: string, limit: number): Promise<readonly OpenWriter[]>;
  putCheckpoint(checkpoint: StoredCheckpoint): Promise<void>;
  checkpoints(epoch: number): Promise<readonly StoredCheckpoint[]>;
  putState(state: TrailLogState): Promise<void>;
  states(epoch: number): Promise<readonly TrailLogState[]>;
  /** Replaces the sealed signing key of a log. */
  reseal(epoch: number, sealedKey: string): Promise<void>;
  logs(): Promise<readonly TrailLogRow[]>;
}

/** Maximum number of logs, checkpoints and states that one call returns. */
const LIST_MAX = 1_000;

const SELECT_CURRENT = `SELECT ${TRAIL_LOG.names} FROM trail_log ORDER BY epoch DESC LIMIT 1`;
const TAKE = 'UPDATE trail_log SET fence = fence + 1, holder = $3, held_until_ms = $4 WHERE epoch = $1 AND fence = $2';
const RENEW = 'UPDATE trail_log SET held_until_ms = $3 WHERE epoch = $1 AND fence = $2';
const APPEND = 'UPDATE trail_log SET size = $5, root = $6 WHERE epoch = $1 AND fence = $2 AND size = $3 AND root = $4';
const SELECT_LAST_RANGE = `SELECT ${TRAIL_LOG_RANGE.names} FROM trail_log_range WHERE epoch = $1 ORDER BY first_index DESC LIMIT 1`;
const SELECT_OPEN = `
  SELECT w.id, w.server, w.started_at_ms, w.ended_number, w.ended_link, w.ended_at_ms, w.first_position, p.number, p.position, p.link
  FROM trail_writer w LEFT JOIN trail_log_writer p ON p.writer = w.id
  WHERE w.id > $1 AND (w.ended_number IS NULL OR COALESCE(p.number, 0) < w.ended_number) ORDER BY w.id LIMIT $2`;

const setCount = TRAIL_LOG_RANGE.update('count');
const setSealedKey = TRAIL_LOG.update('sealedKey');

/** Creates the repository of the log in one transaction. */
export function trailLog(sql: Sql): TrailLog {
  /** Stores ranges. The first one extends the last stored one if both are successive. */
  async function putRanges(epoch: number, ranges: LogAppend['ranges']): Promise<void> {
    const [first, ...rest] = ranges;
    if (first === undefined) return;
    const last = await TRAIL_LOG_RANGE.row(sql, SELECT_LAST_RANGE, [epoch]);
    const isSuccessive =
      last?.writer === first.writer &&
      last.firstIndex + last.count === first.firstIndex &&
      last.firstNumber + last.count === first.firstNumber;
    if (isSuccessive) await setCount(sql, { ...last, count: last.count + first.count });
    for (const range of isSuccessive ? rest : ranges) await TRAIL_LOG_RANGE.insert(sql, { ...range, epoch });
  }
  const putTiles = async (epoch: number, tiles: readonly Tile[]): Promise<void> => {
    for (const { level, index, hashes } of tiles) await TRAIL_LOG_TILE.put(sql, { epoch, level, tile: index, hashes });
  };

  return {
    current: () => TRAIL_LOG.row(sql, SELECT_CURRENT),
    async create(log, tiles, signed) {
      if ((await TRAIL_LOG.add(sql, log)) === 'exists') return 'exists';
      const { epoch, size, createdAt } = log;
      await putTiles(epoch, tiles);
      await TRAIL_CHECKPOINT.put(sql, { epoch, kind: 'signed', size, signed, at: createdAt });
      return 'added';
    },
    take: async ({ epoch, fence }, holder, heldUntil) =>
      (await sql.run(TAKE, [epoch, fence, holder, heldUntil])) === 1 ? 'taken' : 'lost',
    renew: async ({ epoch, fence }, heldUntil) => ((await sql.run(RENEW, [epoch, fence, heldUntil])) === 1 ? 'renewed' : 'lost'),
    async append({ epoch, fence, before, after, tiles, ranges, places }) {
      if ((await sql.run(APPEND, [epoch, fence, before.size, before.root, after.size, after.root])) !== 1) return 'lost';
      await putTiles(epoch, tiles);
      await putRanges(epoch, ranges);
      for (const place of places) await TRAIL_LOG_WRITER.put(sql, place);
      return 'appended';
    },
    async tile(epoch, level, index) {
      const found = await TRAIL_LOG_TILE.get(sql, epoch, level, index);
      if (found === undefined) throw new Error(`tile ${index} of level ${level} of the trail log is missing`);
      return found.hashes;
    },
    async openWriters(after, limit) {
      const rows = await sql.rows<Readonly<Record<string, never>>>(SELECT_OPEN, [after, limit]);
      return rows.map(toOpenWriter);
    },
    putCheckpoint: (checkpoint) => TRAIL_CHECKPOINT.put(sql, checkpoint),
    checkpoints: (epoch) => TRAIL_CHECKPOINT.page(sql, [epoch], [''], LIST_MAX),
    putState: (state) => TRAIL_LOG_STATE.put(sql, state),
    states: (epoch) => TRAIL_LOG_STATE.page(sql, [epoch], [''], LIST_MAX),
    async reseal(epoch, sealedKey) {
      await setSealedKey(sql, { epoch, sealedKey });
    },
    logs: () => TRAIL_LOG.page(sql, [], [0], LIST_MAX),
  };
}

function toOpenWriter(row: Readonly<Record<string, never>>): OpenWriter {
  const {
    id,
    server,
    started_at_ms: startedAt,
    ended_number: endedNumber,
    ended_link: endedLink,
    ended_at_ms: endedAt,
    first_position: firstPosition,
  } = row;
  const { number, position, link } = row as Readonly<Record<string, number | Uint8Array | null>>;
  const end = endedNumber === null ? {} : { endedNumber, endedLink, endedAt };
  const first = firstPosition === null ? {} : { firstPosition };
  return {
    writer: { id, server, startedAt, ...end, ...first } as unknown as TrailWriter,
    place: number === null ? undefined : ({ writer: id, number, position, link } as unknown as LoggedPlace),
  };
}

const SELECT_RANGES_OF = `
  SELECT ${TRAIL_LOG_RANGE.names} FROM trail_log_range WHERE writer = $1 AND first_number > $2 ORDER BY first_number LIMIT $3`;
const SELECT_RANGE_WITH = `
  SELECT ${TRAIL_LOG_RANGE.names} FROM trail_log_range WHERE writer = $1 AND first_number <= $2 ORDER BY first_number DESC LIMIT 1`;

/** Returns ranges of a writer that start after a number, in order. A number is in at most one range. */
export function rangesOf(sql: Sql, writer: string, after: number, limit: number): Promise<readonly TrailLogRange[]> {
  return TRAIL_LOG_RANGE.rows(sql, SELECT_RANGES_OF, [writer, after, limit]);
}

/** Returns the index of a record in its tree, or `undefined` if no log has the record. */
export async function indexOf(sql: Sql, writer: string, number: number): Promise<{ epoch: number; index: number } | undefined> {
  const range = await TRAIL_LOG_RANGE.row(sql, SELECT_RANGE_WITH, [writer, number]);
  if (range === undefined || number >= range.firstNumber + range.count) return undefined;
  return { epoch: range.epoch, index: range.firstIndex + number - range.firstNumber };
}

/** Signing keys of the logs, for the rotation of the operator key. */
export const SEALED_LOG_KEYS = {
  list: async (tx: Tx) => (await tx.of(trailLog).logs()).map(sealedOf),
  async get(tx: Tx, key: string) {
    return (await SEALED_LOG_KEYS.list(tx)).find((row) => row.key === key);
  },
  put: (tx: Tx, key: string, sealed: string) => tx.of(trailLog).reseal(Number(key), sealed),
};

function sealedOf({ epoch, sealedKey }: TrailLogRow): { readonly key: string; readonly sealed: string; readonly boundTo: string } {
  return { key: String(epoch), sealed: sealedKey, boundTo: keyOwner(epoch) };
}
