import { type Glob, globMatches, LIST_MIN, type Matching, matchList, newGlob, type Variable } from './glob.ts';
import type { Predicate } from './graph.ts';
import { slotOf } from './keys.ts';
import type { ConditionTest } from './lowered.ts';
import type { Operator } from './operators.ts';
import { type Piece, plainText } from './pattern.ts';
import {
  addressOf,
  arnColonsOf,
  type ContextValue,
  contextValue,
  findColons,
  momentOf,
  type RequestRecord,
  typedValue,
} from './request.ts';
import { takeSteps } from './steps.ts';
import type { ListSegments } from './subject.ts';
import { fillTexts, variableValue } from './substitute.ts';
import {
  type Address,
  type AddressRange,
  inRange,
  newAddress,
  readAddress,
  toBytes,
  toMoment,
  toNumber,
  toRange,
  toTruth,
} from './values.ts';

/** Reports whether one request value matches any of the policy's values. */
type Meets = (record: RequestRecord, value: string) => boolean;

/**
 * Returns the test of one condition key under one operator.
 *
 * An absent key fails a plain operator. It satisfies a negated operator, an `IfExists` operator and `ForAllValues`. It never satisfies
 * `ForAnyValue`, not even with `IfExists`. One matching policy value is sufficient. For a negated operator, no policy value may match.
 *
 * Source: IAM User Guide, "Condition operators", "Set operators for multivalued context keys", "Conditions with multiple keys or values".
 * Assumed: an empty list counts as an absent key. With a set operator, a list that contains only empty strings counts as an empty list.
 * Without a set operator, a list does not satisfy the operator, negated or not.
 */
export function conditionTest(test: ConditionTest): Predicate {
  const { operator, quantifier, ifExists, key } = test;
  const { negated } = operator;
  const slot = slotOf(key);
  if (operator.family === 'null') return nullTest(test, slot);
  if (quantifier === 'single') return singleTest(test, slot);
  const exists = existsIn(operator, test.values);
  // `ForAnyValue` searches for a value that passes, `ForAllValues` for one that does not.
  const forAny = quantifier === 'ForAnyValue';
  const sought = forAny !== negated;
  return (record) => {
    const value = contextValue(record, slot, key);
    if (value === undefined || value === '') return !forAny;
    const values = typeof value === 'string' ? [value] : value;
    takeSteps(record.scratch.matching.budget, 1 + values.length);
    if (isNothing(values)) return !forAny;
    return exists(record, values, sought) === forAny;
  };

  function singleTest({ values }: ConditionTest, at: number): Predicate {
    const missing = negated || ifExists;
    const only = values.length === 1 ? values[0] : undefined;
    const text = only === undefined ? undefined : plainText(only);
    // The most frequent kind of condition avoids one function call.
    if (operator.family === 'text' && text !== undefined) {
      return (record) => {
        const value = contextValue(record, at, key);
        return typeof value === 'string' ? (value === text) !== negated : isAbsent(value) && missing;
      };
    }
    const any = meetsAny(operator, values);
    return (record) => {
      const value = contextValue(record, at, key);
      return typeof value === 'string' ? any(record, value) !== negated : isAbsent(value) && missing;
    };
  }
}

function isAbsent(value: readonly string[] | undefined): boolean {
  return value === undefined || value.length === 0;
}

function isNothing(values: readonly string[]): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== '') return false;
  return true;
}

/**
 * Returns the test of `Null`, which checks whether the key is absent. With a set operator, the result is constant.
 *
 * Source: IAM User Guide, "Condition operator to check existence of condition keys"; policy check NULL_WITH_QUALIFIER.
 */
