/**
 * QR code as a PNG image, which CreateVirtualMFADevice returns for an authenticator app.
 *
 * Source: ISO/IEC 18004, byte mode, error correction level L, versions 1 to 15; PNG specification, 1-bit grayscale.
 * Scanners read all eight masks, so this code always uses the first one instead of the one with the lowest penalty.
 */
import { crc32, deflateSync } from 'node:zlib';

/** Per version: error correction codewords per block, and number of blocks. */
// biome-ignore format: a table
const LEVEL_L: readonly (readonly [correction: number, blocks: number])[] = [
  [7, 1], [10, 1], [15, 1], [20, 1], [26, 1], [18, 2], [20, 2], [24, 2], [30, 2], [18, 4], [20, 4], [24, 4], [26, 4], [30, 4], [22, 6],
];
const MODULE_PIXELS = 4;
const QUIET_MODULES = 4;

/** Modules by row and column. True is dark. */
export type Modules = readonly (readonly boolean[])[];

/** Returns a string as a PNG image, or `undefined` if it is longer than about 500 bytes. */
export function qrCodePng(text: string): Uint8Array | undefined {
  const modules = qrModules(text);
  return modules === undefined ? undefined : toPng(modules);
}

/** Returns the modules of a string, or `undefined` if it is longer than about 500 bytes. */
export function qrModules(text: string): Modules | undefined {
  const bytes = new TextEncoder().encode(text);
  const version = LEVEL_L.findIndex((_, i) => bytes.length <= capacity(i + 1)) + 1;
  if (version === 0) return undefined;
  return draw(version, interleaved(version, dataCodewords(version, bytes)));
}

function rawCodewords(version: number): number {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const aligns = Math.floor(version / 7) + 2;
    modules -= (25 * aligns - 10) * aligns - 55;
    if (version >= 7) modules -= 36;
  }
  return Math.floor(modules / 8);
}

function blocksOf(version: number): readonly [correction: number, blocks: number] {
  return LEVEL_L[version - 1] as readonly [number, number];
}

function dataLength(version: number): number {
  const [correction, blocks] = blocksOf(version);
  return rawCodewords(version) - correction * blocks;
}

function lengthBits(version: number): number {
  return version < 10 ? 8 : 16;
}

function capacity(version: number): number {
  return Math.floor((dataLength(version) * 8 - 4 - lengthBits(version)) / 8);
}

/** Returns the data codewords: mode, length, bytes, terminator, padding. */
function dataCodewords(version: number, bytes: Uint8Array): number[] {
  const bits: number[] = [];
  const push = (value: number, count: number): void => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  push(0b0100, 4);
  push(bytes.length, lengthBits(version));
  for (const byte of bytes) push(byte, 8);
  const wanted = dataLength(version) * 8;
  push(0, Math.min(4, wanted - bits.length));
  push(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < wanted; pad ^= 0xec ^ 0x11) push(pad, 8);
  const codewords: number[] = [];
  for (let i = 0; i < bits.length; i += 8) codewords.push(bits.slice(i, i + 8).reduce((byte, bit) => (byte << 1) | bit, 0));
  return codewords;
}

/** Multiplies in the field GF(256) with the polynomial x^8 + x^4 + x^3 + x^2 + 1. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let i = 7; i >= 0; i--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> i) & 1) * a;
  }
  return product;
}

/** Returns the Reed-Solomon remainder of a block. */
function correctionOf(data: readonly number[], degree: number): number[] {
  const divisor: number[] = new Array(degree).fill(0);
  divisor[degree - 1] = 1;
  for (let i = 0, root = 1; i < degree; i++, root = multiply(root, 2)) {
    for (let j = 0; j < degree; j++) divisor[j] = multiply(divisor[j] as number, root) ^ (divisor[j + 1] ?? 0);
  }
  const remainder: number[] = new Array(degree).fill(0);
  for (const byte of data) {
    const factor = byte ^ (remainder.shift() as number);
    remainder.push(0);
    for (let i = 0; i < degree; i++) remainder[i] = (remainder[i] as number) ^ multiply(divisor[i] as number, factor);
  }
  return remainder;
}

