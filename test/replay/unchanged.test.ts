/** The replay that each stopped test server runs finds flips, and decisions that cannot be repeated. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { accountOn } from '../kit/account.ts';
import { startTestCore } from '../kit/core.ts';
import { listenForCore } from '../kit/core-listener.ts';
import { keysOf } from '../kit/keys.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { assertNothingFlips } from '../kit/replay.ts';
import type { TestServer } from '../kit/server.ts';

const core = await startTestCore();
const { credentials, accountId } = core;
const endpoint = await listenForCore(core);
const client = (keys = credentials) => ({ endpoint, region: 'us-east-1', credentials: keys, maxAttempts: 1 });
const account = accountOn({ client, accountId, credentials } as unknown as TestServer);
const ada = await account.user('ada', allow('iam:GetUser'));
const bob = await account.user('bob');
const replay = () => core.store.transaction(({ sql }) => assertNothingFlips(sql));
/** Replaces a string in the stored details of all users. */
const replaceInUsers = (from: string, to: string) =>
  core.store.transaction(({ sql }) =>
    sql.run("UPDATE identity_details SET details = replace(details, $1, $2) WHERE kind = 'user'", [from, to]),
  );

test('assertNothingFlips: counts the repeated decisions', async () => {
  const outcomes = [ada, bob].map((keys) => outcomeOf(new IAMClient(client(keys)).send(new GetUserCommand({}))));
  assert.deepEqual(await Promise.all(outcomes), ['allowed', 'AccessDenied']);
  const { decided, flipped } = await replay();
  assert.ok(decided > 6, `${decided} decisions`);
  assert.equal(flipped, 0);
});

test('assertNothingFlips: fails if a stored policy decides otherwise than it did', async () => {
  await replaceInUsers('Allow', 'Deny');
  await assert.rejects(replay(), /GetUser of arn:aws:iam::[0-9]{12}:user\/ada .*now Deny/);
  await replaceInUsers('Deny', 'Allow');
  await replay();
});

test('assertNothingFlips: fails if a decision cannot be repeated for an undocumented reason', async () => {
  const session = keysOf((await account.sts(ada).send(new GetSessionTokenCommand({}))).Credentials);
  assert.equal(await outcomeOf(new IAMClient(client(session)).send(new GetUserCommand({}))), 'InvalidClientTokenId');
  await replay();
  const rename = (statement: string) => core.store.transaction(({ sql }) => sql.run(statement));
  await rename("UPDATE trail_session SET id = 'x' || id");
  await assert.rejects(replay(), /documented reason[\s\S]*the session of the caller is not stored/);
  await rename('UPDATE trail_session SET id = substr(id, 2)');
  await replay();
});
