import { join } from 'node:path';
import { after, test } from 'node:test';
import { openStore } from '#store/engine/open.ts';
import { newFolder } from '../kit/folder.ts';
import { aftermath, assertUnharmed, startLoad } from './crash.ts';
import { testPostgres } from './test-postgres.ts';

const folder = newFolder('kill');
const postgres = await testPostgres();
after(postgres.stop);

// Requirement RES-3. Each round opens the database that the killed process of the previous round left behind.
for (const [engine, target, setting, rounds] of [
  ['SQLite', join(folder, 'data'), `file:${join(folder, 'data')}`, 8],
  ['PostgreSQL', postgres.url, postgres.url, 2],
] as const) {
  test(`${engine}: after repeated kills under load, no acknowledged change or record is lost or incomplete`, async (t) => {
    const acknowledged: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const load = startLoad(target, round);
      await load.atLeast(100 + 350 * round);
      await load.kill();
      acknowledged.push(...load.acknowledged);
      const store = await openStore(setting, {});
      assertUnharmed(await aftermath(store, acknowledged));
      await store.close();
    }
    t.diagnostic(`${acknowledged.length} acknowledged, ${rounds} kills, none lost, none torn`);
  });
}
