/** Cosignatures of witnesses on checkpoints. Source: C2SP tlog-cosignature 1.0.1, "Ed25519 signed message". */
import { sign, verify } from 'node:crypto';
import type { NoteKey, SigningKey } from './note-key.ts';

const TIME_BYTES = 8;
const ED25519_BYTES = 64;

/** Returns the message that a witness signs: a header line, a time line and the text of the checkpoint. */
function cosignedMessage(text: string, timeSeconds: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${timeSeconds}\n${text}`);
}

/**
 * Returns the 72 bytes of a cosignature: the time and an Ed25519 signature.
 *
 * `text` is the text of the checkpoint, which ends with LF. The witness states that the tree is the largest one that it
 * observed for this log until the time.
 */
export function cosign({ privateKey }: SigningKey, text: string, timeSeconds: number): Buffer {
  const time = BigInt(timeSeconds);
  const bytes = Buffer.alloc(TIME_BYTES);
  bytes.writeBigUInt64BE(time);
  return Buffer.concat([bytes, sign(null, cosignedMessage(text, time), privateKey)]);
}

/**
 * Verifies a cosignature. Returns its time in seconds since 1970-01-01T00:00:00Z, or undefined if the signature is wrong
 * or the time exceeds 2^53 − 1. The time may be in the future.
 */
export function verifyCosignature({ verifyKey }: NoteKey, text: string, signature: Uint8Array): number | undefined {
  if (signature.length !== TIME_BYTES + ED25519_BYTES) return undefined;
  const bytes = Buffer.from(signature);
  const time = bytes.readBigUInt64BE(0);
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return verify(null, cosignedMessage(text, time), verifyKey, bytes.subarray(TIME_BYTES)) ? Number(time) : undefined;
}
