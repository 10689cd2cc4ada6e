/**
 * `aws cloudtrail validate-logs` on digests of Belfry: AWS CLI 2.9 of Debian, unmodified, with the data folder of `belfry aws-data-path`, and
 * AWS CLI 1.45 if it is installed.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CloudTrailClient, GetTrailStatusCommand, ListPublicKeysCommand } from '@aws-sdk/client-cloudtrail';
import { CreateOrganizationCommand, OrganizationsClient } from '@aws-sdk/client-organizations';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { AccountId } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { instant, isoSeconds } from '#core/instant.ts';
import { belfry } from '../kit/process.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { openScenario } from './digest-scenario.ts';

const CLI_2 = ['/usr/bin/aws', '/usr/local/bin/aws'].find((file) => existsSync(file)) as string;
/** Path of AWS CLI 1.45, or `undefined`. Not run where it is not installed. */
const CLI_1 = (process.env['PATH'] ?? '')
  .split(':')
  .map((folder) => join(folder, 'aws'))
  .find((file) => existsSync(file) && execFileSync(file, ['--version'], { encoding: 'utf8' }).startsWith('aws-cli/1.45.'));

const [HOME, OTHER] = ['us-east-1', 'eu-west-1'] as const;

/** Outcome of the AWS CLI. */
interface Validated {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Object with its bytes and metadata. */
interface Stored {
  readonly bucket: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly metadata: Record<string, string>;
}

function policyOf(bucket: string): string {
  const service = { Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' } };
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { ...service, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${bucket}` },
      { ...service, Action: 's3:PutObject', Resource: `arn:aws:s3:::${bucket}/*` },
    ],
  });
}

const { server, start, end } = await prepare();
const s3 = new S3Client({ ...server.client(), forcePathStyle: true });

/** Starts a server whose trails have written files for twelve hours. */
async function prepare(): Promise<{ readonly server: TestServer; readonly start: number; readonly end: number }> {
  const first = await startTestServer();
  const client = new S3Client({ ...first.client(), forcePathStyle: true });
  for (const Bucket of ['logs-one', 'logs-two', 'logs-bad', 'logs-org']) {
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(Bucket) }));
  }
  await new OrganizationsClient(first.client()).send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }));
  await first.stop();

  const scenario = await openScenario(first.dataFolder, first.accountId as AccountId);
  const valid = await scenario.trail('valid', { S3BucketName: 'logs-one', S3KeyPrefix: 'p' });
  await scenario.trail('tampered', { S3BucketName: 'logs-bad' });
  await scenario.trail('all', { S3BucketName: 'logs-org', IsOrganizationTrail: true });
  for (let hour = 1; hour <= 12; hour++) {
    if (hour === 5) await scenario.configure(valid, { S3BucketName: 'logs-two' });
    if (hour === 7) await scenario.setLogging(valid, false);
    if (hour === 10) await scenario.setLogging(valid, true);
    await scenario.hour(...(hour === 3 ? [] : [HOME, OTHER]));
  }
  assert.deepEqual(scenario.reports, []);
  const end = scenario.now();
  await scenario.close();

  const second = await startTestServer({}, first.dataFolder);
  const written = await belfry(['aws-data-path', '--endpoint', second.endpoint, '--out', join(first.dataFolder, 'aws-data')]);
  assert.deepEqual([written.status, written.stderr], [0, '']);
  return { server: { ...second, accountId: first.accountId }, start: scenario.start, end };
}

const arnOf = (name: string): string => `arn:aws:cloudtrail:${HOME}:${server.accountId}:trail/${name}`;

/** Validates the log files of a trail with a version of the AWS CLI, which calls CloudTrail at `endpoint`. */
async function validate(
  cli: string,
  trail: string,
  region: string,
  more: readonly string[] = [],
  endpoint = server.endpoint,
): Promise<Validated> {
  const times = ['--start-time', isoSeconds(instant(start - HOUR_MS)), '--end-time', isoSeconds(instant(end + HOUR_MS))];
  const args = ['cloudtrail', 'validate-logs', '--endpoint-url', endpoint, '--region', region, '--trail-arn', arnOf(trail), ...times];
  const env = {
    PATH: process.env['PATH'],
    HOME: server.dataFolder,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    ...(cli === CLI_2
      ? { AWS_DATA_PATH: join(server.dataFolder, 'aws-data') }
      : { AWS_ENDPOINT_URL_S3: server.endpoint, AWS_ENDPOINT_URL_ORGANIZATIONS: server.endpoint }),
  };
  return await new Promise((resolve) => {
    execFile(cli, [...args, ...more], { env }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function everyKey(bucket: string): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = '' }) => Key);
}

