import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestForTests, routedForTests } from './request-for-tests.ts';
import { route } from './route.ts';
import { isS3Request } from './s3-address.ts';
import { hasObjectBody } from './s3-route.ts';

const SETTINGS = { guide2021: false, s3Host: 's3.example.com' };
const S3 = 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00';
const IAM = S3.replace('/s3/', '/iam/');
const V2 = 'AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl';

// record.md C1.
// biome-ignore format: a table
const ADDRESSES: readonly [title: string, target: string, host: string, authorization: string | undefined, bucket: string | undefined, key: string | undefined][] = [
  // title                                 target                     host                          authorization  bucket           key
  ['a scope',                              '/b/k',                    'localhost:7080',             S3,            'b',             'k'],
  ['a presigned URL',                      '/b/k?X-Amz-Credential=A%2F20261122%2Fus-east-1%2Fs3%2Faws4_request', 'localhost', undefined, 'b', 'k'],
  ['the name of a page',                   '/saml/x',                 'localhost',                  S3,            'saml',          'x'],
  ['the name of a route',                  '/channels',               'localhost',                  S3,            'channels',      undefined],
  ['the path of a console',                '/',                       'localhost',                  S3,            undefined,       undefined],
  ['a base path of another service',       '/_iam/x',                 'localhost',                  S3,            '_iam',          'x'],
  ['a slash behind the bucket',            '/b/',                     'localhost',                  S3,            'b',             undefined],
  ['a key that begins with a slash',       '/b//k',                   'localhost',                  S3,            'b',             '/k'],
  ['the base path',                        '/_s3/b/k',                'localhost',                  undefined,     'b',             'k'],
  ['the base path alone',                  '/_s3',                    'localhost',                  undefined,     undefined,       undefined],
  ['the host label s3',                    '/b/k',                    's3.eu-west-1.amazonaws.com', undefined,     'b',             'k'],
  ['a bucket in the host',                 '/k/l',                    'my.logs.s3.example.com:80',  S3,            'my.logs',       'k/l'],
  ['a bucket in the host, anonymous',      '/k',                      'files.s3.example.com',       undefined,     'files',         'k'],
  ['a bucket in the host, no key',         '/',                       'files.s3.example.com',       undefined,     'files',         undefined],
  ['a bucket with the name of a service',  '/k',                      'iam.s3.example.com',         S3,            'iam',           'k'],
  ['the configured host',                  '/b/k',                    'S3.Example.com',             S3,            'b',             'k'],
  ['Signature 2',                          '/b/k',                    'localhost',                  V2,            'b',             'k'],
  ['Signature 2 in the query',             '/b/k?AWSAccessKeyId=A&Signature=s', 'localhost',        undefined,     'b',             'k'],
];

for (const [title, target, host, authorization, bucket = '', key = ''] of ADDRESSES) {
  test(`route: S3: ${title}: ${target} is the bucket '${bucket}' and the key '${key}'`, () => {
    const request = requestForTests({
      target,
      headers: { Host: host, ...(authorization !== undefined && { Authorization: authorization }) },
    });
    const routed = route(request, SETTINGS);
    assert.ok(routed.kind === 'routed');
    assert.deepEqual([routed.service, ...routed.labels], ['s3', bucket, key]);
    assert.equal(isS3Request(request, SETTINGS), true);
  });
}

// biome-ignore format: a table
const OTHERS: readonly [title: string, target: string, host: string, authorization: string | undefined][] = [
  ['no clue',                                        '/bucket/key',     'localhost',           undefined],
  ['the scope of another service',                   '/bucket/key',     'logs.s3.example.com', IAM],
  ['the scope of another service, host label s3',    '/bucket/key',     's3.example.com',      IAM],
  ['a host that only ends like the configured one',  '/key',            'logss3.example.com',  undefined],
  ['a host of another service, anonymous',           '/',               'sts.s3.example.com',  undefined],
  ['only one parameter of Signature 2',              '/b?AWSAccessKeyId=A', 'localhost',       undefined],
];

for (const [title, target, host, authorization] of OTHERS) {
  test(`route: ${title}: the request is not for S3`, () => {
    const request = requestForTests({
      target,
      headers: { Host: host, ...(authorization !== undefined && { Authorization: authorization }) },
    });
    assert.equal(isS3Request(request, SETTINGS), false);
    assert.notEqual(route(request, SETTINGS).service, 's3');
  });
}

// biome-ignore format: a table
const OPERATIONS: readonly [request: string, operation: string][] = [
  ['GET /',                                          'ListBuckets'],
  ['GET /?x-id=ListBuckets',                         'ListBuckets'],
  ['PUT /b',                                         'CreateBucket'],
  ['DELETE /b/',                                     'DeleteBucket'],
  ['HEAD /b',                                        'HeadBucket'],
  ['GET /b?location',                                'GetBucketLocation'],
  ['GET /b/?versioning=',                            'GetBucketVersioning'],
  ['GET /b?policy',                                  'GetBucketPolicy'],
  ['PUT /b/?policy=&x-id=PutBucketPolicy',           'PutBucketPolicy'],
  ['DELETE /b?pol%69cy',                             'DeleteBucketPolicy'],
  ['GET /b?lifecycle',                               'GetBucketLifecycleConfiguration'],
  ['PUT /b?lifecycle',                               'PutBucketLifecycleConfiguration'],
  ['DELETE /b?lifecycle',                            'DeleteBucketLifecycle'],
  ['GET /b?prefix=a&delimiter=/',                    'ListObjects'],
  ['GET /b?list-type=2&prefix=policy',               'ListObjectsV2'],
  ['GET /b?prefix=&delimiter=&marker=&encoding-type=url', 'ListObjects'],
  ['GET /b/k?unknown=1',                             'GetObject'],
  ['GET /b?uploads',                                 'ListMultipartUploads'],
  ['POST /b?delete',                                 'DeleteObjects'],
  ['GET /b/k?partNumber=1&response-content-type=a',  'GetObject'],
  ['HEAD /b/k',                                      'HeadObject'],
  ['PUT /b/k',                                       'PutObject'],
  ['DELETE /b/k?versionId=null',                     'DeleteObject'],
  ['POST /b/k?uploads=',                             'CreateMultipartUpload'],
  ['PUT /b/k?partNumber=1&uploadId=u',               'UploadPart'],
  ['GET /b/k?uploadId=u&max-parts=2',                'ListParts'],
  ['POST /b/k?uploadId=u',                           'CompleteMultipartUpload'],
  ['DELETE /b/k?uploadId=u',                         'AbortMultipartUpload'],
];

