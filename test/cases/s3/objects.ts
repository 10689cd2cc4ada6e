/** Objects: their contents, conditions, ranges, metadata and keys. */
import { contentMd5 } from '../../kit/s3.ts';
import { get, head, post, put, remove, type S3Case } from './case.ts';

const MD5 = '"e80b5017098950fc58aad83c8c14978e"';
const DELETE = '<Delete><Object><Key>none</Key></Object></Delete>';
const STORED = { 'x-amz-meta-team': 'a b', 'content-encoding': 'gzip', 'cache-control': 'no-cache', expires: 'Fri, 21 Dec 2012 00:00:00 GMT' };

// biome-ignore format: a table
export const OBJECT_CASES: readonly S3Case[] = [
  // The object `k` has the content `abcdef`.
  { row: 16, title: 'PUT object',                      source: 'R', request: put('/logs/k', 'abcdef'), status: 200, headers: { etag: MD5 } },
  { row: 16, title: 'GET object',                      source: 'R', request: get('/logs/k'), status: 200, headers: { etag: MD5, 'accept-ranges': 'bytes', 'content-type': 'binary/octet-stream', 'content-length': '6', 'x-amz-version-id': undefined }, body: 'abcdef' },
  { row: 16, title: 'HEAD object',                     source: 'R', request: head('/logs/k'), status: 200, headers: { etag: MD5, 'content-length': '6' }, body: '' },
  { row: 17, title: 'GET missing key',                 source: 'R', request: get('/logs/none'), status: 404, code: 'NoSuchKey', elements: { Key: 'none' } },
  { row: 18, title: 'DELETE object',                   source: 'R', request: put('/logs/old', 'x'), status: 200 },
  { row: 18, title: 'DELETE existing object',          source: 'R', request: remove('/logs/old'), status: 204 },
  { row: 18, title: 'DELETE missing object',           source: 'R', request: remove('/logs/old'), status: 204 },
  { row: 19, title: 'DELETE of several keys',          source: 'R', request: post('/logs?delete', DELETE, contentMd5(DELETE)), status: 200, contains: '<Deleted><Key>none</Key></Deleted>' },
  { row: 20, title: 'range',                           source: 'R', request: get('/logs/k', { range: 'bytes=0-2', 'x-amz-checksum-mode': 'ENABLED' }), status: 206, headers: { 'content-range': 'bytes 0-2/6', 'content-length': '3', 'x-amz-checksum-crc64nvme': undefined }, body: 'abc' },
  { row: 21, title: 'last bytes',                      source: 'R', request: get('/logs/k', { range: 'bytes=-2' }), status: 206, headers: { 'content-range': 'bytes 4-5/6' }, body: 'ef' },
  { row: 21, title: 'range without an end',            source: 'R', request: get('/logs/k', { range: 'bytes=1-' }), status: 206, headers: { 'content-range': 'bytes 1-5/6' }, body: 'bcdef' },
  { row: 22, title: 'reversed range',                  source: 'R', request: get('/logs/k', { range: 'bytes=1-0' }), status: 200, body: 'abcdef' },
  { row: 22, title: 'range with a negative start',     source: 'R', request: get('/logs/k', { range: 'bytes=-1-' }), status: 200, body: 'abcdef' },
  { row: 23, title: 'range past the end',              source: 'R', request: get('/logs/k', { range: 'bytes=6-' }), status: 416, code: 'InvalidRange', elements: { ActualObjectSize: '6', RangeRequested: 'bytes=6-' } },
  { row: 24, title: 'If-Match differs',                source: 'R', request: get('/logs/k', { 'if-match': '"x"' }), status: 412, code: 'PreconditionFailed', elements: { Condition: 'If-Match' } },
  { row: 25, title: 'If-None-Match equal',             source: 'R', request: get('/logs/k', { 'if-none-match': MD5 }), status: 304, headers: { etag: MD5 }, body: '' },
  { row: 25, title: 'If-None-Match equal, unquoted',   source: 'R', request: get('/logs/k', { 'if-none-match': MD5.replaceAll('"', '') }), status: 304, headers: { etag: MD5 }, body: '' },
  { row: 26, title: 'PUT If-None-Match *, exists',     source: 'R', request: put('/logs/k', 'x', { 'if-none-match': '*' }), status: 412, code: 'PreconditionFailed', elements: { Condition: 'If-None-Match' } },
  { row: 26, title: 'PUT If-None-Match, other value',  source: 'R', request: put('/logs/k', 'x', { 'if-none-match': 'x' }), status: 501, code: 'NotImplemented', elements: { Header: 'If-None-Match' } },
  { row: 27, title: 'response-content-type',           source: 'R', request: get('/logs/k?response-content-type=text%2Fcsv'), status: 200, headers: { 'content-type': 'text/csv' } },
  { row: 57, title: 'key with dots',                   source: 'T', request: put('/logs/a/../b', 'dots'), status: 200 },
  { row: 57, title: 'key with dots, as sent',          source: 'T', request: get('/logs/a/../b'), status: 200, body: 'dots' },
  { row: 57, title: 'the key without dots is another', source: 'T', request: get('/logs/b'), status: 404, code: 'NoSuchKey' },
  { row: 57, title: 'key with escapes',                source: 'T', request: put('/logs//lead//a%3Fb%23c%2Fd', 'esc'), status: 200 },
  { row: 57, title: 'key with escapes, as sent',       source: 'T', request: get('/logs?list-type=2&prefix=%2Flead'), status: 200, elements: { Key: '/lead//a?b#c/d' } },
  { row: 58, title: 'key that climbs out',             source: 'A', request: put('/logs/../b', 'x'), status: 400, code: 'InvalidURI' },
  { row: 58, title: 'key of 1,024 bytes',              source: 'G', request: put(`/logs/${'a'.repeat(1024)}`, 'x'), status: 200 },
  { row: 58, title: 'key of 1,025 bytes',              source: 'G', request: put(`/logs/${'a'.repeat(1025)}`, 'x'), status: 400, code: 'KeyTooLongError', elements: { Size: '1025', MaxSizeAllowed: '1024' } },
  {          title: 'PUT metadata',                    source: 'G', request: put('/logs/meta', 'x', STORED), status: 200 },
  {          title: 'metadata, by HEAD',               source: 'G', request: head('/logs/meta'), status: 200, headers: STORED },
  {          title: 'PUT an empty object',             source: 'A', request: put('/logs/empty', ''), status: 200 },
  {          title: 'an empty object',                 source: 'A', request: get('/logs/empty'), status: 200, headers: { 'content-length': '0' }, body: '' },
  {          title: 'a public ACL',                    source: 'G', request: put('/logs/acl', 'x', { 'x-amz-acl': 'public-read' }), status: 400, code: 'AccessControlListNotSupported' },
  {          title: 'server-side encryption',          source: 'A', request: put('/logs/sse', 'x', { 'x-amz-server-side-encryption': 'AES256' }), status: 501, code: 'NotImplemented' },
];
