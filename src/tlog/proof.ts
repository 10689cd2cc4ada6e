/** Stored proofs that an entry is in a log, which a third party verifies offline. Source: C2SP tlog-proof, draft of version 1. */
import { openCheckpoint } from './checkpoint.ts';
import { HASH_BYTES } from './hash.ts';
import { NOTE_BYTES_MAX, parseNote } from './note.ts';
import { FormatError, type NoteKey } from './note-key.ts';
import { decodeBase64, parseDecimal } from './strict.ts';
import { PROOF_HASHES_MAX, verifyInclusion } from './verify-path.ts';

/** Suffix of files with a proof. */
export const PROOF_SUFFIX = '.tlog-proof';

const HEADER = 'c2sp.org/tlog-proof@v1';
const EXTRA_BYTES_MAX = 65_536;
const PROOF_CHARACTERS_MAX = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX;

/** A proof that was parsed. It is not verified. */
export interface TlogProof {
  /** Data of the application. It is not authenticated. */
  readonly extra?: Uint8Array;
  /** Index of the entry in the log, from 0. */
  readonly index: number;
  /** Inclusion proof, ordered from the leaf to the root. */
  readonly hashes: readonly Uint8Array[];
  /** Signed checkpoint, exactly as the log and the witnesses signed it. */
  readonly checkpoint: string;
}

/** Keys that a verifier trusts. */
export interface TrustPolicy {
  readonly logKey: NoteKey;
  readonly witnessKeys: readonly NoteKey[];
  /** Number of different witnesses that must have cosigned the checkpoint: 0 to the number of witness keys. */
  readonly threshold: number;
}

/** Result of the verification. `reason` is one line for the operator. */
export type ProofVerdict =
  | {
      readonly valid: true;
      readonly index: number;
      readonly size: number;
      /** Time at which the required number of witnesses had cosigned the checkpoint, in seconds since 1970. Absent if the threshold is 0. */
      readonly witnessedSeconds?: number;
    }
  | { readonly valid: false; readonly reason: string };

/** Returns the text of a proof. */
export function formatProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${Buffer.from(extra).toString('base64')}`]),
    `index ${index}`,
    ...hashes.map((hash) => Buffer.from(hash).toString('base64')),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/**
 * Parses a proof.
 *
 * @throws FormatError  the text is not exactly in the format, or is too long
 */
export function parseProof(text: string): TlogProof {
  if (text.length > PROOF_CHARACTERS_MAX) throw new FormatError(`a proof has at most ${PROOF_CHARACTERS_MAX} characters`);
  const end = text.indexOf('\n\n');
  if (end < 0) throw new FormatError('a proof has an empty line before its checkpoint');
  const [header, ...lines] = text.slice(0, end).split('\n') as [string, ...string[]];
  if (header !== HEADER) throw new FormatError(`a proof starts with the line '${HEADER}'`);
  const extraLine = lines[0]?.startsWith('extra ') ? lines.shift() : undefined;
  const extra = extraLine === undefined ? undefined : decodeBase64(extraLine.slice('extra '.length));
  if (extraLine !== undefined && (extra === undefined || extra.length > EXTRA_BYTES_MAX))
    throw new FormatError(`the extra data of a proof is base64 of at most ${EXTRA_BYTES_MAX} bytes`);
  const indexLine = lines.shift() ?? '';
  const index = indexLine.startsWith('index ') ? parseDecimal(indexLine.slice('index '.length)) : undefined;
  if (index === undefined) throw new FormatError("a proof has a line 'index N'");
  const hashes = parseHashLines(lines);
  const checkpoint = text.slice(end + 2);
  parseNote(checkpoint);
  return { ...(extra !== undefined && { extra }), index, hashes, checkpoint };
}

/** Decodes lines of one base64 hash each. @throws FormatError  a line is not a hash, or there are more than 63 */
export function parseHashLines(lines: readonly string[]): Buffer[] {
  if (lines.length > PROOF_HASHES_MAX) throw new FormatError(`a proof has at most ${PROOF_HASHES_MAX} hashes`);
  return lines.map((line) => {
    const bytes = decodeBase64(line);
    if (bytes?.length !== HASH_BYTES) throw new FormatError('each hash of a proof is the base64 of 32 bytes');
    return bytes;
  });
}

/**
 * Verifies that a proof shows that a leaf is in the trusted log, and that enough trusted witnesses observed the log.
 *
 * `leaf` is the hash of the entry, as `leafHash` returns it. Witness keys with the same public key count once.
 *
 * @throws RangeError   the threshold is not an integer from 0
 * @throws FormatError  the checkpoint of the proof is not a signed checkpoint
 */
export function verifyProof(proof: TlogProof, leaf: Uint8Array, { logKey, witnessKeys, threshold }: TrustPolicy): ProofVerdict {
  if (!Number.isSafeInteger(threshold) || threshold < 0)
    throw new RangeError(`the threshold is ${threshold}; it must be an integer from 0`);
  const checkpoint = openCheckpoint(proof.checkpoint, logKey, witnessKeys);
  if (checkpoint === undefined) return { valid: false, reason: `the checkpoint has no valid signature of the log '${logKey.name}'` };
  const times = new Map<string, number>();
  for (const { key, timeSeconds = 0 } of checkpoint.cosignatures)
    times.set(key.publicKey, Math.max(timeSeconds, times.get(key.publicKey) ?? 0));
  if (times.size < threshold)
    return { valid: false, reason: `${times.size} trusted witnesses cosigned the checkpoint; ${threshold} are required` };
  const { size, root } = checkpoint;
  if (!verifyInclusion({ index: proof.index, size, leaf, root }, proof.hashes))
    return { valid: false, reason: `the hashes do not show that the entry has index ${proof.index} in the tree of ${size} entries` };
  const witnessedSeconds = [...times.values()].toSorted((a, b) => a - b)[threshold - 1];
  return { valid: true, index: proof.index, size, ...(witnessedSeconds !== undefined && { witnessedSeconds }) };
}
