import { type Instant, isoSeconds } from '#core/instant.ts';
import { timeOf } from '../engine/position.ts';
import type { SqlValue } from '../sql.ts';
import { bytes, int, optional, type Row, table, text } from '../table.ts';
import { decodeContexts } from './context-reader.ts';
import { encodeContexts } from './context-writer.ts';
import type { StoredContext } from './decision-context.ts';
import { type ChainTip, extend } from './trail-chain.ts';
import { documentLength, type Head, headEnd, isHead } from './trail-heads.ts';
import { keysOf } from './trail-keys.ts';
import type { TrailRow } from './trail-row.ts';

/**
 * Records of the trail, in packs. A pack is one row with the records of one commit. So a record costs a small part of
 * an insert (Decision 0020).
 */
export const TRAIL_PACK = table('trail_pack', {
  columns: {
    /** Number that orders the packs (`Positions`). */
    position: int,
    /** ID of the first record. */
    eventId: text,
    /** Look-up keys of the records, as `keysOf` returns them. */
    keys: text,
    /** Facts of each record, as a JSON list of `Head`. */
    heads: text,
    /** Documents of the records, one after the other. */
    documents: text,
    /** Decision contexts of the records (`context-format.ts`). Absent if no record has a context, as in older packs. */
    contexts: optional(text),
    /** ID of the writer (`TRAIL_WRITER`). Absent in packs that are older than chains, until a server numbers them. */
    writer: optional(text),
    /** Number of the first record. The end of a writer is a pack without records, and has the next number. */
    firstNumber: optional(int),
    /** Link of the chain after this pack. */
    link: optional(bytes),
  },
  key: ['position'],
  // Two servers can use the same position, so the event ID is also part of the key.
  keyOnPostgres: ['position', 'eventId'],
  // On SQLite the packs of a writer are together. On PostgreSQL the index also guarantees that no number is used twice.
  indexesOnPostgres: [{ columns: ['writer', 'firstNumber'], unique: true }],
  clustered: false,
});
export type Pack = Row<typeof TRAIL_PACK>;

/** Columns that contain the records of a pack. */
export type PackContent = Pick<Pack, 'heads' | 'documents'>;

/**
 * SQL names of the columns with the records. `contexts` and the chain are the last columns of the table. So a statement on SQLite does
 * not read their pages.
 */
export const PACK_NAMES = 'position, event_id, keys, heads, documents';

/** Maximum number of records in a pack. It is small, because a look-up reads whole packs. */
export const PACK_RECORDS = 32;

/** Total length of the documents at which a pack is full, in UTF-16 code units. */
const DOCUMENTS_FULL = 2 ** 17;

