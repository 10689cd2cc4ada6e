import type { AccountId } from '#core/arn.ts';
import type { Sql } from '../sql.ts';
import { flag, int, table, text, textOf } from '../table.ts';
import type { IdentityChange, IdentityKind, IdentityRecords } from './identity.ts';
import { hasHistory, keepAllFormer, keepFormer } from './identity-history.ts';
import { fromParts, hasDetails, type IdentitySummaries, TEXT_SQL, toParts } from './record-parts.ts';

/** Selection of records of one kind in one account. */
interface Selection {
  /** Prefix that the selected keys have. */
  readonly prefix?: string;
  /** The selection contains only keys after this one, in the order of bytes. */
  readonly after?: string;
  readonly limit?: number;
}

/**
 * Repository of identity records.
 *
 * The first write of a transaction increments the counter `identity`. The new value is the version of all writes of the
 * transaction. The write locks the counter's row, so transactions commit in the order of their versions. So a reader
 * that has read version n has not missed a change with a lower version. Decision 0002.
 *
 *     stored: group 'a', group 'ab', user 'b'
 *     list(accountId, 'group', { prefix: 'a', after: 'a' }) → ab
 */
export interface Identity {
  get<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string): Promise<IdentityRecords[Kind] | undefined>;
  /** Reads the summary of a record, without its details. */
  summary<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string): Promise<IdentitySummaries[Kind] | undefined>;
  /** Lists records in the order of the bytes of their keys. */
  list<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, selection?: Selection): Promise<Entry<IdentityRecords[Kind]>[]>;
  /** Lists the summaries of records in the order of the bytes of their keys. Reads no details. */
  summaries<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, selection?: Selection): Promise<Entry<IdentitySummaries[Kind]>[]>;
  /** Counts the records with keys that start with `prefix` and end with `suffix`. `suffix` must not contain a wildcard of SQL. */
  count(accountId: AccountId, kind: IdentityKind, keys?: { readonly prefix?: string; readonly suffix?: string }): Promise<number>;
  /** Lists account IDs after `after`, in ascending order. Includes accounts whose records are all deleted. */
  accountIds(limit: number, after?: AccountId): Promise<AccountId[]>;
  /**
   * Adds a record. Returns 'exists' and changes nothing if there is a record with this key. A deleted record does not
   * count.
   */
  add<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string, record: IdentityRecords[Kind]): Promise<'added' | 'exists'>;
  /** Adds or replaces a record. */
  put<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string, record: IdentityRecords[Kind]): Promise<void>;
  remove(accountId: AccountId, kind: IdentityKind, key: string): Promise<'removed' | 'absent'>;
  /** Deletes all records of a kind in an account. */
  removeAll(accountId: AccountId, kind: IdentityKind): Promise<void>;
  /**
   * Returns the current version, and all changes after `version` in the order of versions. The version and the changes
   * are from the same database snapshot.
   */
  changesSince(version: number): Promise<{ readonly version: number; readonly changes: readonly IdentityChange[] }>;
  /** Returns the version of this transaction's changes, or `undefined` if it changed nothing. */
  changed(): number | undefined;
  /**
   * Returns the highest version of the records that `get`, `summary`, `add` or `remove` has read, or 0. Includes deleted records. Does not
   * include records that this transaction has written.
   */
  seen(): number;
  /**
   * Returns a measure of the time that this transaction has spent: the number of characters that it has read, and 500
   * for each statement. A statement takes about as long as parsing 500 characters.
   */
  work(): number;
}

/** Record with its key. */
export interface Entry<Item> {
  readonly key: string;
  readonly record: Item;
}

/** Counters by name: `identity`, `identity_trimmed`, `identity_forgotten`, `server`, `lease_ms`. */
export const COUNTER = table('counter', { columns: { name: text, value: int }, key: ['name'] });

