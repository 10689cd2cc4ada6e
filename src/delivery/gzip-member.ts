/** Strict gzip: exactly one member, and nothing after it. */
import { crc32, inflateRaw } from 'node:zlib';

const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
/** Bits of the flags byte. Source: RFC 1952, section 2.3.1. */
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/** Content of a gzip file, or the reason why the file is not acceptable. */
export type Unpacked = { readonly content: Buffer } | { readonly problem: string };

const NO_GZIP: Unpacked = { problem: 'invalid format' };

/**
 * Decompresses a file that is one gzip member. Other tools accept a second member, or junk after the first one, so such a file can have a
 * valid hash and still show other records. `maxBytes` limits the content. Runs outside this thread.
 *
 * Source: RFC 1952.
 */
export async function unpackMember(file: Uint8Array, maxBytes: number): Promise<Unpacked> {
  const start = headerEnd(file);
  if (start === undefined) return NO_GZIP;
  const inflated = await inflate(file.subarray(start), maxBytes);
  if (inflated === undefined) return NO_GZIP;
  const { content, used } = inflated;
  const end = start + used + TRAILER_BYTES;
  if (file.length < end) return NO_GZIP;
  if (file.length > end) return { problem: `has ${file.length - end} bytes after the end of the gzip data` };
  const trailer = Buffer.from(file.subarray(end - TRAILER_BYTES, end));
  const isIntact = trailer.readUInt32LE(0) === crc32(content) && trailer.readUInt32LE(4) === content.length % 2 ** 32;
  return isIntact ? { content } : NO_GZIP;
}

/** Returns the position after the header, or `undefined` if there is no valid one. */
function headerEnd(file: Uint8Array): number | undefined {
  const [magic1, magic2, method, flags = 0] = file;
  if (file.length < HEADER_BYTES || magic1 !== 0x1f || magic2 !== 0x8b || method !== 8 || (flags & FLAG.reserved) !== 0) return undefined;
  let at = HEADER_BYTES;
  if (flags & FLAG.extra) at += 2 + (file[at] ?? 0) + 256 * (file[at + 1] ?? 0);
  for (const flag of [FLAG.name, FLAG.comment]) {
    if (!(flags & flag)) continue;
    const end = file.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if (flags & FLAG.headerCrc) at += 2;
  return at <= file.length ? at : undefined;
}

interface Inflated {
  readonly content: Buffer;
  /** Number of bytes of the compressed data. */
  readonly used: number;
}

function inflate(data: Uint8Array, maxOutputLength: number): Promise<Inflated | undefined> {
  return new Promise((resolve) => {
    // With `info`, the result has the engine, which knows how many bytes it has read.
    inflateRaw(data, { info: true, maxOutputLength }, (error, result) => {
      const { buffer, engine } = (result ?? {}) as unknown as {
        readonly buffer: Buffer;
        readonly engine: { readonly bytesWritten: number };
      };
      resolve(error === null ? { content: buffer, used: engine.bytesWritten } : undefined);
    });
  });
}
