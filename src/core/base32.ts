/** Digits of base 32, by value. Source: RFC 4648, section 6. */
export const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Encodes bytes in base 32 without padding. Source: RFC 4648, section 6. */
export function toBase32(bytes: Uint8Array): string {
  let encoded = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      encoded += BASE32[(value >> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? encoded : encoded + BASE32[(value << (5 - bits)) & 31];
}

/**
 * Decodes base 32 without padding. Bits after the last whole byte are ignored.
 *
 * @throws Error  a character is not a digit of base 32
 */
export function fromBase32(encoded: string): Uint8Array {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of encoded) {
    const digit = BASE32.indexOf(character);
    if (digit < 0) throw new Error(`invalid character '${character}' in a base 32 string`);
    value = (value << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 255);
      value &= (1 << bits) - 1;
    }
  }
  return new Uint8Array(bytes);
}

/**
 * Creates a unique ID of IAM: the prefix and 17 random digits of base 32.
 *
 * A principal that reuses the name of a deleted principal gets a different ID. Requirement IAM-2.
 *
 *     uniqueId('AIDA', randomBytes) → 'AIDAJQABLZS4A3QDU576Q'
 */
export function uniqueId(prefix: string, random: (bytes: number) => Uint8Array): string {
  return prefix + Array.from(random(17), (byte) => BASE32[byte & 31]).join('');
}
