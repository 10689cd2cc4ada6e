import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import type { Answer } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { encode, encodeError } from './encode.ts';
import { decodedForTests, type RequestForTests, routedForTests } from './request-for-tests.ts';

const REQUEST_ID = '6e61a3c4-0f0e-4a8e-9c0e-1d2c3b4a5f60';

function s3(request: string, more: Pick<RequestForTests, 'headers' | 'body'> = {}): RequestForTests {
  const [method = '', target = ''] = request.split(' ');
  return { method, target, scope: 's3', ...more };
}

const DELETE =
  '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b</Key></Object><Object><Key> c </Key></Object><Quiet>true</Quiet></Delete>';
const COMPLETE =
  '<CompleteMultipartUpload><Part><ETag>&quot;e1&quot;</ETag><PartNumber>1</PartNumber></Part><Part><PartNumber>2</PartNumber><ETag>e2</ETag></Part></CompleteMultipartUpload>';
const LIFECYCLE =
  '<LifecycleConfiguration><Rule><ID>x</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule><Rule><Filter/><Status>Disabled</Status><Expiration><Date>2027-01-01T00:00:00Z</Date></Expiration></Rule></LifecycleConfiguration>';

// biome-ignore format: a table
const INPUTS: readonly [title: string, request: RequestForTests, input: object][] = [
  ['a key is decoded once',        s3('GET /b/a%2Fb+%252F%20%C3%BC'),  { Bucket: 'b', Key: 'a/b+%2F ü' }],
  ['a parameter with plus signs',  s3('GET /b?list-type=2&prefix=a+b%2B&max-keys=5&encoding-type=url'), { Bucket: 'b', Prefix: 'a+b+', MaxKeys: 5, EncodingType: 'url' }],
  ['an empty parameter',           s3('GET /b?list-type=2&prefix='),   { Bucket: 'b', Prefix: '' }],
  ['conditions',                   s3('GET /b/k', { headers: { 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT', 'If-Match': '"e"', Range: 'bytes=0-1' } }), { Bucket: 'b', Key: 'k', IfModifiedSince: Date.UTC(1994, 10, 6, 8, 49, 37), IfMatch: '"e"', Range: 'bytes=0-1' }],
  ['an invalid date of a condition', s3('GET /b/k', { headers: { 'If-Modified-Since': 'yesterday' } }), { Bucket: 'b', Key: 'k' }],
  ['user metadata',                s3('HEAD /b/k', { headers: { 'x-amz-checksum-mode': 'ENABLED' } }), { Bucket: 'b', Key: 'k', ChecksumMode: 'ENABLED' }],
  ['an upload',                    s3('PUT /b/k', { headers: { 'X-Amz-Meta-A': 'v', 'x-amz-meta-b-c': ' w ', 'Content-Type': 'text/plain', 'x-amz-storage-class': 'STANDARD' }, body: 'x' }), { Bucket: 'b', Key: 'k', Body: Buffer.from('x'), ContentType: 'text/plain', StorageClass: 'STANDARD', Metadata: { a: 'v', 'b-c': 'w' } }],
  ['a part',                       s3('PUT /b/k?partNumber=2&uploadId=u', { body: 'x' }), { Bucket: 'b', Key: 'k', PartNumber: 2, UploadId: 'u', Body: Buffer.from('x') }],
  ['a policy',                     s3('PUT /b?policy', { body: '{"ü":1}' }), { Bucket: 'b', Policy: '{"ü":1}' }],
  ['a bucket without a document',  s3('PUT /b'), { Bucket: 'b' }],
  ['a bucket in an unknown region', s3('PUT /b', { body: '<CreateBucketConfiguration><LocationConstraint>foo</LocationConstraint></CreateBucketConfiguration>' }), { Bucket: 'b', CreateBucketConfiguration: { LocationConstraint: 'foo' } }],
  ['objects to delete',            s3('POST /b?delete', { body: DELETE }), { Bucket: 'b', Delete: { Objects: [{ Key: 'a&b' }, { Key: ' c ' }], Quiet: true } }],
  ['parts to complete',            s3('POST /b/k?uploadId=u', { body: COMPLETE }), { Bucket: 'b', Key: 'k', UploadId: 'u', MultipartUpload: { Parts: [{ ETag: '"e1"', PartNumber: 1 }, { PartNumber: 2, ETag: 'e2' }] } }],
  ['no parts to complete',         s3('POST /b/k?uploadId=u', { body: '<CompleteMultipartUpload/>' }), { Bucket: 'b', Key: 'k', UploadId: 'u', MultipartUpload: {} }],
  ['rules',                        s3('PUT /b?lifecycle', { body: LIFECYCLE }), { Bucket: 'b', LifecycleConfiguration: { Rules: [{ ID: 'x', Filter: { Prefix: 'logs/' }, Status: 'Enabled', Expiration: { Days: 30 } }, { Filter: {}, Status: 'Disabled', Expiration: { Date: Date.UTC(2027, 0, 1) } }] } }],
];

for (const [title, request, input] of INPUTS) {
  test(`decode: S3: ${title}`, () => assert.equal(JSON.stringify(sorted(decodedForTests(request))), JSON.stringify(sorted(input))));
}

/** Returns a value with sorted keys, because objects without a prototype differ from others in a strict comparison. */
function sorted(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, sorted(one)]),
  );
}

const without = (text: string) => DELETE.replace(text, '');

// biome-ignore format: a table
const INVALID: readonly [title: string, request: RequestForTests, code: string, members?: object][] = [
  ['row 56: encoding-type=x',                s3('GET /b?encoding-type=x'),                       'InvalidArgument', { ArgumentName: 'encoding-type', ArgumentValue: 'x' }],
  ['max-keys that is not a number',          s3('GET /b?max-keys=x'),                            'InvalidArgument', { ArgumentName: 'max-keys', ArgumentValue: 'x' }],
  ['a negative max-keys',                    s3('GET /b?max-keys=-1'),                           'InvalidArgument'],
  ['max-buckets beyond the model',           s3('GET /?max-buckets=10001'),                      'InvalidArgument'],
  ['a part number that is not a number',     s3('PUT /b/k?partNumber=x&uploadId=u'),             'InvalidArgument'],
  ['a repeated parameter',                   s3('PUT /b/k?partNumber=1&uploadId=u&uploadId=v'),  'InvalidArgument'],
  ['a line feed in a response header',       s3('GET /b/k?response-content-type=a%0d%0aSet-Cookie:x'), 'InvalidArgument'],
  ['an unknown storage class',               s3('PUT /b/k', { headers: { 'x-amz-storage-class': 'FAST' } }),  'InvalidStorageClass'],
  ['an unknown ACL',                         s3('PUT /b/k', { headers: { 'x-amz-acl': 'everyone' } }),        'InvalidArgument'],
  ['metadata of more than 2 KiB',            s3('PUT /b/k', { headers: { 'x-amz-meta-a': 'x'.repeat(2_048) } }), 'MetadataTooLarge', { Size: 2_049, MaxSizeAllowed: 2_048 }],
  ['an empty document',                      s3('POST /b?delete'),                               'MissingRequestBodyError'],
  ['another root element',                   s3('POST /b?delete', { body: '<Remove/>' }),        'MalformedXML'],
  ['an unknown element',                     s3('POST /b?delete', { body: DELETE.replace('<Quiet>', '<Silent/><Quiet>') }), 'MalformedXML'],
  ['a repeated element',                     s3('POST /b?delete', { body: DELETE.replace('<Quiet>', '<Quiet>true</Quiet><Quiet>') }), 'MalformedXML'],
  ['a missing element',                      s3('POST /b?delete', { body: without('<Key>a&amp;b</Key>') }), 'MalformedXML'],
  ['text between elements',                  s3('POST /b?delete', { body: DELETE.replace('<Quiet>', 'x<Quiet>') }), 'MalformedXML'],
  ['a boolean that is not one',              s3('POST /b?delete', { body: DELETE.replace('true', 'yes') }), 'MalformedXML'],
  ['a number that is not one',               s3('PUT /b?lifecycle', { body: LIFECYCLE.replace('30', '3x') }), 'MalformedXML'],
  ['a status that is unknown',               s3('PUT /b?lifecycle', { body: LIFECYCLE.replace('Enabled', 'On') }), 'MalformedXML'],
  ['a date that is not one',                 s3('PUT /b?lifecycle', { body: LIFECYCLE.replace('2027-01-01T00:00:00Z', 'soon') }), 'MalformedXML'],
  ['a document that is not UTF-8',           s3('POST /b?delete', { body: Buffer.from(DELETE.replace(' c ', '\xff'), 'latin1') }), 'MalformedXML'],
  ['a document type declaration',            s3('POST /b?delete', { body: `<!DOCTYPE Delete>${DELETE}` }), 'MalformedXML'],
  ['a policy that is not UTF-8',             s3('PUT /b?policy', { body: Buffer.from([0x7b, 0xff]) }), 'InvalidRequest'],
];

for (const [title, request, code, members] of INVALID) {
  test(`decode: S3: ${title} is ${code}`, () => {
    assert.throws(
      () => decodedForTests(request),
      (error: AwsError) => {
        assert.equal(error.code, code);
        if (members !== undefined) assert.deepEqual(error.members, members);
        return true;
      },
    );
  });
}

function answerTo(request: RequestForTests, output: unknown): Answer {
  const routed = routedForTests(request);
  assert.ok(routed.kind === 'routed');
  return encode(routed, output, REQUEST_ID);
}

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const AT = instant(Date.UTC(2026, 10, 29, 21, 0, 0, 5));

// biome-ignore format: a table
const BODIES: readonly [title: string, request: string, output: object, body: string][] = [
  ['row 7: the location of us-east-1',  'GET /b?location',    {},                                     `${XML}<LocationConstraint ${NS}></LocationConstraint>`],
  ['the location of another region',    'GET /b?location',    { LocationConstraint: 'eu-west-1' },    `${XML}<LocationConstraint ${NS}>eu-west-1</LocationConstraint>`],
  ['an empty versioning',               'GET /b?versioning',  {},                                     `${XML}<VersioningConfiguration ${NS}></VersioningConfiguration>`],
  ['buckets',                           'GET /',              { Buckets: [{ Name: 'b', CreationDate: AT }], Owner: { ID: 'o' } }, `${XML}<ListAllMyBucketsResult ${NS}><Buckets><Bucket><Name>b</Name><CreationDate>2026-11-29T21:00:00.005Z</CreationDate></Bucket></Buckets><Owner><ID>o</ID></Owner></ListAllMyBucketsResult>`],
  ['no buckets',                        'GET /',              { Buckets: [] },                        `${XML}<ListAllMyBucketsResult ${NS}><Buckets/></ListAllMyBucketsResult>`],
  ['objects',                           'GET /b?list-type=2', { Name: 'b', Prefix: '', KeyCount: 2, Contents: [{ Key: 'a&b', ETag: '"e"', Size: 1 }, { Key: 'c', Size: 2 }], CommonPrefixes: [{ Prefix: 'd/' }], IsTruncated: false }, `${XML}<ListBucketResult ${NS}><IsTruncated>false</IsTruncated><Contents><Key>a&amp;b</Key><ETag>&quot;e&quot;</ETag><Size>1</Size></Contents><Contents><Key>c</Key><Size>2</Size></Contents><Name>b</Name><Prefix></Prefix><CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes><KeyCount>2</KeyCount></ListBucketResult>`],
  ['row 56: encoding-type=url',         'GET /b?list-type=2', { EncodingType: 'url', Prefix: 'a b/ü', Delimiter: '/', StartAfter: '+', Contents: [{ Key: 'x+%\u0001' }], CommonPrefixes: [{ Prefix: 'a b/' }] }, `${XML}<ListBucketResult ${NS}><Contents><Key>x%2B%25%01</Key></Contents><Prefix>a+b/%C3%BC</Prefix><Delimiter>/</Delimiter><CommonPrefixes><Prefix>a+b/</Prefix></CommonPrefixes><EncodingType>url</EncodingType><StartAfter>%2B</StartAfter></ListBucketResult>`],
  ['deleted objects',                   'POST /b?delete',     { Deleted: [{ Key: 'a' }], Errors: [{ Key: 'b', Code: 'AccessDenied', Message: 'Access Denied' }] }, `${XML}<DeleteResult ${NS}><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>`],
  ['a new upload',                      'POST /b/k?uploads',  { Bucket: 'b', Key: 'k', UploadId: 'u' }, `${XML}<InitiateMultipartUploadResult ${NS}><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>`],
  ['a policy',                          'GET /b?policy',      { Policy: '{"a":1}' },                  '{"a":1}'],
  ['an output without a document',      'PUT /b/k',           { ETag: '"e"' },                        ''],
];

for (const [title, request, output, body] of BODIES) {
  test(`encode: S3: ${title}`, () => assert.equal(answerTo(s3(request), output).body, body));
}

/** Returns the headers of an answer by name, without those of the request ID. */
function headersOf({ headers }: Answer): Record<string, string> {
  const pairs = Array.from({ length: headers.length / 2 }, (_, i) => [headers[2 * i] as string, headers[2 * i + 1] as string] as const);
  return Object.fromEntries(pairs.filter(([name]) => name !== 'x-amz-request-id' && name !== 'x-amz-id-2'));
}

const OBJECT = {
  ETag: '"e"',
  ContentLength: 3,
  LastModified: AT,
  AcceptRanges: 'bytes',
  ContentType: 'text/plain',
  Metadata: { a: 'v', b: 'ü\n–' },
};
const OF_OBJECT = {
  etag: '"e"',
  'last-modified': 'Sun, 29 Nov 2026 21:00:00 GMT',
  'accept-ranges': 'bytes',
  'content-type': 'text/plain',
  'x-amz-meta-a': 'v',
  'x-amz-meta-b': 'Ã¼ â\u0080\u0093',
};

// biome-ignore format: a table
const HEADERS: readonly [title: string, request: string, output: object, status: number, headers: object][] = [
  ['an object',                    'GET /b/k',        { ...OBJECT, Body: Buffer.from('abc') },              200, OF_OBJECT],
  ['row 20: a range',              'GET /b/k',        { ...OBJECT, ContentRange: 'bytes 0-2/10' },          206, { ...OF_OBJECT, 'content-range': 'bytes 0-2/10' }],
  ['the head of an object',        'HEAD /b/k',       OBJECT,                                               200, { ...OF_OBJECT, 'content-length': '3' }],
  ['row 6: the head of a bucket',  'HEAD /b',         { BucketRegion: 'us-east-1' },                        200, { 'x-amz-bucket-region': 'us-east-1' }],
  ['row 1: a new bucket',          'PUT /b',          { Location: '/b' },                                   200, { location: '/b' }],
  ['row 11: a stored policy',      'DELETE /b?policy', {},                                                  204, {}],
  ['row 18: a deleted object',     'DELETE /b/k',     {},                                                   204, {}],
  ['a policy',                     'GET /b?policy',   { Policy: '{}' },                                     200, { 'content-type': 'application/json' }],
  ['a document',                   'GET /b?versioning', {},                                                 200, { 'content-type': 'application/xml' }],
];

for (const [title, request, output, status, headers] of HEADERS) {
  test(`encode: S3: ${title} has status ${status} and its headers`, () => {
    const answer = answerTo(s3(request), output);
    assert.deepEqual([answer.status, headersOf(answer)], [status, headers]);
  });
}

// biome-ignore format: a table
const ERRORS: readonly [thrown: string, members: object, code: string, status: number][] = [
  // thrown                      members                         code                   status
  ['NoSuchKey',                  { Key: 'a&b' },                 'NoSuchKey',                  404],
  ['NoSuchBucketPolicy',         { BucketName: 'b' },            'NoSuchBucketPolicy',         404],
  ['BucketAlreadyOwnedByYou',    { BucketName: 'b' },            'BucketAlreadyOwnedByYou',    409],
  ['IncompleteBody',             { NumberBytesExpected: 3 },     'IncompleteBody',             400],
  ['MissingContentLength',       {},                             'MissingContentLength',       411],
  ['PreconditionFailed',         { Condition: 'If-Match' },      'PreconditionFailed',         412],
  ['InvalidRange',               { ActualObjectSize: 10 },       'InvalidRange',               416],
  ['AccessDenied',               {},                             'AccessDenied',               403],
  ['MissingAuthenticationToken', {},                             'AccessDenied',               403],
  ['InternalFailure',            {},                             'InternalError',              500],
  ['NotYetImplementedException', {},                             'NotImplemented',             501],
  ['RequestTooLarge',            {},                             'EntityTooLarge',             400],
  ['ServiceUnavailable',         {},                             'ServiceUnavailable',         503],
  ['Throttling',                 {},                             'SlowDown',                   503],
];

for (const [thrown, members, code, status] of ERRORS) {
  test(`encodeError: S3: ${thrown} is ${code} with status ${status}`, () => {
    const routed = routedForTests(s3('GET /b/k'));
    const answer = encodeError(routed, new AwsError(thrown, 'a < b', members as Record<string, unknown>), REQUEST_ID);
    const elements = Object.entries(members).map(([name, value]) => `<${name}>${`${value}`.replace('&', '&amp;')}</${name}>`);
    const host = Buffer.from(REQUEST_ID).toString('base64');
    assert.deepEqual(
      [answer.status, answer.body],
      [
        status,
        `${XML}<Error><Code>${code}</Code><Message>a &lt; b</Message>${elements.join('')}<RequestId>${REQUEST_ID}</RequestId><HostId>${host}</HostId></Error>`,
      ],
    );
    assert.deepEqual(headersOf(answer), { 'content-type': 'application/xml' });
  });
}

test('encodeError: S3: row 25: 304 has the validators as headers, and no body', () => {
  const error = new AwsError('NotModified', 'Not Modified', { ETag: '"e"', LastModified: AT });
  const answer = encodeError(routedForTests(s3('GET /b/k')), error, REQUEST_ID);
  assert.deepEqual(
    [answer.status, answer.body, headersOf(answer)],
    [304, '', { etag: '"e"', 'last-modified': 'Sun, 29 Nov 2026 21:00:00 GMT' }],
  );
});