/** All records of identity, as versioned JSON documents. A deleted record remains as a tombstone without document. */
export const IDENTITY_DOCUMENT = table('identity_document', {
  columns: {
    accountId: textOf<AccountId>(),
    kind: textOf<IdentityKind>(),
    key: text,
    version: int,
    deleted: flag,
    /** Summary of the record: see `record-parts.ts`. */
    document: text,
  },
  key: ['accountId', 'kind', 'key'],
  indexes: [['version']],
});

/**
 * Details of records. They have their own table because SQLite reads whole rows when it searches a clustered table. In `identity_document`,
 * a search for a summary would read the details of other records.
 */
export const IDENTITY_DETAILS = table('identity_details', {
  columns: { accountId: textOf<AccountId>(), kind: textOf<IdentityKind>(), key: text, details: text },
  key: ['accountId', 'kind', 'key'],
  clustered: false,
});

/** Row of one record, found by its key. */
interface DocumentRow {
  readonly version: number;
  readonly deleted: number;
  readonly document: string;
  /** Null for a record without details. */
  readonly details: string | null;
}

/** Row of a change. All statements that read changes return these columns. */
export interface ChangeRow {
  readonly account_id: AccountId;
  readonly kind: IdentityKind;
  readonly key: string;
  readonly version: number;
  readonly deleted: number;
  readonly text: string;
}

const RAISE = "UPDATE counter SET value = value + 1 WHERE name = 'identity' RETURNING value";
/** SQL columns of `ChangeRow`. `d` is the row with the summary, and `x` the row with the details. */
export const CHANGE_COLUMNS = `d.account_id, d.kind, d.key, d.version, d.deleted, ${TEXT_SQL} AS text`;
/** SQL that joins the details `x` to the documents `d`. */
export const JOIN_DETAILS = 'LEFT JOIN identity_details AS x ON x.account_id = d.account_id AND x.kind = d.kind AND x.key = d.key';
const OF_KEY = 'WHERE d.account_id = $1 AND d.kind = $2 AND d.key = $3';
const SELECT = `SELECT d.version, d.deleted, d.document, x.details FROM identity_document AS d ${JOIN_DETAILS} ${OF_KEY}`;
const SELECT_SUMMARY = `SELECT d.version, d.deleted, d.document FROM identity_document AS d ${OF_KEY}`;
/**
 * Comparison of a key with the beginning of a page: `>=` the prefix, or `>` the last key of the previous page. A
 * statement has only one of the two, because SQLite uses only one lower bound to find the first row.
 */
type From = '>=' | '>';
const OF_KIND = 'WHERE d.account_id = $1 AND d.kind = $2 AND d.deleted = 0';
const listText = (select: string, from: From): ListText => ({
  toEnd: `${select} ${OF_KIND} AND d.key ${from} $3 ORDER BY d.key LIMIT $4`,
  before: `${select} ${OF_KIND} AND d.key ${from} $3 AND d.key < $5 ORDER BY d.key LIMIT $4`,
});
interface ListText {
  readonly toEnd: string;
  readonly before: string;
}
const WHOLE = `SELECT d.key, d.document, x.details FROM identity_document AS d ${JOIN_DETAILS}`;
const SUMMARY = 'SELECT d.key, d.document FROM identity_document AS d';
const LIST = { '>=': listText(WHOLE, '>='), '>': listText(WHOLE, '>') };
const LIST_SUMMARIES = { '>=': listText(SUMMARY, '>='), '>': listText(SUMMARY, '>') };
const COUNT = `
  SELECT COUNT(*) AS count FROM identity_document
  WHERE account_id = $1 AND kind = $2 AND deleted = 0 AND key >= $3 AND key LIKE $4 ESCAPE '!'`;
const COUNT_BEFORE = `${COUNT} AND key < $5`;
// Finds each account with one search after the previous account. SELECT DISTINCT would read all records.
const SELECT_ACCOUNT_IDS = `
  WITH RECURSIVE account (id) AS (
    SELECT MIN(account_id) FROM identity_document WHERE account_id > $1
    UNION ALL SELECT (SELECT MIN(account_id) FROM identity_document WHERE account_id > account.id) FROM account WHERE id IS NOT NULL)
  SELECT id FROM account WHERE id IS NOT NULL LIMIT $2`;
