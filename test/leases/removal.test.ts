import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { iamCall } from './calls.ts';
import { type Member, startCluster } from './cluster.ts';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Long enough that a busy machine keeps it. */
const LEASE = 1_000;

const cluster = await startCluster({ servers: 2, leaseMilliseconds: LEASE });
after(() => cluster.stop());
const [here, there] = cluster.members as readonly [Member, Member];
let names = 0;
const createUser = (on: Member) => iamCall(on.endpoint(), cluster.credentials, { Action: 'CreateUser', UserName: `user${++names}` });
const listUsers = (on: Member) => iamCall(on.endpoint(), cluster.credentials, { Action: 'ListUsers' });

/** Asks until it is answered with that status; the test's own time limit ends what never is. Resolves to the text. */
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

describe('a server that is gone', () => {
  test('belfry server list: the servers on the database are listed, the one that answers among them', async () => {
    const { stdout } = await command('list');
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 2);
    assert.match(stdout, /^\S+ {2}active {2}started \S+Z {2}identity \d+ {2}.+ {2}\(this one\)$/m);
  });

  test('a server whose lease is not renewed: it answers 503 to what it would allow, the others go on, and it comes back by itself', async () => {
    there.proxy.cut('renewals');
    assert.match(await until(503, () => listUsers(there)), /<Code>ServiceUnavailable(Exception)?<\/Code>/);
    await until(200, () => createUser(here));
    there.proxy.heal();
    assert.match(await until(200, () => listUsers(there)), new RegExp(`<UserName>user${names}</UserName>`));
  });

  test('a server that was killed: it is taken out by the withdrawal that waited for it in vain', async () => {
    const ids = new Set((await registered()).map(({ id }) => id));
    await there.kill();
    await until(200, () => createUser(here));
    while ((await registered()).length > 1);
    await there.start();
    const now = await registered();
    assert.equal(now.length, 2);
    assert.equal(now.filter(({ id }) => ids.has(id as string)).length, 1);
  });

  test('belfry server remove: a server that still runs is removed, and registers again with another ID', async () => {
    const { stdout } = await command('list');
    const other = stdout.split('\n').find((line) => line !== '' && !line.endsWith('(this one)')) as string;
    const id = other.split(' ')[0] as string;
    assert.equal((await command('remove', '--id', id)).stdout, `belfry server: removed server '${id}'\n`);
    await until(200, () => listUsers(there));
    const now = (await registered()).map((row) => row['id']);
    assert.equal(now.length, 2);
    assert.ok(!now.includes(id));
  });

  test('belfry server remove: a server that is gone is taken out, the one that answers is not, and neither is one nobody knows', async () => {
    await there.kill();
    const { stdout } = await command('list');
    const gone = stdout
      .split('\n')
      .find((line) => line !== '' && !line.endsWith('(this one)'))
      ?.split(' ')[0] as string;
    const own = stdout
      .split('\n')
      .find((line) => line.endsWith('(this one)'))
      ?.split(' ')[0] as string;
    assert.equal((await command('remove', '--id', gone)).stdout, `belfry server: removed server '${gone}'\n`);
    assert.deepEqual(
      (await registered()).map(({ id }) => id),
      [own],
    );
    await assert.rejects(command('remove', '--id', gone), /There is no server/);
    await assert.rejects(command('remove', '--id', own), /That is this server/);
    await assert.rejects(command('remove'), { code: 2 });
    const { body } = await iamCall(here.endpoint(), cluster.credentials, { Action: 'ListUsers' });
    assert.match(body, /ListUsersResult/);
  });
});
