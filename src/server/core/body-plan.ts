/** How the main thread reads the body of an admitted request. */
import { AwsError } from '#core/aws-error.ts';
import type { ChecksumAlgorithmName, Received } from '#core/exchange.ts';
import type { SignedPayload } from '#sigv4/payload.ts';
import { type BodyDeclaration, readBodyDeclaration } from '#wire/body-verifier.ts';

/** How the main thread reads and verifies a body. Plain data, which can be sent between threads. It can contain a secret, so it is never logged. */
export interface BodyPlan {
  readonly declaration: BodyDeclaration;
  /** Maximum length of the content, in bytes. */
  readonly maxBytes: number;
  /** Checksums to compute in addition to the client's. */
  readonly compute: readonly ChecksumAlgorithmName[];
}

/** Maximum length of the content of one request. Source: S3 User Guide, "Amazon S3 multipart upload limits": 5 GiB. */
const CONTENT_MAX_BYTES = 5 * 2 ** 30;

/**
 * Returns the plan of a request whose signature was verified. `payload` is what the signature states about the body. The checksum of an
 * object can follow from the CRC64NVME of its parts, so the server computes that of each part.
 *
 * @throws EntityTooLarge  the head announces more than 5 GiB
 * @throws AwsError        the head is invalid: see `readBodyDeclaration`
 */
export function bodyPlan(received: Received, payload: SignedPayload, { isPart }: { readonly isPart: boolean }): BodyPlan {
  const declaration = readBodyDeclaration(received, payload);
  if ((declaration.length ?? 0) > CONTENT_MAX_BYTES) throw tooLarge(CONTENT_MAX_BYTES, declaration.length ?? 0);
  return { declaration, maxBytes: CONTENT_MAX_BYTES, compute: isPart ? ['CRC64NVME'] : [] };
}

/** Returns the error for a content that is too long. */
export function tooLarge(maxBytes: number, bytes: number): AwsError {
  return new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    ProposedSize: bytes,
    MaxSizeAllowed: maxBytes,
  });
}
