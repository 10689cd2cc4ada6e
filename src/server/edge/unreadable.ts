import { randomUUID } from 'node:crypto';
import type { Answer } from '#core/exchange.ts';

/** Reason to reject a request before it is routed. */
export interface Unreadable {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

// biome-ignore format: a table
export const UNREADABLE = {
  headers:   { status: 431, code: 'RequestHeaderSectionTooLarge', message: 'Your request header section exceeds the maximum allowed size.' },
  time:      { status: 408, code: 'RequestTimeout',               message: 'Your socket connection to the server was not read from or written to within the timeout period.' },
  load:      { status: 503, code: 'ServiceUnavailable',           message: 'The service is unavailable. Please retry.' },
  proxy:     { status: 400, code: 'BadRequest',                   message: 'The headers of the proxy are ambiguous. They must name exactly one client.' },
  otherwise: { status: 400, code: 'BadRequest',                   message: 'The request is not valid HTTP.' },
} as const satisfies Record<string, Unreadable>;

/** Returns the error response for a request that was not routed. Its service is unknown, so the error is plain JSON. */
export function unreadable({ status, code, message }: Unreadable): Answer & { readonly body: string } {
  return {
    status,
    headers: ['content-type', 'application/json', 'x-amzn-errortype', code, 'x-amzn-requestid', randomUUID()],
    body: JSON.stringify({ __type: code, message }),
  };
}