const UPSERT = `
  INSERT INTO identity_document (account_id, kind, key, version, deleted, document) VALUES ($1, $2, $3, $4, 0, $5)
  ON CONFLICT (account_id, kind, key) DO UPDATE SET version = excluded.version, deleted = 0, document = excluded.document`;
const DELETE = `
  UPDATE identity_document SET version = $4, deleted = 1, document = '' WHERE account_id = $1 AND kind = $2 AND key = $3 AND deleted = 0`;
const DELETE_ALL =
  "UPDATE identity_document SET version = $3, deleted = 1, document = '' WHERE account_id = $1 AND kind = $2 AND deleted = 0";
const DELETE_ALL_DETAILS = 'DELETE FROM identity_details WHERE account_id = $1 AND kind = $2';
// One statement reads the counter and the changes, so the counter and the changes are from one snapshot. If there
// are no changes, the statement returns one row with the counter, and NULL in all other columns.
const CHANGES = `
  SELECT counter.value AS counter, ${CHANGE_COLUMNS}
  FROM counter LEFT JOIN identity_document AS d ON d.version > $1 ${JOIN_DETAILS}
  WHERE counter.name = 'identity'
  ORDER BY d.version, d.account_id, d.kind, d.key`;

/** Default of `limit`. It exceeds the length of every list. */
const EVERY = 2 ** 31 - 1;

/** Number of characters that can be parsed in the time of one statement. */
const CHARACTERS_PER_STATEMENT = 500;

