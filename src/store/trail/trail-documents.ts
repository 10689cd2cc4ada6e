/**
 * Reads documents of single records. A pack has the documents of up to 32 records one after the other, so a look-up first reads the facts of
 * packs, and then only the parts of documents that its page needs. On PostgreSQL the rest is neither sent nor converted.
 */
import type { Sql } from '../sql.ts';
import { type Undocumented, UnreadablePack } from './trail-pack.ts';
import type { TrailRow } from './trail-row.ts';

/** A pack, and the size of its documents. */
export interface MeasuredPack {
  readonly position: number;
  readonly eventId: string;
  /** Length of the documents in UTF-16 code units. */
  readonly units: number;
  /** Length of the documents in bytes. It is equal to `units` if and only if all documents are ASCII. */
  readonly bytes: number;
}

/** A record and its pack. */
export interface PackedRecord extends Undocumented {
  readonly pack: MeasuredPack;
}

/** Numbers of packs that one statement reads. A statement with unused places has more than needed. */
const PACKS = [4, 16, 64] as const;

/** Part of the documents of a pack. */
interface Part {
  readonly pack: MeasuredPack;
  begin: number;
  end: number;
  readonly records: PackedRecord[];
}

/** Parameters of a part: position, event ID, number of the first byte, number of bytes. */
const PART_VALUES = 4;
const TYPES = ['BIGINT', 'TEXT', 'INTEGER', 'INTEGER'] as const;

/**
 * SQL expression of an engine for a part of the documents of the pack `p`: `part.column4` bytes from the byte `part.column3`, beginning with
 * 1. On PostgreSQL it is 15 times as fast as SUBSTR of a text, which counts all characters.
 */
export type DocumentPart = string;

const SELECT_PARTS = new Map<string, string>();

/** Returns the statement that reads parts of the documents of packs. Both engines have these types, which the first list needs. */
function selectParts(part: DocumentPart, count: number): string {
  const key = `${count} ${part}`;
  const known = SELECT_PARTS.get(key);
  if (known !== undefined) return known;
  const list = (i: number): string =>
    TYPES.map((type, n) => (i === 0 ? `CAST($${n + 1} AS ${type})` : `$${PART_VALUES * i + n + 1}`)).join(', ');
  const lists = Array.from({ length: count }, (_, i) => `(${list(i)})`);
  const text = `
    SELECT p.position, p.event_id, part.column3 AS first_byte, ${part} AS documents
    FROM (VALUES ${lists.join(', ')}) AS part JOIN trail_pack p ON p.position = part.column1 AND p.event_id = part.column2`;
  SELECT_PARTS.set(key, text);
  return text;
}

/** Longest text between two records that are read as one part, in bytes. To read a pack again takes about as long as to send this text. */
const GAP_MAX = 8_192;

/** Place of no pack. */
const UNUSED = [-1, '', 1, 0] as const;

interface PartRow {
  readonly position: number;
  readonly event_id: string;
  readonly first_byte: number;
  readonly documents: string;
}

/**
 * Returns records with their documents, in their order. The records of a pack must be next to each other.
 *
 * @throws Error           a pack does not exist
 * @throws UnreadablePack  the documents of a pack have another length than its facts say, or a document is not a record
 */
export async function withDocuments(sql: Sql, part: DocumentPart, records: readonly PackedRecord[]): Promise<readonly TrailRow[]> {
  const parts = partsOf(records);
  const rows: TrailRow[] = [];
  for (let at = 0; at < parts.length; ) {
    const size = PACKS.find((count) => count >= parts.length - at) ?? (PACKS.at(-1) as number);
    const page = parts.slice(at, at + size);
    at += page.length;
    const values = Array.from({ length: size }, (_, i) => valuesOf(page[i])).flat();
    const found = await sql.rows<PartRow>(selectParts(part, size), values);
    const texts = new Map(found.map((row) => [`${row.position} ${row.event_id} ${row.first_byte}`, row.documents]));
    for (const each of page) {
      const { pack, begin, records: own } = each;
      const [position, eventId, firstByte] = valuesOf(each);
      const text = texts.get(`${position} ${eventId} ${firstByte}`);
      if (text === undefined) throw new Error(`the trail has no pack at position ${position}`);
      const first = isAscii(pack) ? begin : 0;
      if (!isAscii(pack) && text.length !== pack.units) throw new UnreadablePack(position as number);
      for (const { row, begin: from, length } of own) {
        const document = text.slice(from - first, from - first + length);
        if (parsedRecord(document) === undefined) throw new UnreadablePack(position as number);
        rows.push({ ...row, document });
      }
    }
  }
  return rows;
}

/** Groups the records of each pack, which are newest first, to one part, or to several if they are far from each other. */
function partsOf(records: readonly PackedRecord[]): readonly Part[] {
  const parts: Part[] = [];
  for (const record of records) {
    const { pack, begin, length } = record;
    const part = parts.at(-1);
    if (part?.pack !== pack || (isAscii(pack) && part.begin - begin - length > GAP_MAX))
      parts.push({ pack, begin, end: begin + length, records: [record] });
    else {
      part.begin = Math.min(part.begin, begin);
      part.end = Math.max(part.end, begin + length);
      part.records.push(record);
    }
  }
  return parts;
}

/** The database counts bytes, and the facts count UTF-16 code units. Only in ASCII both are the same. */
function isAscii({ units, bytes }: MeasuredPack): boolean {
  return units === bytes;
}

/** Returns the parameters of a part. If the documents are not ASCII, the part is all of them. */
function valuesOf(part: Part | undefined): readonly (number | string)[] {
  if (part === undefined) return UNUSED;
  const { pack, begin, end } = part;
  const range = isAscii(pack) ? [begin + 1, end - begin] : [1, pack.bytes];
  return [pack.position, pack.eventId, ...range];
}

/** Returns the members of a record. Undefined if someone replaced it with another document in the database. */
export function parsedRecord(document: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const record: unknown = JSON.parse(document);
    return typeof record === 'object' && record !== null && !Array.isArray(record)
      ? (record as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
