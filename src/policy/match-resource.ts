import { newGlob } from './glob.ts';
import { newAtom, type Test } from './graph.ts';
import type { ArnPattern } from './lowered.ts';
import { globHolds } from './match-text.ts';
import { type Piece, plainText } from './pattern.ts';
import { type RequestRecord, resourceIsArn } from './request.ts';

/** Reports whether one segment of an ARN pattern matches `text` from `from` to `to`, exclusive. */
type SegmentTest = (record: RequestRecord, text: string, from: number, to: number) => boolean;

/**
 * Returns the test of one pattern of Resource or NotResource.
 *
 * In the first five segments, wildcards match only within their segment. The sixth segment is the rest of the ARN. A resource that is not
 * an ARN matches only `*`. With `shortMatches`, missing segments at the end of the pattern mean `*`. Otherwise such a pattern matches nothing.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Resource".
 * Assumed: a short pattern has the same meaning in service control policies and identity-based policies.
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
 * Returns the test of a pattern without wildcards in its first five segments.
 *
 * Compares the literal start of the pattern as one string: these five segments, and the sixth segment up to its first
 * slash. Then matches the rest of the pattern, without a search for colons. The test has one atom (comparison) for the
 * string and one for the rest.
 */
function literalHeadTest(head: string, rest: readonly Piece[]): Test {
  const [first, ...others] = rest;
  const text = first?.kind === 'text' ? first.text : '';
  const slash = text.indexOf('/');
  const known = `${head}${text.slice(0, slash + 1)}`;
  const begins = newAtom((record) => beginsWith(record.resource, known));
  const more = text.slice(slash + 1);
  const tail = segmentTest([...(more === '' ? [] : [{ kind: 'text', text: more } as const]), ...(text === '' ? rest : others)]);
  if (tail === undefined) return begins;
  const { length } = known;
  return { all: [begins, newAtom((record) => tail(record, record.resource, length, record.resource.length))] };
}

/** Returns the test of one segment, or `undefined` if the segment matches everything. */
function segmentTest(pieces: readonly Piece[]): SegmentTest | undefined {
  if (pieces.length > 0 && pieces.every(({ kind }) => kind === 'many')) return undefined;
  const text = plainText(pieces);
  if (text !== undefined) {
    const { length } = text;
    return (_record, resource, from, to) => to - from === length && occursAt(resource, from, text);
  }
  const ends = textEnds(pieces);
  if (ends !== undefined) {
    // Patterns with a single `*` are the most frequent kind. A comparison costs at most the length of the pattern.
    // So it takes no steps from the budget.
    const [begin, end] = ends;
    const least = begin.length + end.length;
    return (_record, resource, from, to) =>
      to - from >= least && occursAt(resource, from, begin) && occursAt(resource, to - end.length, end);
  }
  const glob = newGlob(pieces);
  return (record, resource, from, to) => globHolds(record, glob, resource, from, to);
}

/** Returns the literal text before and after the only `*`, or `undefined` if the pattern has other wildcards or variables. */
function textEnds(pieces: readonly Piece[]): readonly [begin: string, end: string] | undefined {
  const many = pieces.findIndex(({ kind }) => kind === 'many');
  if (many < 0) return undefined;
  const begin = plainText(pieces.slice(0, many));
  const end = plainText(pieces.slice(many + 1));
  return begin === undefined || end === undefined ? undefined : [begin, end];
}

/**
 * Reports whether `part` occurs at `from`. Compares from the end, where ARNs differ most. `text` must have at least
 * `from + part.length` characters.
 */
function occursAt(text: string, from: number, part: string): boolean {
  for (let i = part.length - 1; i >= 0; i--) {
    if (text.charCodeAt(from + i) !== part.charCodeAt(i)) return false;
  }
  return true;
}

/** Maximum number of characters that `beginsWith` compares one by one. */
const LOOKED_AT = 6;

/**
 * Reports whether a text begins with a string. It is faster than `startsWith`, which takes two nanoseconds per character on Node 24.
 *
 * First compares a few characters at the end, where ARNs differ most. Then calls `lastIndexOf` at 0, which is three times as fast as
 * `startsWith`. See docs/performance-policy.md.
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
