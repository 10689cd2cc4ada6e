import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateUserCommand, DeleteAccessKeyCommand, DeleteUserCommand, IAMClient, UpdateAccessKeyCommand } from '@aws-sdk/client-iam';
import { MINUTE_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { type Credentials, presign } from '#sigv4/sign.ts';
import { newKey, otherAccount } from '../kit/account.ts';
import { bytesOf, errorCodeOf, exchange, type Reply, signedHeaders } from '../kit/raw.ts';
import { startTestServer } from '../kit/server.ts';
import { issueSession } from '../kit/session.ts';
import { readUnproven } from '../kit/trail.ts';
import { DIALECTS, type Dialect } from './dialects.ts';

const server = await startTestServer();
const { host } = new URL(server.endpoint);

/** Access keys and sessions in every possible state: valid, inactive, deleted, expired and others. */
const keys = {} as Record<
  | 'unknown' | 'inactive' | 'deleted' | 'wrong' | 'altered' | 'anotherToken' | 'noToken' | 'tokenOnLongTerm'
  | 'expired' | 'expiredWrong' | 'goneUser' | 'newUserOfThatName' | 'live',
  Credentials
>; // biome-ignore format: a list

before(async () => {
  const iam = new IAMClient(server.client());
  const newUser = async (UserName: string) => {
    const { User } = await iam.send(new CreateUserCommand({ UserName }));
    return { userName: UserName, userId: User?.UserId as string };
  };
  const session = (of: { userName: string; userId: string }, endsInSeconds = 900): Credentials => issueSession(server, of, endsInSeconds);

  const user = await newUser('keeper');
  keys.unknown = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
  keys.inactive = await newKey(iam, 'keeper');
  await iam.send(new UpdateAccessKeyCommand({ UserName: 'keeper', AccessKeyId: keys.inactive.accessKeyId, Status: 'Inactive' }));
  keys.deleted = await newKey(iam, 'keeper');
  await iam.send(new DeleteAccessKeyCommand({ UserName: 'keeper', AccessKeyId: keys.deleted.accessKeyId }));
  keys.wrong = { ...server.credentials, secretAccessKey: `${server.credentials.secretAccessKey.slice(0, -1)}!` };
  keys.live = session(user);
  const token = keys.live.sessionToken as string;
  keys.altered = { ...keys.live, sessionToken: (token.startsWith('A') ? 'B' : 'A') + token.slice(1) };
  keys.anotherToken = { ...keys.live, sessionToken: session(user).sessionToken as string };
  keys.noToken = { accessKeyId: keys.live.accessKeyId, secretAccessKey: keys.live.secretAccessKey };
  keys.tokenOnLongTerm = { ...server.credentials, sessionToken: token };
  keys.expired = session(user, -1);
  keys.expiredWrong = { ...keys.expired, secretAccessKey: 'x'.repeat(40) };
  const gone = await newUser('gone');
  const renamed = await newUser('renamed');
  keys.goneUser = session(gone);
  keys.newUserOfThatName = session(renamed);
  await iam.send(new DeleteUserCommand({ UserName: 'gone' }));
  await iam.send(new DeleteUserCommand({ UserName: 'renamed' }));
  await newUser('renamed');
});

type Change = (dialect: Dialect) => Buffer;

/**
 * Returns a function that signs the request of a protocol with the keys `by`. `change` changes the headers after
 * signing.
 */
function signed(
  by: () => Credentials,
  { at = 0, change = (headers: Record<string, string>): Readonly<Record<string, string>> | (readonly [string, string])[] => headers } = {},
): Change {
  return ({ plain, signingName }) =>
    bytesOf(plain, change(signedHeaders(server.endpoint, plain, { credentials: by(), signingName, at: Date.now() + at })));
}

const own = () => server.credentials;
const withAuthorization = (write: (authorization: string) => string) =>
  signed(own, { change: (headers) => ({ ...headers, authorization: write(headers['authorization'] as string) }) });

/** Returns a function that presigns the request of a protocol. `write` changes the target after signing. */
function presigned(write: (target: string) => string, { at = 0, expiresSeconds = 60 } = {}): Change {
  return ({ plain, signingName }) => {
    const headers = { host, ...plain.headers };
    const target = presign(
      { method: plain.method, target: plain.target, headers, body: plain.body },
      { credentials: own(), region: 'us-east-1', signingName, now: instant(Date.now() + at), expiresSeconds },
    );
    return bytesOf({ ...plain, target: write(target) }, headers);
  };
}

/** Caller in the record: none, an access key without a principal, or an authenticated principal. */
type Named = 'none' | (() => string) | 'keeper';

const unproven = (of: () => Credentials) => () => of().accessKeyId;
const INVALID = 'InvalidClientTokenId';
const MISMATCH = 'SignatureDoesNotMatch';
const MALFORMED = 'IncompleteSignature';

// biome-ignore format: a table
const REFUSED: readonly [what: string, code: keyof typeof CODES, change: Change, named: Named][] = [
  // request                                               code                          signature                                                              caller in the record
  ['without any signature',                                'MissingAuthenticationToken', ({ plain }) => bytesOf(plain, { host, ...plain.headers }),              'none'],
  ['with an unknown access key',                           INVALID,                      signed(() => keys.unknown),                                             unproven(() => keys.unknown)],
  ['with an inactive access key',                          INVALID,                      signed(() => keys.inactive),                                            unproven(() => keys.inactive)],
  ['with a deleted access key',                            INVALID,                      signed(() => keys.deleted),                                             unproven(() => keys.deleted)],
  ['with the wrong secret',                                MISMATCH,                     signed(() => keys.wrong),                                               unproven(own)],
  ['with a body altered after signing',                    MISMATCH,                     ({ plain, signingName }) => bytesOf({ ...plain, body: Buffer.concat([Buffer.from(plain.body), Buffer.of(0x20)]) }, signedHeaders(server.endpoint, plain, { credentials: own(), signingName })), unproven(own)],
  ['with an altered body and an altered hash',             MISMATCH,                     ({ plain, signingName }) => { const other = { ...plain, body: Buffer.concat([Buffer.from(plain.body), Buffer.of(0x20)]) }; const to = { credentials: own(), signingName }; return bytesOf(other, { ...signedHeaders(server.endpoint, plain, to), 'x-amz-content-sha256': signedHeaders(server.endpoint, other, to)['x-amz-content-sha256'] as string }); }, unproven(own)],
  ['with a query string added after signing',              MISMATCH,                     ({ plain, signingName }) => bytesOf({ ...plain, target: `${plain.target}?x=1` }, signedHeaders(server.endpoint, plain, { credentials: own(), signingName })), unproven(own)],
  ['with a signed header altered',                         MISMATCH,                     ({ plain, signingName }) => { const more = { ...plain, headers: { ...plain.headers, 'x-extra': 'a' } }; return bytesOf(more, { ...signedHeaders(server.endpoint, more, { credentials: own(), signingName }), 'x-extra': 'b' }); }, unproven(own)],
  ['with an unsigned x-amz- header',                       MISMATCH,                     signed(own, { change: (headers) => ({ ...headers, 'x-amz-meta': '1' }) }), unproven(own)],
  ['for another host',                                     MISMATCH,                     signed(own, { change: (headers) => ({ ...headers, host: 'localhost:1' }) }), unproven(own)],
  ['with a clock six minutes slow',                        MISMATCH,                     signed(own, { at: -6 * MINUTE_MS }),                                    unproven(own)],
  ['with a clock six minutes fast',                        MISMATCH,                     signed(own, { at: 6 * MINUTE_MS }),                                     unproven(own)],
  ['scoped to another service',                            MISMATCH,                     ({ plain, base }) => { const at = { ...plain, target: base + plain.target }; return bytesOf(at, signedHeaders(server.endpoint, at, { credentials: own(), signingName: 'sqs' })); }, unproven(own)],
  ['scoped to another day',                                MISMATCH,                     withAuthorization((text) => text.replace(/\/[0-9]{8}\//, '/20200101/')), unproven(own)],
  ['with another region in the scope than signed',         MISMATCH,                     withAuthorization((text) => text.replace('/us-east-1/', '/us-east-2/')), unproven(own)],
  ['with UNSIGNED-PAYLOAD as its hash',                    MISMATCH,                     signed(own, { change: (headers) => ({ ...headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }) }), unproven(own)],
  ['with an expired session',                              'ExpiredToken',               signed(() => keys.expired),                                             'keeper'],
  ['with an expired session and the wrong secret',         MISMATCH,                     signed(() => keys.expiredWrong),                                        unproven(() => keys.expired)],
  ["with another session's token",                         INVALID,                      signed(() => keys.anotherToken),                                        unproven(() => keys.live)],
  ['with an altered token',                                INVALID,                      signed(() => keys.altered),                                             unproven(() => keys.live)],
  ['with a session key and no token',                      INVALID,                      signed(() => keys.noToken),                                             unproven(() => keys.live)],
  ['with a long-term key and a token',                     INVALID,                      signed(() => keys.tokenOnLongTerm),                                     unproven(own)],
  ['with a session of a deleted user',                     INVALID,                      signed(() => keys.goneUser),                                            unproven(() => keys.goneUser)],
  ['with a session of a user that was re-created', INVALID,                 signed(() => keys.newUserOfThatName),                                   unproven(() => keys.newUserOfThatName)],
  ['with two Authorization headers',                       MALFORMED,                    signed(own, { change: (headers) => [...Object.entries(headers), ['authorization', headers['authorization'] as string]] }), 'none'],
  ['with two dates',                                       MALFORMED,                    signed(own, { change: (headers) => [...Object.entries(headers), ['x-amz-date', headers['x-amz-date'] as string]] }), 'none'],
  ['with another scheme',                                  MALFORMED,                    withAuthorization(() => 'Bearer abc'),                                  'none'],
  ['with SigV4A',                                          MALFORMED,                    withAuthorization((text) => text.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256')), 'none'],
  ['with an Authorization without parameters',             MALFORMED,                    withAuthorization(() => 'AWS4-HMAC-SHA256'),                            'none'],
  ['without Credential',                                   MALFORMED,                    withAuthorization((text) => text.replace(/Credential=[^,]*, /, '')),    'none'],
  ['without Signature',                                    MALFORMED,                    withAuthorization((text) => text.replace(/, Signature=.*/, '')),        'none'],
  ['with a Signature of 63 digits',                        MALFORMED,                    withAuthorization((text) => text.slice(0, -1)),                         'none'],
  ['with a Signature and a letter after it',               MALFORMED,                    withAuthorization((text) => `${text}x`),                                'none'],
  ['with a repeated parameter',                            MALFORMED,                    withAuthorization((text) => `${text}, SignedHeaders=host`),             'none'],
  ['with an Authorization of 5,000 characters',            MALFORMED,                    withAuthorization((text) => text.padEnd(5_000, ',')),                   'none'],
  ['presigned and expired for a minute',                   MISMATCH,                     presigned((target) => target, { at: -2 * MINUTE_MS }),                  unproven(own)],
  ['presigned for longer than a week',                     MALFORMED,                    presigned((target) => target, { expiresSeconds: 604_801 }),             'none'],
  ['presigned with a changed X-Amz-Expires',               MISMATCH,                     presigned((target) => target.replace('X-Amz-Expires=60', 'X-Amz-Expires=600')), unproven(own)],
  ['presigned with two signatures in the query',           MALFORMED,                    presigned((target) => `${target}&X-Amz-Credential=x`),                  'none'],
  ['presigned with a signed header',                       MALFORMED,                    (dialect) => { const target = presignedTarget(dialect); const plain = { ...dialect.plain, target }; return bytesOf(plain, signedHeaders(server.endpoint, plain, { credentials: own(), signingName: dialect.signingName })); }, 'none'],
];

function presignedTarget(dialect: Dialect): string {
  return presigned((target) => target)(dialect)
    .toString('latin1')
    .split(' ')[1] as string;
}

/**
 * Each error code with its status in the query protocol, and its code and status in the JSON protocols.
 * Requirement AUTHN-4.
 */
// biome-ignore format: a table
const CODES = {
  MissingAuthenticationToken: { query: 403, json: ['MissingAuthenticationTokenException', 403] },
  InvalidClientTokenId:       { query: 403, json: ['UnrecognizedClientException',         403] },
  SignatureDoesNotMatch:      { query: 403, json: ['InvalidSignatureException',           403] },
  ExpiredToken:               { query: 403, json: ['ExpiredTokenException',               403] },
  IncompleteSignature:        { query: 400, json: ['IncompleteSignatureException',        403] },
} as const;

const trail = new CloudTrailClient(server.client());

interface Found {
  readonly document: Readonly<Record<string, unknown>>;
  /** Event of the record. Absent if the record names no account, because no caller can look up such a record. */
  readonly event?: { readonly Username?: string | undefined; readonly AccessKeyId?: string | undefined };
}

/** Returns the record of a response, from the account's event history or from the records that name no account. */
async function recordOf(reply: Reply, eventName: string): Promise<Found> {
  const requestId = reply.headers['x-amzn-requestid'];
  const { Events = [] } = await trail.send(
    new LookupEventsCommand({ LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: eventName }] }),
  );
  const event = Events.find(({ CloudTrailEvent }) => CloudTrailEvent?.includes(`"requestID":"${requestId}"`));
  if (event !== undefined) return { event, document: JSON.parse(event.CloudTrailEvent as string) as Record<string, unknown> };
  const document = (await readUnproven(server.dataFolder)).find(({ requestID }) => requestID === requestId);
  assert.ok(document, `no record of ${eventName} ${requestId}`);
  return { document };
}

/** Reports whether the record of an error names no account: the request has no key, or an invalid key or token. */
const namesNoAccount = (code: string, named: Named): boolean => named === 'none' || code === INVALID;

for (const dialect of DIALECTS) {
  test(`AUTHN-4, ${dialect.name}: a correct signature is accepted if the clock is at most four minutes off`, async () => {
    for (const change of [
      signed(own),
      signed(own, { at: -4 * MINUTE_MS }),
      signed(own, { at: 4 * MINUTE_MS }),
      presigned((target) => target),
    ]) {
      const reply = await exchange(server.endpoint, change(dialect));
      assert.notEqual(reply.status, 403, reply.body.toString());
      const { document } = await recordOf(reply, dialect.eventName);
      assert.equal((document['userIdentity'] as Record<string, unknown>)['userName'], 'admin');
    }
    // The session has no permissions, so only STS returns a success. The other services return a denial.
    const reply = await exchange(server.endpoint, signed(() => keys.live)(dialect));
    const { document } = await recordOf(reply, dialect.eventName);
    assert.equal((document['userIdentity'] as Record<string, unknown>)['userName'], 'keeper');
  });

  for (const [what, code, change, named] of REFUSED) {
    const [expected, status] = dialect.errors === 'query' ? ([code, CODES[code].query] as const) : CODES[code].json;
    test(`AUTHN-4, ${dialect.name}: a request ${what} is ${expected} and is recorded`, async () => {
      const reply = await exchange(server.endpoint, change(dialect));
      assert.deepEqual([errorCodeOf(reply), reply.status], [expected, status], reply.body.toString());
      const { event, document } = await recordOf(reply, dialect.eventName);
      assert.equal(document['errorCode'], expected);
      assert.equal(document['responseElements'], null);
      const { type, userName, accessKeyId } = document['userIdentity'] as Record<string, unknown>;
      const key = named === 'none' ? undefined : named === 'keeper' ? keys.expired.accessKeyId : named();
      assert.deepEqual([type, userName, accessKeyId], named === 'keeper' ? ['IAMUser', 'keeper', key] : ['Unknown', undefined, key]);
      assert.equal(document['recipientAccountId'], namesNoAccount(code, named) ? '000000000000' : server.accountId);
      assert.equal(event === undefined, namesNoAccount(code, named));
      if (event !== undefined) assert.deepEqual([event.Username, event.AccessKeyId], [named === 'keeper' ? 'keeper' : undefined, key]);
    });
  }

  test(`AUTHN-4, ${dialect.name}: the signature is verified before the input is decoded`, async () => {
    const plain = { ...dialect.plain, method: dialect.plain.method === 'GET' ? 'DELETE' : 'POST' };
    if (plain.method === 'POST')
      plain.body = Buffer.concat([Buffer.from(plain.body), Buffer.from(dialect.errors === 'query' ? '&Broken=%zz' : '{"\0')]);
    const headers = signedHeaders(server.endpoint, plain, { credentials: keys.wrong, signingName: dialect.signingName });
    const reply = await exchange(server.endpoint, bytesOf(plain, headers));
    assert.equal(reply.status, 403, reply.body.toString());
    assert.match(errorCodeOf(reply) ?? '', /^(SignatureDoesNotMatch|InvalidSignatureException)$/);
  });
}

test('AUTHN-4: unknown, inactive and deleted keys get the same response', async () => {
  for (const dialect of DIALECTS) {
    const replies = await Promise.all(
      [keys.unknown, keys.inactive, keys.deleted].map((key) => exchange(server.endpoint, signed(() => key)(dialect))),
    );
    const texts = new Set(replies.map((reply) => reply.body.toString('latin1').replace(/<RequestId>[^<]*/, '')));
    assert.equal(texts.size, 1);
    assert.match([...texts][0] as string, /The security token included in the request is invalid\./);
  }
});

test('Decision 0015: a wrong signature is recorded only in the history of the account that owns the key', async () => {
  const { accountId, keys: other } = await otherAccount(server, 'Second');
  const { accessKeyId } = other;
  const dialect = DIALECTS[0] as Dialect;
  const reply = await exchange(server.endpoint, signed(() => ({ ...other, secretAccessKey: 'x' }))(dialect));
  assert.equal(errorCodeOf(reply), 'SignatureDoesNotMatch');
  const theirs = new CloudTrailClient(server.client(other));
  const of = { LookupAttributes: [{ AttributeKey: 'AccessKeyId' as const, AttributeValue: accessKeyId }] };
  const { Events = [] } = await theirs.send(new LookupEventsCommand(of));
  assert.deepEqual(
    Events.map((event) => [event.EventName, event.Username]),
    [['ListUsers', undefined]],
  );
  assert.equal(JSON.parse(Events[0]?.CloudTrailEvent ?? '{}').recipientAccountId, accountId);
  assert.deepEqual((await trail.send(new LookupEventsCommand(of))).Events, []);
});
