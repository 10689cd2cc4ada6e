import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { SqlValue } from '../sql.ts';
import { int, type Row, table, text } from '../table.ts';
import { keysOf } from './trail-keys.ts';
import type { TrailRow } from './trail-row.ts';

/**
 * Records of the trail, in packs. The records of one commit are one row, so that a record costs a small part of an insert (Decision 0020).
 */
export const TRAIL_PACK = table('trail_pack', {
  columns: {
    /** Order of the trail. See `Positions`. */
    position: int,
    /** ID of the first record. */
    eventId: text,
    /** Look-up keys of the records. See `keysOf`. */
    keys: text,
    /** Facts of each record, as a JSON list of `Head`. */
    heads: text,
    /** Documents of the records, one after the other. */
    documents: text,
  },
  key: ['position'],
  // Two servers can use the same position.
  keyOnPostgres: ['position', 'eventId'],
  clustered: false,
});
export type Pack = Row<typeof TRAIL_PACK>;

/** The records of a pack. */
export type PackContent = Pick<Pack, 'heads' | 'documents'>;

/** Facts of a record, without its document. `length`: number of UTF-16 units of the document. */
type Head = readonly [
  eventId: string,
  accountId: AccountId,
  region: string,
  at: number,
  eventName: string,
  eventSource: string,
  readOnly: 0 | 1,
  userName: string | null,
  accessKeyId: string | null,
  resources: TrailRow['resources'],
  length: number,
];

/** Maximum number of records in a pack. A look-up reads whole packs. */
export const PACK_RECORDS = 32;

/** Total length of the documents at which a pack is full, in UTF-16 units. */
const DOCUMENTS_FULL = 2 ** 17;

const INSERT = `INSERT INTO trail_pack (${TRAIL_PACK.names}) VALUES ($1, $2, $3, $4, $5)`;

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

/** Returns the statements that write records, in order: one for each pack. `nextPosition` is called once for each. */
export function packInserts(rows: readonly TrailRow[], nextPosition: () => number): readonly PackInsert[] {
  const inserts: PackInsert[] = [];
  for (let rest = rows; rest.length > 0; ) {
    const length = packLength(rest);
    inserts.push(packInsert(rest.slice(0, length), nextPosition()));
    rest = rest.slice(length);
  }
  return inserts;
}

/** Returns the statement that writes one pack. */
export function packInsert(rows: readonly TrailRow[], position: number): PackInsert {
  return { text: INSERT, values: packOf(rows, position) };
}

function packOf(rows: readonly TrailRow[], position: number): SqlValue[] {
  let documents = '';
  for (const { document } of rows) documents += document;
  // JSON escapes NUL, which PostgreSQL does not store. So no string of a caller prevents its record.
  return [position, (rows[0] as TrailRow).eventId, keysOf(rows), JSON.stringify(rows.map(headOf)), documents];
}

function headOf(row: TrailRow): Head {
  return [
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
  ];
}

/** Returns the records of a pack, in the order of their commits. */
export function recordsOf({ heads, documents }: PackContent): readonly TrailRow[] {
  let begin = 0;
  return (JSON.parse(heads) as readonly Head[]).map((head) => {
    const [eventId, accountId, region, at, eventName, eventSource, readOnly, userName, accessKeyId, resources, length] = head;
    const document = documents.slice(begin, begin + length);
    begin += length;
    return {
      eventId,
      accountId,
      region,
      at: at as Instant,
      eventName,
      eventSource,
      readOnly: readOnly === 1,
      ...(userName === null ? {} : { userName }),
      ...(accessKeyId === null ? {} : { accessKeyId }),
      resources,
      document,
    };
  });
}
