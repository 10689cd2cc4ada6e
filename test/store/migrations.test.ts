import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { IdentityKind, IdentityRecords } from '#store/identity/identity.ts';
import { identityAt } from '#store/identity/identity-history.ts';
import { EXAMPLES } from '#store/identity/record-examples.ts';
import { inDialect, migrationFiles, SCHEMA_TOKENS } from '#store/migrate.ts';
import { migration as trailPacks } from '#store/migrations/0013-trail-packs.ts';
import { migration as trailBlocks } from '#store/migrations/0014-trail-blocks.ts';
import type { SqlValue } from '#store/sql.ts';
import type { Store, Tx } from '#store/store.ts';
import type { Schema } from '#store/table.ts';
import { TRAIL_BLOCK } from '#store/trail/trail-blocks.ts';
import { IMPORTED, TRAIL_WRITER } from '#store/trail/trail-chain.ts';
import { checkChains } from '#store/trail/trail-chain-check.ts';
import { chainedRecords, START_OF_CHAIN } from '#store/trail/trail-chain-reads.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { newFolder } from '../kit/folder.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from './test-postgres.ts';

const folder = newFolder('migrations');
const postgres = await testPostgres();
after(postgres.stop);

type Rows = Readonly<Record<string, readonly Readonly<Record<string, SqlValue>>[]>>;
type Execute = (text: string, values: readonly SqlValue[]) => Promise<unknown>;

/** Rows of schema version 8, at least one in each table. */
const ROWS = JSON.parse(released('schema-8.rows.json')) as Rows;

/** Tables that a migration after version 8 drops, or whose rows it changes. */
const CHANGED = new Set(['outbox', 'schema_version', 'identity_document', 'trail_event', 'trail_chunk', 'channel_message']);

/** Account of the identity rows in `ROWS`. */
const ACCOUNT = '111111111111' as AccountId;
/** Expected records of the identity rows after the migrations. */
// biome-ignore format: a table
const IDENTITY: readonly { readonly [Kind in IdentityKind]: readonly [Kind, key: string, IdentityRecords[Kind] | undefined] }[IdentityKind][] = [
  ['user',             'ada',             EXAMPLES.user],
  ['group',            'makers',          EXAMPLES.group],
  ['role',             'admin',           EXAMPLES.role],
  ['policy',           'read',            EXAMPLES.policy],
  ['saml-provider',    'saml-provider',   EXAMPLES['saml-provider']],
  ['oidc-provider',    'oidc-provider',   EXAMPLES['oidc-provider']],
  ['mfa-device',       'mfa-device',      EXAMPLES['mfa-device']],
  ['membership',       'AGPAMAKERS ada',  { accountId: ACCOUNT }],
  ['membership',       'makers ada',      undefined],
  ['unique-id',        'AIDAADA',         { accountId: ACCOUNT, kind: 'user', key: 'ada' }],
  ['unique-id',        'AGPAMAKERS',      { accountId: ACCOUNT, kind: 'group', key: 'makers' }],
  ['root-access-key',  'AKIAROOT',        { accountId: ACCOUNT }],
  ['root-access-key',  'access-key',      undefined],
  ['handshake',        'handshake',       EXAMPLES.handshake],
  ['open-handshake',   'handshake',       { accountId: ACCOUNT }],
  ['open-handshake',   'h-declined',      undefined],
  ['service-control-policy', 'service-control-policy', EXAMPLES['service-control-policy']],
];
/** The only record in the trail of the earlier release, as the current program returns it. */
const RECORD: TrailRow = {
  eventId: 'e-1',
  accountId: '111122223333' as AccountId,
  region: 'us-east-1',
  at: instant(1_795_348_800_000),
  eventName: 'CreateMeeting',
  eventSource: 'chime.amazonaws.com',
  readOnly: false,
  userName: 'ada',
  resources: [{ type: 'AWS::Chime::Meeting', name: 'm-1' }],
  document: '{"eventID":"e-1"}',
};
/** Organizational unit as an earlier release stored it, without the later member `attachedIn`. */
const { attachedIn: _, ...OLD_UNIT } = EXAMPLES['organizational-unit'];

function released(name: string): string {
  return readFileSync(new URL(`./released/${name}`, import.meta.url), 'utf8');
}

/**
 * Creates the database of a release: its schema, then rows in each table. Omits the numbers of the channel events,
 * because the database assigns them.
 */