function nullTest({ quantifier, key, values }: ConditionTest, slot: number): Predicate {
  if (quantifier !== 'single') return () => quantifier === 'ForAllValues';
  const wanted = values.map((pieces) => toTruth(plainText(pieces) ?? ''));
  const whenAbsent = wanted.includes(1);
  const whenPresent = wanted.includes(0);
  return (record) => {
    const value: ContextValue | undefined = contextValue(record, slot, key);
    return value === undefined || (typeof value !== 'string' && value.length === 0) ? whenAbsent : whenPresent;
  };
}

/** Reports whether one of several request values matches any of the policy's values (`met`), or matches none of them. */
type Exists = (record: RequestRecord, values: readonly string[], met: boolean) => boolean;

function meetsAny(operator: Operator, values: readonly (readonly Piece[])[]): Meets {
  switch (operator.family) {
    case 'text':
      return textMeets(values, false);
    case 'text-ignore-case':
      return textMeets(values, true);
    case 'like':
      return anyOf(values.map(likeMeets));
    case 'arn':
      return anyOf(values.map(arnMeets));
    case 'number':
      return orderMeets(operator, constants(values, toNumber), (_record, value) => toNumber(value));
    case 'date':
      return orderMeets(operator, constants(values, toMoment), momentOf);
    case 'bool':
      return orderMeets(operator, constants(values, toTruth), (_record, value) => toTruth(value));
    case 'binary':
      return binaryMeets(values, (_record, value) => toBytes(value));
    case 'address':
      return addressMeets(values, (record, value) => addressOf(record.scratch, value));
    case 'null':
      return () => false;
  }
}

/** Like `meetsAny`, for the values of a list. Does expensive work once for each value. */
function existsIn(operator: Operator, values: readonly (readonly Piece[])[]): Exists {
  switch (operator.family) {
    // Values of the string operators are patterns without wildcards.
    case 'text':
    case 'like':
      return likeExists(operator, values);
    case 'text-ignore-case':
      return foldedExists(values);
    case 'arn':
      return arnExists(values);
    case 'number':
      return oneByOne(
        orderMeets(operator, constants(values, toNumber), ({ scratch }, value) => (typedValue(scratch, value).number ??= toNumber(value))),
      );
    case 'date':
      return oneByOne(
        orderMeets(operator, constants(values, toMoment), ({ scratch }, value) => (typedValue(scratch, value).moment ??= toMoment(value))),
      );
    case 'binary':
      return oneByOne(binaryMeets(values, ({ scratch }, value) => (typedValue(scratch, value).bytes ??= toBytes(value) ?? null)));
    case 'address':
      return oneByOne(addressMeets(values, ({ scratch }, value) => (typedValue(scratch, value).address ??= toAddress(value))));
    default:
      return oneByOne(meetsAny(operator, values));
  }
}

function oneByOne(meets: Meets): Exists {
  return (record, values, met) => {
    for (let i = 0; i < values.length; i++) if (meets(record, values[i] as string) === met) return true;
    return false;
  };
}

function toAddress(text: string): Address {
  const address = newAddress();
  readAddress(text, address);
  return address;
}

function anyOf(tests: readonly Meets[]): Meets {
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return only;
  return (record, value) => {
    takeSteps(record.scratch.matching.budget, tests.length);
    for (let i = 0; i < tests.length; i++) if ((tests[i] as Meets)(record, value)) return true;
    return false;
  };
}

/** Maximum number of strings that are compared one by one, which is faster than hashing for so few. */
const SCANNED_MAX = 4;

function textMeets(values: readonly (readonly Piece[])[], ignoreCase: boolean): Meets {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const plain: string[] = [];
  const tests: Meets[] = [];
  for (const pieces of values) {
    const text = plainText(pieces);
    if (text !== undefined) plain.push(fold(text));
    else if (ignoreCase) tests.push(foldedVariableMeets(pieces));
    else tests.push(variableMeets(pieces));
  }
  const [first] = plain;
  if (plain.length === 1) tests.unshift((_record, value) => fold(value) === first);
  else if (plain.length > 1 && plain.length <= SCANNED_MAX) {
    tests.unshift((_record, value) => {
      const folded = fold(value);
      for (let i = 0; i < plain.length; i++) if (plain[i] === folded) return true;
      return false;
    });
  } else if (plain.length > SCANNED_MAX) {
    const set: ReadonlySet<string> = new Set(plain);
    tests.unshift((_record, value) => set.has(fold(value)));
  }
  return anyOf(tests);
}

