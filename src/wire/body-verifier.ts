/** Verifies the body of an S3 request against the declarations in its head, in pieces and with constant memory. */
import { createHash } from 'node:crypto';
import { AwsError } from '#core/aws-error.ts';
import { header, type RequestFacts } from '#core/exchange.ts';
import type { ChunkSigning } from '#sigv4/chunk-signature.ts';
import type { SignedPayload } from '#sigv4/payload.ts';
import { awsChunkedDecoder, type ChunkedForm, wrongLength } from './aws-chunked.ts';
import {
  algorithmOfHeader,
  CHECKSUM_ALGORITHMS,
  type Checksum,
  type ChecksumAlgorithm,
  checksumHeader,
  isBase64Of,
  isChecksum,
  newChecksum,
} from './checksums.ts';

/** Facts about the body that the head of a request states. Plain data, which can be sent between threads. `payload` can contain a secret. */
export interface BodyDeclaration {
  readonly payload: SignedPayload;
  /** Length of the decoded body in bytes, if the head states it. */
  readonly length?: number;
  /** Value of `Content-MD5`: 16 bytes in Base64. */
  readonly contentMd5?: string;
  /** Checksum in a header, or the announced checksum in a trailer, which has no value yet. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value?: string };
}

/** A verified body. */
export interface VerifiedBody {
  /** Length in bytes, decoded. */
  readonly length: number;
  /** MD5 in lower-case hexadecimal. It is the ETag of an object without quotes. */
  readonly md5: string;
  /** Checksums in Base64: that of the client, that of `compute`, and CRC64NVME if there is neither. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
  /** Algorithm of the checksum that the client sent. Absent if it sent none. */
  readonly sent?: ChecksumAlgorithm;
}

/** Verifier of one body. After an error, the verifier must not be used, and no received byte may be stored. */
export interface BodyVerifier {
  /** Adds the next bytes as received. Returns the decoded bytes, as views of `bytes` or as a copy. @throws AwsError  see `bodyVerifier` */
  write(bytes: Uint8Array): readonly Uint8Array[];
  /** Ends the body. @throws AwsError  see `bodyVerifier` */
  end(): VerifiedBody;
}

/** Largest number of pieces that are hashed one by one. A client can send chunks of one byte, and each call of a hash costs a microsecond. */
const PIECES_MAX = 8;

const CHECKSUM_PREFIX = 'x-amz-checksum-';
/** Headers with the prefix of checksums that are not checksums. */
const NOT_CHECKSUMS: readonly string[] = ['x-amz-checksum-algorithm', 'x-amz-checksum-mode', 'x-amz-checksum-type'];

/**
 * Reads the declarations in the head of a request.
 *
 * `payload` is the result of authentication: `AuthenticatedRequest.payload`.
 *
 * @throws MissingContentLength  the body has the encoding `aws-chunked`, and `x-amz-decoded-content-length` is missing or invalid
 * @throws InvalidDigest         `Content-MD5` is malformed
 * @throws InvalidRequest        a checksum is malformed, there are several, or `x-amz-trailer` is not supported
 * Source: record.md C5, rows 29, 31, 37 and 43. Messages: responses of S3.
 * Assumed: the message for a checksum algorithm without a checksum.
 */
export function readBodyDeclaration(facts: Pick<RequestFacts, 'rawHeaders'>, payload: SignedPayload): BodyDeclaration {
  const contentMd5 = header(facts, 'content-md5')?.trim();
  if (contentMd5 !== undefined && !isBase64Of(contentMd5, 16))
    throw new AwsError('InvalidDigest', 'The Content-MD5 you specified was invalid.', { 'Content-MD5': contentMd5.slice(0, 128) });
  const length = payload.kind === 'chunked' ? decodedLength(facts) : contentLength(facts);
  const inHeader = checksumInHeaders(facts);
  const trailer = announcedTrailer(facts, payload);
  if (inHeader !== undefined && trailer !== undefined) throw severalChecksums();
  const checksum = inHeader ?? (trailer && { algorithm: trailer });
  requireAnnounced(facts, checksum?.algorithm);
  return {
    payload,
    ...(length !== undefined && { length }),
    ...(contentMd5 !== undefined && { contentMd5 }),
    ...(checksum !== undefined && { checksum }),
  };
}

function contentLength(facts: Pick<RequestFacts, 'rawHeaders'>): number | undefined {
  const text = header(facts, 'content-length');
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

function decodedLength(facts: Pick<RequestFacts, 'rawHeaders'>): number {
  const text = header(facts, 'x-amz-decoded-content-length')?.trim() ?? '';
  if (!/^[0-9]{1,15}$/.test(text)) throw new AwsError('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  return Number(text);
}

function checksumInHeaders({ rawHeaders }: Pick<RequestFacts, 'rawHeaders'>): { algorithm: ChecksumAlgorithm; value: string } | undefined {
  let found: { algorithm: ChecksumAlgorithm; value: string } | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (!name.startsWith(CHECKSUM_PREFIX) || NOT_CHECKSUMS.includes(name)) continue;
    const algorithm = algorithmOfHeader(name);
    const value = (rawHeaders[i + 1] as string).trim();
    if (found !== undefined) throw severalChecksums();
    // A checksum of an unknown algorithm cannot be verified, so it is refused and not ignored.
    if (algorithm === undefined || !isChecksum(algorithm, value)) throw invalidRequest(`Value for ${name.slice(0, 64)} header is invalid.`);
    found = { algorithm, value };
  }
  return found;
}

function announcedTrailer(facts: Pick<RequestFacts, 'rawHeaders'>, payload: SignedPayload): ChecksumAlgorithm | undefined {
  const name = header(facts, 'x-amz-trailer')?.trim().toLowerCase();
  if (name === undefined || name === '') return undefined;
  const algorithm = payload.kind === 'chunked' && payload.trailer ? algorithmOfHeader(name) : undefined;
  if (algorithm === undefined) throw invalidRequest('The value specified in the x-amz-trailer header is not supported');
  return algorithm;
}

/** Checks that the algorithm in `x-amz-sdk-checksum-algorithm` is that of the checksum. */
function requireAnnounced(facts: Pick<RequestFacts, 'rawHeaders'>, algorithm: ChecksumAlgorithm | undefined): void {
  const announced = header(facts, 'x-amz-sdk-checksum-algorithm')?.trim().toUpperCase();
  if (announced === undefined) return;
  if (!CHECKSUM_ALGORITHMS.some((each) => each === announced))
    throw invalidRequest('Value for x-amz-sdk-checksum-algorithm header is invalid.');
  if (algorithm === undefined)
    throw invalidRequest(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  if (algorithm !== announced) throw invalidRequest('Value for x-amz-sdk-checksum-algorithm header is invalid.');
}

/**
 * Starts the verification of a body. `compute` has further algorithms whose checksums the caller needs.
 *
 * The verifier throws an `AwsError` with one of these codes, the first four from `awsChunkedDecoder`:
 * @throws IncompleteBody             the body ends early, is too long, or has a broken encoding
 * @throws InvalidChunkSizeError      a signed chunk is too small
 * @throws MalformedTrailerError      a trailer is missing, malformed or not announced
 * @throws SignatureDoesNotMatch      a chunk or the trailers have a wrong signature
 * @throws XAmzContentSHA256Mismatch  the hash in `x-amz-content-sha256` differs
 * @throws BadDigest                  `Content-MD5` or the checksum differs
 * @throws InvalidRequest             the checksum in a trailer is malformed
 * Source: record.md C5, rows 28 to 43.
 */
export function bodyVerifier(declaration: BodyDeclaration, compute: readonly ChecksumAlgorithm[] = []): BodyVerifier {
  const { payload, checksum: declared } = declaration;
  const algorithms = new Set([...(declared === undefined ? [] : [declared.algorithm]), ...compute]);
  if (algorithms.size === 0) algorithms.add('CRC64NVME');
  const checksums = new Map<ChecksumAlgorithm, Checksum>([...algorithms].map((each) => [each, newChecksum(each)]));
  const md5 = createHash('md5');
  const sha256 = payload.kind === 'hash' ? createHash('sha256') : undefined;
  let pieces: Uint8Array[] = [];
  let length = 0;

  function add(bytes: Uint8Array): void {
    length += bytes.length;
    if (declaration.length !== undefined && length > declaration.length) throw wrongLength(declaration.length, length);
    md5.update(bytes);
    sha256?.update(bytes);
    for (const checksum of checksums.values()) checksum.update(bytes);
  }

  const decoder = payload.kind === 'chunked' ? awsChunkedDecoder(formOf(declaration, payload), (bytes) => pieces.push(bytes)) : undefined;

  function decode(bytes: Uint8Array): readonly Uint8Array[] {
    if (decoder === undefined) return [bytes];
    pieces = [];
    decoder.write(bytes);
    return pieces.length > PIECES_MAX ? [Buffer.concat(pieces)] : pieces;
  }

  return {
    write(bytes) {
      const decoded = decode(bytes);
      for (const piece of decoded) add(piece);
      return decoded;
    },
    end() {
      const inTrailer = decoder?.end();
      if (declaration.length !== undefined && length !== declaration.length) throw wrongLength(declaration.length, length);
      if (payload.kind === 'hash') requireHash(payload.sha256, sha256?.digest('hex') ?? '');
      const md5Bytes = md5.digest();
      if (declaration.contentMd5 !== undefined) requireMd5(declaration.contentMd5, md5Bytes);
      const computed = Object.fromEntries([...checksums].map(([name, checksum]) => [name, checksum.digest()]));
      if (declared !== undefined) requireChecksum(declared.algorithm, declared.value ?? inTrailer, computed);
      return { length, md5: md5Bytes.toString('hex'), checksums: computed, ...(declared !== undefined && { sent: declared.algorithm }) };
    },
  };
}

function formOf(declaration: BodyDeclaration, payload: { readonly trailer: boolean; readonly signing?: ChunkSigning }): ChunkedForm {
  const { checksum, length } = declaration;
  if (length === undefined) throw new Error('the declaration of an aws-chunked body has no length; readBodyDeclaration sets it');
  return {
    decodedLength: length,
    trailer: checksum !== undefined && checksum.value === undefined ? checksumHeader(checksum.algorithm) : undefined,
    signedTrailer: payload.trailer && payload.signing !== undefined,
    ...(payload.signing !== undefined && { signing: payload.signing }),
  };
}

function requireHash(client: string, computed: string): void {
  if (client === computed) return;
  throw new AwsError('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.", {
    ClientComputedContentSHA256: client,
    S3ComputedContentSHA256: computed,
  });
}

function requireMd5(expected: string, computed: Buffer): void {
  const calculated = computed.toString('base64');
  if (expected === calculated) return;
  throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.', {
    ExpectedDigest: expected,
    CalculatedDigest: calculated,
  });
}

