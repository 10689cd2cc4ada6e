import { HEAD, KIND, newAtom, type Test } from './graph.ts';
import { slotOf } from './keys.ts';
import type { ArnPattern } from './lowered.ts';
import { codesMatch, type Piece, plainText, toCodes } from './pattern.ts';
import { type RequestRecord, resourceIsArn } from './request.ts';
import { fillCodes, variableValue } from './substitute.ts';
import { numberOf } from './texts.ts';

/** One segment of an ARN pattern. */
type SegmentTest = (record: RequestRecord, text: string, from: number, to: number) => boolean;

/**
 * Whether one pattern of Resource or NotResource matches the request's resource.
 *
 * Wildcards stay inside their segment for the first five; the sixth is all the rest. A resource that is no ARN is matched by `*` alone.
 * `shortMatches`: missing segments at the end of the pattern stand for `*`; else such a pattern matches nothing.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Resource".
 * Assumed: a short pattern in a service control policy means what it means in an identity-based policy.
 */
export function resourceTest(pattern: ArnPattern, shortMatches: boolean): Test {
  if (pattern.kind === 'everything') return true;
  const { segments } = pattern;
  if (segments.length < 6 && !shortMatches) return false;
  const head = segments.slice(0, 5).map(plainText);
  const rest = segments[5];
  if (rest !== undefined && !head.includes(undefined)) return literalHeadTest(`${head.join(':')}:`, rest);

  const tests = segments.map(segmentTest);
  while (tests.length < 6) tests.push(undefined);
  const [, partition, service, region, account, sixth] = tests;
  return newAtom((record) => {
    if (!resourceIsArn(record)) return false;
    const { resource } = record;
    const { colons } = record.scratch;
    const c1 = colons[1] as number;
    const c2 = colons[2] as number;
    const c3 = colons[3] as number;
    const c4 = colons[4] as number;
    return (
      (account === undefined || account(record, resource, c3 + 1, c4)) &&
      (region === undefined || region(record, resource, c2 + 1, c3)) &&
      (sixth === undefined || sixth(record, resource, c4 + 1, resource.length)) &&
      (service === undefined || service(record, resource, c1 + 1, c2)) &&
      (partition === undefined || partition(record, resource, 4, c1))
    );
  });
}

/**
 * A pattern whose first five segments are text: these, or with them a sixth up to its first slash, are compared by number, and what
 * follows is matched from there. Colons need not be found.
 */
function literalHeadTest(head: string, rest: readonly Piece[]): Test {
  const [first, ...others] = rest;
  const text = first?.kind === 'text' ? first.text : '';
  const slash = text.indexOf('/');
  const known = `${head}${text.slice(0, slash + 1)}`;
  const begins = newAtom((record) => beginsWith(record.resource, known), { op: slash < 0 ? HEAD : KIND, number: numberOf(known) });
  const more = text.slice(slash + 1);
  const tail = segmentTest([...(more === '' ? [] : [{ kind: 'text', text: more } as const]), ...(text === '' ? rest : others)]);
  if (tail === undefined) return begins;
  const { length } = known;
  return { all: [begins, newAtom((record) => tail(record, record.resource, length, record.resource.length))] };
}

/** Undefined where the segment may be anything. */
function segmentTest(pieces: readonly Piece[]): SegmentTest | undefined {
  if (pieces.length > 0 && pieces.every(({ kind }) => kind === 'many')) return undefined;
  const text = plainText(pieces);
  if (text !== undefined) {
    const { length } = text;
    return (_record, resource, from, to) => to - from === length && standsAt(resource, from, text);
  }
  const many = pieces.findIndex(({ kind }) => kind === 'many');
  const before = many < 0 ? pieces : pieces.slice(0, many);
  const after = many < 0 ? [] : pieces.slice(many + 1);
  if ([...before, ...after].every(({ kind }) => kind === 'text' || kind === 'variable')) return onceWildTest(before, after, many >= 0);
  if (pieces.some(({ kind }) => kind === 'variable')) {
    return (record, resource, from, to) => {
      const length = fillCodes(record, pieces);
      return length >= 0 && codesMatch(record.scratch.codes, 0, length, resource, from, to);
    };
  }
  const codes = toCodes(pieces);
  return (_record, resource, from, to) => codesMatch(codes, 0, codes.length, resource, from, to);
}

/** Texts and variables with at most one `*` among them: the former are compared from the start, those after the `*` from the end. */
function onceWildTest(before: readonly Piece[], after: readonly Piece[], wild: boolean): SegmentTest {
  const head = before.map(textOfPiece);
  const tail = after.map(textOfPiece).reverse();
  return (record, resource, from, to) => {
    let begin = from;
    for (let i = 0; i < head.length; i++) {
      const text = (head[i] as PieceText)(record);
      if (text === undefined || begin + text.length > to || !standsAt(resource, begin, text)) return false;
      begin += text.length;
    }
    let end = to;
    for (let i = 0; i < tail.length; i++) {
      const text = (tail[i] as PieceText)(record);
      if (text === undefined || end - text.length < begin || !standsAt(resource, end - text.length, text)) return false;
      end -= text.length;
    }
    return wild || begin === end;
  };
}

/** What stands for a piece in this request; undefined where a variable has no value. */
type PieceText = (record: RequestRecord) => string | undefined;

function textOfPiece(piece: Piece): PieceText {
  if (piece.kind === 'text') return () => piece.text;
  if (piece.kind !== 'variable') throw new Error('A wildcard has no text.');
  const { key, fallback } = piece;
  const slot = slotOf(key);
  return (record) => variableValue(record, slot, key, fallback);
}

/** From the end, where ARNs differ most. The caller knows that there is room. */
function standsAt(text: string, from: number, part: string): boolean {
  for (let i = part.length - 1; i >= 0; i--) {
    if (text.charCodeAt(from + i) !== part.charCodeAt(i)) return false;
  }
  return true;
}

/** The most characters compared one by one before the platform compares the rest at once. */
const LOOKED_AT = 6;

/**
 * As `startsWith`, which on Node 24 takes two nanoseconds a character: a few characters at the end, where ARNs differ most, tell most of
 * them apart, and `lastIndexOf`, which at 0 looks nowhere else, is three times as fast for the rest. See docs/performance-policy.md.
 */
function beginsWith(text: string, head: string): boolean {
  const { length } = head;
  if (text.length < length) return false;
  const least = Math.max(length - LOOKED_AT, 0);
  for (let i = length - 1; i >= least; i--) {
    if (text.charCodeAt(i) !== head.charCodeAt(i)) return false;
  }
  return text.lastIndexOf(head, 0) === 0;
}