async function keysOf(bucket: string, kind: 'CloudTrail' | 'CloudTrail-Digest', region: string): Promise<readonly string[]> {
  return (await everyKey(bucket)).filter((key) => key.includes(`/${kind}/${region}/`));
}

async function read(bucket: string, key: string): Promise<Stored> {
  const { Body, Metadata = {} } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return { bucket, key, body: (await Body?.transformToByteArray()) ?? new Uint8Array(), metadata: Metadata };
}

async function remove({ bucket, key }: Pick<Stored, 'bucket' | 'key'>): Promise<void> {
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
}

async function write({ bucket, key, body, metadata }: Stored): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: body,
      Metadata: metadata,
      ContentType: 'application/json',
      ContentEncoding: 'gzip',
    }),
  );
}

/** Text of the errors that the AWS CLI writes, in the order of the files. */
const errors = (...lines: readonly string[]): string => lines.map((line) => `${line}\n\n`).join('');
const gap = /^No log files were delivered by CloudTrail between \S+Z and \S+Z\n\n$/;

/** Returns the results at the end of the output. */
const results = ({ stdout }: Validated): string => stdout.trimEnd().split('\n').slice(-2).join(' · ');

const CLIS: readonly string[] = [CLI_2, ...(CLI_1 === undefined ? [] : [CLI_1])];

test('ListPublicKeys: the keys of a region follow each other, in the form of PKCS #1 with the MD5 as fingerprint', async () => {
  const cloudtrail = new CloudTrailClient(server.client());
  const range = { StartTime: new Date(start), EndTime: new Date(end) };
  const { PublicKeyList = [], NextToken } = await cloudtrail.send(new ListPublicKeysCommand(range));
  assert.equal(NextToken, undefined);
  assert.ok(PublicKeyList.length >= 4, `${PublicKeyList.length} keys`);
  for (const [i, { Value = Buffer.of(), Fingerprint, ValidityStartTime, ValidityEndTime }] of PublicKeyList.entries()) {
    const { asymmetricKeyDetails } = createPublicKey({ key: Buffer.from(Value), format: 'der', type: 'pkcs1' });
    assert.equal(asymmetricKeyDetails?.modulusLength, 2048);
    assert.equal(Fingerprint, createHash('md5').update(Value).digest('hex'));
    assert.ok(Number(ValidityStartTime) < Number(ValidityEndTime));
    if (i > 0)
      assert.ok(Number(PublicKeyList[i - 1]?.ValidityEndTime) <= Number(ValidityStartTime), 'no two keys are valid at the same time');
  }
  const elsewhere = await new CloudTrailClient({ ...server.client(), region: 'ap-south-1' }).send(new ListPublicKeysCommand(range));
  assert.deepEqual(elsewhere.PublicKeyList, [], 'a region without digests has no keys');
  await assert.rejects(cloudtrail.send(new ListPublicKeysCommand({ StartTime: new Date(end), EndTime: new Date(start) })), {
    name: 'InvalidTimeRangeException',
  });
  await assert.rejects(cloudtrail.send(new ListPublicKeysCommand({ NextToken: 'x' })), { name: 'InvalidTokenException' });
  const { LatestDigestDeliveryTime } = await cloudtrail.send(new GetTrailStatusCommand({ Name: 'tampered' }));
  assert.ok(Number(LatestDigestDeliveryTime) > end - HOUR_MS);
});

test('validate-logs: prefix, rotated keys, an empty hour, a changed bucket and a gap are valid in two regions', async () => {
  const runs: readonly (readonly [cli: string, region: string])[] = [
    [CLI_2, HOME],
    [CLI_2, OTHER],
    ...(CLI_1 === undefined ? [] : ([[CLI_1, HOME]] as const)),
  ];
  await Promise.all(
    runs.map(async ([cli, region]) => {
      const outcome = await validate(cli, 'valid', region);
      assert.deepEqual([outcome.status, results(outcome)], [0, '9/9 digest files valid · 9/9 log files valid'], outcome.stderr);
      assert.match(outcome.stderr, gap);
    }),
  );
});

