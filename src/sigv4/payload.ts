import type { ChunkSigning } from './chunk-signature.ts';

/**
 * Facts about the body of an S3 request that a verified signature states.
 *
 * - `hash`: the SHA-256 of the body, in lower-case hexadecimal
 * - `unsigned`: the signature does not cover the body
 * - `chunked`: the body has the encoding `aws-chunked`. `trailer` states whether trailers may follow the last chunk. With `signing`, each
 *   chunk and the trailers are signed
 *
 * Plain data, which can be sent between threads. It can contain a secret (`ChunkSigning.key`), so it is never logged or stored.
 */
export type SignedPayload =
  | { readonly kind: 'hash'; readonly sha256: string }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'chunked'; readonly trailer: boolean; readonly signing?: ChunkSigning };

/** Payload mode that a value of `x-amz-content-sha256` names. */
export type PayloadMode =
  | { readonly kind: 'hash'; readonly sha256: string }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'chunked'; readonly trailer: boolean; readonly signed: boolean };

const HASH = /^[0-9a-f]{64}$/;

/**
 * Reads a value of `x-amz-content-sha256`. Returns `undefined` for an invalid value. The modes of Signature Version 4A are invalid.
 *
 * Source: Amazon S3 API Reference, "Authenticating requests: using the Authorization header". `STREAMING-UNSIGNED-PAYLOAD` without a
 * trailer is not documented. Assumed: S3 accepts it, because some of its clients can send it.
 */
export function readPayloadMode(value: string): PayloadMode | undefined {
  switch (value) {
    case 'UNSIGNED-PAYLOAD':
      return { kind: 'unsigned' };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'chunked', signed: true, trailer: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'chunked', signed: true, trailer: true };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'chunked', signed: false, trailer: true };
    case 'STREAMING-UNSIGNED-PAYLOAD':
      return { kind: 'chunked', signed: false, trailer: false };
    default:
      return HASH.test(value) ? { kind: 'hash', sha256: value } : undefined;
  }
}