for (const [request, operation] of OPERATIONS) {
  test(`route: S3: ${request} is ${operation}`, () => {
    const [method = '', target = ''] = request.split(' ');
    const routed = routedForTests({ method, target, scope: 's3' });
    assert.ok(routed.kind === 'routed', JSON.stringify(routed));
    assert.equal(routed.operation.name, operation);
    assert.equal(hasObjectBody(routed), operation === 'PutObject' || operation === 'UploadPart');
  });
}

const COPY = { 'x-amz-copy-source': '/b/other' };

// biome-ignore format: a table
const REFUSED: readonly [request: string, headers: Readonly<Record<string, string>>, code: string, status: number, operation: string | undefined][] = [
  ['GET /b?acl',                           {},   'NotImplemented',   501, 'GetBucketAcl'],
  ['PUT /b?cors',                          {},   'NotImplemented',   501, 'PutBucketCors'],
  ['GET /b?requestPayment',                {},   'NotImplemented',   501, 'GetBucketRequestPayment'],
  ['GET /b/k?acl',                         {},   'NotImplemented',   501, 'GetObjectAcl'],
  ['PUT /b/k?tagging',                     {},   'NotImplemented',   501, 'PutObjectTagging'],
  ['GET /b?versions',                      {},   'NotImplemented',   501, 'ListObjectVersions'],
  ['POST /b/k?select&select-type=2',       {},   'NotImplemented',   501, 'SelectObjectContent'],
  ['PUT /b/k',                             COPY, 'NotImplemented',   501, 'CopyObject'],
  ['PUT /b/k?partNumber=1&uploadId=u',     COPY, 'NotImplemented',   501, 'UploadPartCopy'],
  ['DELETE /b?acl',                        {},   'NotImplemented',   501, undefined],
  ['DELETE /b?versioning',                 {},   'NotImplemented',   501, undefined],
  ['DELETE /b/k?policy',                   {},   'NotImplemented',   501, undefined],
  ['DELETE /b/k?annotation=&name=n',       {},   'NotImplemented',   501, undefined],
  ['PUT /b/k?annotation',                  {},   'NotImplemented',   501, undefined],
  ['PUT /b?metadataAnnotationTable',       {},   'NotImplemented',   501, undefined],
  ['PUT /b/k?partNumber=1',                {},   'NotImplemented',   501, undefined],
  ['PUT /b/k?uploadId=u',                  {},   'NotImplemented',   501, undefined],
  ['POST /b',                              {},   'MethodNotAllowed', 405, undefined],
  ['POST /b/k',                            {},   'MethodNotAllowed', 405, undefined],
  ['PATCH /b/k',                           {},   'MethodNotAllowed', 405, undefined],
  ['DELETE /',                             {},   'MethodNotAllowed', 405, undefined],
  ['GET /b/../b',                          {},   'InvalidURI',       400, undefined],
  ['GET /b/a/../../b',                     {},   'InvalidURI',       400, undefined],
  ['GET /b/a/%2E%2E/%2e./b',               {},   'InvalidURI',       400, undefined],
  ['GET /b//../b',                         {},   'InvalidURI',       400, undefined],
  ['GET /b/%zz',                           {},   'InvalidURI',       400, undefined],
  ['GET /b/%00',                           {},   'InvalidURI',       400, undefined],
  ['GET /b/%ff',                           {},   'InvalidURI',       400, undefined],
  ['GET /b%80/k',                          {},   'InvalidURI',       400, undefined],
  ['GET /b?prefix=%ff',                    {},   'InvalidURI',       400, undefined],
  [`GET /b/${'a'.repeat(1_025)}`,          {},   'KeyTooLongError',  400, undefined],
  [`GET /b/${'%C3%BC'.repeat(513)}`,       {},   'KeyTooLongError',  400, undefined],
];

for (const [request, headers, code, , operation] of REFUSED) {
  test(`route: S3: ${request.slice(0, 50)}${'x-amz-copy-source' in headers ? ' as a copy' : ''} is ${code}`, () => {
    const [method = '', target = ''] = request.split(' ');
    const routed = routedForTests({ method, target, headers, scope: 's3' });
    assert.ok(routed.kind === 'refused');
    assert.deepEqual([routed.error.code, routed.operationName, routed.authenticated], [code, operation, true]);
  });
}

for (const key of ['a/../b', 'a//b', '/lead', '%2F', 'a%3Fb%23c', 'a+b', '...', `${'a'.repeat(1_024)}`, '%C3%BC'.repeat(512)]) {
  test(`route: S3: row 57: the key ${key.slice(0, 20)} is accepted as sent`, () => {
    const routed = routedForTests({ target: `/b/${key}`, scope: 's3' });
    assert.ok(routed.kind === 'routed');
    assert.equal(routed.labels[1], key);
  });
}
