import type { Instant } from '#core/instant.ts';
import type { Sql, SqlValue } from './sql.ts';

/**
 * Tables, each declared once: `table()` derives the row type, the column names, the conversions and the simple SQL
 * statements.
 *
 *     export const MEMBERSHIP = table('channel_membership', {
 *       columns: { channelKey: text, subChannelId: text, member: text, createdAt: instant, readMarkerAt: optional(instant) },
 *       key: ['channelKey', 'subChannelId', 'member'],
 *       indexes: [['member', 'channelKey']],
 *     });
 *     export type Membership = Row<typeof MEMBERSHIP>;
 *
 * A member `createdAt` is the column `created_at`, or `created_at_ms` if it is an instant. A declaration does not
 * create the table. A migration creates it, and a test compares the declaration with the migrations.
 */

/** A column. `Value` is its type in a row, for the compiler only. */
export interface Column<Value = unknown, Optional extends boolean = boolean> {
  readonly type: 'text' | 'int' | 'bytes';
  readonly optional: Optional;
  /** Suffix of the column's SQL name. */
  readonly suffix: '' | '_ms';
  /** True if the engine assigns the value, as a number in the order of inserts. */
  readonly numbered?: true;
  toSql?(value: Value): SqlValue;
  fromSql?(value: SqlValue): Value;
  readonly value?: Value;
}

const plain = { optional: false, suffix: '' } as const;

/** A string without NUL characters, which PostgreSQL cannot store. */
export const text: Column<string, false> = { type: 'text', ...plain };

/** Returns a column with strings of a narrower type, such as `AccountId`. */
export function textOf<Value extends string>(): Column<Value, false> {
  return { type: 'text', ...plain };
}

/** An integer that JavaScript represents exactly. */
export const int: Column<number, false> = { type: 'int', ...plain };

/** A point in time, stored as milliseconds. */
export const instant: Column<Instant, false> = { type: 'int', optional: false, suffix: '_ms' };

export const bytes: Column<Uint8Array, false> = { type: 'bytes', ...plain };

/** A boolean, stored as 0 or 1. */
export const flag: Column<boolean, false> = { type: 'int', ...plain, toSql: (value) => (value ? 1 : 0), fromSql: (value) => value === 1 };

/** Returns a column with a document, stored as JSON. */
export function json<Value>(): Column<Value, false> {
  return { type: 'text', ...plain, toSql: JSON.stringify, fromSql: (value) => JSON.parse(value as string) as Value };
}

/** Returns a column that may be NULL. If it is NULL, the row omits the member. */
export function optional<Value>(column: Column<Value, false>): Column<Value, true> {
  return { ...column, optional: true };
}

/**
 * Returns a primary key to which the engine assigns a number at the insert. The engine never assigns a number twice,
 * not even after a rollback (Decision 0014).
 */
export function numbered(): Column<number, false> & { readonly numbered: true } {
  return { ...int, numbered: true };
}

type Columns = Readonly<Record<string, Column>>;
type ValueOf<C> = C extends Column<infer Value, boolean> ? Value : never;
type Flat<T> = { readonly [Name in keyof T]: T[Name] };

/** Row of a table, with the types that the code uses, such as `Instant`. */
export type RowOf<C extends Columns> = Flat<
  { readonly [Name in keyof C as C[Name]['optional'] extends true ? never : Name]: ValueOf<C[Name]> } & {
    readonly [Name in keyof C as C[Name]['optional'] extends true ? Name : never]?: ValueOf<C[Name]>;
  }
>;

/** Type of a table's rows: `Row<typeof MEMBERSHIP>`. */
export type Row<T> = T extends Table<infer C, infer _> ? RowOf<C> : never;

type Names<C> = keyof C & string;
/** Values of the key's members, in the order of the key. */
type KeyValues<C extends Columns, Key extends readonly Names<C>[]> = { readonly [I in keyof Key]: ValueOf<C[Key[I]]> };
type NumberedNames<C extends Columns> = { [Name in keyof C]: C[Name] extends { readonly numbered: true } ? Name : never }[keyof C];