/** Returns the codewords in drawing order: the first one of each block, then the second one of each block, and so on. */
function interleaved(version: number, data: readonly number[]): number[] {
  const [correction, count] = blocksOf(version);
  const raw = rawCodewords(version);
  const short = Math.floor(raw / count) - correction;
  const shortBlocks = count - (raw % count);
  const blocks: { readonly data: readonly number[]; readonly correction: readonly number[] }[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const length = short + (i < shortBlocks ? 0 : 1);
    const part = data.slice(at, at + length);
    at += length;
    blocks.push({ data: part, correction: correctionOf(part, correction) });
  }
  const codewords: number[] = [];
  for (let i = 0; i <= short; i++) for (const block of blocks) if (i < block.data.length) codewords.push(block.data[i] as number);
  for (let i = 0; i < correction; i++) for (const block of blocks) codewords.push(block.correction[i] as number);
  return codewords;
}

/** Appends the error-correcting bits to the format or version number. */
function guarded(value: number, bits: number, divisor: number): number {
  let remainder = value;
  for (let i = 0; i < bits; i++) remainder = (remainder << 1) ^ ((remainder >> (bits - 1)) * divisor);
  return (value << bits) | remainder;
}

/** Returns the rows and columns of the centers of the alignment patterns. */
function alignments(version: number, size: number): number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  const places = [6];
  for (let place = size - 7; places.length < count; place -= step) places.splice(1, 0, place);
  return places;
}

function draw(version: number, codewords: readonly number[]): Modules {
  const size = version * 4 + 17;
  const dark = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  const fixed = Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
  const put = (x: number, y: number, isDark: boolean): void => {
    const [row, fixedRow] = [dark[y], fixed[y]];
    if (row === undefined || fixedRow === undefined || x < 0 || x >= size) return;
    row[x] = isDark;
    fixedRow[x] = true;
  };
  const square = (centerX: number, centerY: number, radius: number, isDark: (ring: number) => boolean): void => {
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) put(centerX + dx, centerY + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
    }
  };

  for (let i = 0; i < size; i++) {
    put(6, i, i % 2 === 0);
    put(i, 6, i % 2 === 0);
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const)
    square(x, y, 4, (ring) => ring !== 2 && ring !== 4);
  const places = alignments(version, size);
  const last = places.length - 1;
  places.forEach((x, i) => {
    places.forEach((y, j) => {
      const atFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
      if (!atFinder) square(x, y, 2, (ring) => ring !== 1);
    });
  });

  // Level L is 01. The mask is 000.
  const format = guarded(0b01_000, 10, 0x537) ^ 0x5412;
  const formatBit = (i: number): boolean => ((format >> i) & 1) === 1;
  for (let i = 0; i < 15; i++) {
    if (i < 6) put(8, i, formatBit(i));
    else if (i < 8) put(8, i + 1, formatBit(i));
    else if (i === 8) put(7, 8, formatBit(i));
    else put(14 - i, 8, formatBit(i));
    if (i < 8) put(size - 1 - i, 8, formatBit(i));
    else put(8, size - 15 + i, formatBit(i));
  }
  put(8, size - 8, true);
  if (version >= 7) {
    const bits = guarded(version, 12, 0x1f25);
    for (let i = 0; i < 18; i++) {
      const isDark = ((bits >> i) & 1) === 1;
      const [a, b] = [size - 11 + (i % 3), Math.floor(i / 3)];
      put(a, b, isDark);
      put(b, a, isDark);
    }
  }

  let at = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step++) {
      for (let x = right; x > right - 2; x--) {
        const y = ((right + 1) & 2) === 0 ? size - 1 - step : step;
        const row = dark[y] as boolean[];
        if (fixed[y]?.[x] === true) continue;
        const bit = at < codewords.length * 8 && (((codewords[at >> 3] as number) >> (7 - (at & 7))) & 1) === 1;
        at++;
        row[x] = bit !== ((x + y) % 2 === 0);
      }
    }
  }
  return dark;
}

function toPng(modules: Modules): Uint8Array {
  const side = (modules.length + 2 * QUIET_MODULES) * MODULE_PIXELS;
  const rowBytes = Math.ceil(side / 8);
  const pixels = Buffer.alloc((rowBytes + 1) * side, 0xff);
  for (let y = 0; y < side; y++) {
    const from = y * (rowBytes + 1);
    pixels[from] = 0;
    const row = modules[Math.floor(y / MODULE_PIXELS) - QUIET_MODULES];
    for (let x = 0; x < side; x++) {
      if (row?.[Math.floor(x / MODULE_PIXELS) - QUIET_MODULES] === true) {
        const byte = from + 1 + (x >> 3);
        pixels[byte] = (pixels[byte] as number) & ~(0x80 >> (x & 7));
      }
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [signature, chunk('IHDR', header), chunk('IDAT', deflateSync(pixels)), chunk('IEND', Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat(parts));
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
