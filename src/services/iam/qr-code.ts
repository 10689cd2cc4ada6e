/** QR code as a PNG image, which CreateVirtualMFADevice returns for an authenticator app. */
import { crc32, deflateSync } from 'node:zlib';
import { encode } from 'uqr';

const MODULE_PIXELS = 4;
/**
 * Width of the empty border around the code, in modules (the squares of a QR code). Source: ISO/IEC 18004, quiet zone.
 */
const QUIET_MODULES = 4;

/**
 * Returns the QR code of a string as a PNG image in 1-bit grayscale, at error correction level L.
 *
 * @throws RangeError  the string has more than 2953 bytes
 * Source: ISO/IEC 18004; PNG specification.
 */
export function qrCodePng(text: string): Uint8Array {
  const { data: modules } = encode(text, { ecc: 'L', border: QUIET_MODULES });
  const side = modules.length * MODULE_PIXELS;
  const rowBytes = Math.ceil(side / 8);
  const pixels = Buffer.alloc((rowBytes + 1) * side, 0xff);
  for (let y = 0; y < side; y++) {
    const from = y * (rowBytes + 1);
    pixels[from] = 0;
    const row = modules[Math.floor(y / MODULE_PIXELS)];
    for (let x = 0; x < side; x++) {
      if (row?.[Math.floor(x / MODULE_PIXELS)] === true) {
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