/** A row to insert. It lacks the member to which the engine assigns a number. */
type NewRow<C extends Columns> = Flat<Omit<RowOf<C>, NumberedNames<C>>>;

/** A secondary index: its members, or an object with its members, `unique` and `where` (an SQL condition). */
export type Index<Name extends string = string> =
  | readonly Name[]
  | { readonly columns: readonly Name[]; readonly unique?: true; readonly where?: string };

export interface TableOptions<C extends Columns, Key extends readonly Names<C>[]> {
  readonly columns: C;
  readonly key: Key;
  /** Primary key on PostgreSQL, if it is not `key`. */
  readonly keyOnPostgres?: readonly Names<C>[];
  readonly indexes?: readonly Index<Names<C>>[];
  /** Further indexes on PostgreSQL. */
  readonly indexesOnPostgres?: readonly Index<Names<C>>[];
  /** Whether the rows are stored in the order of the key. Default: true. */
  readonly clustered?: boolean;
}

interface SchemaIndex {
  readonly columns: readonly string[];
  readonly unique: boolean;
  readonly where?: string;
}

/** Structure of the table that the migrations must create. All names are SQL names. */
export interface Schema {
  readonly columns: readonly { readonly name: string; readonly type: Column['type']; readonly optional: boolean }[];
  readonly key: readonly string[];
  readonly keyOnPostgres: readonly string[];
  readonly indexes: readonly SchemaIndex[];
  readonly indexesOnPostgres: readonly SchemaIndex[];
  readonly clustered: boolean;
}

/**
 * A table. Each method runs one simple statement, whose SQL is constant. Repositories use these methods, and contain
 * SQL only for other queries.
 */
export interface Table<C extends Columns, Key extends readonly Names<C>[]> {
  readonly name: string;
  readonly schema: Schema;
  /** SQL names of all columns, for a SELECT: `channel_key, sub_channel_id, …`. */
  readonly names: string;
  insert(sql: Sql, row: NewRow<C>): Promise<void>;
  /**
   * Inserts a row. Returns 'exists' and changes nothing if a row has the same key, or the same values in a unique
   * index.
   */
  add(sql: Sql, row: NewRow<C>): Promise<'added' | 'exists'>;
  /** Inserts rows as `add` does, ten in one statement. Returns the number of inserted rows. */
  addAll(sql: Sql, rows: readonly NewRow<C>[]): Promise<number>;
  /** Inserts a row, or replaces the row with the same key. */
  put(sql: Sql, row: NewRow<C>): Promise<void>;
  get(sql: Sql, ...key: KeyValues<C, Key>): Promise<RowOf<C> | undefined>;
  remove(sql: Sql, ...key: KeyValues<C, Key>): Promise<'removed' | 'absent'>;
  /**
   * Returns a function that changes some columns of the row with the same key. Call `update` at the top of the module,
   * once for each set of columns.
   *
   *     const setTags = METER.update('tags');
   *     await setTags(sql, meter);
   */
  update<const Changed extends readonly Names<C>[]>(
    ...columns: Changed
  ): (sql: Sql, row: Flat<Pick<RowOf<C>, (Key[number] | Changed[number]) & keyof RowOf<C>>>) => Promise<'changed' | 'absent'>;
  /**
   * Reads a page in the order of the key. `start` has the values of the first key members. `after` has the values of the remaining key
   * members, from the last row before the page.
   *
   *     ATTENDEE.page(sql, [meetingId], [lastAttendeeId], 50)
   */
  page(sql: Sql, start: readonly SqlValue[], after: readonly SqlValue[], limit: number): Promise<readonly RowOf<C>[]>;
  /** Runs a query that selects all columns of this table. */
  row(sql: Sql, query: string, values?: readonly SqlValue[]): Promise<RowOf<C> | undefined>;
  rows(sql: Sql, query: string, values?: readonly SqlValue[]): Promise<readonly RowOf<C>[]>;
}

