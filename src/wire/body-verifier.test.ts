import assert from 'node:assert/strict';
import { createHash, createHmac, hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { AwsError } from '#core/aws-error.ts';
import type { ChunkSigning } from '#sigv4/chunk-signature.ts';
import { CHUNK_EXAMPLES, type ChunkExample } from '#sigv4/chunk-vectors-for-tests.ts';
import { readPayloadMode, type SignedPayload } from '#sigv4/payload.ts';
import { bodyVerifier, readBodyDeclaration, type VerifiedBody, verifiedBody } from './body-verifier.ts';
import { newChecksum } from './checksums.ts';

type Headers = Readonly<Record<string, string>>;

const [PLAIN, WITH_TRAILER] = CHUNK_EXAMPLES as readonly [ChunkExample, ChunkExample];
const EMPTY = hash('sha256', '', 'hex');

function payloadOf(mode: string, signing: ChunkSigning = PLAIN.signing): SignedPayload {
  const read = readPayloadMode(mode);
  assert.ok(read !== undefined);
  if (read.kind !== 'chunked') return read;
  return { kind: 'chunked', trailer: read.trailer, ...(read.signed && { signing }) };
}

/** Verifies a body that arrives in the pieces between the positions `cuts`. Returns the result and the decoded bytes. */
function verify(
  body: Buffer,
  payload: SignedPayload,
  headers: Headers = {},
  cuts: readonly number[] = [],
): VerifiedBody & { readonly decoded: Buffer } {
  const verifier = bodyVerifier(readBodyDeclaration({ rawHeaders: Object.entries(headers).flat() }, payload));
  const decoded: Buffer[] = [];
  const ends = [...cuts.filter((cut) => cut < body.length).toSorted((a, b) => a - b), body.length];
  let from = 0;
  for (const end of ends) {
    for (const piece of verifier.write(body.subarray(from, end))) decoded.push(Buffer.from(piece));
    from = end;
  }
  return { ...verifier.end(), decoded: Buffer.concat(decoded) };
}

/** Returns the body of a published example as it is on the wire. */
function bodyOfExample({ chunks, trailer, trailerSignature }: ChunkExample): Buffer {
  const parts = chunks.map(
    ([size, signature]) => `${size.toString(16)};chunk-signature=${signature}\r\n${'a'.repeat(size)}${size > 0 ? '\r\n' : ''}`,
  );
  const trailers = trailer === undefined ? '' : `${trailer.join(':')}\r\nx-amz-trailer-signature:${trailerSignature}\r\n`;
  return Buffer.from(`${parts.join('')}${trailers}\r\n`);
}

/** Encodes data as signed chunks. */
function signedBody(data: string, sizes: readonly number[], seed: string): Buffer {
  let previous = seed;
  let at = 0;
  const { key, amzDate, scope } = PLAIN.signing;
  const parts = [...sizes, 0].map((size) => {
    const piece = data.slice(at, (at += size));
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${amzDate}\n${scope}\n${previous}\n${EMPTY}\n${hash('sha256', piece, 'hex')}`;
    previous = createHmac('sha256', key).update(text).digest('hex');
    return `${size.toString(16)};chunk-signature=${previous}\r\n${piece}${size > 0 ? '\r\n' : ''}`;
  });
  return Buffer.from(`${parts.join('')}\r\n`);
}

function base64(algorithm: Parameters<typeof newChecksum>[0], text: string): string {
  const checksum = newChecksum(algorithm);
  checksum.update(Buffer.from(text));
  return checksum.digest();
}

const md5 = (text: string): string => createHash('md5').update(text).digest('base64');
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const SIGNED_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const LENGTH = 'x-amz-decoded-content-length';
const OF_EXAMPLE = { [LENGTH]: '66560' };
const OF_TRAILER_EXAMPLE = { ...OF_EXAMPLE, 'x-amz-trailer': 'x-amz-checksum-crc32c' };

test('bodyVerifier: decodes the published examples, and cuts in any places change nothing', () => {
  const whole = createHash('md5').update('a'.repeat(66_560)).digest('hex');
  const cuts = fc.array(fc.oneof(fc.nat(67_200), fc.constantFrom(88, 89, 90, 65_625, 65_626, 65_627)), { maxLength: 12 });
  fc.assert(
    fc.property(fc.constantFrom(PLAIN, WITH_TRAILER), cuts, (example, places) => {
      const isTrailer = example.trailer !== undefined;
      const payload = payloadOf(isTrailer ? SIGNED_TRAILER : SIGNED, example.signing);
      const result = verify(bodyOfExample(example), payload, isTrailer ? OF_TRAILER_EXAMPLE : OF_EXAMPLE, places);
      assert.deepEqual([result.length, result.md5, result.decoded.length], [66_560, whole, 66_560]);
      assert.deepEqual(result.checksums, isTrailer ? { CRC32C: 'sOO8/Q==' } : { CRC64NVME: base64('CRC64NVME', 'a'.repeat(66_560)) });
    }),
    { numRuns: 40 },
  );
});

test('bodyVerifier: unsigned chunks of any sizes and any cuts give the data', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 });
  fc.assert(
    fc.property(sizes, fc.array(fc.nat(1_500), { maxLength: 20 }), (chunkSizes, cuts) => {
      const data = Array.from({ length: chunkSizes.reduce((sum, size) => sum + size, 0) }, (_, i) =>
        String.fromCharCode(97 + (i % 26)),
      ).join('');
      let at = 0;
      const chunks = chunkSizes.map((size) => `${size.toString(16)}\r\n${data.slice(at, (at += size))}\r\n`);
      const body = Buffer.from(`${chunks.join('')}0\r\nx-amz-checksum-crc32:${base64('CRC32', data)}\r\n\r\n`);
      const headers = { [LENGTH]: `${data.length}`, 'x-amz-trailer': 'x-amz-checksum-crc32' };
      const result = verify(body, payloadOf(UNSIGNED_TRAILER), headers, cuts);
      assert.deepEqual([result.decoded.toString(), result.sent], [data, 'CRC32']);
    }),
  );
});

test('bodyVerifier: a cut or changed byte in a signed body is never accepted', () => {
  const body = bodyOfExample(WITH_TRAILER);
  const payload = payloadOf(SIGNED_TRAILER, WITH_TRAILER.signing);
  // Most bytes are data, so half of the positions are in the lines around it.
  const position = fc.oneof(
    fc.nat(body.length - 1),
    fc.integer({ min: 65_600, max: 65_720 }),
    fc.integer({ min: body.length - 300, max: body.length - 1 }),
  );
  fc.assert(
    fc.property(position, fc.boolean(), (at, isCut) => {
      const altered = isCut ? body.subarray(0, at) : Buffer.from(body);
      // The change is not one of case, because the names of trailers and the digits of a size may have either.
      if (!isCut) altered[at] = (altered[at] as number) ^ 0x15;
      assert.throws(() => verify(altered, payload, OF_TRAILER_EXAMPLE), AwsError);
    }),
    { numRuns: 60 },
  );
});

const OF_SIX = { [LENGTH]: '6' };
const CRC_TRAILER = { ...OF_SIX, 'x-amz-trailer': 'x-amz-checksum-crc32' };
const CRC = base64('CRC32', 'abcdef');
const WRONG = base64('CRC32', 'abcdeg');

// Rows of record.md C5. The body of an unsigned form is `abcdef`.
// biome-ignore format: a table
const UNSIGNED_ROWS: readonly [row: string, body: string, headers: Headers, code: string | undefined, members?: object][] = [
  ['35: a wrong checksum in a trailer',     `6\r\nabcdef\r\n0\r\nx-amz-checksum-crc32:${WRONG}\r\n\r\n`,  CRC_TRAILER, 'BadDigest'],
  ['35: a malformed checksum in a trailer', '6\r\nabcdef\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n',     CRC_TRAILER, 'InvalidRequest'],
  ['36: a missing trailer',                 '6\r\nabcdef\r\n0\r\n\r\n',                                  CRC_TRAILER, 'MalformedTrailerError'],
  ['36: a renamed trailer',                 `6\r\nabcdef\r\n0\r\nx-amz-checksum-sha1:${CRC}\r\n\r\n`,    CRC_TRAILER, 'MalformedTrailerError'],
  ['36: an undeclared trailer',             `6\r\nabcdef\r\n0\r\nx-amz-checksum-crc32:${CRC}\r\n\r\n`,   OF_SIX,      'MalformedTrailerError'],
  ['36: a repeated trailer',                `6\r\nabcdef\r\n0\r\n${`x-amz-checksum-crc32:${CRC}\r\n`.repeat(2)}\r\n`, CRC_TRAILER, 'MalformedTrailerError'],
  ['36: a signature of unsigned trailers',  `6\r\nabcdef\r\n0\r\nx-amz-trailer-signature:${'0'.repeat(64)}\r\n\r\n`,  OF_SIX, 'MalformedTrailerError'],
  ['37: an unknown trailer',                '',                                                          { ...OF_SIX, 'x-amz-trailer': 'x-amz-meta-a' }, 'InvalidRequest'],
  ['37: two trailers',                      '',                                                          { ...OF_SIX, 'x-amz-trailer': 'x-amz-checksum-crc32,x-amz-checksum-sha1' }, 'InvalidRequest'],
  ['38: no trailer at all',                 '6\r\nabcdef\r\n0\r\n\r\n',                                  OF_SIX,      undefined],
  ['38: several chunks and upper case',     '1\r\na\r\n5\r\nbcdef\r\n0\r\n\r\n',                         OF_SIX,      undefined],
  ['39: a chunk without a line end',        '6\r\nabcdef0\r\n\r\n',                                      OF_SIX,      'IncompleteBody'],
  ['39: a size that is not hexadecimal',    '6x\r\nabcdef\r\n0\r\n\r\n',                                 OF_SIX,      'IncompleteBody'],
  ['39: a negative size',                   '-6\r\nabcdef\r\n0\r\n\r\n',                                 OF_SIX,      'IncompleteBody'],
  ['39: a line that ends with a line feed', '6\nabcdef\r\n0\r\n\r\n',                                    OF_SIX,      'IncompleteBody'],
  ['39: a lone carriage return',            '6\rabcdef\r\n0\r\n\r\n',                                    OF_SIX,      'IncompleteBody'],
  ['39: a size line without an end',        '0'.repeat(5_000),                                           OF_SIX,      'IncompleteBody'],
  ['39: a chunk signature',                 `6;chunk-signature=${'0'.repeat(64)}\r\nabcdef\r\n`,         OF_SIX,      'IncompleteBody'],
  ['39: no last chunk',                     '6\r\nabcdef\r\n',                                           OF_SIX,      'IncompleteBody'],
  ['39: no end',                            '6\r\nabcdef\r\n0\r\n',                                      OF_SIX,      'IncompleteBody'],
  ['39: bytes after the end',               '6\r\nabcdef\r\n0\r\n\r\nx',                                 OF_SIX,      'IncompleteBody'],
  ['39: an empty body',                     '',                                                          OF_SIX,      'IncompleteBody'],
  ['42: fewer bytes than announced',        '5\r\nabcde\r\n0\r\n\r\n',                                   OF_SIX,      'IncompleteBody', { NumberBytesExpected: 6, NumberBytesProvided: 5 }],
  ['42: more bytes than announced',         '7\r\nabcdefg\r\n0\r\n\r\n',                                 OF_SIX,      'IncompleteBody', { NumberBytesExpected: 6, NumberBytesProvided: 7 }],
  ['42: a size beyond all limits',          `${'f'.repeat(14)}\r\n`,                                     OF_SIX,      'IncompleteBody'],
  ['43: no decoded length',                 '',                                                          {},          'MissingContentLength'],
  ['43: an invalid decoded length',         '',                                                          { [LENGTH]: '-1' }, 'MissingContentLength'],
];

for (const [row, body, headers, code, members] of UNSIGNED_ROWS) {
  test(`bodyVerifier: row ${row} is ${code ?? 'accepted'}`, () => {
    const run = () => verify(Buffer.from(body), payloadOf(UNSIGNED_TRAILER), headers);
    if (code === undefined) {
      assert.deepEqual({ ...run().checksums }, { CRC64NVME: base64('CRC64NVME', 'abcdef') });
      return;
    }
    assert.throws(run, (error: AwsError) => {
      assert.equal(error.code, code);
      if (members !== undefined) assert.deepEqual(error.members, members);
      return true;
    });
  });
}

test('bodyVerifier: row 41: a signed chunk below 8,192 bytes must be the last', () => {
  const payload = payloadOf(SIGNED);
  const data = 'x'.repeat(8_193);
  const headers = { [LENGTH]: `${data.length}` };
  const { seed } = PLAIN.signing;
  assert.equal(verify(signedBody(data, [8_192, 1], seed), payload, headers).length, 8_193);
  assert.throws(() => verify(signedBody(data, [2, 8_191], seed), payload, headers), {
    code: 'InvalidChunkSizeError',
    members: { Chunk: 1, BadChunkSize: 2 },
  });
});

test('bodyVerifier: rows 39 and 40: a missing signature is IncompleteBody, and one of another request is SignatureDoesNotMatch', () => {
  const headers = { [LENGTH]: '3' };
  assert.throws(() => verify(Buffer.from('3\r\nabc\r\n0\r\n\r\n'), payloadOf(SIGNED), headers), { code: 'IncompleteBody' });
  assert.throws(() => verify(signedBody('abc', [3], '0'.repeat(64)), payloadOf(SIGNED), headers), { code: 'SignatureDoesNotMatch' });
});

const SHA = hash('sha256', 'abcdef', 'hex');

// biome-ignore format: a table
const PLAIN_ROWS: readonly [row: string, payload: string, headers: Headers, code: string | undefined, members?: object][] = [
  ['16: the hash of the body',             SHA,                {},                                                  undefined],
  ['16: UNSIGNED-PAYLOAD',                 'UNSIGNED-PAYLOAD', { 'content-length': '6' },                           undefined],
  ['28: the right CRC32',                  'UNSIGNED-PAYLOAD', { 'X-Amz-Checksum-Crc32': CRC },                     undefined],
  ['28: a wrong CRC32',                    'UNSIGNED-PAYLOAD', { 'x-amz-checksum-crc32': WRONG },                   'BadDigest'],
  ['29: a malformed CRC32',                'UNSIGNED-PAYLOAD', { 'x-amz-checksum-crc32': 'x' },                     'InvalidRequest'],
  ['29: a checksum of an unknown kind',    'UNSIGNED-PAYLOAD', { 'x-amz-checksum-xxhash64': 'AAAAAAAAAAA=' },       'InvalidRequest'],
  ['29: two checksums',                    'UNSIGNED-PAYLOAD', { 'x-amz-checksum-crc32': CRC, 'x-amz-checksum-sha1': base64('SHA1', 'abcdef') }, 'InvalidRequest'],
  ['29: another algorithm than announced', 'UNSIGNED-PAYLOAD', { 'x-amz-checksum-crc32': CRC, 'x-amz-sdk-checksum-algorithm': 'SHA1' },          'InvalidRequest'],
  ['29: an algorithm without a checksum',  'UNSIGNED-PAYLOAD', { 'x-amz-sdk-checksum-algorithm': 'CRC32' },         'InvalidRequest'],
  ['31: the right Content-MD5',            SHA,                { 'content-md5': md5('abcdef') },                    undefined],
  ['31: a malformed Content-MD5',          SHA,                { 'content-md5': 'x' },                              'InvalidDigest'],
  ['31: a wrong Content-MD5',              SHA,                { 'content-md5': md5('x') },                         'BadDigest', { ExpectedDigest: md5('x'), CalculatedDigest: md5('abcdef') }],
  ['32: another hash',                     EMPTY,              {},                                                  'XAmzContentSHA256Mismatch', { ClientComputedContentSHA256: EMPTY, S3ComputedContentSHA256: SHA }],
  ['37: a trailer of a plain body',        SHA,                { 'x-amz-trailer': 'x-amz-checksum-crc32' },         'InvalidRequest'],
  ['42: a Content-Length of 7',            SHA,                { 'content-length': '7' },                           'IncompleteBody', { NumberBytesExpected: 7, NumberBytesProvided: 6 }],
];

for (const [row, payload, headers, code, members] of PLAIN_ROWS) {
  test(`bodyVerifier: row ${row} is ${code ?? 'accepted'}`, () => {
    const run = () => verify(Buffer.from('abcdef'), payloadOf(payload), headers, [2]);
    if (code === undefined) assert.equal(run().decoded.toString(), 'abcdef');
    else
      assert.throws(run, (error: AwsError) => {
        assert.equal(error.code, code);
        if (members !== undefined) assert.deepEqual(error.members, members);
        return true;
      });
  });
}

test('bodyVerifier: row 30: without a checksum, the result has CRC64NVME; `compute` adds others', () => {
  const body = Buffer.from('hello world');
  assert.deepEqual(verify(body, payloadOf('UNSIGNED-PAYLOAD')).checksums, { CRC64NVME: 'jSnVw/bqjr4=' });
  const verifier = bodyVerifier(readBodyDeclaration({ rawHeaders: [] }, payloadOf('UNSIGNED-PAYLOAD')), ['CRC32', 'CRC64NVME']);
  verifier.write(body);
  assert.deepEqual(verifier.end().checksums, { CRC32: base64('CRC32', 'hello world'), CRC64NVME: 'jSnVw/bqjr4=' });
});

// biome-ignore format: a table
const WHOLE: readonly [title: string, payload: string, headers: readonly string[], needs: { checksumRequired: boolean; isObject: boolean }, code: string | undefined][] = [
  ['a required checksum is missing',        SHA,              [],                                   { checksumRequired: true,  isObject: false }, 'InvalidRequest'],
  ['a required checksum is Content-MD5',    SHA,              ['content-md5', md5('abcdef')],       { checksumRequired: true,  isObject: false }, undefined],
  ['a required checksum is a CRC32',        SHA,              ['x-amz-checksum-crc32', CRC],        { checksumRequired: true,  isObject: false }, undefined],
  ['a document in chunks',                  UNSIGNED_TRAILER, [LENGTH, '6'],                        { checksumRequired: false, isObject: false }, 'InvalidRequest'],
  ['a document with another hash',          EMPTY,            [],                                   { checksumRequired: false, isObject: false }, 'XAmzContentSHA256Mismatch'],
];

for (const [title, payload, rawHeaders, needs, code] of WHOLE) {
  test(`verifiedBody: ${title} is ${code ?? 'accepted'}`, () => {
    const run = () => verifiedBody({ rawHeaders, body: Buffer.from('abcdef') }, payloadOf(payload), needs);
    if (code === undefined) assert.equal(Buffer.from(run()).toString(), 'abcdef');
    else assert.throws(run, { code });
  });
}

test('verifiedBody: the chunks of an object are decoded', () => {
  const body = Buffer.from('3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n');
  const decoded = verifiedBody({ rawHeaders: [LENGTH, '6'], body }, payloadOf(UNSIGNED_TRAILER), {
    checksumRequired: false,
    isObject: true,
  });
  assert.equal(Buffer.from(decoded).toString(), 'abcdef');
});
