import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { newFolder } from '../kit/folder.ts';
import { startServerProcess } from '../kit/process.ts';
import { bytesOf, exchange, type Plain, type Reply, signedHeaders } from '../kit/raw.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { everyEvent, readUnproven } from '../kit/trail.ts';
import { until } from '../kit/until.ts';
import { browser } from '../sign-in/browser.ts';

/** Trail records of requests. A record is unproven if the caller is not authenticated. Decision 0015 limits unproven records. */

const PER_MINUTE = 20;
const server = await startTestServer({ BELFRY_BODY_MAX_BYTES: '65536' });
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const form = (body: string | Buffer, headers: Readonly<Record<string, string>> = FORM): Plain => ({
  method: 'POST',
  target: '/',
  headers,
  body,
});
const rest = (target: string, headers: Readonly<Record<string, string>> = {}, body = ''): Plain => ({
  method: 'POST',
  target,
  headers,
  body,
});

const send = (plain: Plain, to: Pick<TestServer, 'endpoint'> = server): Promise<Reply> =>
  exchange(to.endpoint, bytesOf(plain, { host: new URL(to.endpoint).host, ...plain.headers }));

const sendSigned = (plain: Plain, signingName: string, credentials = server.credentials, region = 'us-east-1'): Promise<Reply> =>
  exchange(server.endpoint, bytesOf(plain, signedHeaders(server.endpoint, plain, { credentials, signingName, region })));

const history = async (): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await everyEvent(new CloudTrailClient(server.client()))).map(({ document }) => document as unknown as Record<string, unknown>);

interface Recorded extends Readonly<Record<string, unknown>> {
  readonly userIdentity: Readonly<Record<string, unknown>>;
}

async function recordOf(reply: Reply): Promise<Recorded> {
  const requestId = reply.headers['x-amzn-requestid'];
  const named = (await history()).find(({ requestID }) => requestID === requestId);
  const record = named ?? (await readUnproven(server.dataFolder)).find(({ requestID }) => requestID === requestId);
  assert.ok(record, `no record of ${requestId}`);
  return record as Recorded;
}

const JSON_TARGET = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-target': 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.Frobnicate',
};
const GZIP = { ...FORM, 'content-encoding': 'gzip' };

// biome-ignore format: a table
const REFUSED: readonly [title: string, plain: Plain, signingName: string, eventSource: string, eventName: string, errorCode: string][] = [
  ['an unknown action',      form('Action=Frobnicate&Version=2010-05-08'),            'iam',        'iam.amazonaws.com',        'Frobnicate',       'InvalidAction'],
  ['another version',        form('Action=CreateUser&Version=2000-01-01'),            'iam',        'iam.amazonaws.com',        'CreateUser',       'InvalidAction'],
  ['no action',              form('Version=2010-05-08'),                              'iam',        'iam.amazonaws.com',        'UnknownOperation', 'MissingAction'],
  ['an Action of spaces',    form('Action=%20a%20&Version=2010-05-08'),               'iam',        'iam.amazonaws.com',        'UnknownOperation', 'InvalidAction'],
  ['an unknown target',      form('{}', JSON_TARGET),                                 'cloudtrail', 'cloudtrail.amazonaws.com', 'Frobnicate',       'UnknownOperationException'],
  ['an unknown route',       rest('/frobnicate'),                                     'chime',      'chime.amazonaws.com',      'UnknownOperation', 'UnknownOperationException'],
  ['an unknown service',     rest('/_frobnicate/x'),                                  'chime',      'belfry.server',            'UnknownOperation', 'UnrecognizedServiceException'],
  ['another encoding',       rest('/meetings', { 'content-encoding': 'br' }, 'x'),    'chime',      'chime.amazonaws.com',      'CreateMeeting',    'UnsupportedMediaTypeException'],
  ['invalid gzip',           rest('/meetings', { 'content-encoding': 'gzip' }, 'x'),  'chime',      'chime.amazonaws.com',      'CreateMeeting',    'SerializationException'],
  ['a form declared as gzip', form('Action=ListUsers&Version=2010-05-08', GZIP),       'iam',        'iam.amazonaws.com',        'UnknownOperation', 'MissingAction'],
];