/**
 * Starts a proxy of the server that replaces the public keys in responses of ListPublicKeys, because the server itself returns no invalid
 * key. Returns its endpoint.
 */
async function startKeyProxy(value: string): Promise<string> {
  const proxy = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url, headers } = request;
    const forwarded = send(new URL(url ?? '/', server.endpoint), { method, headers }, async (answer) => {
      let body = '';
      for await (const chunk of answer.setEncoding('utf8')) body += chunk;
      const isKeys = String(headers['x-amz-target']).endsWith('.ListPublicKeys');
      const text = isKeys ? body.replaceAll(/"Value":"[^"]*"/g, `"Value":"${Buffer.from(value).toString('base64')}"`) : body;
      const { 'content-length': _, ...kept } = answer.headers;
      response.writeHead(answer.statusCode ?? 500, kept).end(text);
    });
    forwarded.end(Buffer.concat(chunks));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  after(() => proxy.close());
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

test('validate-logs: a public key that is not DER is named for each digest', async () => {
  const endpoint = await startKeyProxy('not a key');
  const digests = await Promise.all((await keysOf('logs-org', 'CloudTrail-Digest', HOME)).map((key) => read('logs-org', key)));
  const lines = digests.map(({ bucket, key, body }) => {
    const { digestPublicKeyFingerprint } = JSON.parse(gunzipSync(body).toString('utf8')) as { readonly digestPublicKeyFingerprint: string };
    return `Digest file\ts3://${bucket}/${key}\tINVALID: Unable to load PKCS #1 key with fingerprint ${digestPublicKeyFingerprint}`;
  });
  await Promise.all(
    CLIS.map(async (cli) => {
      const outcome = await validate(cli, 'all', HOME, ['--account-id', server.accountId], endpoint);
      assert.equal(outcome.stderr, errors(...lines.toReversed()));
      assert.equal(outcome.stdout.trimEnd().split('\n').at(-1), '0/11 digest files valid, 11/11 digest files INVALID');
      assert.equal(outcome.status, 1);
    }),
  );
});

test('validate-logs: a region without digests has no public keys', async () => {
  for (const cli of CLIS) {
    const { status, stderr } = await validate(cli, 'valid', 'ap-south-1');
    assert.equal(status, 255);
    assert.match(stderr, /^\s*No public keys found between \S+Z and \S+Z\s*$/);
  }
});

test('validate-logs: without objects, AWS CLI 2.9 ends with an error of its own, and 1.45 finds no digests', async () => {
  const nothing = ['--s3-bucket', 'logs-one', '--s3-prefix', 'zzz'];
  const outcome = await validate(CLI_2, 'valid', HOME, nothing);
  assert.equal(outcome.status, 255);
  assert.match(outcome.stderr, /expected string or bytes-like object, got 'NoneType'/);
  if (CLI_1 === undefined) return;
  const later = await validate(CLI_1, 'valid', HOME, nothing);
  assert.equal(later.status, 0);
  assert.match(later.stdout, /No digests found/);
});

test('validate-logs: a trail of an organization is valid, and an unknown trail is not found', async () => {
  const [outcome, unknown] = await Promise.all([
    validate(CLI_2, 'all', HOME, ['--account-id', server.accountId]),
    validate(CLI_2, 'unknown', HOME),
  ]);
  assert.deepEqual([outcome.status, outcome.stderr, results(outcome)], [0, '', '11/11 digest files valid · 11/11 log files valid']);
  assert.equal(unknown.status, 255);
  assert.match(unknown.stderr, /A trail could not be found for /);
});

