/** Bodies: their checksums, and the encoding `aws-chunked`. No supported client sends most of these requests. */
import type { S3Request } from '../../kit/s3.ts';
import type { ChunkedBody } from '../../kit/s3-chunks.ts';
import { get, put, type S3Case } from './case.ts';

const crc32 = (value: string) => ({ 'x-amz-checksum-crc32': value });
/** The CRC32 of `hello` in base64 is `NhCmhg==`. */
const GOOD = 'x-amz-checksum-crc32:NhCmhg==';
const ANNOUNCED = { 'x-amz-trailer': 'x-amz-checksum-crc32' };

interface Form {
  readonly headers?: Readonly<Record<string, string>>;
  /** Value of `x-amz-decoded-content-length`. Default: the length of the pieces. `null` omits the header. */
  readonly length?: string | null;
  readonly key?: string;
}

function chunked(payload: string, chunks: ChunkedBody, { headers = {}, length, key = 'bad' }: Form = {}): S3Request {
  const decoded = length === undefined ? `${chunks.pieces.join('').length}` : length;
  const announced = decoded === null ? {} : { 'x-amz-decoded-content-length': decoded };
  return { ...put(`/logs/${key}`, '', { 'content-encoding': 'aws-chunked', ...announced, ...headers }), payload, chunks };
}

/** Body without signatures, as today's SDKs send it. */
const trailed = (trailers: readonly string[], form: Form = { headers: ANNOUNCED }) =>
  chunked('STREAMING-UNSIGNED-PAYLOAD-TRAILER', { pieces: ['hello'], trailers }, form);
