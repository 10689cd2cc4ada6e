/** Delivery of log files by a running server: targets of the operator, and trails of AWS's client. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  CloudTrailClient,
  CreateTrailCommand,
  DeleteTrailCommand,
  DescribeTrailsCommand,
  GetTrailStatusCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
  UpdateTrailCommand,
} from '@aws-sdk/client-cloudtrail';
import { trailCommand } from '#cli/trail.ts';
import { newFolder } from '../kit/folder.ts';
import { listed } from '../kit/listed.ts';
import { startTestServer } from '../kit/server.ts';
import { recordsOf } from '../kit/trail.ts';
import { until } from '../kit/until.ts';

const THIS_FILE = new URL(import.meta.url).pathname;
const SECRET = 'the/secret/of/the/service';
const root = newFolder('delivery');
const folder = join(root, 'logs');
mkdirSync(folder);
const keyFile = join(root, 'key');
writeFileSync(keyFile, `AKIDEXAMPLE\n${SECRET}\n`);

/** Objects that the S3-compatible service received, by path. */
const received = new Map<string, Buffer>();
const service = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  received.set(request.url?.split('?')[0] ?? '', Buffer.concat(chunks));
  response.end();
});
await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
after(() => {
  service.closeAllConnections();
  service.close();
});
const endpoint = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;

const server = await startTestServer({ BELFRY_TRAIL_DELIVERY_SECONDS: '1' });
const cloudtrail = new CloudTrailClient(server.client());
/** Runs the command in this process, which is faster than a process of its own. */
const run = async (...args: string[]): Promise<readonly [status: number, output: string]> => {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const printed = [mock.method(console, 'log', print), mock.method(console, 'error', print)];
  try {
    return [await trailCommand(['target', ...args, '--data', server.dataFolder]), lines.join('\n')];
  } finally {
    for (const { mock: method } of printed) method.restore();
  }
};

interface LogRecord {
  readonly eventName: string;
  readonly eventID: string;
  readonly requestParameters: Readonly<Record<string, string>> | null;
}
const eventsOf = (bodies: readonly Buffer[]): readonly LogRecord[] =>
  bodies.flatMap((body) => (JSON.parse(gunzipSync(body).toString('utf8')) as { readonly Records: readonly LogRecord[] }).Records);
/** Returns the records of a folder in the order of delivery. Names of files from the same minute have a random order. */
const inFolder = (path = folder) =>
  eventsOf(
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.name.endsWith('.json.gz'))
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
      .map((file) => readFileSync(file)),
  );

// biome-ignore format: a table
const REFUSED: readonly [args: readonly string[], status: number, message: RegExp][] = [
  [['add', 'UPPER', '--folder', folder],                                     1, /'UPPER' is not the name of a bucket/],
  [['add', 'logs', '--folder', join(root, 'gone')],                          2, /it must be a folder that exists/],
  [['add', 'logs', '--folder', join(server.dataFolder, 'control')],          2, /it must be separate from the data folder/],
  [['add', 'logs', '--folder', '/'],                                         2, /it must be separate from the data folder/],
  [['add', 'logs', '--folder', folder, '--allow-internal'],                  2, /--allow-internal does not apply to a folder/],
  [['add', 'logs', '--folder', folder, '--account-id', '111111111111'],      1, /account '111111111111' does not exist/],
  [['add', 'logs', '--endpoint', endpoint, '--region', 'us-east-1', '--access-key-file', keyFile], 1, /must use https, unless internal/],
  [['add', 'logs', '--endpoint', 'https://a:b@s3.example', '--region', 'us-east-1', '--access-key-file', keyFile], 1, /must be a URL such as/],
  [['add', 'logs', '--endpoint', 'https://s3.example', '--region', 'us-east-1'], 2, /missing --access-key-file/],
  [['add', 'logs', '--endpoint', 'https://s3.example', '--region', 'us-east-1', '--access-key-file', THIS_FILE], 2, /must name a file with two lines/],
  [['add'],                                                                  2, /missing NAME/],
  [['remove', 'logs'],                                                       1, /target 'logs' does not exist/],
  [['change'],                                                               2, /must be 'add NAME', 'list' or 'remove NAME'/],
];

for (const [args, status, message] of REFUSED) {
  test(`belfry trail target ${args.slice(0, 3).join(' ')}: is refused, ${message.source}`, async () => {
    const [code, output] = await run(...args);
    assert.deepEqual([code, message.test(output)], [status, true], output);
  });
}

