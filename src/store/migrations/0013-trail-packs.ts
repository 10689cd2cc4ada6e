import type { Migration } from '../migrate.ts';
import type { Sql } from '../sql.ts';

/** Number of records that one statement reads. */
const BATCH = 1_000;
/**
 * Limits of a pack, which is one row with several records: the maximum number of records, and the maximum distance
 * between the positions of its first and last record. There are 1,024 positions per millisecond.
 */
const PACK_RECORDS = 16;
const PACK_SPAN = 60_000 * 1_024;
/** Total length of the documents at which a pack is full, in UTF-16 code units. */
const DOCUMENTS_FULL = 2 ** 17;

const SELECT = `
  SELECT position, event_id, account_id, region, at_ms, event_name, event_source, read_only, user_name, access_key_id, resources, document
  FROM trail_event WHERE (position, event_id) > ($1, $2) ORDER BY position, event_id LIMIT $3`;
/**
 * The lower bound of the position skips the rows that earlier batches deleted. Without it, PostgreSQL would read these
 * rows again, because they stay in the table until the commit.
 */
const DELETE = 'DELETE FROM trail_event WHERE (position, event_id) > ($1, $2) AND (position, event_id) <= ($3, $4)';
const INSERT = 'INSERT INTO trail_pack (position, event_id, keys, heads, documents) VALUES ($1, $2, $3, $4, $5)';

interface Row {
  readonly position: number;
  readonly event_id: string;
  readonly account_id: string;
  readonly region: string;
  readonly at_ms: number;
  readonly event_name: string;
  readonly event_source: string;
  readonly read_only: number;
  readonly user_name: string | null;
  readonly access_key_id: string | null;
  readonly resources: string;
  readonly document: string;
}

type Resources = readonly { readonly type?: string; readonly name: string }[];

function hashOn(hash: number, text: string): number {
  let on = hash;
  for (let i = 0; i < text.length; i++) on = Math.imul(on ^ text.charCodeAt(i), 0x01000193);
  return on;
}

function keyText(hash: number): string {
  let key = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  key = Math.imul(key ^ (key >>> 13), 0xc2b2ae35);
  return ((key ^ (key >>> 16)) >>> 0).toString(16).padStart(8, '0');
}

/**
 * Adds the look-up keys of a record: hashes of its account, its region and one attribute. Each attribute, such as the
 * event name, has a fixed number.
 */
function addKeys(keys: Set<string>, row: Row, resources: Resources): void {
  const place = hashOn(hashOn(0x811c9dc5, row.account_id), row.region);
  const add = (attribute: number, value: string | null | undefined): void => {
    if (value !== null && value !== undefined) keys.add(keyText(hashOn(Math.imul(place ^ attribute, 0x01000193), value)));
  };
  keys.add(keyText(place));
  add(1, row.event_id);
  add(2, row.event_name);
  add(3, row.read_only === 1 ? 'true' : 'false');
  add(4, row.user_name);
  for (const { type, name } of resources) {
    add(5, type);
    add(6, name);
  }
  add(7, row.event_source);
  add(8, row.access_key_id);
}

/**
 * Writes one pack (a row with several records). Its position is the position of its last record, so that no record is
 * after its pack.
 */
async function writePack(sql: Sql, rows: readonly Row[]): Promise<void> {
  const keys = new Set<string>();
  const heads = rows.map((row) => {
    const resources = JSON.parse(row.resources) as Resources;
    addKeys(keys, row, resources);
    return [
      row.event_id,
      row.account_id,
      row.region,
      row.at_ms,
      row.event_name,
      row.event_source,
      row.read_only,
      row.user_name,
      row.access_key_id,
      resources,
      row.document.length,
    ];
  });
  await sql.run(INSERT, [
    (rows.at(-1) as Row).position,
    (rows[0] as Row).event_id,
    [...keys].join(''),
    JSON.stringify(heads),
    rows.map(({ document }) => document).join(''),
  ]);
}

/**
 * Moves successive records into packs (rows with several records). Deletes each batch of old rows, so that the database
 * does not need twice the space.
 */
async function convert(sql: Sql): Promise<void> {
  let after: readonly [position: number, eventId: string] = [-1, ''];
  let pack: Row[] = [];
  let size = 0;
  for (;;) {
    const rows = await sql.rows<Row>(SELECT, [...after, BATCH]);
    for (const row of rows) {
      const [first] = pack;
      const isFull = pack.length === PACK_RECORDS || size >= DOCUMENTS_FULL;
      if (first !== undefined && (isFull || row.position - first.position > PACK_SPAN)) {
        await writePack(sql, pack);
        pack = [];
        size = 0;
      }
      pack.push(row);
      size += row.document.length;
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    await sql.run(DELETE, [...after, last.position, last.event_id]);
    after = [last.position, last.event_id];
  }
  if (pack.length > 0) await writePack(sql, pack);
  await sql.run('DROP TABLE trail_event');
}

/**
 * Creates tables in which one row has the CloudTrail records of one commit. The migration does not fill `trail_index`,
 * the index of the existing records. The server fills this table after its start.
 */
export const migration: Migration = {
  title: 'packs of the trail',
  statements: [
    `CREATE TABLE trail_pack (
      position {int} NOT NULL, event_id {text} NOT NULL, keys {text} NOT NULL, heads {text} NOT NULL, documents {text} NOT NULL,
      PRIMARY KEY ({position})) {tail}`,
    'CREATE TABLE trail_run (last_position {int} NOT NULL PRIMARY KEY, first_position {int} NOT NULL, level {int} NOT NULL) {tail}',
    `CREATE TABLE trail_index (
      level {int} NOT NULL, last_position {int} NOT NULL, first_key {int} NOT NULL, entries {bytes} NOT NULL,
      PRIMARY KEY (level, last_position, first_key)) {tail}`,
    'DROP TABLE trail_chunk',
  ],
  convert,
};
