/**
 * Decodes bodies with the encoding `aws-chunked`. The decoder is a state machine over pieces of any size. Its memory is constant: it keeps
 * at most one header line or trailer line.
 *
 *     HEX[;chunk-signature=S]\r\n DATA \r\n … 0[;chunk-signature=S]\r\n [NAME:VALUE\r\n … [x-amz-trailer-signature:S\r\n]] \r\n
 *
 * Source: record.md C4, and C5 rows 35 to 42.
 */
import { createHash, type Hash } from 'node:crypto';
import { AwsError } from '#core/aws-error.ts';
import { type ChunkSignatures, type ChunkSigning, chunkSignatures } from '#sigv4/chunk-signature.ts';

/** Form of an encoded body. */
export interface ChunkedForm {
  /** Length of the decoded body, from `x-amz-decoded-content-length`. */
  readonly decodedLength: number;
  /** Lower-case name of the trailer that the head announces. Any other trailer is an error. */
  readonly trailer: string | undefined;
  /** Whether a trailer signature follows the trailers. Only with `signing`. */
  readonly signedTrailer: boolean;
  /** Absent if the chunks have no signatures. */
  readonly signing?: ChunkSigning;
}

/** Decoder of one body. After an error, the decoder must not be used. */
export interface ChunkedDecoder {
  /** Decodes the next bytes of the body. Passes the decoded bytes to `onData`, as views of `bytes`. @throws AwsError  see `awsChunkedDecoder` */
  write(bytes: Uint8Array): void;
  /** Ends the body. Returns the value of the announced trailer. @throws AwsError  see `awsChunkedDecoder` */
  end(): string | undefined;
}

/** Longest line before a chunk, in bytes: 13 digits and a signature have 95. */
const HEADER_MAX = 128;
/** Longest trailer line, in bytes. */
const TRAILER_MAX = 512;
/** Largest size of a chunk has this number of hexadecimal digits, so that the size is a safe integer. */
const SIZE_DIGITS_MAX = 13;
/** Smallest size of a signed chunk that is not the last, in bytes. */
const SIGNED_CHUNK_MIN = 8_192;

const CHUNK_LINE = /^([0-9A-Fa-f]+)(?:;chunk-signature=([0-9a-f]{64}))?$/;
const TRAILER_LINE = /^([A-Za-z0-9-]{1,64}):[ \t]*([\x21-\x7e]{1,256})[ \t]*$/;
const TRAILER_SIGNATURE = 'x-amz-trailer-signature';

const LF = 10;
const CR = 13;

type State = 'header' | 'data' | 'data end' | 'trailer' | 'done';

/**
 * Starts the decoding of a body.
 *
 * The decoder throws an `AwsError` with one of these codes:
 * @throws IncompleteBody         the framing is broken, a signature is missing, or the length differs from `decodedLength`
 * @throws InvalidChunkSizeError  a signed chunk that is not the last has less than 8,192 bytes
 * @throws MalformedTrailerError  a trailer is missing, malformed or not announced
 * @throws SignatureDoesNotMatch  a chunk or the trailers have a wrong signature
 *
 * `onData` receives the bytes of a chunk before its signature is verified. So nothing may use them before `end` returns.
 */
export function awsChunkedDecoder(form: ChunkedForm, onData: (bytes: Uint8Array) => void): ChunkedDecoder {
  const signatures = form.signing && chunkSignatures(form.signing);
  const line = newLine();
  const trailers = trailerReader(form, signatures);
  let state: State = 'header';
  let chunk: Chunk = { number: 0, size: 0, signature: undefined };
  let left = 0;
  let length = 0;
  let chunkHash: Hash | undefined;

  function begin(text: string): void {
    const next = readChunkLine(text, chunk.number + 1, signatures !== undefined);
    requireFullSize(chunk, next, signatures !== undefined);
    length += next.size;
    // The length is checked before the data arrives, so a client cannot send more than it announced.
    if (length > form.decodedLength) throw wrongLength(form.decodedLength, length);
    chunk = next;
    left = next.size;
    if (signatures !== undefined) chunkHash = createHash('sha256');
    if (next.size === 0) finishChunk();
    state = next.size === 0 ? 'trailer' : 'data';
  }

  function finishChunk(): void {
    if (signatures === undefined || chunkHash === undefined) return;
    if (!signatures.chunk(chunkHash.digest('hex'), chunk.signature ?? '')) throw wrongSignature();
  }

  function readData(bytes: Uint8Array, at: number): number {
    const data = bytes.subarray(at, at + Math.min(left, bytes.length - at));
    chunkHash?.update(data);
    onData(data);
    left -= data.length;
    if (left === 0) {
      finishChunk();
      state = 'data end';
    }
    return at + data.length;
  }

  function readLine(bytes: Uint8Array, at: number): number {
    const end = line.read(bytes, at, state === 'trailer' ? TRAILER_MAX : HEADER_MAX);
    if (!line.isComplete()) return end;
    const text = line.take();
    if (state === 'header') begin(text);
    else if (state === 'data end') {
      if (text !== '') throw broken();
      state = 'header';
    } else if (text !== '') trailers.line(text);
    else state = 'done';
    return end;
  }

  return {
    write(bytes) {
      for (let at = 0; at < bytes.length; ) {
        if (state === 'done') throw broken();
        at = state === 'data' ? readData(bytes, at) : readLine(bytes, at);
      }
    },
    end() {
      if (state !== 'done') throw broken();
      if (length !== form.decodedLength) throw wrongLength(form.decodedLength, length);
      return trailers.end();
    },
  };
}

