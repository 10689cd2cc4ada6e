/** Strict decoding, so that each value has one text. */

/** Decodes base64 of RFC 4648, section 4. Returns undefined for other characters, missing padding and unused bits that are not zero. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Decodes UTF-8. Returns undefined if the bytes are not valid UTF-8. Keeps a byte order mark, so that no two byte sequences have one text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Parses a decimal integer from 0 to 2^53 − 1 without leading zeros. Returns undefined for other text. */
export function parseDecimal(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
