import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  ChimeSDKMeetingsClient,
  CreateAttendeeCommand,
  CreateMeetingCommand,
  ListAttendeesCommand,
} from '@aws-sdk/client-chime-sdk-meetings';
import { GetAccountAuthorizationDetailsCommand, IAMClient, ListAccessKeysCommand } from '@aws-sdk/client-iam';
import { startServerProcess } from '../kit/process.ts';
import { bytesOf, connect, errorCodeOf, exchange, type Plain, signedHeaders } from '../kit/raw.ts';

/** Invalid input: the response is AWS's error, the state does not change, the server continues, and its memory is bounded. */

const server = await startServerProcess({ BELFRY_BODY_MAX_BYTES: '65536', BELFRY_LOOKUPS_PER_SECOND: '0' });
const { host } = new URL(server.endpoint);
const sdk = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials, maxAttempts: 1 };
const MIB = 1024 * 1024;
let MeetingId = '';

before(async () => {
  const meetings = new ChimeSDKMeetingsClient(sdk);
  const { Meeting } = await meetings.send(
    new CreateMeetingCommand({ ClientRequestToken: 'tt', ExternalMeetingId: 'kept', MediaRegion: 'us-east-1' }),
  );
  MeetingId = Meeting?.MeetingId as string;
  await meetings.send(new CreateAttendeeCommand({ MeetingId, ExternalUserId: 'anna' }));
});

/** Returns the stored state, as read through the API. */
async function state(): Promise<string> {
  const iam = new IAMClient(sdk);
  const [details, keys, attendees] = await Promise.all([
    iam.send(new GetAccountAuthorizationDetailsCommand({ Filter: ['User', 'Role', 'Group', 'LocalManagedPolicy'] })),
    iam.send(new ListAccessKeysCommand({})),
    new ChimeSDKMeetingsClient(sdk).send(new ListAttendeesCommand({ MeetingId })),
  ]);
  const { $metadata: _1, ...identities } = details;
  return JSON.stringify([identities, keys.AccessKeyMetadata, attendees.Attendees]);
}

