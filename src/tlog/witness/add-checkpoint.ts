/** Body of the request `add-checkpoint`, which a log sends to a witness. Source: C2SP tlog-witness 1.0.0, "add-checkpoint". */

import { hash } from 'node:crypto';
import { NOTE_BYTES_MAX } from '../note.ts';
import { FormatError } from '../note-key.ts';
import { parseHashLines } from '../proof.ts';
import { parseDecimal } from '../strict.ts';

/** Most bytes of a body: 64 lines before the checkpoint have less than 4,096 bytes. */
export const ADD_CHECKPOINT_BYTES_MAX = NOTE_BYTES_MAX + 4_096;

/** Media type of a response with status 409, whose body is the size of the latest cosigned tree and LF. */
export const SIZE_TYPE = 'text/x.tlog.size';

/** A request to cosign a checkpoint. */
export interface AddCheckpoint {
  /** Size of the latest tree that the witness cosigned, or 0. */
  readonly oldSize: number;
  /** Proof that the tree of `oldSize` is the beginning of the new tree. Empty if `oldSize` is 0 or the new size. */
  readonly proof: readonly Uint8Array[];
  /** Signed checkpoint of the new tree. */
  readonly checkpoint: string;
}

/** Returns the body of a request. */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  return [`old ${oldSize}`, ...proof.map((hash) => Buffer.from(hash).toString('base64')), '', checkpoint].join('\n');
}

/** Parses the body of a request. Does not parse the checkpoint. @throws FormatError  the body is not exactly in the format */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const end = body.indexOf('\n\n');
  const [old = '', ...hashes] = end < 0 ? [] : body.slice(0, end).split('\n');
  const oldSize = old.startsWith('old ') ? parseDecimal(old.slice('old '.length)) : undefined;
  if (oldSize === undefined) throw new FormatError("the body has a line 'old N', up to 63 hashes, an empty line and a checkpoint");
  return { oldSize, proof: parseHashLines(hashes), checkpoint: body.slice(end + 2) };
}

/** Returns the SHA-256 of the origin of a log, in hexadecimal. */
export function hashOfOrigin(origin: string): string {
  return hash('sha256', origin, 'hex');
}

/** Path of the latest cosigned checkpoint of a log, below the URL of the witness. */
export function checkpointPath(origin: string): string {
  return `/${hashOfOrigin(origin)}/checkpoint`;
}