/** A chunk: its position, starting at 1, its size in bytes, and its signature. */
interface Chunk {
  readonly number: number;
  readonly size: number;
  readonly signature: string | undefined;
}

function readChunkLine(text: string, number: number, isSigned: boolean): Chunk {
  const [, digits = '', signature] = CHUNK_LINE.exec(text) ?? [];
  if (digits === '' || digits.length > SIZE_DIGITS_MAX || (signature !== undefined) !== isSigned) throw broken();
  return { number, size: Number.parseInt(digits, 16), signature };
}

function requireFullSize(chunk: Chunk, next: Chunk, isSigned: boolean): void {
  if (!isSigned || chunk.number === 0 || chunk.size >= SIGNED_CHUNK_MIN || next.size === 0) return;
  throw new AwsError('InvalidChunkSizeError', `Only the last chunk is allowed to have a size less than ${SIGNED_CHUNK_MIN} bytes`, {
    Chunk: chunk.number,
    BadChunkSize: chunk.size,
  });
}

/** Collects one line that ends with `\r\n`, from pieces. */
interface Line {
  /** Reads until the end of the line or of the bytes. Returns the position after the last byte read. */
  read(bytes: Uint8Array, from: number, max: number): number;
  isComplete(): boolean;
  /** Returns the line without its end, and starts the next line. */
  take(): string;
}

function newLine(): Line {
  const buffer = Buffer.alloc(TRAILER_MAX + 2);
  let used = 0;
  const isComplete = () => used >= 2 && buffer[used - 1] === LF;
  return {
    isComplete,
    read(bytes, from, max) {
      for (let at = from; at < bytes.length; at++) {
        if (used >= max + 2) throw broken();
        const byte = bytes[at] as number;
        const afterCr = used > 0 && buffer[used - 1] === CR;
        // Each line end has both characters, and neither occurs elsewhere.
        if ((byte === LF) !== afterCr) throw broken();
        buffer[used++] = byte;
        if (byte === LF) return at + 1;
      }
      return bytes.length;
    },
    take() {
      const text = buffer.toString('latin1', 0, used - 2);
      used = 0;
      return text;
    },
  };
}

/** Reads the trailers of a body. */
interface TrailerReader {
  line(text: string): void;
  /** Returns the value of the announced trailer, or `undefined` if the head announces none. */
  end(): string | undefined;
}

function trailerReader({ trailer, signedTrailer }: ChunkedForm, signatures: ChunkSignatures | undefined): TrailerReader {
  let value: string | undefined;
  let isSigned = false;
  return {
    line(text) {
      const [, sentName = '', sent = ''] = TRAILER_LINE.exec(text) ?? [];
      const name = sentName.toLowerCase();
      if (name === TRAILER_SIGNATURE && signedTrailer && signatures !== undefined && !isSigned) {
        isSigned = true;
        const hash = createHash('sha256');
        if (value !== undefined) hash.update(`${trailer}:${value}\n`);
        if (!signatures.trailer(hash.digest('hex'), sent)) throw wrongSignature();
        return;
      }
      if (name === '' || name !== trailer || value !== undefined || isSigned) throw malformedTrailer();
      value = sent;
    },
    end() {
      if ((trailer !== undefined && value === undefined) || (signedTrailer && !isSigned)) throw malformedTrailer();
      return value;
    },
  };
}

function broken(): AwsError {
  return new AwsError('IncompleteBody', 'The request body terminated unexpectedly');
}

/** Returns the error for a body whose length differs from the announced length. */
export function wrongLength(expected: number, provided: number): AwsError {
  return new AwsError('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header', {
    NumberBytesExpected: expected,
    NumberBytesProvided: provided,
  });
}

function wrongSignature(): AwsError {
  return new AwsError(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  );
}

function malformedTrailer(): AwsError {
  return new AwsError(
    'MalformedTrailerError',
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
}
