/** Targets of log files: folders, and a server that records the requests of AWS's client. */
import assert from 'node:assert/strict';
import {
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { AccountId } from '#core/arn.ts';
import { folderTarget } from './folder.ts';
import type { LogObject } from './log-target.ts';
import { s3Target } from './s3.ts';

const KEY = 'p/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/29/111122223333_CloudTrail_us-east-1_20261129T1200Z_abc.json.gz';
const object = (more: Partial<LogObject> = {}): LogObject => ({
  bucket: 'logs',
  key: KEY,
  body: gzipSync('{"Records":[]}'),
  contentType: 'application/json',
  contentEncoding: 'gzip',
  trailArn: 'arn:aws:cloudtrail:us-east-1:111122223333:trail/audit',
  trailAccountId: '111122223333' as AccountId,
  ...more,
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-target-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Returns the paths of all files below a folder. */
const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name);

test('folder: a file has the path of its key, the bytes of the object, and no access for others', async () => {
  const folder = newFolder();
  await folderTarget(folder).put(object());
  const path = join(folder, KEY);
  assert.deepEqual(readFileSync(path), object().body);
  assert.equal(statSync(path).mode & 0o007, 0);
  await folderTarget(folder).put(object({ body: Buffer.from('new') }));
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.equal(filesOf(folder).length, 1, 'no incomplete file remains');
});

// biome-ignore format: a table
const INVALID_KEYS: readonly [title: string, key: string][] = [
  ['..',                      '../AWSLogs/x'],
  ['.. in the middle',        'p/../../x'],
  ['. ',                      'p/./x'],
  ['an absolute path',        '/etc/x'],
  ['an empty name',           'p//x'],
  ['no name of a file',       'p/'],
  ['NUL',                     'p\0/x'],
  ['a backslash',             'p\\..\\x'],
  ['a name over 255 bytes',   `${'é'.repeat(128)}/x`],
  ['the name of an incomplete file', 'p/.belfry-0'],
];
for (const [title, key] of INVALID_KEYS) {
  test(`folder: a key with ${title} is refused and writes nothing`, async () => {
    const folder = newFolder();
    const inside = join(folder, 'in');
    mkdirSync(inside);
    await assert.rejects(folderTarget(inside).put(object({ key })), { name: 'Error', code: 'InvalidArgument' });
    assert.deepEqual(filesOf(folder), []);
  });
}

test('folder: a symbolic link is not followed', async () => {
  const [folder, outside] = [newFolder(), newFolder()];
  symlinkSync(outside, join(folder, 'p'));
  await assert.rejects(folderTarget(folder).put(object()), { code: 'AccessDenied' });
  symlinkSync(outside, join(folder, 'link'));
  await assert.rejects(folderTarget(join(folder, 'link')).put(object()), { code: 'AccessDenied' });
  assert.deepEqual(filesOf(outside), []);
});

test('folder: the first file removes incomplete files of an hour ago, and only those', async () => {
  const folder = newFolder();
  const hoursAgo = (hours: number) => Date.now() / 1000 - hours * 3_600;
  // biome-ignore format: a table
  const entries: readonly [name: string, hours: number, stays: boolean][] = [
    ['.belfry-0123456789abcdef',   2, false],
    ['.belfry-fedcba9876543210',   0, true],
    ['.belfry-0123456789abcdef0',  2, true],
    ['.belfry-0123456789ABCDEF',   2, true],
    ['.belfry-',                   2, true],
    ['x.belfry-0123456789abcdef',  2, true],
  ];
  for (const [name, hours] of entries) {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), hoursAgo(hours), hoursAgo(hours));
  }
  const [nested, link] = [join(folder, '.belfry-1111111111111111'), '.belfry-2222222222222222'];
  mkdirSync(nested);
  utimesSync(nested, hoursAgo(2), hoursAgo(2));
  symlinkSync('x', join(folder, link));
  lutimesSync(join(folder, link), hoursAgo(2), hoursAgo(2));
  await folderTarget(folder).put(object());
  const left = readdirSync(folder).filter((name) => name !== 'p');
  const expected = entries.flatMap(([name, , stays]) => (stays ? [name] : []));
  assert.deepEqual(left.toSorted(), [...expected, '.belfry-1111111111111111', link].toSorted());
});