/** Body with signed chunks. */
const signed = (chunks: Omit<ChunkedBody, 'signed'>, form: Form = {}) =>
  chunked('STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { ...chunks, signed: true }, form);
const raw = (bytes: string) => signed({ pieces: ['hello'], raw: bytes });

const LARGE = 'a'.repeat(65_536);
const BROKEN = 'The request body terminated unexpectedly';
const TRAILING = 'The request contained trailing data that was not well-formed or did not conform to our published schema.';

// biome-ignore format: a table
export const BODY_CASES: readonly S3Case[] = [
  { row: 28, title: 'wrong CRC32',                        source: 'R', request: put('/logs/bad', 'abc', crc32('AAAAAA==')), status: 400, code: 'BadDigest', message: 'The CRC32 you specified did not match the calculated checksum.' },
  { row: 29, title: 'malformed CRC32',                    source: 'R', request: put('/logs/bad', 'abc', crc32('x')), status: 400, code: 'InvalidRequest', message: 'Value for x-amz-checksum-crc32 header is invalid.' },
  { row: 30, title: 'CRC64NVME is computed',              source: 'T', request: put('/logs/hello', 'hello world'), status: 200, headers: { 'x-amz-checksum-crc64nvme': 'jSnVw/bqjr4=' } },
  { row: 30, title: 'CRC64NVME is returned',              source: 'T', request: get('/logs/hello', { 'x-amz-checksum-mode': 'ENABLED' }), status: 200, headers: { 'x-amz-checksum-crc64nvme': 'jSnVw/bqjr4=', 'x-amz-checksum-type': 'FULL_OBJECT' } },
  { row: 31, title: 'malformed Content-MD5',              source: 'R', request: put('/logs/bad', 'abc', { 'content-md5': 'x' }), status: 400, code: 'InvalidDigest' },
  { row: 31, title: 'wrong Content-MD5',                  source: 'R', request: put('/logs/bad', 'abc', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }), status: 400, code: 'BadDigest', elements: { ExpectedDigest: 'AAAAAAAAAAAAAAAAAAAAAA==', CalculatedDigest: 'kAFQmDzST7DWlj99KOF/cg==' } },
  { row: 32, title: 'hash of another body',               source: 'I', request: { ...put('/logs/bad', 'abc'), payload: 'a'.repeat(64) }, status: 400, code: 'XAmzContentSHA256Mismatch', elements: { ClientComputedContentSHA256: 'a'.repeat(64), S3ComputedContentSHA256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' } },
  { row: 33, title: 'no x-amz-content-sha256',            source: 'V', request: { ...put('/logs/bad', 'abc'), payload: null }, status: 400, code: 'InvalidRequest', message: 'Missing required header for this request: x-amz-content-sha256' },
  { row: 34, title: 'invalid payload mode',               source: 'V', request: { ...put('/logs/bad', 'abc'), payload: 'X' }, status: 400, code: 'InvalidArgument', elements: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: 'X' } },
  { row: 35, title: 'wrong checksum in a trailer',        source: 'A', request: trailed(['x-amz-checksum-crc32:AAAAAA==']), status: 400, code: 'BadDigest', message: 'The CRC32 you specified did not match the calculated checksum.' },
  { row: 35, title: 'right checksum in a trailer',        source: 'T', request: trailed([GOOD], { headers: ANNOUNCED, key: 'trailed' }), status: 200, headers: { ...crc32('NhCmhg=='), 'x-amz-checksum-type': 'FULL_OBJECT' } },
  { row: 35, title: 'the object, without aws-chunked',    source: 'G', request: get('/logs/trailed'), status: 200, body: 'hello', headers: { 'content-encoding': undefined } },
  { row: 36, title: 'declared trailer is missing',        source: 'V', request: trailed([]), status: 400, code: 'MalformedTrailerError', message: TRAILING },
  { row: 36, title: 'trailer has another name',           source: 'V', request: trailed(['x-amz-checksum-crc32c:mnG7TA==']), status: 400, code: 'MalformedTrailerError', message: TRAILING },
  { row: 36, title: 'undeclared trailer',                 source: 'V', request: trailed([GOOD], {}), status: 400, code: 'MalformedTrailerError', message: TRAILING },
  { row: 37, title: 'unknown x-amz-trailer',              source: 'V', request: trailed([], { headers: { 'x-amz-trailer': 'x-amz-meta-a' } }), status: 400, code: 'InvalidRequest', message: 'The value specified in the x-amz-trailer header is not supported' },
  { row: 38, title: 'trailer form without a trailer',     source: 'V', request: trailed([], { key: 'untrailed', headers: { 'content-encoding': 'gzip,aws-chunked' } }), status: 200, headers: { 'x-amz-checksum-crc32': undefined }, body: '' },
  { row: 38, title: 'its checksum and other encoding',    source: 'V', request: get('/logs/untrailed', { 'x-amz-checksum-mode': 'ENABLED' }), status: 200, headers: { 'x-amz-checksum-crc64nvme': 'M3eFcAZSQlc=', 'content-encoding': 'gzip' } },
  { row: 39, title: 'chunk without a signature',          source: 'V', request: raw('5\r\nhello\r\n0\r\n\r\n'), status: 400, code: 'IncompleteBody', message: BROKEN },
  { row: 39, title: 'no line end after a chunk',          source: 'V', request: trailedRaw('5\r\nhello0\r\n\r\n'), status: 400, code: 'IncompleteBody', message: BROKEN },
  { row: 39, title: 'no chunk of length 0',               source: 'V', request: trailedRaw('5\r\nhello\r\n'), status: 400, code: 'IncompleteBody', message: BROKEN },
  { row: 40, title: 'signed chunks',                      source: 'G', request: signed({ pieces: [LARGE, 'end'] }, { key: 'chunks' }), status: 200 },
  { row: 40, title: 'signed chunks and trailer',          source: 'G', request: signedTrailer({}), status: 200, headers: crc32('NhCmhg==') },
  { row: 40, title: 'altered chunk',                      source: 'G', request: signed({ pieces: [LARGE, 'end'], alterChunk: 0 }), status: 403, code: 'SignatureDoesNotMatch' },
  { row: 40, title: 'altered last chunk',                 source: 'G', request: signed({ pieces: [LARGE, 'end'], alterChunk: 1 }), status: 403, code: 'SignatureDoesNotMatch' },
  { row: 40, title: 'altered last signature',             source: 'G', request: signed({ pieces: ['hello'], alterLast: true }), status: 403, code: 'SignatureDoesNotMatch' },
  { row: 40, title: 'trailer without its signature',      source: 'A', request: signedTrailer({ signedTrailers: false }), status: 400, code: 'MalformedTrailerError' },
  { row: 41, title: 'small chunk that is not the last',   source: 'V', request: signed({ pieces: ['hello', 'hello'] }), status: 400, code: 'InvalidChunkSizeError', elements: { Chunk: '1', BadChunkSize: '5' } },
  { row: 42, title: 'more bytes than the decoded length', source: 'V', request: trailed([GOOD], { headers: ANNOUNCED, length: '4' }), status: 400, code: 'IncompleteBody', elements: { NumberBytesExpected: '4', NumberBytesProvided: '5' } },
  { row: 42, title: 'fewer bytes than the decoded length', source: 'V', request: trailed([GOOD], { headers: ANNOUNCED, length: '6' }), status: 400, code: 'IncompleteBody', elements: { NumberBytesExpected: '6', NumberBytesProvided: '5' } },
  { row: 43, title: 'no decoded length',                  source: 'V', request: trailed([GOOD], { headers: ANNOUNCED, length: null }), status: 411, code: 'MissingContentLength' },
  { row: 43, title: 'invalid decoded length',             source: 'V', request: trailed([GOOD], { headers: ANNOUNCED, length: '-5' }), status: 411, code: 'MissingContentLength' },
  {          title: 'no bad body was stored',             source: 'A', request: get('/logs/bad'), status: 404, code: 'NoSuchKey' },
];

function trailedRaw(bytes: string): S3Request {
  return chunked('STREAMING-UNSIGNED-PAYLOAD-TRAILER', { pieces: ['hello'], raw: bytes });
}

function signedTrailer(changes: Partial<ChunkedBody>): S3Request {
  const chunks = { pieces: ['hello'], trailers: [GOOD], signed: true, signedTrailers: true, ...changes };
  return chunked('STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', chunks, { headers: ANNOUNCED, key: changes.signedTrailers === false ? 'bad' : 'chunks' });
}
