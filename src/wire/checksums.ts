/** Checksums of object bodies. Each is computed in pieces, with constant memory. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Algorithms that this server computes. S3 has further ones (SHA-512, XXHash), which no supported client sends. */
export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;

/** Name of a checksum algorithm, as in `ChecksumAlgorithm` of the S3 model. */
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** Checksum in progress. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  /** Returns the checksum in Base64, as in headers. Call it once. */
  digest(): string;
}

/** Sizes of checksums, in bytes. */
const SIZES: Readonly<Record<ChecksumAlgorithm, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

/** Returns the name of the header or trailer with a checksum: `x-amz-checksum-crc32`. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** Returns the algorithm of a header or trailer `x-amz-checksum-…`, or `undefined` for another name. The name is lower case. */
export function algorithmOfHeader(name: string): ChecksumAlgorithm | undefined {
  return CHECKSUM_ALGORITHMS.find((algorithm) => checksumHeader(algorithm) === name);
}

/** Reports whether a text is the Base64 of a checksum: canonical, and of the right length. */
export function isChecksum(algorithm: ChecksumAlgorithm, text: string): boolean {
  return isBase64Of(text, SIZES[algorithm]);
}

/** Reports whether a text is the canonical Base64 of a number of bytes. */
export function isBase64Of(text: string, bytes: number): boolean {
  if (text.length !== Math.ceil(bytes / 3) * 4) return false;
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text;
}

/** Starts a checksum. */
export function newChecksum(algorithm: ChecksumAlgorithm): Checksum {
  switch (algorithm) {
    case 'CRC32':
      return crc(4, (bytes, value) => [crc32(bytes, value[0]), 0]);
    case 'CRC32C':
      return crc(4, crc32c);
    case 'CRC64NVME':
      return crc(8, crc64);
    case 'SHA1':
    case 'SHA256': {
      const hash = createHash(algorithm);
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('base64') };
    }
  }
}

/** Value of a CRC: the low and the high 32 bits. The high bits of a CRC of 32 bits are zero. */
type CrcValue = readonly [low: number, high: number];

function crc(size: 4 | 8, update: (bytes: Uint8Array, value: CrcValue) => CrcValue): Checksum {
  let value: CrcValue = [0, 0];
  return {
    update(bytes) {
      value = update(bytes, value);
    },
    digest() {
      const result = Buffer.alloc(size);
      if (size === 8) result.writeUInt32BE(value[1] >>> 0, 0);
      result.writeUInt32BE(value[0] >>> 0, size - 4);
      return result.toString('base64');
    },
  };
}

/**
 * Reflected polynomials. The initial value and the final XOR of all three algorithms have all bits set.
 *
 * Source: RFC 3720 (CRC32C); NVM Express NVM Command Set, 64b CRC; record.md C6 (check values).
 */
const POLYNOMIALS = { CRC32: 0xedb88320n, CRC32C: 0x82f63b78n, CRC64NVME: 0x9a6c9329ac4bc9b5n } as const;

/** Low and high 32 bits of the CRC of each byte. */
interface Table {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

function tableOf(polynomial: bigint): Table {
  const table: Table = { low: new Int32Array(256), high: new Int32Array(256) };
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) value = (value & 1n) === 0n ? value >> 1n : (value >> 1n) ^ polynomial;
    table.low[byte] = Number(BigInt.asIntN(32, value));
    table.high[byte] = Number(BigInt.asIntN(32, value >> 32n));
  }
  return table;
}

const CRC32C = tableOf(POLYNOMIALS.CRC32C);
const CRC64 = tableOf(POLYNOMIALS.CRC64NVME);

function crc32c(bytes: Uint8Array, [start]: CrcValue): CrcValue {
  const { low } = CRC32C;
  let value = ~start;
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ (low[(value ^ (bytes[i] as number)) & 255] as number);
  return [~value, 0];
}

function crc64(bytes: Uint8Array, [startLow, startHigh]: CrcValue): CrcValue {
  const { low: lows, high: highs } = CRC64;
  let low = ~startLow;
  let high = ~startHigh;
  for (let i = 0; i < bytes.length; i++) {
    const byte = (low ^ (bytes[i] as number)) & 255;
    low = ((low >>> 8) | (high << 24)) ^ (lows[byte] as number);
    high = (high >>> 8) ^ (highs[byte] as number);
  }
  return [~low, ~high];
}

/** Algorithms whose checksum of a whole object can be computed from the checksums of its parts. */
export type CombinableAlgorithm = keyof typeof POLYNOMIALS;

/** Reports whether the checksum of a whole object follows from the checksums of its parts. */
export function isCombinable(algorithm: ChecksumAlgorithm): algorithm is CombinableAlgorithm {
  return Object.hasOwn(POLYNOMIALS, algorithm);
}

/** Checksum of one piece in Base64, and the length of the piece in bytes. */
export interface CheckedPiece {
  readonly checksum: string;
  readonly size: number;
}

/**
 * Returns the checksum of concatenated pieces from the checksum of each. All checksums are in Base64.
 *
 *     combineChecksums('CRC64NVME', [{ checksum: …of 'hello ', size: 6 }, { checksum: …of 'world', size: 5 }]) → checksum of 'hello world'
 *
 * The time of a piece is proportional to the logarithm of its length, and constant if an earlier piece has the same length.
 *
 * Source: zlib, `crc32_combine`: the first checksum is multiplied by x^(8 · size of the second) modulo the polynomial.
 */
export function combineChecksums(algorithm: CombinableAlgorithm, pieces: readonly CheckedPiece[]): string {
  const size = SIZES[algorithm];
  const times = multiplication(POLYNOMIALS[algorithm], size);
  const powerOf = powersOfX(times, size);
  let combined = 0n;
  for (const piece of pieces) combined = times(combined, powerOf(piece.size)) ^ numberOf(piece.checksum);
  return Buffer.from(combined.toString(16).padStart(2 * size, '0'), 'hex').toString('base64');
}

type Multiplication = (a: bigint, b: bigint) => bigint;

/** Returns the multiplication modulo a polynomial. In the reflected form, the highest bit is the coefficient of x^0. */
function multiplication(polynomial: bigint, size: number): Multiplication {
  const top = 1n << BigInt(8 * size - 1);
  return (a, b) => {
    let product = 0n;
    let factor = b;
    for (let bit = top; bit > 0n; bit >>= 1n) {
      if ((a & bit) !== 0n) product ^= factor;
      // A shift to the right multiplies by x.
      factor = (factor & 1n) === 0n ? factor >> 1n : (factor >> 1n) ^ polynomial;
    }
    return product;
  };
}

/** Returns the function for x^(8 · bytes). It keeps its results, because most parts of an object have the same length. */
function powersOfX(times: Multiplication, size: number): (bytes: number) => bigint {
  const one = 1n << BigInt(8 * size - 1);
  const squares = [one >> 8n];
  const known = new Map<number, bigint>();
  return (bytes) => {
    let power = known.get(bytes);
    if (power !== undefined) return power;
    power = one;
    for (let i = 0, left = bytes; left > 0; i++, left = Math.floor(left / 2)) {
      const last = squares[i] as bigint;
      squares[i + 1] ??= times(last, last);
      if (left % 2 === 1) power = times(power, last);
    }
    known.set(bytes, power);
    return power;
  };
}

function numberOf(checksum: string): bigint {
  return BigInt(`0x${Buffer.from(checksum, 'base64').toString('hex')}`);
}
