/** `belfry server list` and the welcome of a second server on one PostgreSQL database. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { belfry, startServerProcess } from '../kit/process.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(postgres.stop);

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-servers-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const environment = { BELFRY_DATABASE: postgres.url };
const first = await startServerProcess(environment);
const folder = newFolder();
copyFileSync(join(first.dataFolder, 'operator.key'), join(folder, 'operator.key'));
const second = await startServerProcess(environment, folder);

/** Returns the lines of `server list` on the first server. */
async function list(): Promise<readonly string[]> {
  const { status, stdout, stderr } = await belfry(['server', 'list', '--data', first.dataFolder]);
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split('\n');
}

test('belfry start: the welcome of a second server names no file that does not exist', async () => {
  while (!second.written().includes('restore-administrator')) await list();
  const welcome = second.written();
  assert.match(welcome, /This data folder has no AWS profile/);
  for (const [path = ''] of welcome.matchAll(/\/[^\s']+/g)) if (path.startsWith(folder)) assert.ok(existsSync(path), path);
  assert.doesNotMatch(welcome, /aws\/credentials|aws\/config/);
});

test('belfry server list: shows state, last seen and addresses, and a killed server within seconds', async () => {
  const lineOf = (lines: readonly string[], { pid }: { readonly pid: number }) =>
    lines.find((line) => line.includes(`${hostname()} ${pid}`)) ?? assert.fail(lines.join('\n'));
  let lines = await list();
  assert.equal(lines.length, 2);
  assert.match(
    lineOf(lines, first),
    new RegExp(`^\\S+ {2}active {2}seen 0 s ago {2}${first.endpoint} ${first.httpsEndpoint} {2}started .*\\(this one\\)$`),
  );
  // The second server stores its addresses after it listens.
  while (!lineOf(lines, second).includes(second.endpoint)) lines = await list();
  assert.match(
    lineOf(lines, second),
    new RegExp(`^\\S+ {2}active {2}seen [0-4] s ago {2}${second.endpoint} ${second.httpsEndpoint} {2}started `),
  );

  process.kill(second.pid, 'SIGKILL');
  while (!lineOf(lines, second).includes('  silent  ')) lines = await list();
  const [, seconds] = /seen (\d+) s ago/.exec(lineOf(lines, second)) ?? [];
  assert.ok(Number(seconds) >= 6, lineOf(lines, second));

  const [id = ''] = lineOf(lines, second).split(' ');
  const { status, stdout } = await belfry(['server', 'remove', '--id', id, '--data', first.dataFolder]);
  assert.deepEqual([status, stdout], [0, `belfry server: removed server '${id}'\n`]);
  assert.equal((await list()).length, 1);
});
