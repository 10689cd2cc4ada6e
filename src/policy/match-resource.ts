import { newGlob } from './glob.ts';
import { HEAD, KIND, newAtom, type Test } from './graph.ts';
import type { ArnPattern } from './lowered.ts';
import { globHolds } from './match-condition.ts';
import { type Piece, plainText } from './pattern.ts';
import { type RequestRecord, resourceIsArn } from './request.ts';
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
  const glob = newGlob(pieces);
  return (record, resource, from, to) => globHolds(record, glob, resource, from, to);
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
