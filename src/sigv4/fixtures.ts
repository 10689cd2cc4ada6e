import type { Received } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';

/**
 * Fixtures of the tests in this module: the credentials of AWS's published test vectors, and requests as the HTTP
 * listener receives them.
 */

/** Secret access key of AWS's published test vectors. */
export const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET };
export const SIGNED_AT: Instant = instant(Date.UTC(2015, 7, 30, 12, 36, 0));

/** Returns a request as the HTTP listener receives it. Strings have one character per UTF-8 byte. */
export function received(
  method: string,
  target: string,
  headers: readonly (readonly [string, string])[],
  body: string | Uint8Array = '',
): Received {
  return {
    requestId: '00000000-0000-4000-8000-000000000000',
    receivedAt: SIGNED_AT,
    method,
    target: bytes(target),
    rawHeaders: headers.flat().map(bytes),
    body: typeof body === 'string' ? Buffer.from(body) : body,
    sourceIp: '127.0.0.1',
  };
}

function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
