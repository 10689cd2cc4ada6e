import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { instant as toInstant } from '#core/instant.ts';
import { testPostgres } from '../../test/store/test-postgres.ts';
import { openPostgres } from './engine/postgres.ts';
import { openSqlite } from './engine/sqlite.ts';
import { inDialect, SCHEMA_TOKENS } from './migrate.ts';
import type { Sql } from './sql.ts';
import type { Store } from './store.ts';
import { bytes, countOf, flag, instant, int, json, numbered, optional, type Row, table, text, textOf } from './table.ts';

/** A table with each type of column. */
const LAMP = table('lamp', {
  columns: {
    roomId: text,
    lampId: text,
    color: textOf<'red' | 'blue'>(),
    watts: int,
    boughtAt: instant,
    isOn: flag,
    picture: bytes,
    tags: json<readonly string[]>(),
    note: optional(text),
    brokenAt: optional(instant),
    isLent: optional(flag),
    parts: optional(json<{ readonly bulb: string }>()),
  },
  key: ['roomId', 'lampId'],
  indexes: [['watts'], { columns: ['note'], unique: true, where: 'note IS NOT NULL' }],
  indexesOnPostgres: [['color']],
});
type Lamp = Row<typeof LAMP>;

/** A table whose rows the engine numbers. */
const VISIT = table('visit', { columns: { number: numbered(), guest: text }, key: ['number'], clustered: false });
/** A table whose columns are all in the key. */
const PAIR = table('pair', { columns: { one: text, other: text }, key: ['one', 'other'] });

const CREATE = [
  `CREATE TABLE lamp (
    room_id {text} NOT NULL, lamp_id {text} NOT NULL, color {text} NOT NULL, watts {int} NOT NULL, bought_at_ms {int} NOT NULL,
    is_on {int} NOT NULL, picture {bytes} NOT NULL, tags {text} NOT NULL, note {text}, broken_at_ms {int}, is_lent {int}, parts {text},
    PRIMARY KEY (room_id, lamp_id)) {clustered}`,
  'CREATE UNIQUE INDEX lamp_note ON lamp (note) WHERE note IS NOT NULL',
  'CREATE TABLE visit (number {numbered}, guest {text} NOT NULL) {tail}',
  'CREATE TABLE pair (one {text} NOT NULL, other {text} NOT NULL, PRIMARY KEY (one, other)) {clustered}',
];

const PLAIN: Lamp = {
  roomId: 'hall',
  lampId: 'a',
  color: 'red',
  watts: Number.MAX_SAFE_INTEGER,
  boughtAt: toInstant(1_700_000_000_123),
  isOn: false,
  picture: new Uint8Array([0, 255, 39]),
  tags: [],
};
const FULL: Lamp = {
  ...PLAIN,
  lampId: 'b',
  isOn: true,
  tags: ["it's", '"é"'],
  note: '',
  brokenAt: toInstant(0),
  isLent: false,
  parts: { bulb: 'x' },
};

const setState = LAMP.update('isOn', 'note');
const BROKEN = `SELECT ${LAMP.names} FROM lamp WHERE broken_at_ms IS NOT NULL ORDER BY room_id`;

/** Returns rows with `Uint8Array` instead of the engine's own type of bytes. */
const plain = (rows: readonly (Lamp | undefined)[]) => rows.map((row) => row && { ...row, picture: new Uint8Array(row.picture) });

type Work = <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;

// biome-ignore format: a table
const ENGINES: readonly (readonly [name: string, tokens: (typeof SCHEMA_TOKENS)['sqlite' | 'postgres'], open: () => Promise<{ store: Store; stop(): Promise<void> }>])[] = [
  ['SQLite',     SCHEMA_TOKENS.sqlite,   async () => ({ store: await openSqlite(':memory:'), stop: async () => {} })],
  ['PostgreSQL', SCHEMA_TOKENS.postgres, async () => { const { url, stop } = await testPostgres(); return { store: await openPostgres(url), stop }; }],
];