function signed(signingName: string, plain: Plain): Buffer {
  return bytesOf(plain, signedHeaders(server.endpoint, plain, { credentials: server.credentials, signingName }));
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const form = (body: string | Buffer, headers: Record<string, string> = FORM) =>
  signed('iam', { method: 'POST', target: '/', headers, body });
const makeUser = (more = '') => form(`Action=CreateUser&Version=2010-05-08${more}`);
const makeMeeting = (body: string | Buffer, headers: Record<string, string> = {}) =>
  signed('chime', { method: 'POST', target: '/meetings', headers: { 'content-type': 'application/json', ...headers }, body });
const trail = (body: string | Buffer, operation = 'LookupEvents') =>
  signed('cloudtrail', {
    method: 'POST',
    target: '/',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.${operation}`,
    },
    body,
  });
const metrics = (body: Buffer, operation = 'PutMetricData', headers: Record<string, string> = {}) =>
  signed('monitoring', {
    method: 'POST',
    target: `/service/GraniteServiceVersion20100801/operation/${operation}`,
    headers: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor', ...headers },
    body,
  });
const rest = (method: string, target: string) => signed('chime', { method, target });
const attendees = (body: string) =>
  signed('chime', { method: 'POST', target: `/meetings/${MeetingId}/attendees`, headers: { 'content-type': 'application/json' }, body });

const meetingOf = (members: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ ClientRequestToken: 'xx', ExternalMeetingId: 'xx', MediaRegion: 'us-east-1', ...members });
const plainly = (head: string, body = '') => Buffer.from(`${head.replaceAll('\n', '\r\n')}\r\n\r\n${body}`, 'latin1');
const chunked = (size: number) =>
  Buffer.concat([
    Buffer.from(`POST /meetings HTTP/1.1\r\nhost: ${host}\r\ntransfer-encoding: chunked\r\n\r\n${size.toString(16)}\r\n`),
    Buffer.alloc(size, 'x'),
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
const bomb = gzipSync(Buffer.alloc(40 * MIB, 'a'));

type Refused = readonly [what: string, code: string, status: number, bytes: () => Buffer, after: 'lives' | 'ends'];

// biome-ignore format: a table
const REFUSED: readonly Refused[] = [
  // input                                                   code                              status  bytes                                                                                        connection
  ['a malformed Authorization',                              'IncompleteSignature',             400, () => bytesOf({ method: 'POST', target: '/', body: 'Action=CreateUser&UserName=eve&Version=2010-05-08' }, { host, ...FORM, authorization: 'AWS4-HMAC-SHA256 x' }), 'lives'],
  ['a body over the limit, declared (query)',                'RequestEntityTooLarge',           413, () => makeUser(`&UserName=${'x'.repeat(70_000)}`),                                           'lives'],
  ['a body over the limit, declared (REST)',                 'RequestEntityTooLargeException',  413, () => makeMeeting(meetingOf({ x: 'x'.repeat(70_000) })),                                     'lives'],
  ['a body over the limit, declared (JSON)',                 'RequestEntityTooLargeException',  413, () => trail('x'.repeat(70_000)),                                                             'lives'],
  ['a body over the limit, declared (CBOR)',                 'RequestEntityTooLargeException',  413, () => metrics(Buffer.alloc(70_000)),                                                         'lives'],
  ['a body over the limit, in chunks',                       'RequestEntityTooLargeException',  413, () => chunked(100_000),                                                                      'lives'],
  ['a body far over the limit, in chunks',                   'RequestEntityTooLargeException',  413, () => chunked(MIB),                                                                          'ends'],
  ['a body that ends in the middle of its JSON',             'SerializationException',          400, () => makeMeeting('{"ClientRequestToken":"x","ExternalM'),                                   'lives'],
  ['a body that is not JSON',                                'SerializationException',          400, () => trail('MaxResults=1'),                                                                 'lives'],
  ['a body that is a JSON list',                             'SerializationException',          400, () => makeMeeting('[]'),                                                                     'lives'],
  ['a body that is JSON null',                               'SerializationException',          400, () => makeMeeting('null'),                                                                   'lives'],
  ['CBOR that ends early',                                   'SerializationException',          400, () => metrics(Buffer.from('a169', 'hex')),                                                   'lives'],
  ['CBOR with an additional byte',                           'SerializationException',          400, () => metrics(Buffer.from('a000', 'hex')),                                                   'lives'],
  ['CBOR that declares 2^60 items',                          'SerializationException',          400, () => metrics(Buffer.from('a1694e616d6573706163659b1000000000000000', 'hex')),                'lives'],
  ['a number instead of a string (REST)',                    'SerializationException',          400, () => makeMeeting(meetingOf({ MediaRegion: 5 })),                                            'lives'],
  ['a string instead of a structure (REST)',                 'SerializationException',          400, () => makeMeeting(meetingOf({ MeetingFeatures: 'x' })),                                      'lives'],
  ['a string instead of a list (JSON)',                      'SerializationException',          400, () => trail('{"LookupAttributes":"x"}'),                                                     'lives'],
  ['a string instead of a number (query)',                   'MalformedInput',                  400, () => form('Action=ListUsers&Version=2010-05-08&MaxItems=many'),                             'lives'],
  ['no required member (query)',                             'ValidationError',                 400, () => makeUser(),                                                                            'lives'],
  ['no required member (REST)',                              'ValidationException',             400, () => makeMeeting('{}'),                                                                     'lives'],
  ['no body although members are required',                  'ValidationException',             400, () => makeMeeting(''),                                                                       'lives'],
  ['an enumeration with another value',                      'ValidationException',             400, () => trail('{"EventCategory":"gossip"}'),                                                    'lives'],
  ['an unknown Action',                                      'InvalidAction',                   400, () => form('Action=Frobnicate&Version=2010-05-08'),                                          'lives'],
  ['an Action with the name of an inherited property',       'InvalidAction',                   400, () => form('Action=constructor&Version=2010-05-08'),                                         'lives'],
  ['no Action',                                              'MissingAction',                   400, () => form('Version=2010-05-08'),                                                            'lives'],
  ['Action twice',                                           'InvalidAction',                   400, () => form('Action=ListUsers&Action=CreateUser&Version=2010-05-08&UserName=eve'),            'lives'],
  ['an unknown target',                                      'UnknownOperationException',       404, () => trail('{}', 'Frobnicate'),                                                             'lives'],
  ['a target with the name of an inherited property',        'UnknownOperationException',       404, () => trail('{}', '__proto__'),                                                              'lives'],
  ['an unknown operation (CBOR)',                            'UnknownOperationException',       404, () => metrics(Buffer.of(0xa0), 'Frobnicate'),                                                'lives'],
  ['an unknown path',                                        'UnknownOperationException',       404, () => rest('GET', '/frobnicate'),                                                            'lives'],
  ['an unknown method on a known path',                      'UnknownOperationException',       404, () => rest('PATCH', '/meetings'),                                                            'lives'],
  ['a path with ..',                                         'UnknownOperationException',       404, () => rest('GET', '/../../../../etc/passwd'),                                                'lives'],
  ['an unknown service in the path',                         'UnrecognizedServiceException',    404, () => rest('GET', '/_frobnicate/x'),                                                         'lives'],
  ['JSON nested 30,000 deep',                                'SerializationException',          400, () => makeMeeting(nested('[', ']', 30_000)),                                                 'lives'],
  ['JSON nested 10,000 deep in an unknown member',           'SerializationException',          400, () => makeMeeting(`{"x":${nested('{"a":', '}', 10_000).replace('}', '1}')}}`),                'lives'],
  ['CBOR nested 60,000 deep',                                'SerializationException',          400, () => metrics(Buffer.alloc(60_000, 0x81)),                                                   'lives'],
  ['a form nested 10,000 deep',                              'MalformedInput',                  400, () => makeUser(`&UserName=eve&Tags${'.member.1'.repeat(5_000)}=x`),                          'lives'],
  ['a form of 30,000 parameters',                            'MalformedInput',                  400, () => makeUser(`&UserName=eve${'&a'.repeat(30_000)}`),                                       'lives'],
  ['a repeated parameter (query)',                           'MalformedInput',                  400, () => makeUser('&UserName=eve&UserName=admin'),                                              'lives'],
  ['invalid UTF-8 (query)',                                  'MalformedInput',                  400, () => makeUser('&UserName=%ff%fe'),                                                          'lives'],
  ['invalid UTF-8 (JSON)',                                   'SerializationException',          400, () => makeMeeting(Buffer.concat([Buffer.from('{"ClientRequestToken":"'), Buffer.of(0xff, 0xc0), Buffer.from('"}')])), 'lives'],
  ['a broken escape (query)',                                'MalformedInput',                  400, () => makeUser('&UserName=%zz'),                                                             'lives'],
  ['a null character (query)',                               'MalformedInput',                  400, () => makeUser('&UserName=e%00ve'),                                                          'lives'],
  ['an unescaped control character in JSON',                 'SerializationException',          400, () => makeMeeting(meetingOf({}).replace('"xx"', '"x\u0001"')),                                 'lives'],
  ['an escaped control character in a name (query)',         'ValidationError',                 400, () => makeUser('&UserName=e%07ve'),                                                          'lives'],
  ['an escaped control character in a name (REST)',          'ValidationException',             400, () => attendees('{"ExternalUserId":"\\u0007"}'),                                             'lives'],
  ['a gzip bomb (CBOR)',                                     'RequestEntityTooLargeException',  413, () => metrics(bomb, 'PutMetricData', { 'content-encoding': 'gzip' }),                        'lives'],
  ['a gzip bomb (REST)',                                     'RequestEntityTooLargeException',  413, () => makeMeeting(bomb, { 'content-encoding': 'gzip' }),                                     'lives'],
  ['an incomplete gzip stream',                              'SerializationException',          400, () => makeMeeting(gzipSync(meetingOf({})).subarray(0, 20), { 'content-encoding': 'gzip' }),  'lives'],
  ['a form declared as gzip',                                'MissingAction',                   400, () => form('Action=CreateUser&UserName=eve&Version=2010-05-08', { ...FORM, 'content-encoding': 'gzip' }), 'lives'],
  ['another content encoding',                               'UnsupportedMediaTypeException',   415, () => makeMeeting('x', { 'content-encoding': 'br' }),                                        'lives'],
  ['40 kB of headers',                                       'RequestHeaderSectionTooLarge',    431, () => plainly(`GET / HTTP/1.1\nhost: ${host}\nx: ${'y'.repeat(40_000)}`),                     'ends'],
  ['300 headers',                                            'RequestHeaderSectionTooLarge',    431, () => plainly(`GET / HTTP/1.1\nhost: ${host}${'\nx: y'.repeat(300)}`),                        'ends'],
  ['a path of 40 kB',                                        'RequestHeaderSectionTooLarge',    431, () => plainly(`GET /${'x'.repeat(40_000)} HTTP/1.1\nhost: ${host}`),                          'ends'],
  ['a control character in a header',                        'BadRequest',                      400, () => plainly(`GET / HTTP/1.1\nhost: ${host}\nx: a\u0001b`),                                  'ends'],
  ['a header folded over two lines',                         'BadRequest',                      400, () => plainly(`GET / HTTP/1.1\nhost: ${host}\nx: a\n b`),                                     'ends'],
  ['a length and chunks',                                    'BadRequest',                      400, () => plainly(`POST / HTTP/1.1\nhost: ${host}\ncontent-length: 4\ntransfer-encoding: chunked`, '0\r\n\r\nGET / HTTP/1.1\r\n\r\n'), 'ends'],
  ['two lengths',                                            'BadRequest',                      400, () => plainly(`POST / HTTP/1.1\nhost: ${host}\ncontent-length: 0\ncontent-length: 5`, 'abcde'), 'ends'],
  ['a length that is not a number',                          'BadRequest',                      400, () => plainly(`POST / HTTP/1.1\nhost: ${host}\ncontent-length: +5`, 'abcde'),                  'ends'],
  ['a chunk size that is not a number',                      'BadRequest',                      400, () => plainly(`POST / HTTP/1.1\nhost: ${host}\ntransfer-encoding: chunked`, 'zz\r\n'),         'ends'],
  ['an unknown method',                                      'BadRequest',                      400, () => plainly(`FROB / HTTP/1.1\nhost: ${host}`),                                              'ends'],
  ['the preface of HTTP/2',                                  'BadRequest',                      400, () => plainly('PRI * HTTP/2.0', 'SM\r\n\r\n'),                                                'ends'],
  ['bytes that are not HTTP',                                'BadRequest',                      400, () => plainly('\u0016\u0003\u0001hello'),                                                     'ends'],
  ['no Host header',                                         'BadRequest',                      400, () => plainly('GET /meetings/x HTTP/1.1'),                                                    'ends'],
  ['two Host headers',                                       'IncompleteSignatureException',    403, () => plainly(`GET /meetings/x HTTP/1.1\nhost: ${host}\nhost: elsewhere`),                    'lives'],
  ['a URL instead of a path',                                'UnknownOperationException',       404, () => plainly(`GET http://elsewhere/meetings/x HTTP/1.1\nhost: ${host}`),                     'lives'],
  ['an upgrade to an unknown protocol',                      'UnknownOperationException',       404, () => plainly(`GET /nowhere HTTP/1.1\nhost: ${host}\nconnection: upgrade\nupgrade: h2c`),      'lives'],
];

for (const [what, code, status, bytes, then] of REFUSED) {
  test(`Invalid input: ${what} is ${code}, changes nothing, and the connection ${then}`, async () => {
    const was = await state();
    const connection = await connect(server.endpoint);
    connection.write(bytes());
    const reply = await connection.reply();
    assert.deepEqual([errorCodeOf(reply), reply.status], [code, status], reply.body.toString().slice(0, 500));
    assert.ok(reply.headers['x-amzn-requestid']);
    assert.ok(reply.body.length < 4_096, `a response of ${reply.body.length} bytes`);
    if (then === 'lives') {
      connection.write(rest('GET', `/meetings/${MeetingId}`));
      assert.equal((await connection.reply()).status, 200);
      connection.close();
    } else await connection.closed;
    assert.equal(await state(), was);
  });
}

test('Invalid input: an incomplete body has no effect', async () => {
  const was = await state();
  const connection = await connect(server.endpoint);
  connection.socket.end(makeUser('&UserName=eve').subarray(0, -3));
  await connection.closed;
  assert.equal(await state(), was);
});

test('Invalid input: CONNECT ends the connection', async () => {
  const connection = await connect(server.endpoint);
  connection.write(plainly(`CONNECT elsewhere:443 HTTP/1.1\nhost: elsewhere:443`));
  await connection.closed;
});

test('Invalid input: a client that waits for 100 Continue gets an error for a body over the limit', async () => {
  const connection = await connect(server.endpoint);
  connection.write(plainly(`POST /meetings HTTP/1.1\nhost: ${host}\nexpect: 100-continue\ncontent-length: 70000`));
  assert.equal((await connection.reply()).status, 413);
  connection.close();
});

test('Invalid input: fifty requests in one write get fifty responses, in order', async () => {
  const connection = await connect(server.endpoint);
  connection.write(
    Buffer.concat(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? rest('GET', `/meetings/${MeetingId}`) : rest('GET', '/nowhere')))),
  );
  for (let i = 0; i < 50; i++) assert.equal((await connection.reply()).status, i % 2 === 0 ? 200 : 404);
  connection.close();
});

