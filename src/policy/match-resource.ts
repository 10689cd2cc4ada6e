import type { ArnPattern } from './lowered.ts';
import { codesMatch, type Piece, plainText, toCodes } from './pattern.ts';
import { type RequestRecord, resourceIsArn } from './request.ts';
import { fillCodes } from './substitute.ts';

/** A question about a request that was prepared when the policy was linked. */
export type Predicate = (record: RequestRecord) => boolean;

export const always: Predicate = () => true;
export const never: Predicate = () => false;

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
export function resourceMatcher(pattern: ArnPattern, shortMatches: boolean): Predicate {
  if (pattern.kind === 'everything') return always;
  const { segments } = pattern;
  if (segments.length < 6 && !shortMatches) return never;
  const simple = simpleMatcher(segments);
  if (simple !== undefined) return simple;

  const tests = segments.map(segmentTest);
  while (tests.length < 6) tests.push(undefined);
  const [, partition, service, region, account, rest] = tests;
  return (record) => {
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
      (rest === undefined || rest(record, resource, c4 + 1, resource.length)) &&
      (service === undefined || service(record, resource, c1 + 1, c2)) &&
      (partition === undefined || partition(record, resource, 4, c1))
    );
  };
}

/** A pattern whose first five segments are text, with text or text and `*` after them, is a comparison of the whole resource. */
function simpleMatcher(segments: readonly (readonly Piece[])[]): Predicate | undefined {
  const rest = segments[5];
  if (rest === undefined) return undefined;
  const prefix = isPrefix(rest);
  const texts = segments.map((pieces, i) => plainText(i === 5 && prefix ? pieces.slice(0, -1) : pieces));
  if (texts.some((text) => text === undefined)) return undefined;
  const text = texts.join(':');
  if (!prefix) return (record) => record.resource === text;
  return (record) => startsWith(record.resource, 0, record.resource.length, text);
}

function isPrefix(pieces: readonly Piece[]): boolean {
  return pieces.at(-1)?.kind === 'many' && pieces.slice(0, -1).every(({ kind }) => kind === 'text');
}

/** Undefined where the segment may be anything. */
function segmentTest(pieces: readonly Piece[]): SegmentTest | undefined {
  if (pieces.length > 0 && pieces.every(({ kind }) => kind === 'many')) return undefined;
  const text = plainText(pieces);
  if (text !== undefined) {
    const { length } = text;
    return (_record, resource, from, to) => to - from === length && startsWith(resource, from, to, text);
  }
  if (isPrefix(pieces)) {
    const prefix = plainText(pieces.slice(0, -1)) as string;
    return (_record, resource, from, to) => startsWith(resource, from, to, prefix);
  }
  if (pieces.some(({ kind }) => kind === 'variable')) {
    return (record, resource, from, to) => {
      const length = fillCodes(record, pieces);
      return length >= 0 && codesMatch(record.scratch.codes, 0, length, resource, from, to);
    };
  }
  const codes = toCodes(pieces);
  return (_record, resource, from, to) => codesMatch(codes, 0, codes.length, resource, from, to);
}

/** From the end, where ARNs differ most. */
function startsWith(text: string, from: number, to: number, prefix: string): boolean {
  if (to - from < prefix.length) return false;
  for (let i = prefix.length - 1; i >= 0; i--) {
    if (text.charCodeAt(from + i) !== prefix.charCodeAt(i)) return false;
  }
  return true;
}
