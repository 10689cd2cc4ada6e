/** Signed notes: text with signatures of logs and witnesses. Source: C2SP signed-note 1.0.0. */
import { sign, verify } from 'node:crypto';
import { cosign, verifyCosignature } from './cosignature.ts';
import { FormatError, isKeyName, type NoteKey, type SigningKey } from './note-key.ts';
import { decodeBase64 } from './strict.ts';

/** Most signatures of a note. The specification requires at least 16. */
export const NOTE_SIGNATURES_MAX = 64;
/** Most bytes of a note. A signature with a post-quantum algorithm has about 5,000 bytes. */
export const NOTE_BYTES_MAX = 131_072;

/** One signature line. It is not verified. */
export interface NoteSignature {
  readonly name: string;
  /** Key ID in hexadecimal. */
  readonly id: string;
  /** The bytes after the key ID. Their format depends on the type of the key. */
  readonly signature: Uint8Array;
}

/** A note that was parsed. Its signatures are not verified. */
export interface Note {
  /** The signed text, which ends with LF. */
  readonly text: string;
  /** Signatures in the order of their lines. */
  readonly signatures: readonly NoteSignature[];
}

/** A signature that was verified. */
export interface VerifiedSignature {
  readonly key: NoteKey;
  /** Seconds since 1970-01-01T00:00:00Z. Only cosignatures have a time. */
  readonly timeSeconds?: number;
  readonly signature: NoteSignature;
}

const ID_BYTES = 4;
/** Control characters except LF. */
const CONTROLS = /[\u0000-\u0009\u000b-\u001f]/;

/**
 * Parses a note.
 *
 * @throws FormatError  the note is not exactly in the format, is too large, or has no signature or too many
 */
export function parseNote(note: string): Note {
  if (Buffer.byteLength(note) > NOTE_BYTES_MAX) throw new FormatError(`a note has at most ${NOTE_BYTES_MAX} bytes`);
  if (!note.isWellFormed() || CONTROLS.test(note)) throw new FormatError('a note is UTF-8 text without control characters');
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n'))
    throw new FormatError('a note has text, an empty line and signature lines, which end with a newline');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > NOTE_SIGNATURES_MAX) throw new FormatError(`a note has at most ${NOTE_SIGNATURES_MAX} signatures`);
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignatureLine) };
}

/** Returns the note: the text, an empty line and the signatures. */
export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignatureLine).join('')}`;
}

/**
 * Parses a line `— NAME BASE64(ID ‖ SIGNATURE)`, without its newline.
 *
 * @throws FormatError  the line is not exactly in the format
 */
export function parseSignatureLine(line: string): NoteSignature {
  const [dash, name, encoded, ...rest] = line.split(' ');
  const bytes = decodeBase64(encoded ?? '');
  if (dash !== '—' || name === undefined || !isKeyName(name) || rest.length > 0 || bytes === undefined || bytes.length <= ID_BYTES)
    throw new FormatError('a signature line is an em dash, a key name, and the base64 of a key ID and a signature');
  return { name, id: bytes.toString('hex', 0, ID_BYTES), signature: bytes.subarray(ID_BYTES) };
}

/** Returns the line of a signature, which ends with LF. */
export function formatSignatureLine({ name, id, signature }: NoteSignature): string {
  return `— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), signature]).toString('base64')}\n`;
}

/**
 * Signs the text of a note. A key of a witness cosigns the text at `timeSeconds`, which a key of a log ignores.
 *
 * @throws FormatError  the text does not end with LF, or contains control characters
 */
export function signText(signingKey: SigningKey, text: string, timeSeconds: number): NoteSignature {
  if (!text.endsWith('\n') || CONTROLS.test(text))
    throw new FormatError('the text of a note ends with a newline and has no control characters');
  const { key, privateKey } = signingKey;
  const signature = key.type === 'log' ? sign(null, Buffer.from(text), privateKey) : cosign(signingKey, text, timeSeconds);
  return { name: key.name, id: key.id, signature };
}

/**
 * Verifies the signatures of known keys, and ignores the others. Returns one signature per key, in the order of the
 * lines: the valid one with the latest time.
 *
 * Returns undefined if a signature of a known key is wrong, because then the whole note is not trustworthy. The result
 * is empty if no known key signed. The caller decides which keys are required.
 */
export function verifyNote({ text, signatures }: Note, keys: readonly NoteKey[]): VerifiedSignature[] | undefined {
  const verified = new Map<NoteKey, VerifiedSignature>();
  for (const signature of signatures) {
    const key = keys.find(({ name, id }) => name === signature.name && id === signature.id);
    if (key === undefined) continue;
    const result = verifySignature(key, text, signature);
    if (result === undefined) return undefined;
    const earlier = verified.get(key);
    if (earlier === undefined || (result.timeSeconds ?? 0) > (earlier.timeSeconds ?? 0)) verified.set(key, result);
  }
  return [...verified.values()];
}

/** Verifies one signature of a key. Returns undefined if it is wrong. */
export function verifySignature(key: NoteKey, text: string, signature: NoteSignature): VerifiedSignature | undefined {
  if (key.name !== signature.name || key.id !== signature.id) return undefined;
  if (key.type === 'log') return verify(null, Buffer.from(text), key.verifyKey, signature.signature) ? { key, signature } : undefined;
  const timeSeconds = verifyCosignature(key, text, signature.signature);
  return timeSeconds === undefined ? undefined : { key, timeSeconds, signature };
}