/** Number of rows that one statement of `addAll` inserts. It is constant, so that the statement is prepared only once. */
const INSERTED_AT_ONCE = 10;

/**
 * Declares a table.
 *
 * @throws Error  two members have one column, the key is empty or has an optional member, or a key or an index names an unknown member
 */
export function table<const C extends Columns, const Key extends readonly Names<C>[]>(
  name: string,
  { columns, key, keyOnPostgres = key, indexes = [], indexesOnPostgres = [], clustered = true }: TableOptions<C, Key>,
): Table<C, Key> {
  type Record_ = RowOf<C>;
  const members = Object.entries(columns as Columns).map(([member, column]) => ({
    member,
    name: sqlName(member, column),
    ...column,
  }));
  function memberNamed(member: string) {
    const found = members.find((each) => each.member === member);
    if (found === undefined) throw new Error(`table '${name}': unknown member '${member}'`);
    return found;
  }
  const nameOf = (member: string): string => memberNamed(member).name;
  const inserted = members.filter((each) => each.numbered === undefined);
  const keyNames = key.map(nameOf);
  const problem = problemOf(members, keyNames);
  if (problem !== undefined) throw new Error(`table '${name}': ${problem}`);

  function toSchemaIndex(index: Index): SchemaIndex {
    const { columns: of, unique = false, ...rest } = 'columns' in index ? index : { columns: index };
    return { columns: of.map(nameOf), unique, ...rest };
  }
  const names = members.map((each) => each.name).join(', ');
  const insertOf = (rows: number): string => {
    const values = Array.from({ length: rows }, (_, row) => `(${placeholders(row * inserted.length + 1, inserted.length).join(', ')})`);
    return `INSERT INTO ${name} (${inserted.map((each) => each.name).join(', ')}) VALUES ${values.join(', ')}`;
  };
  const insert = insertOf(1);
  const insertOrIgnore = `${insert} ON CONFLICT DO NOTHING`;
  const insertBatch = `${insertOf(INSERTED_AT_ONCE)} ON CONFLICT DO NOTHING`;
  const replaced = inserted.filter((each) => !keyNames.includes(each.name)).map((each) => `${each.name} = excluded.${each.name}`);
  const upsert = `${insert} ON CONFLICT (${keyNames.join(', ')}) DO ${replaced.length === 0 ? 'NOTHING' : `UPDATE SET ${replaced.join(', ')}`}`;
  const byKey = keyNames.map((each, i) => `${each} = $${i + 1}`).join(' AND ');
  const select = `SELECT ${names} FROM ${name} WHERE ${byKey}`;
  const remove = `DELETE FROM ${name} WHERE ${byKey}`;
  const pages = keyNames.map((_, fixed) => pageText(name, names, keyNames, fixed));

  function toValues(row: object, of: typeof members): SqlValue[] {
    return of.map(({ member, toSql }) => {
      const value = (row as Readonly<Record<string, unknown>>)[member];
      if (value === undefined) return null;
      return toSql === undefined ? (value as SqlValue) : toSql(value);
    });
  }
  function fromRow(row: Readonly<Record<string, SqlValue>>): Record_ {
    const record: Record<string, unknown> = {};
    for (const { member, name: column, fromSql } of members) {
      const value = row[column] as SqlValue;
      if (value !== null) record[member] = fromSql === undefined ? value : fromSql(value);
    }
    return record as Record_;
  }
  const one = async (sql: Sql, query: string, parameters: readonly SqlValue[] = []): Promise<Record_ | undefined> => {
    const row = await sql.row<Readonly<Record<string, SqlValue>>>(query, parameters);
    return row && fromRow(row);
  };
  const many = async (sql: Sql, query: string, parameters: readonly SqlValue[] = []): Promise<readonly Record_[]> =>
    (await sql.rows<Readonly<Record<string, SqlValue>>>(query, parameters)).map(fromRow);

  return {
    name,
    names,
    schema: {
      columns: members.map(({ name: column, type, optional: nullable }) => ({ name: column, type, optional: nullable })),
      key: keyNames,
      keyOnPostgres: keyOnPostgres.map(nameOf),
      indexes: indexes.map(toSchemaIndex),
      indexesOnPostgres: indexesOnPostgres.map(toSchemaIndex),
      clustered,
    },
    async insert(sql, row) {
      await sql.run(insert, toValues(row, inserted));
    },
    add: async (sql, row) => ((await sql.run(insertOrIgnore, toValues(row, inserted))) === 1 ? 'added' : 'exists'),
    async addAll(sql, rows) {
      let added = 0;
      let at = 0;
      for (; rows.length - at >= INSERTED_AT_ONCE; at += INSERTED_AT_ONCE) {
        const batch = rows.slice(at, at + INSERTED_AT_ONCE);
        added += await sql.run(
          insertBatch,
          batch.flatMap((row) => toValues(row, inserted)),
        );
      }
      for (const row of rows.slice(at)) added += await sql.run(insertOrIgnore, toValues(row, inserted));
      return added;
    },
    async put(sql, row) {
      await sql.run(upsert, toValues(row, inserted));
    },
    get: (sql, ...keyValues) => one(sql, select, keyValues as readonly SqlValue[]),
    remove: async (sql, ...keyValues) => ((await sql.run(remove, keyValues as readonly SqlValue[])) === 1 ? 'removed' : 'absent'),
    update(...changed) {
      const set = changed.map((member, i) => `${nameOf(member)} = $${keyNames.length + i + 1}`).join(', ');
      const update = `UPDATE ${name} SET ${set} WHERE ${byKey}`;
      const used = [...key, ...changed].map(memberNamed);
      return async (sql, row) => ((await sql.run(update, toValues(row, used))) === 1 ? 'changed' : 'absent');
    },
    page: (sql, start, after, limit) => many(sql, pages[start.length] as string, [...start, ...after, limit]),
    row: one,
    rows: many,
  };
}

