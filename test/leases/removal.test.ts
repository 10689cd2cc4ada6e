import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listed } from '../kit/listed.ts';
import { iamCall } from './calls.ts';
import { type Member, startCluster } from './cluster.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Length of a lease, long enough that a server on a busy machine renews it in time. */
const LEASE = 1_000;

const cluster = await startCluster({ servers: 2, leaseMilliseconds: LEASE });
after(() => cluster.stop());
const [here, there] = cluster.members as readonly [Member, Member];
let names = 0;
const createUser = (on: Member) => iamCall(on.endpoint(), cluster.credentials, { Action: 'CreateUser', UserName: `user${++names}` });
const listUsers = (on: Member) => iamCall(on.endpoint(), cluster.credentials, { Action: 'ListUsers' });

/** Repeats a call until the response has this status, or until the time limit of the test. Returns the body. */
async function until(status: number, ask: () => ReturnType<typeof iamCall>): Promise<string> {
  for (;;) {
    const answer = await ask();
    if (answer.status === status) return answer.body;
  }
}

const registered = () => cluster.query('SELECT id, state, applied_version FROM server ORDER BY started_at_ms');
const command = (...args: readonly string[]) => {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BELFRY_')));
  return run(process.execPath, [MAIN, 'server', ...args, '--data', here.dataFolder], { env: own });
};

/** Returns the ID of the server in a list that runs the command, or of the other one. */
const idOf = (stdout: string, own: 'yes' | 'no') => listed(stdout).find((each) => each['THIS ONE'] === own)?.['ID'] as string;

describe('unavailable servers: the other servers continue to work', () => {
  test('belfry server list: the output has all servers of the database, and marks the server that answers', async () => {
    const { stdout } = await command('list');
    const servers = listed(stdout);
    assert.deepEqual(servers.map((each) => each['THIS ONE']).sort(), ['no', 'yes']);
    for (const server of servers) {
      assert.equal(server['STATE'], 'active');
      assert.match(Object.values(server).join('  '), /^\S+ {2}active {2}\d+ s ago {2}(?:http.+|-) {2}\S+Z {2}\d+ {2}.+ {2}(yes|no)$/);
    }
  });

  test('lease renewal: a server without a renewed lease answers 503, and other servers continue', async () => {
    there.proxy.cut('renewals');
    assert.match(await until(503, () => listUsers(there)), /<Code>ServiceUnavailable(Exception)?<\/Code>/);
    await until(200, () => createUser(here));
    there.proxy.heal();
    assert.match(await until(200, () => listUsers(there)), new RegExp(`<UserName>user${names}</UserName>`));
  });

  test("killed server: the first withdrawal waits until the server's lease ends, then deletes the server", async () => {
    const ids = new Set((await registered()).map(({ id }) => id));
    await there.kill();
    await until(200, () => createUser(here));
    while ((await registered()).length > 1);
    await there.start();
    const now = await registered();
    assert.equal(now.length, 2);
    assert.equal(now.filter(({ id }) => ids.has(id as string)).length, 1);
  });

  test('belfry server remove: a removed server that still runs registers again with another ID', async () => {
    const { stdout } = await command('list');
    const id = idOf(stdout, 'no');
    assert.equal((await command('remove', '--id', id)).stdout, `belfry server: removed server '${id}'\n`);
    await until(200, () => listUsers(there));
    const now = (await registered()).map((row) => row['id']);
    assert.equal(now.length, 2);
    assert.ok(!now.includes(id));
  });

  test('belfry server remove: a killed server can be removed, but not the answering server or an unknown ID', async () => {
    await there.kill();
    const { stdout } = await command('list');
    const [gone, own] = [idOf(stdout, 'no'), idOf(stdout, 'yes')];
    assert.equal((await command('remove', '--id', gone)).stdout, `belfry server: removed server '${gone}'\n`);
    assert.deepEqual(
      (await registered()).map(({ id }) => id),
      [own],
    );
    await assert.rejects(command('remove', '--id', gone), /server '.*' does not exist/);
    await assert.rejects(command('remove', '--id', own), /runs this command and cannot remove itself/);
    await assert.rejects(command('remove'), { code: 2 });
    assert.match(await until(200, () => listUsers(here)), /ListUsersResult/);
  });
});
