import type { Received } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';

/** What the tests of this module share: the credentials of AWS's published vectors, and requests as the listener hands them over. */

export const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET };
export const SIGNED_AT: Instant = instant(Date.UTC(2015, 7, 30, 12, 36, 0));

/** A request as it comes over a socket: text as its UTF-8 bytes, one character each. */
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
