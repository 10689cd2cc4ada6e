import type { Received } from '#core/exchange.ts';
import { canonicalValue } from './canonical.ts';
import type { SignatureClaim } from './claim.ts';
import type { SignedHeaders } from './signed-headers.ts';

/**
 * Returns the lines of the signed headers in a canonical request, each with a line feed before it: `\nhost:example.com\nx-amz-date:…`.
 * Joins the values of a repeated header with commas. Returns `undefined` if a signed header is absent.
 */
export function signedHeaderLines({ rawHeaders }: Received, { headerNames }: SignatureClaim, { lines }: SignedHeaders): string | undefined {
  let text = '';
  for (const { name, begin } of lines) {
    const first = headerNames.indexOf(name);
    if (first < 0) return undefined;
    text += begin;
    text += canonicalValue(rawHeaders[2 * first + 1] as string);
    for (let i = headerNames.indexOf(name, first + 1); i >= 0; i = headerNames.indexOf(name, i + 1)) {
      text += `,${canonicalValue(rawHeaders[2 * i + 1] as string)}`;
    }
  }
  return text;
}
