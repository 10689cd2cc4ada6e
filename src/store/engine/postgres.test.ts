import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import pg from 'pg';
import type { Instant } from '#core/instant.ts';
import { type TestPostgres, testPostgres } from '../../../test/store/test-postgres.ts';
import { ALICE, group, NOON, trailRow } from '../conformance-fixtures.ts';
import { writeRun } from '../trail/trail-index.ts';
import { positionAt } from './position.ts';
import { openOnPool, openPostgres, SERIALIZABLE_SESSIONS } from './postgres.ts';
import type { PostgresQuery } from './postgres-pool.ts';

const server = await testPostgres();
const databases: TestPostgres[] = [server];
after(async () => {
  for (const database of databases) await database.stop();
});
async function freshDatabase(): Promise<string> {
  const database = await testPostgres();
  databases.push(database);
  return database.url;
}

describe('openPostgres: several servers can use one database', () => {
  test('openPostgres: several servers that start concurrently on an empty database share one schema', async () => {
    const url = await freshDatabase();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgres(url, { connections: 2 })));
    await Promise.all(stores.map((store, i) => store.transaction((tx) => tx.meta.put(`server ${i}`, 'ready'))));
    assert.equal(await stores[0]?.transaction((tx) => tx.meta.get('server 3')), 'ready');
    await Promise.all(stores.map((store) => store.close()));
  });

  test('openPostgres: a database is rejected if it acknowledges commits that are not durable', async () => {
    const url = await freshDatabase();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`ALTER DATABASE ${client.database} SET synchronous_commit = off`);
    await client.end();
    await assert.rejects(openPostgres(url), /not durable/);
  });

  test('openPostgres: statements outside BEGIN are serializable, even if the database or URL says otherwise', async () => {
    const url = await freshDatabase();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`ALTER DATABASE ${client.database} SET default_transaction_isolation = 'read committed'`);
    await client.end();
    const options = encodeURIComponent('-c default_transaction_isolation=repeatable\\ read');
    for (const each of [url, `${url}?options=${options}`]) {
      const store = await openPostgres(each, { connections: 3 });
      const settings = await Promise.all(
        Array.from({ length: 6 }, () =>
          store.transaction((tx) => tx.sql.row("SELECT setting FROM pg_settings WHERE name = 'default_transaction_isolation'")),
        ),
      );
      assert.deepEqual(
        settings,
        settings.map(() => ({ setting: 'serializable' })),
      );
      await store.close();
    }
  });

  test('openPostgres: a proxy that drops the isolation level of sessions is rejected', async () => {
    const url = await freshDatabase();
    const [, folder, database] = /@([^/]+)\/(\w+)$/.exec(url) as unknown as readonly [string, string, string];
    const statement = "SET default_transaction_isolation = 'serializable'";
    const proxy = createServer((socket) => {
      const server = connect(join(decodeURIComponent(folder), '.s.PGSQL.5432'));
      socket.on('data', (bytes) =>
        server.write(
          Buffer.from(
            bytes.toString('latin1').replace(statement, (text) => 'SELECT 1'.padEnd(text.length)),
            'latin1',
          ),
        ),
      );
      server.pipe(socket);
      socket.on('close', () => server.destroy()).on('error', () => {});
      server.on('error', () => {});
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as AddressInfo;
    await assert.rejects(
      openPostgres(`postgres://belfry@127.0.0.1:${port}/${database}`),
      /transaction isolation level is 'read committed'/,
    );
    proxy.close();
  });

  test('openPostgres: a database that a newer version of Belfry migrated is rejected', async () => {
    const url = await freshDatabase();
    const store = await openPostgres(url);
    await store.transaction((tx) => tx.sql.run("INSERT INTO schema_version (version, title) VALUES (1000, 'from the future')"));
    await store.close();
    await assert.rejects(openPostgres(url), /schema version 1000/);
  });

  test('openPostgres: concurrent identity changes on two servers get different versions', async () => {
    const url = await freshDatabase();
    const stores = await Promise.all([openPostgres(url), openPostgres(url)]);
    await Promise.all(
      stores.flatMap((store, server) =>
        Array.from({ length: 60 }, (_, i) => store.transaction((tx) => tx.identity.put(ALICE, 'group', `g${server} ${i}`, group(`g${i}`)))),
      ),
    );
    const { version, changes } = await (stores[0] as (typeof stores)[0]).transaction((tx) => tx.identity.changesSince(0));
    assert.deepEqual([version, changes.length, new Set(changes.map((change) => change.version)).size], [120, 120, 120]);
    await Promise.all(stores.map((store) => store.close()));
  });
});

