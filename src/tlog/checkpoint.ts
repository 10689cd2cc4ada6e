/** Checkpoints: notes that state the size and the root of a log. Source: C2SP tlog-checkpoint 1.0.0. */
import type { TreeHead } from './append.ts';
import { HASH_BYTES } from './hash.ts';
import { type Note, parseNote, type VerifiedSignature, verifyNote } from './note.ts';
import { FormatError, type NoteKey } from './note-key.ts';
import { decodeBase64, parseDecimal } from './strict.ts';

/** State of a log. */
export interface Checkpoint extends TreeHead {
  /** Identifier of the log, and the name of its key. */
  readonly origin: string;
  /** Lines after the root. Belfry's logs have none. Witnesses sign them, but say nothing about them. */
  readonly extensions: readonly string[];
}

/** A checkpoint whose signature of the log is valid. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly note: Note;
  readonly logSignature: VerifiedSignature;
  /** Valid cosignatures, one per witness. */
  readonly cosignatures: readonly VerifiedSignature[];
}

/**
 * Returns the text of a checkpoint, which the log and the witnesses sign: origin, size and base64 of the root, one per line.
 *
 * @throws FormatError  the origin or an extension is empty or contains a newline
 */
export function formatCheckpoint({ origin, size, root, extensions = [] }: Omit<Checkpoint, 'extensions'> & Partial<Checkpoint>): string {
  if ([origin, ...extensions].some((line) => line === '' || line.includes('\n')))
    throw new FormatError('each line of a checkpoint has text');
  return [origin, size, Buffer.from(root).toString('base64'), ...extensions, ''].join('\n');
}

/**
 * Parses the text of a checkpoint. Does not compare the root of an empty tree with its only possible value.
 *
 * @throws FormatError  the text is not exactly in the format, or the size exceeds 2^53 − 1
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', decimal = '', encoded = '', ...extensions] = text.endsWith('\n') ? text.slice(0, -1).split('\n') : [];
  const [size, root] = [parseDecimal(decimal), decodeBase64(encoded)];
  if (origin === '' || size === undefined || root?.length !== HASH_BYTES || extensions.includes(''))
    throw new FormatError('a checkpoint has the lines origin, size and base64 of the root hash');
  return { origin, size, root, extensions };
}

/**
 * Parses a signed checkpoint and verifies its signatures.
 *
 * Returns undefined if the log's key has another name than the origin or did not sign, or if a signature of a known key
 * is wrong. Ignores signatures of unknown keys.
 *
 * @throws FormatError  the text is not a signed checkpoint
 */
export function openCheckpoint(signed: string, logKey: NoteKey, witnessKeys: readonly NoteKey[] = []): OpenedCheckpoint | undefined {
  const note = parseNote(signed);
  const checkpoint = parseCheckpoint(note.text);
  const verified = verifyNote(note, [logKey, ...witnessKeys]);
  const logSignature = verified?.find(({ key }) => key === logKey);
  if (verified === undefined || logSignature === undefined || logKey.type !== 'log' || checkpoint.origin !== logKey.name) return undefined;
  return { ...checkpoint, note, logSignature, cosignatures: verified.filter(({ key }) => key !== logKey && key.type === 'witness') };
}
