/** Multipart uploads. */
import { get, post, put, remove, type S3Case } from './case.ts';

const part = (number: number, etag: string, checksum = '') =>
  `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag>${checksum}</Part>`;
const complete = (parts: string) =>
  post('/logs/multi?uploadId={upload}', `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`);
/** MD5 of `hello`. */
const HELLO = '5d41402abc4b2a76b9719d911017c592';
const NUMBER = 'Part number must be an integer between 1 and 10000, inclusive';
/** The CRC32 of `hello` is `NhCmhg==`, and that of these four bytes is `FKTmaw==`. */
const CRC32 = { 'x-amz-checksum-crc32': 'NhCmhg==' };

// biome-ignore format: a table
export const MULTIPART_CASES: readonly S3Case[] = [
  { row: 50, title: 'unknown upload',                 source: 'R', request: put('/logs/k?partNumber=1&uploadId=none', 'x'), status: 404, code: 'NoSuchUpload', elements: { UploadId: 'none' } },
  { row: 51, title: 'create upload',                  source: 'R', request: post('/logs/multi?uploads'), keepsUpload: true, status: 200, elements: { Bucket: 'logs', Key: 'multi' } },
  { row: 49, title: 'part -1',                        source: 'R', request: put('/logs/multi?partNumber=-1&uploadId={upload}', 'x'), status: 400, code: 'InvalidArgument', message: NUMBER, elements: { ArgumentName: 'partNumber', ArgumentValue: '-1' } },
  { row: 49, title: 'part 10001',                     source: 'R', request: put('/logs/multi?partNumber=10001&uploadId={upload}', 'x'), status: 400, code: 'InvalidArgument', message: NUMBER },
  { row: 50, title: 'upload of another key',          source: 'R', request: put('/logs/other?partNumber=1&uploadId={upload}', 'x'), status: 404, code: 'NoSuchUpload' },
  { row: 51, title: 'part 1',                         source: 'R', request: put('/logs/multi?partNumber=1&uploadId={upload}', 'hello'), status: 200, headers: { etag: `"${HELLO}"` } },
  { row: 51, title: 'part 2',                         source: 'R', request: put('/logs/multi?partNumber=2&uploadId={upload}', 'hello'), status: 200 },
  { row: 51, title: 'complete without parts',         source: 'R', request: complete(''), status: 400, code: 'InvalidRequest', message: 'You must specify at least one part' },
  { row: 51, title: 'complete, wrong order',          source: 'R', request: complete(part(2, HELLO) + part(1, HELLO)), status: 400, code: 'InvalidPartOrder' },
  { row: 51, title: 'complete, wrong ETag',           source: 'R', request: complete(part(1, '0'.repeat(32))), status: 400, code: 'InvalidPart', elements: { PartNumber: '1' } },
  { row: 51, title: 'complete, part too small',       source: 'R', request: complete(part(1, HELLO) + part(2, HELLO)), status: 400, code: 'EntityTooSmall', elements: { PartNumber: '1', ProposedSize: '5', MinSizeAllowed: '5242880' } },
  { row: 51, title: 'complete, quoted ETag',          source: 'R', request: complete(part(1, `&quot;${HELLO}&quot;`)), status: 200, elements: { ChecksumType: 'FULL_OBJECT' }, contains: '-1' },
  { row: 51, title: 'the object has the listed part', source: 'R', request: get('/logs/multi'), status: 200, body: 'hello' },
  { row: 52, title: 'create upload to abort',         source: 'R', request: post('/logs/multi?uploads'), keepsUpload: true, status: 200 },
  { row: 52, title: 'list parts',                     source: 'R', request: get('/logs/multi?uploadId={upload}'), status: 200 },
  { row: 52, title: 'abort',                          source: 'R', request: remove('/logs/multi?uploadId={upload}'), status: 204 },
  { row: 52, title: 'list parts after the abort',     source: 'R', request: get('/logs/multi?uploadId={upload}'), status: 404, code: 'NoSuchUpload' },
  { row: 53, title: 'create upload, CRC32',           source: 'R', request: post('/logs/multi?uploads', '', { 'x-amz-checksum-algorithm': 'CRC32' }), keepsUpload: true, status: 200, headers: { 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'COMPOSITE' } },
  { row: 53, title: 'part without the checksum',      source: 'R', request: put('/logs/multi?partNumber=1&uploadId={upload}', 'hello'), status: 400, code: 'InvalidRequest', message: 'Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: null' },
  { row: 53, title: 'part with CRC32',                source: 'R', request: put('/logs/multi?partNumber=1&uploadId={upload}', 'hello', CRC32), status: 200, headers: CRC32 },
  { row: 53, title: 'complete, CRC32',                source: 'R', request: complete(part(1, HELLO)), status: 200, elements: { ChecksumCRC32: 'FKTmaw==-1', ChecksumType: 'COMPOSITE' } },
  { row: 53, title: 'create upload, no algorithm',    source: 'R', request: post('/logs/multi?uploads'), keepsUpload: true, status: 200, headers: { 'x-amz-checksum-algorithm': undefined } },
  { row: 53, title: 'part with another checksum',     source: 'I', request: put('/logs/multi?partNumber=1&uploadId={upload}', 'hello', CRC32), status: 200, headers: CRC32 },
  { row: 53, title: 'complete with that checksum',    source: 'I', request: complete(part(1, HELLO, '<ChecksumCRC32>NhCmhg==</ChecksumCRC32>')), status: 400, code: 'InvalidPart' },
  { row: 53, title: 'complete, no algorithm',         source: 'R', request: complete(part(1, HELLO)), status: 200, elements: { ChecksumCRC64NVME: 'M3eFcAZSQlc=', ChecksumType: 'FULL_OBJECT' } },
  { row: 53, title: 'create upload, CRC64NVME',       source: 'R', request: post('/logs/multi?uploads', '', { 'x-amz-checksum-algorithm': 'CRC64NVME' }), keepsUpload: true, status: 200, headers: { 'x-amz-checksum-type': 'FULL_OBJECT' } },
  { row: 53, title: 'part with CRC64NVME',            source: 'R', request: put('/logs/multi?partNumber=1&uploadId={upload}', 'hello world', { 'x-amz-checksum-crc64nvme': 'jSnVw/bqjr4=' }), status: 200 },
  { row: 53, title: 'complete, CRC64NVME',            source: 'R', request: complete(part(1, '5eb63bbbe01eeed093cb22bb8f5acdc3')), status: 200, elements: { ChecksumCRC64NVME: 'jSnVw/bqjr4=', ChecksumType: 'FULL_OBJECT' } },
];
