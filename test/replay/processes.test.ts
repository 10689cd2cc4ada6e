/** Replay of the decisions of server processes: once for each database, after its last process, also if the process was killed. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, test } from 'node:test';
import { GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { accountOn } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { type ServerProcess, startServerProcess } from '../kit/process.ts';
import { replayBeforeDeletion, replayEnded, replayedAtEnd } from '../kit/replay.ts';
import type { TestServer } from '../kit/server.ts';

const counts = join(newFolder('replays'), 'counts');
beforeEach(() => {
  writeFileSync(counts, '');
  process.env['TEST_REPLAYS'] = counts;
});

/** Returns the number of repeated decisions of each replay of this test. */
const decided = (): readonly number[] =>
  readFileSync(counts, 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { readonly decided: number }).decided]));

/** Creates the user `ada`, and lets her read herself. These calls are four decisions. */
async function useServer(server: ServerProcess): Promise<void> {
  const client = (credentials = server.credentials) => ({ endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  const account = accountOn({ ...server, client } as unknown as TestServer);
  const ada = await account.user('ada', allow('iam:GetUser'));
  assert.equal(await outcomeOf(new IAMClient(client(ada)).send(new GetUserCommand({}))), 'allowed');
}

async function readAda({ endpoint, credentials }: ServerProcess): Promise<void> {
  const client = new IAMClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  await client.send(new GetUserCommand({ UserName: 'ada' }));
}

async function kill({ pid, stop }: ServerProcess): Promise<void> {
  process.kill(pid, 'SIGKILL');
  assert.equal(await stop(), null);
}

test('replayEnded: a database whose last server was killed is replayed from its log', async () => {
  const server = await startServerProcess();
  await useServer(server);
  await kill(server);
  assert.ok(statSync(join(server.dataFolder, 'belfry.db-wal')).size > 0);
  await replayEnded();
  assert.deepEqual(decided(), [4]);
});

test('replayEnded: a data folder that two server processes used is replayed once', async () => {
  const first = await startServerProcess();
  await useServer(first);
  await kill(first);
  const second = await startServerProcess({}, first.dataFolder);
  await readAda(second);
  await replayEnded();
  assert.deepEqual(decided(), [], 'a server still runs on the database');
  assert.equal(await second.stop(), 0);
  await replayEnded();
  await replayEnded();
  assert.deepEqual(decided(), [5]);
});

test('replayBeforeDeletion: a database is replayed while its server runs, and not again after its end', async () => {
  const server = await startServerProcess();
  await useServer(server);
  await replayBeforeDeletion(`file:${server.dataFolder}`);
  assert.deepEqual(decided(), [4]);
  assert.equal(await server.stop(), 0);
  await replayEnded();
  assert.deepEqual(decided(), [4]);
});

test('replayEnded: fails if a stored policy decides otherwise than it did', async () => {
  const server = await startServerProcess();
  await useServer(server);
  assert.equal(await server.stop(), 0);
  const database = new DatabaseSync(join(server.dataFolder, 'belfry.db'));
  const replace = database.prepare("UPDATE identity_details SET details = replace(details, ?, ?) WHERE kind = 'user'");
  replace.run('Allow', 'Deny');
  await assert.rejects(replayEnded(), /GetUser of arn:aws:iam::[0-9]{12}:user\/ada .*now Deny/);
  replace.run('Deny', 'Allow');
  database.close();
  replayedAtEnd(`file:${server.dataFolder}`)();
  await replayEnded();
  assert.deepEqual(decided(), [4, 4]);
});