async function createReleased(execute: Execute, engine: 'sqlite' | 'postgres'): Promise<void> {
  for (const statement of released(`schema-8.${engine}.sql`).split(';\n')) if (statement.trim() !== '') await execute(statement, []);
  for (const [table, rows] of Object.entries(ROWS)) {
    for (const { number: _, ...row } of rows) {
      const names = Object.keys(row);
      const text = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`;
      await execute(text, Object.values(row));
    }
  }
}

const ENGINES: readonly (readonly [name: string, open: () => Promise<Store>])[] = [
  [
    'SQLite',
    async () => {
      const db = new DatabaseSync(join(folder, 'belfry.db'));
      await createReleased(async (text, values) => db.prepare(text.replaceAll('$', '?')).run(...values), 'sqlite');
      db.close();
      return openSqlite(folder);
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const client = new pg.Client(postgres.url);
      await client.connect();
      await createReleased((text, values) => client.query({ text, values: [...values] }), 'postgres');
      await client.end();
      return openPostgres(postgres.url);
    },
  ],
];

describe('migrations: new and old databases get the current schema', () => {
  test('migrations: on SQLite, the migrations create the declared tables', async () => {
    const store = await openSqlite(':memory:');
    const found = await store.transaction(tablesOfSqlite).finally(() => store.close());
    assertTables(found, await declaredTables('sqlite'));
  });

  test('migrations: on PostgreSQL, the migrations create the declared tables', async () => {
    const other = await testPostgres();
    const store = await openPostgres(other.url);
    const found = await store.transaction(tablesOfPostgres).finally(() => store.close());
    await other.stop();
    assertTables(found, await declaredTables('postgres'));
  });

  test('migrations: on PostgreSQL, each batch of an old trail is deleted without reading the rows before it', async () => {
    const database = await testPostgres();
    // Closes the store that ran the migrations, because its connections keep prepared statements for the dropped table
    // `trail_event`. The test uses a second store.
    await (await openPostgres(database.url)).close();
    const store = await openPostgres(database.url);
    const rows: string[] = [];
    await store.transaction(async ({ sql }) => {
      await sql.run(`CREATE TABLE trail_event (position BIGINT, event_id TEXT COLLATE "C", account_id TEXT, region TEXT, at_ms BIGINT,
        event_name TEXT, event_source TEXT, read_only BIGINT, user_name TEXT, access_key_id TEXT, resources TEXT, document TEXT,
        PRIMARY KEY (position, event_id))`);
      await sql.run(
        `INSERT INTO trail_event SELECT g, 'e', '1', 'r', 0, 'n', 's', 0, NULL, NULL, '[]', '{}' FROM generate_series(1, 20000) g`,
      );
      await sql.run('SET LOCAL enable_seqscan = off');
      const run = async (text: string, values: readonly SqlValue[] = []) => {
        if (!text.startsWith('DELETE')) return await sql.run(text, values);
        const plan = await sql.rows<Record<string, string>>(`EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, COSTS OFF) ${text}`, values);
        rows.push(plan.map((line) => line['QUERY PLAN']).find((line) => line?.includes('Buffers:')) ?? '');
        return 0;
      };
      await trailPacks.convert?.({ ...sql, run });
    });
    await store.close();
    await database.stop();
    const reads = rows.map((line) => Number(/shared hit=(\d+)/.exec(line)?.[1]));
    assert.equal(reads.length, 20);
    assert.ok((reads.at(-1) as number) < 1.1 * (reads[1] as number), `blocks of each deletion: ${reads.join(' ')}`);
  });

  test('migrations: on PostgreSQL, a statement can take longer than those of requests', async () => {
    const database = await testPostgres();
    const [client, watcher] = [new pg.Client(database.url), new pg.Client(database.url)];
    await Promise.all([client.connect(), watcher.connect()]);
    await createReleased((text, values) => client.query({ text, values: [...values] }), 'postgres');
    await client.query('BEGIN');
    await client.query('LOCK TABLE channel_message');
    const timeoutMilliseconds = 1_000;
    const opening = openPostgres(database.url, { timeoutMilliseconds });
    const waiting = `SELECT COUNT(*) AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > $1 * interval '1 millisecond'`;
    await until(
      async () => Number((await watcher.query(waiting, [1.2 * timeoutMilliseconds])).rows[0].count) > 0,
      () => 'no migration waits for the table',
    );
    await client.query('COMMIT');
    await Promise.all([client.end(), watcher.end()]);
    await (await opening).close();
    await database.stop();
  });

  for (const engine of ['sqlite', 'postgres'] as const) {
    test(`migrations: on ${engine}, the blocks of existing runs are kept, and those of an unfinished merge are deleted`, async () => {
      const database = await testPostgres();
      const store = engine === 'sqlite' ? await openSqlite(':memory:') : await openPostgres(database.url);
      const rows = await store.transaction(async ({ sql }) => {
        const run = (statement: string) => sql.run(inDialect(statement, SCHEMA_TOKENS[engine]));
        await run('DROP TABLE trail_block');
        for (const statement of trailPacks.statements) if (statement.includes('trail_index')) await run(statement);
        await run('INSERT INTO trail_run (last_position, first_position, level) VALUES (5, 1, 1), (9, 6, 0)');
        for (const [level, lastPosition, firstKey] of [
          [1, 5, 7],
          [1, 5, 8],
          [0, 9, 7],
          [1, 9, 7],
          [0, 4, 7],
        ] as const) {
          const values = [level, lastPosition, firstKey, new Uint8Array([lastPosition, firstKey])];
          await sql.run('INSERT INTO trail_index (level, last_position, first_key, entries) VALUES ($1, $2, $3, $4)', values);
        }
        for (const statement of trailBlocks.statements) await run(statement);
        return TRAIL_BLOCK.rows(sql, `SELECT ${TRAIL_BLOCK.names} FROM trail_block ORDER BY level, last_position, first_key`);
      });
      await store.close();
      await database.stop();
      assert.deepEqual(
        rows.map(({ level, lastPosition, firstKey, firstPosition, entries }) => [level, lastPosition, firstKey, firstPosition, ...entries]),
        [
          [0, 9, 7, 0, 9, 7],
          [1, 5, 7, 0, 5, 7],
          [1, 5, 8, 0, 5, 8],
        ],
      );
    });
  }

  test('migrations: the numbers of the migrations have no gap and no duplicate', () => {
    const numbers = migrationFiles().map((name) => Number(name.slice(0, 4)));
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i + 1),
    );
  });

  for (const [engine, open] of ENGINES) describe(`a database of schema version 8 on ${engine}`, () => opensReleased(open));
});

/** Defines the tests that open the database of an earlier release with the current program. */
function opensReleased(open: () => Promise<Store>): void {
  let store: Store;
  before(async () => {
    store = await open();
  });
  after(() => store.close());

  test('migrations: the database of an earlier release opens, and unconverted tables keep their rows', async () => {
    const kept = await store.transaction(async ({ sql }) => {
      const found: Record<string, unknown> = {};
      for (const table of Object.keys(ROWS)) if (!CHANGED.has(table)) found[table] = await sql.rows(`SELECT * FROM ${table}`);
      return found;
    });
    const { version } = (await store.transaction(({ sql }) => sql.row('SELECT MAX(version) AS version FROM schema_version'))) as {
      readonly version: number;
    };
    assert.equal(version, migrationFiles().length);
    for (const [table, rows] of Object.entries(ROWS)) if (!CHANGED.has(table)) assert.deepEqual(sorted(kept[table]), sorted(rows), table);
    await assert.rejects(store.transaction(({ sql }) => sql.rows('SELECT * FROM outbox')));
  });

  test('migrations: messages of channels keep their columns, and get the members that see them as their audience', async () => {
    const found = await store.transaction(({ sql }) => sql.rows('SELECT * FROM channel_message'));
    const expected = (ROWS['channel_message'] ?? []).map(({ only_for, ...row }) => ({ ...row, audience: only_for ?? '*' }));
    assert.deepEqual(sorted(found), sorted(expected));
    assert.deepEqual(new Set(expected.map(({ audience }) => audience)), new Set(['*', '', 'user/bob']));
  });

  test('migrations: a look-up finds the trail record of the earlier release', async () => {
    const page = await store.transaction(({ trail }) =>
      trail.lookup({
        accountId: '111122223333' as AccountId,
        region: 'us-east-1',
        from: instant(0),
        to: instant(2_000_000_000_000),
        attribute: { name: 'ResourceName', value: 'm-1' },
        limit: 10,
      }),
    );
    assert.deepEqual(page, { rows: [RECORD] });
  });

  test('migrations: after the next record, the record of the earlier release has a number in a chain with an end', async () => {
    await store.transaction(({ trail }) => trail.append({ ...RECORD, eventId: 'e-2' }));
    const imported = () => store.transaction(({ sql }) => TRAIL_WRITER.get(sql, IMPORTED));
    await until(
      async () => (await imported())?.endedNumber === 1,
      () => 'the old record has no number',
    );
    assert.deepEqual((await checkChains((read) => store.transaction(({ sql }) => read(sql)))).faults, []);
    const { packs } = await store.transaction(({ trail }) => trail.chainSince(IMPORTED, START_OF_CHAIN, 9));
    assert.deepEqual(
      packs.flatMap(chainedRecords).map(({ number, eventId }) => [number, eventId]),
      [[1, 'e-1']],
    );
  });

  test('migrations: identity records are returned in the current format', async () => {
    const read = await store.transaction(async ({ identity }) => {
      const found = [];
      for (const [kind, key] of IDENTITY) found.push([kind, key, await identity.get(ACCOUNT, kind, key)]);
      return found;
    });
    assert.deepEqual(read, IDENTITY);
    const unit = await store.transaction(({ identity }) => identity.get(ACCOUNT, 'organizational-unit', 'organizational-unit'));
    assert.deepEqual(unit, OLD_UNIT);
  });

  test('migrations: a record of the earlier release has no decision context', async () => {
    const { rows } = await store.transaction(({ trail }) => trail.decisionsSince(0, 1));
    assert.deepEqual(rows, [{ row: RECORD }]);
  });

  test('migrations: identity can be read as of the migration and later, and not as of earlier versions', async () => {
    const version = (await store.transaction(({ identity }) => identity.changesSince(0))).version;
    const changed = { ...EXAMPLES.group, inlinePolicies: {} };
    await store.transaction(({ identity }) => identity.put(ACCOUNT, 'group', 'makers', changed));
    const at = (of: number) => store.transaction((tx) => identityAt(tx, of).record(ACCOUNT, 'group', 'makers'));
    assert.deepEqual((await at(version))?.inlinePolicies, EXAMPLES.group.inlinePolicies);
    assert.deepEqual((await at(version + 1))?.inlinePolicies, {});
    await assert.rejects(at(version - 1), RangeError);
  });

  test("migrations: the summary of a SAML provider does not contain the provider's metadata", async () => {
    const summary = await store.transaction(({ identity }) => identity.summary(ACCOUNT, 'saml-provider', 'saml-provider'));
    const { metadata, tags, ...rest } = EXAMPLES['saml-provider'];
    assert.deepEqual(summary, rest);
  });

  test('migrations: changesSince(0) returns all identity records of the earlier release', async () => {
    const { changes } = await store.transaction(({ identity }) => identity.changesSince(0));
    const live = (ROWS['identity_document'] ?? []).filter(({ deleted }) => deleted === 0);
    // The migrations add three records, one for each new index: the group's ID, the root user's access key, and the
    // open invitation.
    assert.equal(changes.filter(({ text }) => text !== undefined).length, live.length + 3);
  });
}

/** Schema of one table. The lists are sorted, because the order of columns and indexes has no effect. */
interface Structure {
  readonly columns: readonly string[];
  readonly key: string;
  readonly indexes: readonly string[];
  /** SQLite only: whether the rows are stored in the order of the key. */
  readonly clustered?: boolean;
}

/** Asserts that each table has its declared structure. Names the tables that differ. */
function assertTables(found: Readonly<Record<string, Structure>>, declared: Readonly<Record<string, Structure>>): void {
  for (const name of new Set([...Object.keys(found), ...Object.keys(declared)]))
    assert.deepEqual({ [name]: found[name] ?? 'no migration creates it' }, { [name]: declared[name] ?? 'no source declares it' });
}

/** Reads the tables that the sources declare. */
async function declaredTables(engine: 'sqlite' | 'postgres'): Promise<Record<string, Structure>> {
  const declared: Record<string, Structure> = {};
  const sources = join(import.meta.dirname, '../../src');
  const files = globSync(['store/**/*.ts', '**/tables/*.ts'], { cwd: sources }).filter((file) => !/\.(test|conformance)\.ts$/.test(file));
  const isDeclaring = (file: string) => !file.startsWith('store/migrations/') && !/conformance|-thread\.ts$/.test(file);
  for (const file of files.filter(isDeclaring)) {
    for (const value of Object.values((await import(join(sources, file))) as object)) {
      const { name, schema } = (value ?? {}) as { readonly name: string; readonly schema?: Schema };
      if (schema === undefined) continue;
      declared[name] = {
        columns: schema.columns.map((each) => `${each.name} ${each.type}${each.optional ? '' : ' not null'}`).sort(),
        key: (engine === 'sqlite' ? schema.key : schema.keyOnPostgres).join(', '),
        indexes: [...schema.indexes, ...(engine === 'postgres' ? schema.indexesOnPostgres : [])]
          .map(
            ({ columns, unique, where }) =>
              `${unique ? 'unique ' : ''}${columns.join(', ')}${where === undefined ? '' : ` where ${where}`}`,
          )
          .sort(),
        ...(engine === 'sqlite' && { clustered: schema.clustered }),
      };
    }
  }
  return declared;
}

async function tablesOfSqlite({ sql }: Tx): Promise<Record<string, Structure>> {
  const found: Record<string, Structure> = {};
  const tables = await sql.rows<{ name: string; wr: number }>("SELECT name, wr FROM pragma_table_list WHERE schema = 'main'");
  for (const { name, wr } of tables.filter((each) => !each.name.startsWith('sqlite_'))) {
    const columns = await sql.rows<{ name: string; type: string; notnull: number; pk: number }>('SELECT * FROM pragma_table_info($1)', [
      name,
    ]);
    const indexes: string[] = [];
    for (const index of await sql.rows<{ name: string; unique: number; origin: string }>('SELECT * FROM pragma_index_list($1)', [name])) {
      if (index.origin === 'pk') continue;
      const of = await sql.rows<{ name: string }>('SELECT name FROM pragma_index_info($1) ORDER BY seqno', [index.name]);
      const text = (await sql.row<{ sql: string }>('SELECT sql FROM sqlite_schema WHERE name = $1', [index.name]))?.sql ?? '';
      const where = / WHERE (.*)$/.exec(text)?.[1];
      indexes.push(
        `${index.unique === 1 ? 'unique ' : ''}${of.map((each) => each.name).join(', ')}${where === undefined ? '' : ` where ${where}`}`,
      );
    }
    const types: Readonly<Record<string, string>> = { TEXT: 'text', INTEGER: 'int', BLOB: 'bytes' };
    found[name] = {
      columns: columns.map((each) => `${each.name} ${types[each.type]}${each.notnull === 1 ? ' not null' : ''}`).sort(),
      key: columns
        .filter(({ pk }) => pk > 0)
        .sort((a, b) => a.pk - b.pk)
        .map((each) => each.name)
        .join(', '),
      indexes: indexes.sort(),
      clustered: wr === 1,
    };
  }
  return found;
}

async function tablesOfPostgres({ sql }: Tx): Promise<Record<string, Structure>> {
  const found: Record<string, { columns: string[]; key: string; indexes: string[] }> = {};
  const types: Readonly<Record<string, string>> = { text: 'text', bigint: 'int', bytea: 'bytes' };
  const columns = await sql.rows<{ table_name: string; column_name: string; data_type: string; is_nullable: string }>(
    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'public' ORDER BY column_name",
  );
  for (const { table_name, column_name, data_type, is_nullable } of columns) {
    found[table_name] ??= { columns: [], key: '', indexes: [] };
    found[table_name].columns.push(`${column_name} ${types[data_type]}${is_nullable === 'NO' ? ' not null' : ''}`);
  }
  const indexes = await sql.rows<{ tablename: string; indexname: string; indexdef: string }>(
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
  );
  for (const { tablename, indexname, indexdef } of indexes) {
    const [, of = '', where] =
      /USING btree \(([^)]*)\)(?: WHERE \((.*)\))?/.exec(indexdef.replaceAll('"', '').replaceAll('::text', '')) ?? [];
    const table = found[tablename] as { key: string; indexes: string[] };
    if (indexname === `${tablename}_pkey`) table.key = of;
    else table.indexes.push(`${indexdef.startsWith('CREATE UNIQUE') ? 'unique ' : ''}${of}${where === undefined ? '' : ` where ${where}`}`);
  }
  for (const table of Object.values(found)) {
    table.columns.sort();
    table.indexes.sort();
  }
  return found;
}

/**
 * Returns rows as sorted strings, because the engines return rows in any order. Omits the counter `server`, which
 * PostgreSQL increments each time a store opens, and the counter `identity_forgotten`, which a migration adds.
 */
function sorted(rows: unknown): readonly string[] {
  return (rows as readonly Record<string, unknown>[])
    .filter(({ name }) => name !== 'server' && name !== 'identity_forgotten')
    .map((row) => JSON.stringify(Object.entries(row).sort()))
    .sort();
}
