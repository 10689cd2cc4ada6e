/** Maximum sizes of the fields of a trail record. Requirement LOG-2. */

/**
 * Largest size of `userAgent`, `errorCode`, `errorMessage` and `requestID`, in bytes.
 * Source: CloudTrail User Guide, "CloudTrail record contents": a longer field is truncated.
 */
const SHORT_FIELD_BYTES = 1024;

/**
 * Largest size of `requestParameters`, `responseElements` and `serviceEventDetails`, in bytes.
 * Source: CloudTrail User Guide, "CloudTrail record contents".
 */
export const LONG_FIELD_BYTES = 102_400;

/**
 * Largest size of `requestParameters` if the request proves no identity, in bytes.
 * Assumed: the limit is our choice, because AWS does not publish such records.
 */
export const UNPROVEN_FIELD_BYTES = 1024;

/** Returns at most the first `maxBytes` bytes of a string as UTF-8. Does not cut inside a character. */
export function capped(text: string, maxBytes = SHORT_FIELD_BYTES): string {
  if (text.length * 3 <= maxBytes) return text;
  // Each UTF-16 code unit needs at least one byte, so later code units are beyond the limit.
  const bytes = Buffer.from(text.slice(0, maxBytes + 1));
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/**
 * Returns a string as a JSON literal. Shortens the string so that at most `maxBytes` bytes, including escapes, are
 * between the quotes.
 */
export function quoted(text: string, maxBytes = SHORT_FIELD_BYTES): string {
  let kept = capped(text, maxBytes);
  let json = JSON.stringify(kept);
  // A JSON escape is at most six times as long as its character, so the loop ends after a few rounds.
  while (json.length * 3 > maxBytes + 2 && Buffer.byteLength(json) > maxBytes + 2) {
    kept = capped(kept, Math.floor(Buffer.byteLength(kept) / 2));
    json = JSON.stringify(kept);
  }
  return json;
}

/**
 * Returns the JSON text of a record element. If the text is larger than `maxBytes`, returns a replacement:
 *
 *     {"reason":"requestParameters too large","omitted":true,"originalSize":149893}
 *
 * Source: CloudTrail User Guide, "CloudTrail record contents", `omitted`; records of AWS as detection rules quote them (Elastic,
 * "AWS CloudTrail Log Evasion").
 * Assumed: `omitted` is a boolean and `originalSize` a number of bytes.
 */
export function elementWithin(name: string, json: string, maxBytes: number): string {
  if (json.length * 3 <= maxBytes) return json;
  const bytes = Buffer.byteLength(json);
  return bytes <= maxBytes ? json : omittedElement(name, bytes);
}

/** Returns the replacement of an omitted element. */
export function omittedElement(name: string, originalSize: number): string {
  return `{"reason":"${name} too large","omitted":true,"originalSize":${originalSize}}`;
}
