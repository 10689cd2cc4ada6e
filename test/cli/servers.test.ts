/** `belfry server list` and the welcome message of a second server on one PostgreSQL database. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { newFolder } from '../kit/folder.ts';
import { listed } from '../kit/listed.ts';
import { belfry, startServerProcess } from '../kit/process.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(postgres.stop);

const environment = { BELFRY_DATABASE: postgres.url };
const first = await startServerProcess(environment);
const folder = newFolder('servers');
copyFileSync(join(first.dataFolder, 'operator.key'), join(folder, 'operator.key'));
const second = await startServerProcess(environment, folder);

/** Returns the servers in `server list` on the first server. */
async function list() {
  const { status, stdout, stderr } = await belfry(['server', 'list', '--data', first.dataFolder]);
  assert.equal(status, 0, stderr);
  return listed(stdout);
}

test('belfry start: the welcome message of a second server names only existing files', async () => {
  await until(() => second.written().includes('restore-administrator'), second.written);
  const welcome = second.written();
  assert.match(welcome, /This data folder has no AWS profile/);
  for (const [path = ''] of welcome.matchAll(/\/[^\s']+/g)) if (path.startsWith(folder)) assert.ok(existsSync(path), path);
  assert.doesNotMatch(welcome, /aws\/credentials|aws\/config/);
});

test('belfry server list: shows state, last-seen time and addresses; a killed server has state silent', async () => {
  type Row = Awaited<ReturnType<typeof list>>[number];
  const rowOf = (rows: readonly Row[], { pid }: { readonly pid: number }): Row =>
    rows.find((row) => row['NAME'] === `${hostname()} ${pid}`) ?? assert.fail(JSON.stringify(rows));
  let rows = await list();
  assert.equal(rows.length, 2);
  const { STATE, ADDRESSES, 'LAST SEEN': seen, 'THIS ONE': own } = rowOf(rows, first);
  assert.deepEqual([STATE, seen, ADDRESSES, own], ['active', '0 s ago', `${first.endpoint} ${first.httpsEndpoint}`, 'yes']);
  // The second server stores its addresses after it listens.
  const secondHas = (column: string, isExpected: (value: string) => boolean) =>
    until(
      async () => {
        rows = await list();
        return isExpected(rowOf(rows, second)[column] ?? '');
      },
      () => JSON.stringify(rows),
    );
  await secondHas('ADDRESSES', (value) => value === `${second.endpoint} ${second.httpsEndpoint}`);
  await secondHas('LAST SEEN', (value) => /^[0-4] s ago$/.test(value));

  process.kill(second.pid, 'SIGKILL');
  await secondHas('STATE', (value) => value === 'silent');
  const silent = rowOf(rows, second);
  assert.ok(Number.parseInt(silent['LAST SEEN'] ?? '', 10) >= 6, JSON.stringify(silent));

  const { ID: id = '' } = silent;
  const { status, stdout } = await belfry(['server', 'remove', '--id', id, '--data', first.dataFolder]);
  assert.deepEqual([status, stdout], [0, `belfry server: removed server '${id}'\n`]);
  assert.equal((await list()).length, 1);
});