function requireChecksum(algorithm: ChecksumAlgorithm, value: string | undefined, computed: Readonly<Record<string, string>>): void {
  if (value === undefined || !isChecksum(algorithm, value))
    throw invalidRequest(`Value for ${checksumHeader(algorithm)} trailing header is invalid.`);
  if (value !== computed[algorithm])
    throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
}

function severalChecksums(): AwsError {
  return invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
}

function invalidRequest(message: string): AwsError {
  return new AwsError('InvalidRequest', message);
}

/**
 * Verifies a body that is in memory, and returns it. Only bodies of objects may have the encoding `aws-chunked`.
 *
 * `checksumRequired` is true for operations whose requests must have a checksum (`OperationModel.checksumRequired`).
 *
 * @throws InvalidRequest  the body is in chunks, or a required checksum is missing
 * @throws AwsError        the body does not match the head: see `readBodyDeclaration` and `bodyVerifier`
 * Source: versity/versitygw, pull request 1679 (chunks); Amazon S3 API Reference, DeleteObjects (required checksum).
 */
export function verifiedBody(
  { rawHeaders, body }: Pick<RequestFacts, 'rawHeaders'> & { readonly body: Uint8Array },
  payload: SignedPayload,
  { checksumRequired, isObject }: { readonly checksumRequired: boolean; readonly isObject: boolean },
): Uint8Array {
  if (payload.kind === 'chunked' && !isObject) throw invalidRequest('The value of x-amz-content-sha256 header is invalid.');
  const declaration = readBodyDeclaration({ rawHeaders }, payload);
  if (checksumRequired && declaration.checksum === undefined && declaration.contentMd5 === undefined)
    throw invalidRequest('Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  const verifier = bodyVerifier(declaration);
  const decoded = verifier.write(body);
  verifier.end();
  return decoded.length === 1 ? (decoded[0] as Uint8Array) : Buffer.concat(decoded);
}