function variableMeets(pieces: readonly Piece[]): Meets {
  const [only] = pieces;
  if (pieces.length === 1 && only?.kind === 'variable') {
    const { key, fallback } = only;
    const slot = slotOf(key);
    return (record, value) => variableValue(record, slot, key, fallback) === value;
  }
  return likeMeets(pieces);
}

function foldedVariableMeets(pieces: readonly Piece[]): Meets {
  return (record, value) => {
    const folded = foldedValue(record, value);
    return folded === foldedText(record, pieces, folded.length);
  };
}

/** Returns the value in lower case, from a cache. */
function foldedValue({ scratch }: RequestRecord, value: string): string {
  return (typedValue(scratch, value).lower ??= value.toLowerCase());
}

/**
 * Returns the policy's value in lower case with the values of its variables. Returns `undefined` if a variable has no value, or if the
 * result is longer than `most`. Only this comparison concatenates strings, because variables are rarely compared ignoring case. A string in lower
 * case is never shorter.
 */
function foldedText(record: RequestRecord, pieces: readonly Piece[], most: number): string | undefined {
  takeSteps(record.scratch.matching.budget, pieces.length + (most >>> 2));
  let joined = '';
  for (const piece of pieces) {
    if (piece.kind === 'text') joined += piece.text;
    else if (piece.kind === 'variable') {
      const text = variableValue(record, slotOf(piece.key), piece.key, piece.fallback);
      if (text === undefined) return undefined;
      joined += text;
    }
    if (joined.length > most) return undefined;
  }
  return joined.toLowerCase();
}

function foldedExists(values: readonly (readonly Piece[])[]): Exists {
  const plain = values.map(plainText).filter((text) => text !== undefined);
  const texts: ReadonlySet<string> = new Set(plain.map((text) => text.toLowerCase()));
  const others = values.filter((pieces) => plainText(pieces) === undefined);
  return (record, list, met) => {
    const folded = list.map((value) => foldedValue(record, value));
    const longest = folded.reduce((most, { length }) => Math.max(most, length), 0);
    const filled = others.map((pieces) => foldedText(record, pieces, longest));
    const all = filled.length === 0 ? texts : new Set([...texts, ...filled]);
    return folded.some((value) => all.has(value) === met);
  };
}

function likeMeets(pieces: readonly Piece[]): Meets {
  const text = plainText(pieces);
  if (text !== undefined) return (_record, value) => value === text;
  const glob = newGlob(pieces);
  return (record, value) => globHolds(record, glob, value, 0, value.length);
}

/** Reports whether a pattern with the values of its variables matches `value[from..to)`. */
export function globHolds(record: RequestRecord, glob: Glob, value: string, from: number, to: number): boolean {
  const { texts, matching } = record.scratch;
  return (glob.variables.length === 0 || fillTexts(record, glob)) && globMatches(glob, texts, matching, value, from, to);
}

function likeExists(operator: Operator, values: readonly (readonly Piece[])[]): Exists {
  const plain = values.map(plainText).filter((text) => text !== undefined);
  const globs = values.filter((pieces) => plainText(pieces) === undefined).map(newGlob);
  const few = oneByOne(meetsAny(operator, values));
  const set: ReadonlySet<string> = new Set(plain);
  return (record, list, met) => {
    if (list.length < LIST_MIN) return few(record, list, met);
    const found = new Uint8Array(list.length);
    for (let i = 0; i < list.length; i++) {
      if (!set.has(list[i] as string)) continue;
      if (met) return true;
      found[i] = 1;
    }
    for (const glob of globs) if (globInList(record, glob, list, found) && met) return true;
    return !met && found.includes(0);
  };
}

