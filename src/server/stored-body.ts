import type { ChecksumAlgorithmName, StoredBody } from '#core/exchange.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { bodyVerifier, type VerifiedBody } from '#wire/body-verifier.ts';
import type { Bodies } from './object-files.ts';

/** Returns the description of a content that was stored with the ID `id`. */
export function storedBody(id: string, { length, md5, checksums, sent }: VerifiedBody): StoredBody {
  const algorithm: ChecksumAlgorithmName = sent ?? 'CRC64NVME';
  const checksum = { algorithm, value: checksums[algorithm] ?? '', sent: sent !== undefined };
  return { id, length, md5, checksum, ...omitUndefined({ crc64nvme: checksums.CRC64NVME }) };
}

/**
 * Stores a content that is in memory, for the server itself. The content is durable when the promise resolves. Then `putOwnObject` makes it
 * an object.
 */
export async function putBody(bodies: Bodies, bytes: Uint8Array): Promise<StoredBody> {
  const writer = await bodies.create();
  try {
    const verifier = bodyVerifier({ payload: { kind: 'unsigned' } });
    for (const piece of verifier.write(bytes)) await writer.write(piece);
    await writer.commit();
    return storedBody(writer.id, verifier.end());
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