test('folder: a folder that does not exist, or a file in its place, is an error and is not created', async () => {
  const folder = newFolder();
  await assert.rejects(folderTarget(join(folder, 'gone')).put(object()), { code: 'NoSuchBucket' });
  assert.ok(!existsSync(join(folder, 'gone')));
  writeFileSync(join(folder, 'p'), '');
  await assert.rejects(folderTarget(folder).put(object()), { code: 'AccessDenied' });
});

/** Starts a server that passes each request with its body to `respond`. */
async function startService(respond: (request: IncomingMessage, body: Buffer, response: ServerResponse) => void): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    respond(request, Buffer.concat(chunks), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const service = (endpoint: string, more = {}) => ({
  endpoint,
  region: 'eu-west-1',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'the secret of the target',
  allowInternal: true,
  ...more,
});

test('S3: the request has the signature, the ACL, the headers, the metadata and the bytes of the object', async () => {
  const requests: {
    readonly method: string | undefined;
    readonly url: string | undefined;
    readonly headers: IncomingMessage['headers'];
    readonly body: Buffer;
  }[] = [];
  const endpoint = await startService(({ method, url, headers }, body, response) => {
    requests.push({ method, url, headers, body });
    response.end();
  });
  await s3Target(service(endpoint)).put(object({ metadata: { signature: 'abc' } }));
  const [request] = requests;
  assert.equal(requests.length, 1);
  assert.deepEqual([request?.method, request?.url?.split('?')[0]], ['PUT', `/logs/${KEY}`]);
  assert.deepEqual(request?.body, object().body);
  for (const [name, value] of [
    ['x-amz-acl', 'bucket-owner-full-control'],
    ['content-type', 'application/json'],
    ['content-encoding', 'gzip'],
    ['x-amz-meta-signature', 'abc'],
  ] as const)
    assert.equal(request?.headers[name], value, name);
  assert.match(request?.headers.authorization ?? '', /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/s3\/aws4_request,/);
  assert.ok(!JSON.stringify(request?.headers).includes('the secret'));
});

const xml = (code: string): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>the secret text of the service</Message></Error>`;

// biome-ignore format: a table
const RESPONSES: readonly [title: string, status: number, body: string, code: string | undefined, requests: number][] = [
  ['a denial',                                403, xml('AccessDenied'),                                'AccessDenied',      1],
  ['a missing bucket',                        404, xml('NoSuchBucket'),                                'NoSuchBucket',      1],
  ['an overload, which is tried twice',       503, xml('SlowDown'),                                    'SlowDown',          2],
  ['a redirect, which is not followed',       307, xml('TemporaryRedirect'),                           'TemporaryRedirect', 1],
  ['a code with other characters',            400, xml('a b&#10;c'),                                   'UnknownError',      1],
  ['a body that is too long',                 400, 'x'.repeat(200_000),                                undefined,           1],
];
for (const [title, status, body, code, count] of RESPONSES) {
  test(`S3: ${title} is the code ${code}, and the message has nothing of the response`, async () => {
    let requests = 0;
    const endpoint = await startService((_, __, response) => {
      requests++;
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(body);
    });
    await assert.rejects(s3Target(service(endpoint)).put(object()), (error: Error & { readonly code?: string }) => {
      assert.equal(error.code, code);
      assert.ok(!error.message.includes('secret text'), error.message);
      return true;
    });
    assert.equal(requests, count);
  });
}

test('S3: a service that does not respond ends the write in time, without a code', async () => {
  const endpoint = await startService(() => {});
  await assert.rejects(s3Target(service(endpoint), 50).put(object()), { code: undefined, message: /in time/ });
});

// biome-ignore format: a table
const BLOCKED: readonly [title: string, endpoint: (port: string) => string][] = [
  ['a loopback address',          (port) => `https://127.0.0.1:${port}`],
  ['an IPv6 loopback address',    (port) => `https://[::1]:${port}`],
  ['a name of a loopback address', (port) => `https://localhost:${port}`],
  ['the metadata service',        () => 'https://169.254.169.254'],
  ['a public name without TLS',   () => 'http://s3.example.com'],
];
for (const [title, endpointOf] of BLOCKED) {
  test(`S3: ${title} is refused unless the operator allows it`, async () => {
    let requests = 0;
    const endpoint = await startService((_, __, response) => {
      requests++;
      response.end();
    });
    const target = s3Target(service(endpointOf(new URL(endpoint).port), { allowInternal: false }));
    await assert.rejects(target.put(object()), { code: undefined, message: /internal address/ });
    assert.equal(requests, 0);
  });
}