/** Runs a query that returns a number of rows as the column `count`. Returns this number. */
export async function countOf(sql: Sql, query: string, values: readonly SqlValue[]): Promise<number> {
  return Number((await sql.row<{ readonly count: number }>(query, values))?.count ?? 0);
}

/** Returns the error message for an invalid declaration, or `undefined` if it is valid. All names are SQL names. */
function problemOf(members: readonly { readonly name: string; readonly optional: boolean }[], key: readonly string[]): string | undefined {
  if (key.length === 0) return 'the key is empty';
  const twice = members.find(({ name }, i) => members.findIndex((each) => each.name === name) !== i);
  if (twice !== undefined) return `two members have the column '${twice.name}'`;
  const nullable = members.find(({ name, optional: isOptional }) => isOptional && key.includes(name));
  return nullable && `the column '${nullable.name}' of the key is optional`;
}

function sqlName(member: string, { suffix }: Column): string {
  return member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) + suffix;
}

function placeholders(from: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `$${from + i}`);
}

/**
 * Returns the SELECT of a page. The first `fixed` columns of the key have the same values in all rows of the page.
 */
function pageText(table: string, names: string, key: readonly string[], fixed: number): string {
  const rest = key.slice(fixed);
  const after = placeholders(fixed + 1, rest.length);
  const place = rest.length === 1 ? `${rest[0]} > ${after[0]}` : `(${rest.join(', ')}) > (${after.join(', ')})`;
  const conditions = [...key.slice(0, fixed).map((each, i) => `${each} = $${i + 1}`), place];
  return `SELECT ${names} FROM ${table} WHERE ${conditions.join(' AND ')} ORDER BY ${rest.join(', ')} LIMIT $${key.length + 1}`;
}