/** Marks the values of a list that a pattern with the values of its variables matches. Reports whether there are any. */
function globInList(record: RequestRecord, glob: Glob, list: readonly string[], found: Uint8Array): boolean {
  const { matching, texts } = record.scratch;
  return (glob.variables.length === 0 || fillTexts(record, glob)) && matchList(glob, texts, matching, list, found);
}

const COLONS = new Int32Array(5);

function isArn(text: string): boolean {
  findColons(text, COLONS);
  return (COLONS[0] as number) >= 0;
}

/**
 * Pattern of an ARN operator. `segments` has six segments as written. A colon in the value of a variable does not separate segments.
 * `whole` is a pattern with fewer written colons that begins with a variable.
 */
type ArnForm = { readonly segments: readonly (Glob | undefined)[] } | { readonly whole: Glob; readonly lead: Variable };

/**
 * Returns the comparison of an ARN operator.
 *
 * Source: IAM User Guide, "Amazon Resource Name (ARN) condition operators": six segments, each with wildcards. ArnEquals equals ArnLike.
 * Assumed: `*` alone matches every value. Other patterns with fewer than six written segments match no value, with one exception: if the
 * pattern begins with a variable whose value is an ARN, the rest of the pattern belongs to the last segment.
 */
function arnMeets(pieces: readonly Piece[]): Meets {
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

function arnExists(values: readonly (readonly Piece[])[]): Exists {
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
          : // A value that matches begins with an ARN, and so is one.
            leadIsArn(record, form.lead) && globInList(record, form.whole, list, found);
      if (any && met) return true;
    }
    return !met && found.includes(0);
  };
}

/** Like `globInList`, for each segment. A value must match in all segments. */
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

/** Returns the ARNs of a list by segment, from a cache. */
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

function constants(values: readonly (readonly Piece[])[], read: (text: string) => number): Float64Array {
  return Float64Array.from(values.map((pieces) => read(plainText(pieces) ?? '')).filter((value) => !Number.isNaN(value)));
}

/** Returns the comparison of numbers, times or booleans. An invalid value of the request or the policy matches nothing. */
function orderMeets({ relation }: Operator, wanted: Float64Array, read: (record: RequestRecord, value: string) => number): Meets {
  return (record, value) => {
    takeSteps(record.scratch.matching.budget, 1 + wanted.length);
    const number = read(record, value);
    for (let i = 0; i < wanted.length; i++) {
      const other = wanted[i] as number;
      switch (relation) {
        case '=':
          if (number === other) return true;
          break;
        case '<':
          if (number < other) return true;
          break;
        case '<=':
          if (number <= other) return true;
          break;
        case '>':
          if (number > other) return true;
          break;
        case '>=':
          if (number >= other) return true;
          break;
      }
    }
    return false;
  };
}

function binaryMeets(
  values: readonly (readonly Piece[])[],
  read: (record: RequestRecord, value: string) => string | null | undefined,
): Meets {
  const wanted = new Set(values.flatMap((pieces) => toBytes(plainText(pieces) ?? ' ') ?? []));
  return (record, value) => {
    takeSteps(record.scratch.matching.budget, 1 + (value.length >>> 2));
    const bytes = read(record, value);
    return typeof bytes === 'string' && wanted.has(bytes);
  };
}

function addressMeets(values: readonly (readonly Piece[])[], read: (record: RequestRecord, value: string) => Address): Meets {
  const ranges = values.flatMap((pieces) => toRange(plainText(pieces) ?? '') ?? []);
  return (record, value) => {
    takeSteps(record.scratch.matching.budget, 1 + ranges.length);
    const address = read(record, value);
    for (let i = 0; i < ranges.length; i++) if (inRange(address, ranges[i] as AddressRange)) return true;
    return false;
  };
}