describe('openPostgres: servers find all trail records of other servers, and survive lost connections', () => {
  test('openPostgres: look-ups find the records of two servers that use the same positions in the trail', async () => {
    const url = await freshDatabase();
    let clock = NOON as number;
    const options = { now: () => clock as Instant, connections: 2 };
    const first = await openPostgres(url, options);
    // The counter gets the value that it would have after 31 more starts. So the second server uses the same positions
    // in the trail as the first server.
    await first.transaction((tx) => tx.sql.run("UPDATE counter SET value = value + 31 WHERE name = 'server'"));
    const second = await openPostgres(url, options);
    const expected: string[] = [];
    for (let i = 0; i < 20; i++) {
      clock++;
      for (const [name, store] of Object.entries({ first, second })) {
        expected.push(`${name}-${i}`);
        await store.transaction(({ trail }) => trail.append(trailRow(`${name}-${i}`, clock)));
      }
    }
    const positions = await first.transaction((tx) => tx.sql.rows('SELECT DISTINCT position FROM trail_pack'));
    assert.equal(positions.length, 20);

    async function idsInPagesOf(limit: number): Promise<readonly string[]> {
      const found: string[] = [];
      for (let before: string | undefined, pages = 0; pages === 0 || before !== undefined; pages++) {
        const range = { accountId: ALICE, region: 'us-east-1', from: NOON, to: clock as Instant };
        const page = await first.transaction((tx) => tx.trail.lookup({ ...range, limit, ...(before === undefined ? {} : { before }) }));
        found.push(...page.rows.map(({ eventId }) => eventId));
        before = page.next;
      }
      return found.toSorted();
    }
    for (const limit of [1, 3, 7, 50]) assert.deepEqual(await idsInPagesOf(limit), expected.toSorted(), `pages of ${limit}`);

    clock += 60_000;
    const delivered: string[] = [];
    for (let position = 0, more = true; more; ) {
      const page = await first.transaction((tx) => tx.trail.since(position, 5));
      delivered.push(...page.rows.map(({ eventId }) => eventId));
      [position, more] = [page.position, page.rows.length > 0];
    }
    assert.deepEqual(delivered.toSorted(), expected.toSorted());

    // Indexes the trail in runs of three packs. A pack is a row with several records, and a run is a part of the index.
    // Some runs end between two packs with the same position.
    for (let more = 'more'; more === 'more'; )
      more = await first.transaction(({ sql }) => writeRun(sql, positionAt(clock), { keys: 4_096, packs: 3 }));
    for (const limit of [1, 3, 7, 50]) assert.deepEqual(await idsInPagesOf(limit), expected.toSorted(), `pages of ${limit} from runs`);
    for (const eventId of expected) {
      const range = { accountId: ALICE, region: 'us-east-1', from: NOON, to: clock as Instant, limit: 50 };
      const attribute = { name: 'EventId', value: eventId } as const;
      const { rows } = await second.transaction((tx) => tx.trail.lookup({ ...range, attribute }));
      assert.deepEqual(
        rows.map((row) => row.eventId),
        [eventId],
      );
    }
    await Promise.all([first, second].map((store) => store.close()));
  });

  test('openPostgres: a lost connection fails only its own transaction', async () => {
    const store = await openPostgres(await freshDatabase());
    const lost = store.transaction(async (tx) => {
      await tx.meta.put('lost', 'yes');
      await tx.sql.row('SELECT pg_terminate_backend(pg_backend_pid())');
    });
    await assert.rejects(lost);
    assert.equal(await store.transaction((tx) => tx.meta.get('lost')), undefined);
    await store.close();
  });
});

describe('records: the records of transactions that only read are written together', () => {
  /**
   * Opens a store and collects the SQL of its statements, and the statements of each transaction. Statements for which
   * `isRejected` returns true fail.
   */
  async function observed(
    isRejected: (query: PostgresQuery) => boolean = () => false,
  ): Promise<{ texts: string[]; transactions: string[][]; store: Awaited<ReturnType<typeof openOnPool>> }> {
    const texts: string[] = [];
    const transactions: string[][] = [];
    const pool = new pg.Pool({ connectionString: await freshDatabase(), ...SERIALIZABLE_SESSIONS });
    pool.on('connect', (client) => client.on('error', () => {}));
    pool.on('error', () => {});
    const observe = (query: PostgresQuery): pg.QueryConfig => {
      texts.push(query.text);
      return isRejected(query) ? { text: 'SELECT 1 / 0' } : { ...query };
    };
    const store = await openOnPool(
      {
        query: (query) => pool.query(observe(query)),
        async connect() {
          const client = await pool.connect();
          const statements: string[] = [];
          transactions.push(statements);
          return {
            query(query) {
              statements.push(query.text);
              return client.query(observe(query));
            },
            release: (broken) => client.release(broken),
          };
        },
        end: () => pool.end(),
      },
      {},
    );
    texts.length = 0;
    transactions.length = 0;
    return { texts, transactions, store };
  }

  test('records: records that wait together are written by few statements, without transactions', async () => {
    const { texts, transactions, store } = await observed();
    await Promise.all(Array.from({ length: 130 }, (_, i) => store.transaction((tx) => tx.trail.append(trailRow(`e${i}`, 0)))));
    const inserts = texts.filter((text) => text.startsWith('INSERT INTO trail_pack')).length;
    assert.ok(inserts <= 10, `${inserts} statements for 130 records`);
    assert.deepEqual(
      transactions.flat().filter((text) => text.startsWith('INSERT INTO trail_pack')),
      [],
    );
    await store.close();
  });

  test('records: if a transaction changes data, its record is written in the same commit', async () => {
    const { transactions, store } = await observed();
    // The first record of a writer also stores the writer.
    await store.transaction((tx) => tx.trail.append(trailRow('first', 0)));
    await store.transaction(async (tx) => {
      await tx.trail.append(trailRow('e', 0));
      await tx.meta.put('k', 'v');
    });
    // Other transactions may write the index of the trail at the same time.
    const own = transactions.find((statements) => statements.some((text) => text.startsWith('INSERT INTO meta')));
    assert.deepEqual(
      own?.map((text) => text.trim().split(' ').slice(0, 3).join(' ')),
      ['BEGIN ISOLATION LEVEL', 'INSERT INTO meta', 'INSERT INTO trail_pack', 'COMMIT'],
    );
    await store.close();
  });

  test('records: a record that the database rejects does not prevent the other records', async () => {
    const { store } = await observed(({ values }) => JSON.stringify(values ?? []).includes('bad'));
    const outcomes = await Promise.allSettled(
      ['good', 'bad', 'fine', 'well'].map((eventId) => store.transaction((tx) => tx.trail.append(trailRow(eventId, 0)))),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    );
    await store.close();
  });
});