const INSERT = `INSERT INTO trail_pack (${TRAIL_PACK.names}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

/** A statement that writes a pack. */
export interface PackInsert {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** Returns how many of the records, from the first one, fit into one pack. */
export function packLength(rows: readonly TrailRow[]): number {
  let size = 0;
  let length = 0;
  while (length < rows.length && length < PACK_RECORDS && size < DOCUMENTS_FULL) size += (rows[length++] as TrailRow).document.length;
  return length;
}

/** Statement that writes a pack, and the state of its writer if the statement is committed. */
export interface ChainedInsert extends PackInsert {
  readonly position: number;
  readonly tip: ChainTip;
}

/**
 * Returns the statements that write records, in order: one for each pack. Calls `nextPosition` once for each pack. The
 * positions of a writer must increase.
 */
export function packInserts(rows: readonly TrailRow[], nextPosition: () => number, tip: ChainTip): readonly ChainedInsert[] {
  const inserts: ChainedInsert[] = [];
  for (let [rest, last] = [rows, tip]; rest.length > 0; ) {
    const length = packLength(rest);
    const insert = packInsert(rest.slice(0, length), nextPosition(), last);
    inserts.push(insert);
    [rest, last] = [rest.slice(length), insert.tip];
  }
  return inserts;
}

/** Returns the statement that writes one pack. */
export function packInsert(rows: readonly TrailRow[], position: number, tip: ChainTip): ChainedInsert {
  return chained(packOf(rows), rows.length, position, tip);
}

/** Returns the statement that ends a writer: a pack without records. */
export function endInsert(position: number, tip: ChainTip): ChainedInsert {
  // The ID keeps the rows of two ends at one position apart.
  return chained({ eventId: tip.writer.id, keys: '', heads: '[]', documents: '', contexts: null }, 0, position, tip);
}

/** A stored pack is not in the format of the server: it was altered in the database, or a newer version of the program wrote it. */
export class UnreadablePack extends Error {
  readonly position: number;

  constructor(position: number, cause?: unknown) {
    const at = isoSeconds(timeOf(position));
    const what = `the trail has records of ${at} that are not in the format of the server`;
    super(`${what}: someone altered them in the database, or a newer version wrote them; run 'belfry trail verify'`, { cause });
    this.position = position;
  }
}

/** Runs `decode`, which reads only the content of the pack at a position. @throws UnreadablePack  `decode` throws */
export function decoded<Result>(position: number, decode: () => Result): Result {
  try {
    return decode();
  } catch (error) {
    throw new UnreadablePack(position, error);
  }
}

/** Content of a pack as stored. */
interface StoredContent {
  readonly eventId: string;
  readonly keys: string;
  readonly heads: string;
  readonly documents: string;
  readonly contexts: string | null;
}

function chained(content: StoredContent, count: number, position: number, before: ChainTip): ChainedInsert {
  const { eventId, keys, heads, documents, contexts } = content;
  const { columns, tip } = extend(before, count, position, content);
  return {
    position,
    text: INSERT,
    values: [position, eventId, keys, heads, documents, contexts, columns.writer, columns.firstNumber, columns.link],
    tip,
  };
}

function packOf(rows: readonly TrailRow[]): StoredContent {
  let documents = '';
  for (const { document } of rows) documents += document;
  // JSON escapes NUL, which PostgreSQL cannot store. So a record can be written even if the request contains NUL.
  return {
    eventId: (rows[0] as TrailRow).eventId,
    keys: keysOf(rows),
    heads: JSON.stringify(rows.map(headOf)),
    documents,
    contexts: encodeContexts(rows),
  };
}

function headOf(row: TrailRow): Head {
  const head = [
    row.eventId,
    row.accountId,
    row.region,
    row.at,
    row.eventName,
    row.eventSource,
    row.readOnly ? 1 : 0,
    row.userName ?? null,
    row.accessKeyId ?? null,
    row.resources,
    row.document.length,
  ] as const;
  return row.category === undefined ? head : [...head, 1];
}

/** Parsed heads of packs that `countOf` has read, because a check of a chain needs the records of such a pack next. */
const PARSED = new WeakMap<PackContent, readonly Head[]>();

function headsOf(content: PackContent): readonly Head[] {
  return PARSED.get(content) ?? (JSON.parse(content.heads) as readonly Head[]);
}

/**
 * Returns the number of records of a pack. A later call of `recordsOf` with the same object does not parse the heads again.
 *
 * @throws Error  the heads were replaced with other text
 */
export function countOf(content: PackContent): number {
  const heads = headsOf(content);
  if (!Array.isArray(heads)) throw new TypeError('the heads of a pack are not a list');
  PARSED.set(content, heads);
  return heads.length;
}

const UPDATE = `
  UPDATE trail_pack SET event_id = $3, keys = $4, heads = $5, documents = $6, contexts = $7
  WHERE position = $1 AND event_id = $2`;

/**
 * Returns the statement that replaces a pack with a pack of some of its records. `keeps` reports for the index of a
 * record whether the record stays. At least one record must stay. The position stays the same. Nothing of the other
 * records remains, not even the event ID in the key of the row. The chain's columns stay the same: `trail-removed.ts` keeps the
 * hashes that a check of the chain needs.
 */
export function packUpdate(
  pack: PackContent & Pick<Pack, 'position' | 'eventId' | 'contexts'>,
  keeps: (index: number) => boolean,
): PackInsert {
  const kept = decisionsOf(pack)
    .filter((_, index) => keeps(index))
    .map(({ row, context }) => ({ ...row, context }));
  const { eventId, keys, heads, documents, contexts } = packOf(kept);
  return { text: UPDATE, values: [pack.position, pack.eventId, eventId, keys, heads, documents, contexts] };
}

/** Returns the records of a pack, in the order of their commits. */
export function recordsOf(content: PackContent): readonly TrailRow[] {
  const { documents } = content;
  let begin = 0;
  return headsOf(content).map((head) => {
    const document = documents.slice(begin, begin + head[10]);
    begin += document.length;
    return rowOf(head, document);
  });
}

function rowOf(head: Head, document: string): TrailRow {
  const [eventId, accountId, region, at, eventName, eventSource, readOnly, userName, accessKeyId, resources, , data] = head;
  return {
    eventId,
    accountId,
    region,
    at: at as Instant,
    eventName,
    eventSource,
    readOnly: readOnly === 1,
    ...(data === undefined ? {} : { category: 'Data' as const }),
    ...(userName === null ? {} : { userName }),
    ...(accessKeyId === null ? {} : { accessKeyId }),
    resources,
    document,
  };
}

/** A record without its document (`row.document` is empty), and the range of its document in the documents of the pack. */
export interface Undocumented {
  readonly row: TrailRow;
  /** Index in UTF-16 code units. */
  readonly begin: number;
  readonly length: number;
}

/** Records of a pack without their documents, in the order of their commits. */
export interface UndocumentedRecords {
  readonly records: readonly Undocumented[];
  /** Length of all documents of the pack in UTF-16 code units. */
  readonly units: number;
}

/**
 * Returns the records of a pack, without their documents.
 *
 * @throws Error  someone replaced the heads with other text
 */
export function undocumentedRecords(heads: string): UndocumentedRecords {
  let units = 0;
  const records = (JSON.parse(heads) as readonly unknown[]).map((value): Undocumented => {
    const head = requireHead(value);
    const [begin, length] = [units, head[10]];
    units += length;
    return { row: rowOf(head, ''), begin, length };
  });
  return { records, units };
}

function requireHead(value: unknown): Head {
  if (!isHead(value)) throw new TypeError('a head of a pack has another form');
  return value;
}

/** Number of wanted records of one pack from which it is faster to parse all of them. */
const MANY = 8;

/**
 * Returns the records of a pack whose facts contain a string, and maybe a few others, without their documents. Parses only the heads of these
 * records, because a look-up often wants one of 32.
 *
 * @throws Error  someone replaced the heads, or one of these, with other text
 */
export function undocumentedWith(heads: string, value: string): UndocumentedRecords {
  const wanted = JSON.stringify(value);
  const records: Undocumented[] = [];
  let units = 0;
  let next = heads.indexOf(wanted);
  // The heads are a list, so the first head begins after its bracket.
  for (let begin = 1; begin < heads.length - 1; ) {
    const end = headEnd(heads, begin);
    const length = documentLength(heads, end);
    if (next !== -1 && next < end) {
      if (records.length === MANY) return undocumentedRecords(heads);
      records.push({ row: rowOf(requireHead(JSON.parse(heads.slice(begin, end))), ''), begin: units, length });
      next = heads.indexOf(wanted, end);
    }
    units += length;
    begin = end + 1;
  }
  return { records, units };
}

/** A record with its decision context. */
export interface DecidedRow {
  readonly row: TrailRow;
  /** Absent if no policy decided the request, or if the record is older than decision contexts. */
  readonly context?: StoredContext;
}

/** Returns the records of a pack with their decision contexts, in the order of their commits. */
export function decisionsOf(pack: PackContent & Pick<Pack, 'contexts'>): readonly DecidedRow[] {
  const rows = recordsOf(pack);
  if (pack.contexts === undefined) return rows.map((row) => ({ row }));
  const contexts = decodeContexts(pack.contexts, rows);
  return rows.map((row, i) => {
    const context = contexts[i];
    return context === undefined ? { row } : { row, context };
  });
}