for (const [engine, tokens, open] of ENGINES) {
  describe(`table on ${engine}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    before(async () => {
      opened = await open();
      await opened.store.transaction(async ({ sql }) => {
        for (const statement of CREATE) await sql.run(inDialect(statement, tokens));
      });
    });
    after(async () => {
      await opened.store.close();
      await opened.stop();
    });
    /** Runs work on empty tables. */
    const within: Work = (work) =>
      opened.store.transaction(async ({ sql }) => {
        for (const name of ['lamp', 'visit', 'pair']) await sql.run(`DELETE FROM ${name}`);
        return work(sql);
      });
    writes(engine, within);
    reads(engine, within);
  });
}

function writes(engine: string, within: Work): void {
  test(`table on ${engine}: insert() stores each type of column, and get() returns the same row`, async () => {
    const read = await within(async (sql) => {
      await LAMP.insert(sql, PLAIN);
      await LAMP.insert(sql, FULL);
      return [await LAMP.get(sql, 'hall', 'a'), await LAMP.get(sql, 'hall', 'b'), await LAMP.get(sql, 'hall', 'c')];
    });
    assert.deepEqual(plain(read), [PLAIN, FULL, undefined]);
    assert.deepEqual(Object.keys(read[0] ?? {}), Object.keys(PLAIN));
  });

  test(`table on ${engine}: insert() rejects a second row with the same key`, async () => {
    const twice = within(async (sql) => {
      await LAMP.insert(sql, PLAIN);
      await LAMP.insert(sql, PLAIN);
    });
    await assert.rejects(twice, /unique/i);
  });

  test(`table on ${engine}: add() returns 'exists' for the same key or unique value, and changes nothing`, async () => {
    const read = await within(async (sql) => [
      await LAMP.add(sql, FULL),
      await LAMP.add(sql, { ...FULL, watts: 1, note: 'other' }),
      await LAMP.add(sql, { ...FULL, lampId: 'c' }),
      (await LAMP.get(sql, 'hall', 'b'))?.watts,
    ]);
    assert.deepEqual(read, ['added', 'exists', 'exists', FULL.watts]);
  });

  test(`table on ${engine}: addAll() inserts 12 rows in three statements, without those that exist`, async () => {
    const pairs = Array.from({ length: 12 }, (_, i) => ({ one: 'many', other: String(i) }));
    let statements = 0;
    const read = await within(async (sql) => {
      const counting: Sql = {
        ...sql,
        run(...query) {
          statements++;
          return sql.run(...query);
        },
      };
      return [
        await PAIR.addAll(counting, pairs),
        await PAIR.addAll(sql, [...pairs, { one: 'many', other: 'new' }]),
        await PAIR.addAll(sql, []),
      ];
    });
    assert.deepEqual([read, statements], [[12, 1, 0], 3]);
  });

  test(`table on ${engine}: put() inserts a row, or replaces all columns of the row with the same key`, async () => {
    const read = await within(async (sql) => {
      await LAMP.put(sql, { ...FULL, lampId: 'a' });
      await LAMP.put(sql, PLAIN);
      await PAIR.put(sql, { one: 'x', other: 'y' });
      await PAIR.put(sql, { one: 'x', other: 'y' });
      return { lamp: await LAMP.get(sql, 'hall', 'a'), pairs: await countOf(sql, 'SELECT COUNT(*) AS count FROM pair', []) };
    });
    assert.deepEqual(plain([read.lamp]), [PLAIN]);
    assert.equal(read.pairs, 1);
  });

  test(`table on ${engine}: update() changes only the named columns, and sets NULL for an absent member`, async () => {
    const read = await within(async (sql) => {
      await LAMP.insert(sql, FULL);
      const results = [
        await setState(sql, { roomId: 'hall', lampId: 'b', isOn: false }),
        await setState(sql, { roomId: 'hall', lampId: 'none', isOn: false }),
      ];
      return { results, row: await LAMP.get(sql, 'hall', 'b') };
    });
    const { note: _, ...without } = FULL;
    assert.deepEqual(read.results, ['changed', 'absent']);
    assert.deepEqual(plain([read.row]), [{ ...without, isOn: false }]);
  });

  test(`table on ${engine}: remove() deletes one row`, async () => {
    const read = await within(async (sql) => {
      await LAMP.insert(sql, PLAIN);
      await LAMP.insert(sql, FULL);
      return [
        await LAMP.remove(sql, 'hall', 'a'),
        await LAMP.remove(sql, 'hall', 'a'),
        await countOf(sql, 'SELECT COUNT(*) AS count FROM lamp WHERE room_id = $1', ['hall']),
      ];
    });
    assert.deepEqual(read, ['removed', 'absent', 1]);
  });

  test(`table on ${engine}: rows get increasing numbers in the order of their inserts`, async () => {
    const read = await within(async (sql) => {
      for (const guest of ['ann', 'ben']) await VISIT.insert(sql, { guest });
      return VISIT.rows(sql, `SELECT ${VISIT.names} FROM visit ORDER BY number`);
    });
    assert.deepEqual(
      read.map(({ guest }) => guest),
      ['ann', 'ben'],
    );
    assert.ok((read[0] as { number: number }).number < (read[1] as { number: number }).number);
  });
}

function reads(engine: string, within: Work): void {
  test(`table on ${engine}: page() returns rows after a key, in the order of the key, up to the limit`, async () => {
    const read = await within(async (sql) => {
      for (const [roomId, lampId] of ['hall b', 'attic z', 'hall a', 'hall B', 'cellar c'].map((key) => key.split(' ')) as [
        string,
        string,
      ][])
        await LAMP.insert(sql, { ...PLAIN, roomId, lampId });
      const keys = async (...[start, after, limit]: [string[], string[], number]) =>
        (await LAMP.page(sql, start, after, limit)).map(({ roomId, lampId }) => `${roomId} ${lampId}`);
      return [
        await keys(['hall'], [''], 2),
        await keys(['hall'], ['a'], 2),
        await keys([], ['attic', 'z'], 2),
        await keys([], ['x', ''], 2),
      ];
    });
    assert.deepEqual(read, [['hall B', 'hall a'], ['hall b'], ['cellar c', 'hall B'], []]);
  });

  test(`table on ${engine}: row() and rows() convert the result of an SQL query to typed rows`, async () => {
    const read = await within(async (sql) => {
      const none = [await LAMP.row(sql, BROKEN), ...(await LAMP.rows(sql, BROKEN))];
      await LAMP.insert(sql, PLAIN);
      await LAMP.insert(sql, FULL);
      return { none, row: await LAMP.row(sql, BROKEN), rows: await LAMP.rows(sql, BROKEN) };
    });
    assert.deepEqual(read.none, [undefined]);
    assert.deepEqual(plain([read.row, ...read.rows]), [FULL, FULL]);
  });
}

describe('table: a valid declaration produces the SQL schema, and an invalid declaration is rejected', () => {
  test('table: the schema of a declaration has the SQL names, types and indexes', () => {
    assert.equal(LAMP.names, 'room_id, lamp_id, color, watts, bought_at_ms, is_on, picture, tags, note, broken_at_ms, is_lent, parts');
    const { columns, ...schema } = LAMP.schema;
    assert.deepEqual(columns[0], { name: 'room_id', type: 'text', optional: false });
    assert.deepEqual(columns[9], { name: 'broken_at_ms', type: 'int', optional: true });
    assert.deepEqual(schema, {
      key: ['room_id', 'lamp_id'],
      keyOnPostgres: ['room_id', 'lamp_id'],
      indexes: [
        { columns: ['watts'], unique: false },
        { columns: ['note'], unique: true, where: 'note IS NOT NULL' },
      ],
      indexesOnPostgres: [{ columns: ['color'], unique: false }],
      clustered: true,
    });
  });

  // The compiler rejects most of these declarations too. `as never` disables this check.
  // biome-ignore format: a table
  for (const [title, declare, message] of [
    ['an unknown member in the key',    () => table('t', { columns: { a: text }, key: ['b'] as never }),                              /unknown member 'b'/],
    ['an empty key',                    () => table('t', { columns: { a: text }, key: [] }),                                          /the key is empty/],
    ['an optional member in the key',   () => table('t', { columns: { a: optional(text) }, key: ['a'] }),                             /'a' of the key is optional/],
    ['two members with one column',     () => table('t', { columns: { aB: text, a_b: text }, key: ['aB'] }),                          /two members have the column 'a_b'/],
    ['an unknown member in an index',   () => table('t', { columns: { a: text }, key: ['a'], indexes: [['b']] as never }),            /unknown member 'b'/],
    ['an unknown member in an update',  () => table('t', { columns: { a: text }, key: ['a'] }).update('b' as never),                  /unknown member 'b'/],
  ] as const) {
    test(`table: ${title} is rejected`, () => {
      assert.throws(declare, message);
    });
  }
});

// This function is never called. `npm run check` compiles it, and fails if the compiler accepts one of these lines.
void ((sql: Sql) => [
  // @ts-expect-error  a required member is missing
  LAMP.insert(sql, { roomId: 'hall', lampId: 'a' }),
  // @ts-expect-error  a member has another type
  LAMP.insert(sql, { ...PLAIN, watts: '60' }),
  // @ts-expect-error  a value is not in the union
  LAMP.insert(sql, { ...PLAIN, color: 'green' }),
  // @ts-expect-error  the engine numbers the rows
  VISIT.insert(sql, { number: 1, guest: 'ann' }),
  // @ts-expect-error  a value of the key is missing
  LAMP.get(sql, 'hall'),
  // @ts-expect-error  the table has no such member
  LAMP.update('height'),
]);