/** Creates the repository of one transaction. */
export function identity(sql: Sql): Identity {
  let version: number | undefined;
  let seen = 0;
  let work = 0;

  async function raised(): Promise<number> {
    version ??= (await sql.row<{ readonly value: number }>(RAISE))?.value;
    if (version === undefined) throw noIdentityCounter();
    return version;
  }

  function count(rows: readonly { readonly document: string; readonly details?: string | null }[]): void {
    work += CHARACTERS_PER_STATEMENT;
    for (const { document, details } of rows) work += document.length + (details?.length ?? 0);
  }

  async function read(text: string, accountId: AccountId, kind: IdentityKind, key: string): Promise<DocumentRow | undefined> {
    const row = await sql.row<DocumentRow>(text, [accountId, kind, key]);
    count(row === undefined ? [] : [row]);
    if (row === undefined) return undefined;
    if (row.version !== version) seen = Math.max(seen, row.version);
    return row.deleted === 1 ? undefined : row;
  }

  async function page(texts: Readonly<Record<From, ListText>>, accountId: AccountId, kind: IdentityKind, selection: Selection) {
    const { prefix = '', after = '', limit = EVERY } = selection;
    const end = endOfPrefix(prefix);
    const [from, start] = Buffer.compare(Buffer.from(after), Buffer.from(prefix)) < 0 ? (['>=', prefix] as const) : (['>', after] as const);
    const values = [accountId, kind, start, limit];
    const rows = await sql.rows<Pick<DocumentRow, 'document' | 'details'> & { readonly key: string }>(
      end === undefined ? texts[from].toEnd : texts[from].before,
      end === undefined ? values : [...values, end],
    );
    count(rows);
    return rows;
  }

  /** Keeps the record that the transaction is about to replace or delete, if former versions of its kind are kept. */
  async function keep(accountId: AccountId, kind: IdentityKind, key: string, former: DocumentRow | undefined): Promise<void> {
    if (former?.deleted !== 0 || !hasHistory(kind)) return;
    await keepFormer(sql, accountId, kind, key, former, await raised());
  }

  async function write<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string, record: IdentityRecords[Kind]) {
    const { document, details } = toParts(kind, record);
    await sql.run(UPSERT, [accountId, kind, key, await raised(), document]);
    if (details !== null) await IDENTITY_DETAILS.put(sql, { accountId, kind, key, details });
  }

  return {
    changed: () => version,
    seen: () => seen,
    work: () => work,
    async get<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string) {
      const row = await read(SELECT, accountId, kind, key);
      return row && fromParts(kind, row);
    },
    async summary<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, key: string) {
      const row = await read(SELECT_SUMMARY, accountId, kind, key);
      return row && (JSON.parse(row.document) as IdentitySummaries[Kind]);
    },
    async list<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, selection: Selection = {}) {
      const rows = await page(LIST, accountId, kind, selection);
      return rows.map((row) => ({ key: row.key, record: fromParts(kind, row) }));
    },
    async summaries<Kind extends IdentityKind>(accountId: AccountId, kind: Kind, selection: Selection = {}) {
      const rows = await page(LIST_SUMMARIES, accountId, kind, selection);
      return rows.map(({ key, document }) => ({ key, record: JSON.parse(document) as IdentitySummaries[Kind] }));
    },
    async count(accountId, kind, { prefix = '', suffix = '' } = {}) {
      const end = endOfPrefix(prefix);
      const values = [accountId, kind, prefix, `%${suffix}`];
      count([]);
      const row = await sql.row<{ readonly count: number }>(
        end === undefined ? COUNT : COUNT_BEFORE,
        end === undefined ? values : [...values, end],
      );
      return Number(row?.count);
    },
    async accountIds(limit, after) {
      const rows = await sql.rows<{ readonly id: AccountId }>(SELECT_ACCOUNT_IDS, [after ?? '', limit]);
      return rows.map(({ id }) => id);
    },
    async add(accountId, kind, key, record) {
      if ((await read(SELECT_SUMMARY, accountId, kind, key)) !== undefined) return 'exists';
      await write(accountId, kind, key, record);
      return 'added';
    },
    async put(accountId, kind, key, record) {
      if (hasHistory(kind)) await keep(accountId, kind, key, await sql.row<DocumentRow>(SELECT, [accountId, kind, key]));
      await write(accountId, kind, key, record);
    },
    async remove(accountId, kind, key) {
      const former = await read(hasHistory(kind) ? SELECT : SELECT_SUMMARY, accountId, kind, key);
      if (former === undefined) return 'absent';
      await keep(accountId, kind, key, former);
      await sql.run(DELETE, [accountId, kind, key, await raised()]);
      if (hasDetails(kind)) await IDENTITY_DETAILS.remove(sql, accountId, kind, key);
      return 'removed';
    },
    async removeAll(accountId, kind) {
      if (hasHistory(kind)) await keepAllFormer(sql, accountId, kind, await raised());
      await sql.run(DELETE_ALL, [accountId, kind, await raised()]);
      if (hasDetails(kind)) await sql.run(DELETE_ALL_DETAILS, [accountId, kind]);
    },
    async changesSince(since) {
      const rows = await sql.rows<{ readonly counter: number } & (ChangeRow | { readonly version: null })>(CHANGES, [since]);
      const [first] = rows;
      if (first === undefined) throw noIdentityCounter();
      return { version: first.counter, changes: rows.flatMap((row) => (row.version === null ? [] : [toChange(row)])) };
    },
  };
}

/**
 * Returns the first string, in the order of bytes, that follows all strings with this prefix. Returns `undefined` if the prefix is empty or
 * consists of U+10FFFF, because no string follows.
 */
function endOfPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((point) => point.codePointAt(0) as number);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // U+E000 follows U+D7FF, because the code points between them are surrogates.
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

/** Converts a row to a change of identity. */
export function toChange(row: ChangeRow): IdentityChange {
  const change = { accountId: row.account_id, kind: row.kind, key: row.key, version: row.version };
  return row.deleted === 1 ? change : { ...change, text: row.text };
}

/** Returns the error for a database without the counter of identity versions. */
export function noIdentityCounter(): Error {
  return new Error(
    'the database does not contain the version of IAM data that Belfry stores, so it is not a database of Belfry; check BELFRY_DATABASE',
  );
}
