import { type Glob, type Matching, newGlob, type Variable } from './glob.ts';
import { LIST_MIN } from './glob-list.ts';
import { slotOf } from './keys.ts';
import { globHolds, globInList } from './match-text.ts';
import type { Piece } from './pattern.ts';
import { arnColonsOf, findColons, type RequestRecord } from './request.ts';
import { takeSteps } from './steps.ts';
import type { ListSegments } from './subject.ts';
import { variableValue } from './substitute.ts';
import { anyOf, type Exists, type Meets, oneByOne } from './value-tests.ts';

const COLONS = new Int32Array(5);

function isArn(text: string): boolean {
  findColons(text, COLONS);
  return (COLONS[0] as number) >= 0;
}

/**
 * Pattern of an ARN operator, in one of two forms:
 *
 * - `segments` has the six segments of the pattern. A segment that is only `*` is `undefined`. A colon in the value of
 * a variable does not separate segments.
 * - `whole` is a pattern with fewer than five colons. It begins with the variable `lead`, whose value must be an ARN.
 */
type ArnForm = { readonly segments: readonly (Glob | undefined)[] } | { readonly whole: Glob; readonly lead: Variable };

/**
 * Returns a function that compares a request value with one pattern of an ARN operator.
 *
 * Source: IAM User Guide, "Amazon Resource Name (ARN) condition operators": six segments, each with wildcards.
 * ArnEquals equals ArnLike.
 * Assumed: `*` alone matches every value. Other patterns with fewer than six written segments match no value, with one
 * exception. If the pattern begins with a variable whose value is an ARN, the rest of the pattern belongs to the last
 * segment of this ARN.
 */
export function arnMeets(pieces: readonly Piece[]): Meets {
  if (isAnything(pieces)) return () => true;
  const form = arnForm(pieces);
  if (form === undefined) return () => false;
  if ('whole' in form) {
    const { whole, lead } = form;
    return (record, value) => leadIsArn(record, lead) && isArn(value) && globHolds(record, whole, value, 0, value.length);
  }
  const { segments } = form;
  return (record, value) => {
    const colons = arnColonsOf(record.scratch, value);
    if ((colons[0] as number) < 0) return false;
    for (let i = 5; i >= 0; i--) {
      const segment = segments[i];
      if (segment === undefined) continue;
      const from = i === 0 ? 0 : (colons[i - 1] as number) + 1;
      const to = i === 5 ? value.length : (colons[i] as number);
      if (!globHolds(record, segment, value, from, to)) return false;
    }
    return true;
  };
}

/** Returns a function that compares a list of request values with the patterns of an ARN operator. */
export function arnExists(values: readonly (readonly Piece[])[]): Exists {
  const few = oneByOne(anyOf(values.map(arnMeets)));
  const anything = values.some(isAnything);
  const forms = values.flatMap((pieces) => arnForm(pieces) ?? []);
  return (record, list, met) => {
    if (list.length < LIST_MIN) return few(record, list, met);
    if (anything) return met;
    const found = new Uint8Array(list.length);
    for (const form of forms) {
      const any =
        'segments' in form
          ? segmentsInList(record, form.segments, list, found)
          : // A matching value begins with the variable's ARN, so it is also an ARN.
            leadIsArn(record, form.lead) && globInList(record, form.whole, list, found);
      if (any && met) return true;
    }
    return !met && found.includes(0);
  };
}

/**
 * Marks in `found` the values of a list whose six segments all match their patterns. Reports whether there are any such
 * values.
 */
function segmentsInList(record: RequestRecord, globs: readonly (Glob | undefined)[], list: readonly string[], found: Uint8Array): boolean {
  const { indexes, lists } = segmentsOf(record.scratch.matching, list);
  const all = new Uint8Array(indexes.length).fill(1);
  for (let i = 5; i >= 0; i--) {
    const glob = globs[i];
    if (glob === undefined) continue;
    const own = new Uint8Array(indexes.length);
    if (!globInList(record, glob, lists[i] as readonly string[], own)) return false;
    for (let k = 0; k < own.length; k++) if (own[k] === 0) all[k] = 0;
  }
  let any = false;
  for (let k = 0; k < all.length; k++) {
    if (all[k] === 0) continue;
    any = true;
    found[indexes[k] as number] = 1;
  }
  return any;
}

/** Returns the ARNs in a list, split into segments, from a cache. */
function segmentsOf({ subjects, budget }: Matching, list: readonly string[]): ListSegments {
  let known = subjects.segments.get(list);
  if (known === undefined) {
    const arns = list.flatMap((text, index) => (isArn(text) ? [{ index, parts: text.split(':') }] : []));
    takeSteps(
      budget,
      list.reduce((sum, text) => sum + text.length, 0),
    );
    const segment = (i: number) => arns.map(({ parts }) => (i < 5 ? (parts[i] as string) : parts.slice(5).join(':')));
    known = { indexes: arns.map(({ index }) => index), lists: [0, 1, 2, 3, 4, 5].map(segment) };
    subjects.segments.set(list, known);
  }
  return known;
}

function isAnything(pieces: readonly Piece[]): boolean {
  return pieces.length === 1 && pieces[0]?.kind === 'many';
}

function leadIsArn(record: RequestRecord, { key, fallback }: Variable): boolean {
  const text = variableValue(record, slotOf(key), key, fallback);
  return text !== undefined && isArn(text);
}

function arnForm(pieces: readonly Piece[]): ArnForm | undefined {
  const segments: Piece[][] = [[]];
  for (const piece of pieces) {
    if (piece.kind !== 'text') {
      segments.at(-1)?.push(piece);
      continue;
    }
    let rest = piece.text;
    while (segments.length < 6 && rest.includes(':')) {
      const colon = rest.indexOf(':');
      if (colon > 0) segments.at(-1)?.push({ kind: 'text', text: rest.slice(0, colon) });
      segments.push([]);
      rest = rest.slice(colon + 1);
    }
    if (rest !== '') segments.at(-1)?.push({ kind: 'text', text: rest });
  }
  if (segments.length === 6) return { segments: segments.map((segment) => (isAnything(segment) ? undefined : newGlob(segment))) };
  const [lead] = pieces;
  return lead?.kind === 'variable' ? { whole: newGlob(pieces), lead } : undefined;
}
