import { slotOf } from './keys.ts';
import { MANY, ONE, type Piece } from './pattern.ts';
import { contextValue, type RequestRecord, type Scratch } from './request.ts';

/**
 * What a variable stands for: the value, its default, or undefined. Only a key with one value can be a variable; an empty value is a value.
 *
 * Source: IAM User Guide, "Variables and tags": single-valued keys only, "Request information that you can use for policy variables".
 */
export function variableValue(record: RequestRecord, slot: number, key: string, fallback: string | undefined): string | undefined {
  const value = contextValue(record, slot, key);
  return typeof value === 'string' ? value : fallback;
}

/**
 * Writes a pattern with its variables filled in to the scratch's `codes` and answers its length; -1 where a variable has no value.
 * What a variable stands for is literal: neither its `*` nor its `${` means anything.
 */
export function fillCodes(record: RequestRecord, pieces: readonly Piece[]): number {
  let length = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] as Piece;
    if (piece.kind === 'many' || piece.kind === 'one') {
      room(record.scratch, length + 1);
      record.scratch.codes[length++] = piece.kind === 'many' ? MANY : ONE;
      continue;
    }
    const text = piece.kind === 'text' ? piece.text : variableValue(record, slotOf(piece.key), piece.key, piece.fallback);
    if (text === undefined) return -1;
    room(record.scratch, length + text.length);
    const { codes } = record.scratch;
    for (let at = 0; at < text.length; at++) codes[length++] = text.charCodeAt(at);
  }
  return length;
}

function room(scratch: Scratch, length: number): void {
  if (length <= scratch.codes.length) return;
  const wider = new Int32Array(length * 2);
  wider.set(scratch.codes);
  scratch.codes = wider;
}
