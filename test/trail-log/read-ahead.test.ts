import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { NOON, trailRow } from '#store/conformance-fixtures.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { dataFolders } from '#store/engine/sqlite-fixture.ts';
import type { Store } from '#store/store.ts';
import { appenderOf, verified } from '../kit/trail-log.ts';
import { testPostgres } from '../store/test-postgres.ts';

/** Number of packs that is more than one page of a check. */
const PACKS = 140;
const RECORDS_OF_PACK = 2;

async function write(store: Store, name: string, packs: number): Promise<void> {
  for (let pack = 0; pack < packs; pack++) {
    await store.transaction(async (tx) => {
      for (let i = 0; i < RECORDS_OF_PACK; i++) await tx.trail.append(trailRow(`${name}${pack}-${i}`, NOON));
    });
  }
}

const folder = dataFolders()();
const postgres = await testPostgres();

// biome-ignore format: a table
const ENGINES: readonly (readonly [engine: string, setting: string, open: () => Promise<Store>])[] = [
  ['SQLite',     `file:${folder}`, () => openSqlite(folder)],
  ['PostgreSQL', postgres.url,     () => openPostgres(postgres.url)],
];

after(() => postgres.stop());

for (const [engine, setting, open] of ENGINES) {
  describe(`verify on ${engine}, which reads ahead`, () => {
    test(`verify: a second connection of ${engine} reads the moment of the first one`, async () => {
      const store = await open();
      await write(store, 'e', PACKS);
      await appenderOf(store).run();
      const database = await openReadOnly(setting);
      const count = 'SELECT COUNT(*) AS count FROM trail_pack';
      // On PostgreSQL, the moment is that of the first statement.
      const before = await database.sql.row(count);
      await write(store, 'later', 1);
      const second = await database.second();
      assert.deepEqual(await second.row(count), before);
      const { problems, records, pending } = await verified(database.sql, { second });
      assert.deepEqual([problems, records, pending], [[], PACKS * RECORDS_OF_PACK, 0]);
      await database.close();
      await store.close();
    });

    test(`verify: an altered record on a later page of ${engine} is found, and the first error of a reader ends the check`, async () => {
      const store = await open();
      const last = await store.transaction(({ sql }) =>
        sql.row<{ readonly event_id: string }>(`SELECT event_id FROM trail_pack WHERE event_id = 'e${PACKS - 1}-0'`),
      );
      assert.ok(last);
      await store.transaction(({ sql }) =>
        sql.run(`UPDATE trail_pack SET documents = documents || ' ' WHERE event_id = $1`, [last.event_id]),
      );
      const database = await openReadOnly(setting);
      const { problems } = await verified(database.sql, { second: await database.second() });
      assert.match(problems[0] ?? '', new RegExp(`^altered record: .*event ${last.event_id}$`));
      const broken = new Error('the connection was lost');
      const second = { ...(await database.second()), rows: () => Promise.reject(broken) };
      await assert.rejects(verified(database.sql, { second }), broken);
      await database.close();
      await store.close();
    });
  });
}