test('LOG-9: a trail delivers to a folder from StartLogging to StopLogging, which is its last record', async () => {
  assert.deepEqual(await run('add', 'folder-logs', '--folder', folder), [
    0,
    "belfry trail: trails that name the bucket 'folder-logs' now deliver to the target",
  ]);
  const Name = 'audit';
  await cloudtrail.send(new CreateTrailCommand({ Name, S3BucketName: 'folder-logs' }));
  await cloudtrail.send(new StartLoggingCommand({ Name }));
  await cloudtrail.send(new GetTrailStatusCommand({ Name }));
  await cloudtrail.send(new StopLoggingCommand({ Name }));
  await cloudtrail.send(new GetTrailStatusCommand({ Name }));
  await until(
    async () => inFolder().some(({ eventName }) => eventName === 'StopLogging'),
    () => 'the folder gets the record of StopLogging',
  );
  const events = inFolder();
  assert.deepEqual(
    events.map(({ eventName }) => eventName),
    ['StartLogging', 'GetTrailStatus', 'StopLogging'],
  );
  const [looked] = await recordsOf(cloudtrail, 'StopLogging');
  assert.deepEqual(events.at(-1), looked);
  const status = await cloudtrail.send(new GetTrailStatusCommand({ Name }));
  assert.deepEqual([status.IsLogging, status.LatestDeliveryError], [false, undefined]);
  assert.ok(status.LatestDeliveryTime instanceof Date);
});

test('LOG-9: UpdateTrail, PutEventSelectors and DeleteTrail of a logging trail apply only to the records after them', async () => {
  const folders = ['former', 'present'].map((name) => join(root, name));
  const [former, present] = folders as [string, string];
  for (const path of folders) {
    mkdirSync(path);
    assert.equal((await run('add', `${path.split('/').at(-1)}-logs`, '--folder', path))[0], 0);
  }
  const Name = 'changed';
  await cloudtrail.send(new CreateTrailCommand({ Name, S3BucketName: 'former-logs' }));
  await cloudtrail.send(new StartLoggingCommand({ Name }));
  await cloudtrail.send(new DescribeTrailsCommand({}));
  await cloudtrail.send(new PutEventSelectorsCommand({ TrailName: Name, EventSelectors: [{ ReadWriteType: 'WriteOnly' }] }));
  await cloudtrail.send(new UpdateTrailCommand({ Name, S3BucketName: 'present-logs' }));
  await cloudtrail.send(new PutEventSelectorsCommand({ TrailName: Name, EventSelectors: [{ ReadWriteType: 'ReadOnly' }] }));
  await cloudtrail.send(new DescribeTrailsCommand({}));
  await cloudtrail.send(new DeleteTrailCommand({ Name }));
  const namesIn = (path: string) => new Set(inFolder(path).map(({ eventName }) => eventName));
  await until(
    async () => namesIn(former).size === 4 && namesIn(present).size === 2,
    () => `both folders get their records: ${[...namesIn(former)]} and ${[...namesIn(present)]}`,
  );
  assert.deepEqual(namesIn(former), new Set(['StartLogging', 'DescribeTrails', 'PutEventSelectors', 'UpdateTrail']));
  assert.deepEqual(namesIn(present), new Set(['PutEventSelectors', 'DescribeTrails']));
  const [update] = await recordsOf(cloudtrail, 'UpdateTrail');
  assert.deepEqual(
    inFolder(former).filter(({ eventName }) => eventName === 'UpdateTrail'),
    [update],
  );
});

test('a trail delivers to an S3-compatible service, and the secret is nowhere in the trail, the list or the data folder', async () => {
  const added = await run(
    ...['add', 'service-logs', '--endpoint', endpoint, '--region', 'eu-west-1', '--access-key-file', keyFile, '--allow-internal'],
  );
  assert.equal(added[0], 0, added[1]);
  const Name = 'remote';
  await cloudtrail.send(new CreateTrailCommand({ Name, S3BucketName: 'service-logs', S3KeyPrefix: 'p' }));
  await cloudtrail.send(new StartLoggingCommand({ Name }));
  await until(
    async () => received.size > 0,
    () => 'the service receives a log file',
  );
  const [[path, body] = assert.fail('a file')] = [...received];
  assert.match(path, new RegExp(`^/service-logs/p/AWSLogs/${server.accountId}/CloudTrail/us-east-1/\\d{4}/\\d\\d/\\d\\d/.*\\.json\\.gz$`));
  assert.ok(eventsOf([body]).length > 0);
  const [status, list] = await run('list');
  assert.equal(status, 0);
  assert.deepEqual(listed(list).map(Object.values), [
    ['folder-logs', 'all', folder, '-', '-', '-'],
    ['former-logs', 'all', join(root, 'former'), '-', '-', '-'],
    ['present-logs', 'all', join(root, 'present'), '-', '-', '-'],
    ['service-logs', 'all', endpoint, 'eu-west-1', 'AKIDEXAMPLE', 'allowed'],
  ]);
  const [change] = await recordsOf(cloudtrail, 'AddTrailTarget');
  assert.equal(change.serviceEventDetails.bucket, 'service-logs');
  assert.ok(!JSON.stringify(change).includes(SECRET));
  for (const file of readdirSync(server.dataFolder).filter((name) => name.includes('.db')))
    assert.ok(!readFileSync(join(server.dataFolder, file)).includes(SECRET), file);
  assert.deepEqual(await run('remove', 'service-logs'), [0, "belfry trail: removed the target 'service-logs'"]);
  await until(
    async () => (await cloudtrail.send(new GetTrailStatusCommand({ Name }))).LatestDeliveryError === 'NoSuchBucket',
    () => 'the status has the error of the removed target',
  );
});
