/**
 * Signatures of the chunks and trailers of an `aws-chunked` body. Each signature covers the previous one, and the first covers the
 * signature of the request. `wire/aws-chunked.ts` owns the format of the body.
 *
 * Source: Amazon S3 API Reference, "Signature calculations for the authorization header: transferring payload in multiple chunks", and
 * the same with "including trailing headers".
 */
import { hmacSha256 } from '#core/hmac.ts';
import { EMPTY_HASH } from './canonical.ts';
import { sameSignature } from './prove.ts';

/**
 * Result of authentication that verifies the chunks of the body. Plain data, which can be sent between threads.
 *
 * `key` is a secret: see `signingKeyBytes`. Never log, store or return it.
 */
export interface ChunkSigning {
  /** Signing key of the scope. */
  readonly key: Uint8Array;
  /** Date in the string to sign: `20261122T022500Z`. */
  readonly amzDate: string;
  /** Credential scope: `20261122/us-east-1/s3/aws4_request`. */
  readonly scope: string;
  /** Verified signature of the request (seed signature). */
  readonly seed: string;
}

/** Verifies the signatures of one body, in the order of the chunks. */
export interface ChunkSignatures {
  /** Reports whether a chunk has the next signature. `sha256` is the hash of the chunk's data, in lower-case hexadecimal. */
  chunk(sha256: string, signature: string): boolean;
  /** Reports whether the trailers have the next signature. `sha256` is the hash of `NAME:VALUE\n` for each trailer. */
  trailer(sha256: string, signature: string): boolean;
}

const SIGNATURE = /^[0-9a-f]{64}$/;
/** Longest string to sign, in bytes: algorithm, date, the longest scope that `readSignature` accepts, and three hashes. */
const TEXT_MAX = 512;

/** Starts the verification of a body. A wrong signature ends it: the caller must reject the request. */
export function chunkSignatures({ key, amzDate, scope, seed }: ChunkSigning): ChunkSignatures {
  const sign = hmacSha256(key, TEXT_MAX);
  let previous = seed;

  function verify(algorithm: string, hashes: string, signature: string): boolean {
    const expected = sign(`${algorithm}\n${amzDate}\n${scope}\n${previous}\n${hashes}`, 'hex');
    previous = expected;
    return SIGNATURE.test(signature) && sameSignature(expected, signature);
  }

  return {
    chunk: (sha256, signature) => verify('AWS4-HMAC-SHA256-PAYLOAD', `${EMPTY_HASH}\n${sha256}`, signature),
    trailer: (sha256, signature) => verify('AWS4-HMAC-SHA256-TRAILER', sha256, signature),
  };
}