test('validate-logs: each altered, deleted or moved file is named, with the words of AWS', async () => {
  const bucket = 'logs-bad';
  const digests = await Promise.all((await keysOf(bucket, 'CloudTrail-Digest', HOME)).map((key) => read(bucket, key)));
  assert.equal(digests.length, 11);
  /** Returns a digest, counted from the newest one, which is 1. */
  const nth = (n: number): Stored => digests.at(-n) ?? assert.fail('the digest exists');
  const textOf = ({ body }: Stored): string => gunzipSync(body).toString('utf8');
  const logOf = async (n: number): Promise<Stored> => {
    const { logFiles } = JSON.parse(textOf(nth(n))) as { readonly logFiles: readonly { readonly s3Object: string }[] };
    return read(bucket, logFiles[0]?.s3Object ?? assert.fail('the digest lists a log file'));
  };
  const [altered, deleted, plain, appended] = [await logOf(1), await logOf(2), await logOf(3), await logOf(4)];
  await write({ ...altered, body: gzipSync(textOf(altered).replace('"event-', '"evenT-')) });
  await remove(deleted);
  await write({ ...plain, body: Buffer.from(textOf(plain)) });
  await write({ ...appended, body: Buffer.concat([appended.body, gzipSync('{"Records":["forged"]}')]) });
  await write({ ...nth(5), body: gzipSync(textOf(nth(5)).replace('"logFiles":[', '"logFiles": [')) });
  await remove(nth(7));
  await write({ ...nth(8), metadata: {} });
  const { digestPublicKeyFingerprint } = JSON.parse(textOf(nth(9))) as { readonly digestPublicKeyFingerprint: string };
  const unknown = 'f'.repeat(32);
  await write({ ...nth(9), body: gzipSync(textOf(nth(9)).replace(digestPublicKeyFingerprint, unknown)) });
  await write({ ...nth(11), key: nth(10).key });
  await write({ ...nth(11), body: Buffer.from('no gzip') });

  const line = (kind: string, { key }: Stored, problem: string) => `${kind} file\ts3://${bucket}/${key}\tINVALID: ${problem}`;
  const expected = errors(
    line('Log', altered, "hash value doesn't match"),
    line('Log', deleted, 'not found'),
    line('Log', plain, 'invalid format'),
    line('Digest', nth(5), 'signature verification failed'),
    line('Digest', nth(7), 'not found'),
    line('Digest', nth(8), 'signature verification failed'),
    line('Digest', nth(9), `public key not found in region ${HOME} for fingerprint ${unknown}`),
    line('Digest', nth(10), 'has been moved from its original location'),
    line('Digest', nth(11), 'invalid format'),
  );
  await Promise.all(
    CLIS.map(async (cli) => {
      const outcome = await validate(cli, 'tampered', HOME);
      assert.equal(outcome.stderr, expected);
      assert.equal(results(outcome), '5/11 digest files valid, 6/11 digest files INVALID · 2/5 log files valid, 3/5 log files INVALID');
      assert.equal(outcome.status, 1);
    }),
  );
});

test('verify-files: finds appended data and a deleted newest digest, which validate-logs does not', async () => {
  const bucket = 'logs-two';
  const folder = join(server.dataFolder, 'downloaded');
  /** Downloads the bucket and verifies the files. */
  const verify = async (more: readonly string[]) => {
    for (const Key of await everyKey(bucket)) {
      mkdirSync(dirname(join(folder, Key)), { recursive: true });
      writeFileSync(join(folder, Key), (await read(bucket, Key)).body);
    }
    return await belfry(['trail', 'verify-files', '--folder', folder, ...more]);
  };
  const inDatabase = ['--data', server.dataFolder];
  const intact = await verify(inDatabase);
  assert.deepEqual([intact.status, intact.stderr], [0, ''], intact.stdout);
  assert.match(intact.stdout, /the files are intact/);

  const [log, digest] = [
    (await keysOf(bucket, 'CloudTrail', OTHER)).at(-1) ?? '',
    (await keysOf(bucket, 'CloudTrail-Digest', HOME)).at(-1) ?? '',
  ];
  const original = await read(bucket, log);
  await write({ ...original, body: Buffer.concat([original.body, gzipSync('{"Records":["forged"]}')]) });
  await remove({ bucket, key: digest });
  rmSync(folder, { recursive: true });
  const outcome = await verify(inDatabase);
  assert.equal(outcome.status, 1);
  assert.match(outcome.stderr, new RegExp(`'${log}' has \\d+ bytes after the end of the gzip data\n`));
  assert.match(outcome.stderr, new RegExp(`'${digest}' not found: it is the newest digest of its chain\n`));
  const [home, other] = await Promise.all([validate(CLI_2, 'valid', HOME), validate(CLI_2, 'valid', OTHER)]);
  assert.deepEqual([home.status, results(home)], [0, '8/8 digest files valid · 8/8 log files valid']);
  assert.deepEqual([other.status, results(other)], [0, '9/9 digest files valid · 9/9 log files valid']);
});
