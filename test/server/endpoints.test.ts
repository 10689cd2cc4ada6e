/** `belfry endpoint …`: endpoints that the operator configures. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { askControl, type ControlRequest } from '#server/operator/ask-control.ts';
import { listed } from '../kit/listed.ts';
import { startTestServer } from '../kit/server.ts';
import { everyEvent } from '../kit/trail.ts';

const SECRET = 'the/secret/of/the/endpoint';
const server = await startTestServer();
const BELFRY = fileURLToPath(new URL('../../bin/belfry.mjs', import.meta.url));

/** Runs a command of the operator, with the secret as its standard input. */
function run(...args: readonly string[]): Promise<readonly [status: number, output: string]> {
  return new Promise((resolve) => {
    const all = [BELFRY, ...args, '--data', server.dataFolder];
    const child = execFile(process.execPath, all, (error, stdout, stderr) =>
      resolve([error === null ? 0 : Number(error.code), `${stdout}${stderr}`.trim()]),
    );
    child.stdin?.end(`${SECRET}\n`);
  });
}
const endpoint = (...args: readonly string[]) => run('endpoint', ...args);

test('belfry endpoint: add, list and remove, and the trail has no secret', async () => {
  const key = ['--access-key-id', 'AKIDEXAMPLE'];
  assert.deepEqual(await endpoint('add', 'sqs', 'https://sqs.example', '--account', server.accountId, '--region', 'eu-west-1', ...key), [
    0,
    "belfry endpoint: the server now sends messages for 'sqs' to the endpoint",
  ]);
  assert.equal((await endpoint('add', 'push', 'http://127.0.0.1:9000/v1', '--token', '--allow-internal'))[0], 0);
  const [, list] = await endpoint('list');
  const rows = listed(list);
  assert.deepEqual(Object.keys(rows[0] ?? {}), ['SERVICE', 'ACCOUNT ID', 'REGION', 'URL', 'SECRET', 'INTERNAL ADDRESSES']);
  assert.deepEqual(rows.map(Object.values), [
    ['push', 'all', 'all', 'http://127.0.0.1:9000/v1', 'bearer token', 'allowed'],
    ['sqs', server.accountId, 'eu-west-1', 'https://sqs.example', 'AKIDEXAMPLE', '-'],
  ]);
  const rotated = await askControl(server.dataFolder, { command: 'operator-key rotate' });
  // The secrets of both endpoints and of the administrator, and the key of the trail log, which the server creates in the background.
  const resealed = (rotated.ok && rotated.operatorKey?.resealed) || 0;
  assert.ok(resealed === 3 || resealed === 4, `${resealed} secrets`);
  // Fails if a secret still has the older key.
  assert.ok((await askControl(server.dataFolder, { command: 'operator-key forget-old' })).ok);
  assert.equal((await endpoint('remove', 'sqs', '--account', server.accountId, '--region', 'eu-west-1'))[0], 0);
  const records = JSON.stringify(await everyEvent(new CloudTrailClient(server.client())));
  assert.match(records, /AddOutgoingEndpoint/);
  assert.match(records, /RemoveOutgoingEndpoint/);
  assert.equal(records.includes(SECRET), false);
});

const SIGNED = { service: 'sns', url: 'https://sns.example', allowInternal: false, accessKeyId: 'A', secret: SECRET };

// biome-ignore format: a table
const REFUSED: readonly [title: string, request: ControlRequest, message: RegExp][] = [
  ['another service',            { command: 'endpoint add', endpoint: { ...SIGNED, service: 'ses' } },                  /^'ses' cannot have an endpoint \(services: sqs, sns/],
  ['no key',                     { command: 'endpoint add', endpoint: { service: 'sns', url: 'https://sns.example', allowInternal: false } }, /needs an access key ID and a secret access key/],
  ['plain HTTP',                 { command: 'endpoint add', endpoint: { ...SIGNED, url: 'http://sns.example' } },       /must use https, unless internal addresses are allowed/],
  ['a URL with a password',      { command: 'endpoint add', endpoint: { ...SIGNED, url: 'https://a:b@sns.example' } },  /must be a URL such as/],
  ['an unknown account',         { command: 'endpoint add', endpoint: { ...SIGNED, accountId: '000000000001' } },       /account '000000000001' does not exist/],
  ['a key for push',             { command: 'endpoint add', endpoint: { ...SIGNED, service: 'push' } },                 /'push' has no access key ID/],
  ['an absent endpoint',         { command: 'endpoint remove', endpoint: { service: 'lambda' } },                       /the endpoint for 'lambda' of all accounts in all regions does not exist/],
];

for (const [title, request, message] of REFUSED) {
  test(`belfry ${request.command}: ${title} is refused`, async () => {
    const reply = await askControl(server.dataFolder, request);
    assert.deepEqual([reply.ok, message.test(reply.ok ? '' : reply.error)], [false, true], JSON.stringify(reply));
  });
}
