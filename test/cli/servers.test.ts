/** `belfry server list` and the welcome message of a second server on one PostgreSQL database. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { newFolder } from '../kit/folder.ts';
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

/** Returns the lines of `server list` on the first server. */
async function list(): Promise<readonly string[]> {
  const { status, stdout, stderr } = await belfry(['server', 'list', '--data', first.dataFolder]);
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split('\n');
}

test('belfry start: the welcome message of a second server names only existing files', async () => {
  await until(() => second.written().includes('restore-administrator'), second.written);
  const welcome = second.written();
  assert.match(welcome, /This data folder has no AWS profile/);
  for (const [path = ''] of welcome.matchAll(/\/[^\s']+/g)) if (path.startsWith(folder)) assert.ok(existsSync(path), path);
  assert.doesNotMatch(welcome, /aws\/credentials|aws\/config/);
});

test('belfry server list: shows state, last-seen time and addresses; a killed server has state silent', async () => {
  const lineOf = (lines: readonly string[], { pid }: { readonly pid: number }) =>
    lines.find((line) => line.includes(`${hostname()} ${pid}`)) ?? assert.fail(lines.join('\n'));
  let lines = await list();
  assert.equal(lines.length, 2);
  assert.match(
    lineOf(lines, first),
    new RegExp(`^\\S+ {2}active {2}seen 0 s ago {2}${first.endpoint} ${first.httpsEndpoint} {2}started .*\\(this one\\)$`),
  );
  // The second server stores its addresses after it listens.
  const secondHas = (text: string) =>
    until(
      async () => {
        lines = await list();
        return lineOf(lines, second).includes(text);
      },
      () => lines.join('\n'),
    );
  await secondHas(second.endpoint);
  assert.match(
    lineOf(lines, second),
    new RegExp(`^\\S+ {2}active {2}seen [0-4] s ago {2}${second.endpoint} ${second.httpsEndpoint} {2}started `),
  );

  process.kill(second.pid, 'SIGKILL');
  await secondHas('  silent  ');
  const [, seconds] = /seen (\d+) s ago/.exec(lineOf(lines, second)) ?? [];
  assert.ok(Number(seconds) >= 6, lineOf(lines, second));

  const [id = ''] = lineOf(lines, second).split(' ');
  const { status, stdout } = await belfry(['server', 'remove', '--id', id, '--data', first.dataFolder]);
  assert.deepEqual([status, stdout], [0, `belfry server: removed server '${id}'\n`]);
  assert.equal((await list()).length, 1);
});