for (const [title, plain, signingName, eventSource, eventName, errorCode] of REFUSED) {
  test(`LOG-1: a signed request with ${title} has a record that names the caller`, async () => {
    const record = await recordOf(await sendSigned(plain, signingName));
    assert.deepEqual(
      [record['eventSource'], record['eventName'], record['errorCode'], record['recipientAccountId']],
      [eventSource, eventName, errorCode, server.accountId],
    );
    assert.equal(record.userIdentity['userName'], 'admin');
  });

  test(`LOG-1: an unsigned request with ${title} has a record that names no account`, async () => {
    const record = await recordOf(await send(plain));
    assert.deepEqual([record['recipientAccountId'], record.userIdentity['type']], ['000000000000', 'Unknown']);
  });
}

test('LOG-1: a body over the limit has a record', async () => {
  const reply = await sendSigned(rest('/meetings', {}, 'x'.repeat(70_000)), 'chime');
  const record = await recordOf(reply);
  assert.deepEqual([record['eventName'], record['errorCode']], ['CreateMeeting', 'RequestEntityTooLargeException']);
});

test('LOG-1: a signed request for an unknown region has a record that names the caller, for every service', async () => {
  for (const [signingName, plain] of [
    ['iam', form('Action=ListUsers&Version=2010-05-08')],
    ['organizations', form('{}', { ...JSON_TARGET, 'x-amz-target': 'AWSOrganizationsV20161128.DescribeOrganization' })],
    ['sts', form('Action=GetCallerIdentity&Version=2011-06-15')],
  ] as const) {
    const reply = await sendSigned(plain, signingName, server.credentials, 'nowhere-1');
    assert.match(reply.body.toString(), /Credential should be scoped to a valid region, not (?:'|&apos;|&#39;)nowhere-1/);
    const record = await recordOf(reply);
    assert.deepEqual(
      [record['recipientAccountId'], record['awsRegion'], record.userIdentity['userName']],
      [server.accountId, 'us-east-1', 'admin'],
    );
  }
});

/** Returns a request of a few hundred bytes. Without a limit on the size of records, its record would be large. */
function amplified(entries = 1_000): Plain {
  const arns = Array.from(
    { length: entries },
    (_, i) => `&PolicyArns.member.${i + 1}.arn=arn:aws:iam::aws:policy/AmazonChimeSDKPolicyOfSomeName`,
  );
  const head = 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/Host&RoleSessionName=session';
  return form(gzipSync(`${head}&WebIdentityToken=not-a-token${arns.join('')}`), GZIP);
}

test('Unproven records: request parameters over 1 KB are replaced by their size', async () => {
  const record = await recordOf(await send(amplified()));
  const { originalSize, ...parameters } = record['requestParameters'] as Record<string, unknown>;
  assert.deepEqual(parameters, { reason: 'requestParameters too large', omitted: true });
  assert.ok((originalSize as number) > 50_000);
  assert.equal(record['errorCode'], 'InvalidIdentityToken');
});

test('Unproven records: a record has at most 6 KB, whatever the request', async () => {
  const long = '"'.repeat(8_000);
  const replies = await Promise.all([
    send({ ...amplified(), headers: { ...GZIP, 'user-agent': long } }),
    send(form(`Action=${'A'.repeat(4_000)}&Version=${long}`, { ...FORM, 'user-agent': long })),
    send({ method: 'GET', target: '/meetings/x', headers: { 'user-agent': long, host: `${'h'.repeat(4_000)}` } }),
    send({ method: 'GET', target: '/meetings/x', headers: { authorization: `AWS4-HMAC-SHA256 Credential=${long}` } }),
  ]);
  for (const reply of replies) {
    const size = JSON.stringify(await recordOf(reply)).length;
    assert.ok(size > 100 && size <= 6_144, `${size} bytes`);
  }
});

test('Unproven records: the event history of the first account does not contain unproven records', async () => {
  const reply = await send({ method: 'GET', target: '/meetings/x' });
  assert.ok(await recordOf(reply));
  assert.ok((await history()).every(({ requestID }) => requestID !== reply.headers['x-amzn-requestid']));
});

// biome-ignore format: a table
const SIGN_INS: readonly [title: string, post: (from: ReturnType<typeof browser>) => Promise<{ status: number }>, status: number, eventName: string][] = [
  ['an unknown name',        (from) => from.post('/_belfry/sign-in', { account: server.accountId, userName: 'eve', password: 'x' }), 401, 'ConsoleLogin'],
  ['an unknown account',     (from) => from.post('/_belfry/sign-in', { account: '999999999999', userName: 'eve', password: 'x' }), 401, 'ConsoleLogin'],
  ['a malformed body',       (from) => from.post('/_belfry/sign-in', '{', { 'content-type': 'application/json' }), 400, 'ConsoleLogin'],
  ['no assertion',           (from) => from.post('/saml', 'RelayState=x'), 400, 'ConsoleLogin'],
  ['no session',             (from) => from.post('/federation', 'Action=getSigninToken'), 400, 'GetSigninToken'],
];

for (const [title, post, status, eventName] of SIGN_INS) {
  test(`LOG-1: a sign-in with ${title} is ${status} and has a record`, async () => {
    const failures = async () =>
      [...(await history()), ...(await readUnproven(server.dataFolder))].filter(
        (record) => record['eventName'] === eventName && record['eventType'] === 'AwsConsoleSignIn',
      ).length;
    const before = await failures();
    assert.equal((await post(browser(server.endpoint))).status, status);
    assert.equal(await failures(), before + 1);
  });
}

interface Summary {
  readonly omittedRequests: number;
  readonly sources: readonly { readonly source: string; readonly requests: number }[];
}

const omittedIn = (found: readonly Summary[]): number => found.reduce((sum, { omittedRequests }) => sum + omittedRequests, 0);

const summaries = (records: readonly Readonly<Record<string, unknown>>[]): readonly Summary[] =>
  records.filter(({ eventName }) => eventName === 'OmitUnprovenRequests').map(({ serviceEventDetails }) => serviceEventDetails as Summary);

test('Unproven records: a flood has 20 records and summaries, and all authenticated requests have records', async () => {
  const flooded = await startTestServer({ BELFRY_UNPROVEN_RECORDS: String(PER_MINUTE) });
  const wrong = { ...flooded.credentials, secretAccessKey: 'x'.repeat(40) };
  const plain = form('Action=GetCallerIdentity&Version=2011-06-15');
  const signed = (credentials: typeof wrong) =>
    exchange(flooded.endpoint, bytesOf(plain, signedHeaders(flooded.endpoint, plain, { credentials, signingName: 'sts' })));
  const times = (count: number, request: () => Promise<unknown>) => Promise.all(Array.from({ length: count }, request));
  await times(50, () => send({ method: 'GET', target: '/meetings/x' }, flooded));
  await times(10, () => signed(wrong));
  await times(50, () => signed(flooded.credentials));
  const trail = new CloudTrailClient(flooded.client());
  const mine = await everyEvent(trail);
  assert.equal(mine.filter(({ eventName, errorCode }) => eventName === 'GetCallerIdentity' && errorCode === undefined).length, 50);

  // The source has reached its limit of records. So the server only counts the requests with wrong signatures. The
  // summary with this number is in the history of the account that owns the access key. The first summary has the requests of one second. If
  // they take longer, the next summary follows after a minute.
  const counted = async () => summaries((await everyEvent(trail)).map(({ document }) => document as unknown as Record<string, unknown>));
  let ofAccount: readonly Summary[] = [];
  await until(
    async () => omittedIn((ofAccount = await counted())) >= 10,
    () => JSON.stringify(ofAccount),
  );
  assert.equal(omittedIn(ofAccount), 10);
  for (const { omittedRequests, sources } of ofAccount) assert.deepEqual(sources, [{ source: '127.0.0.1', requests: omittedRequests }]);
  let unproven: Awaited<ReturnType<typeof readUnproven>> = [];
  await until(
    async () => omittedIn(summaries((unproven = await readUnproven(flooded.dataFolder)))) >= 30,
    () => JSON.stringify(summaries(unproven)),
  );
  assert.equal(omittedIn(summaries(unproven)), 30);
  assert.equal(unproven.filter(({ eventName }) => eventName === 'GetMeeting').length, PER_MINUTE);
});

test('Unproven records: before it stops, a server records the number of omitted requests', async () => {
  const dataFolder = newFolder('flood');
  const first = await startServerProcess({ BELFRY_UNPROVEN_RECORDS: String(PER_MINUTE) }, dataFolder);
  await Promise.all(Array.from({ length: 60 }, () => send({ method: 'GET', target: '/meetings/x' }, first)));
  assert.equal(await first.stop(), 0);
  const second = await startServerProcess({}, dataFolder);
  const unproven = await readUnproven(dataFolder);
  await second.stop();
  const own = unproven.filter(({ eventName }) => eventName === 'GetMeeting').length;
  assert.deepEqual([own, omittedIn(summaries(unproven))], [PER_MINUTE, 40]);
});