test('Invalid input: after thousands of errors the server responds, and uses less than 192 MiB more memory', async () => {
  const kilobytes = () => Number(execFileSync('ps', ['-o', 'rss=', '-p', String(server.pid)], { encoding: 'utf8' }));
  const flood = [bomb, undefined].map((body) =>
    body ? makeMeeting(body, { 'content-encoding': 'gzip' }) : makeMeeting(nested('[', ']', 30_000)),
  );
  const hold = async (bytes: Buffer, times: number) => {
    const connection = await connect(server.endpoint);
    for (let i = 0; i < times; i++) {
      connection.write(bytes);
      await connection.reply();
    }
    connection.close();
  };
  const floodOnce = () =>
    Promise.all([
      ...Array.from({ length: 8 }, () => hold(flood[0] as Buffer, 10)),
      ...Array.from({ length: 8 }, () => hold(flood[1] as Buffer, 100)),
      ...Array.from({ length: 8 }, () => hold(rest('GET', '/nowhere'), 100)),
    ]);
  // Measures only the second round, because memory grows more in the first round: pools fill, code is compiled, and no
  // garbage has been collected yet.
  await floodOnce();
  const was = kilobytes();
  await floodOnce();
  const grown = (kilobytes() - was) / 1024;
  assert.ok(grown < 192, `${grown} MiB more than before`);
  assert.equal((await exchange(server.endpoint, plainly(`GET /_belfry/health HTTP/1.1\nhost: ${host}`))).status, 200);
  assert.doesNotMatch(server.written(), /failed/);
});
