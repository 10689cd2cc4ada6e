import {
  addMatched,
  allMatched,
  beginList,
  type Glob,
  globMatches,
  LIST_MIN,
  matchList,
  newArnGlob,
  newGlob,
  type Variable,
} from './glob.ts';
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
import type { Subject } from './subject.ts';
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

/** Whether one request value meets any of the policy's values. */
type Meets = (record: RequestRecord, value: string) => boolean;

/**
 * One key of one operator.
 *
 * An absent key fails a plain operator and satisfies a negated one, an `IfExists` one and `ForAllValues`; it never satisfies
 * `ForAnyValue`, not even with `IfExists`. Several values of the policy are alternatives; of a negated operator none may be met.
 *
 * Source: IAM User Guide, "Condition operators", "Set operators for multivalued context keys", "Conditions with multiple keys or values".
 * Assumed: an empty list is an absent key; a list of nothing but empty texts is, with a set operator, an empty list; a list does not
 * satisfy an operator without set operator, negated or not.
 */
export function conditionTest(test: ConditionTest): Predicate {
  const { operator, quantifier, ifExists, key } = test;
  const { negated } = operator;
  const slot = slotOf(key);
  if (operator.family === 'null') return nullTest(test, slot);
  if (quantifier === 'single') return singleTest(test, slot);
  const exists = existsIn(operator, test.values);
  // `ForAnyValue` seeks a value that passes, `ForAllValues` one that does not.
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
    // The commonest of all conditions spares a call.
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
 * `Null`: whether the key is absent. A set operator makes it a constant.
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

/** Whether one of a list of request values meets any of the policy's values (`met`), or meets none of them. */
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

/** As `meetsAny`, for the values of a list. What costs more than a comparison is done once for each value. */
function existsIn(operator: Operator, values: readonly (readonly Piece[])[]): Exists {
  switch (operator.family) {
    case 'like':
      return likeExists(values);
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

/** Up to so many texts are compared one by one, which is faster than hashing. */
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

/** Joins the text, which no other comparison does: a variable is seldom compared ignoring case. Lower case is never shorter. */
function foldedVariableMeets(pieces: readonly Piece[]): Meets {
  return (record, value) => {
    const folded = value.toLowerCase();
    takeSteps(record.scratch.matching.budget, pieces.length + (folded.length >>> 2));
    let joined = '';
    for (const piece of pieces) {
      if (piece.kind === 'text') joined += piece.text;
      else if (piece.kind === 'variable') {
        const text = variableValue(record, slotOf(piece.key), piece.key, piece.fallback);
        if (text === undefined) return false;
        joined += text;
      }
      if (joined.length > folded.length) return false;
    }
    return joined.toLowerCase() === folded;
  };
}

function likeMeets(pieces: readonly Piece[]): Meets {
  const text = plainText(pieces);
  if (text !== undefined) return (_record, value) => value === text;
  const glob = newGlob(pieces);
  return (record, value) => globHolds(record, glob, value, 0, value.length);
}

/** Whether a pattern, its variables filled in, matches `value[from..to)`. */
export function globHolds(record: RequestRecord, glob: Glob, value: string, from: number, to: number): boolean {
  const { texts, matching } = record.scratch;
  return (glob.variables.length === 0 || fillTexts(record, glob)) && globMatches(glob, texts, matching, value, from, to);
}

function likeExists(values: readonly (readonly Piece[])[]): Exists {
  const plain = values.map(plainText).filter((text) => text !== undefined);
  const globs = values.filter((pieces) => plainText(pieces) === undefined).map(newGlob);
  const few = oneByOne(anyOf(values.map(likeMeets)));
  const set: ReadonlySet<string> = new Set(plain);
  return (record, list, met) => {
    if (list.length < LIST_MIN) return few(record, list, met);
    const { matching } = record.scratch;
    const subject = beginList(matching, list);
    for (let i = 0; i < list.length; i++) {
      if (!set.has(list[i] as string)) continue;
      if (met) return true;
      addMatched(matching, subject, i);
    }
    return listExists(record, globs, subject, met, undefined);
  };
}

/** Whether one of the patterns matches any value of the list (`met`), or there is a value that none of them matches. */
function listExists(record: RequestRecord, globs: readonly Glob[], subject: Subject, met: boolean, isArn: IsArn | undefined): boolean {
  const { matching, texts } = record.scratch;
  for (let i = 0; i < globs.length; i++) {
    const glob = globs[i] as Glob;
    if (glob.variables.length > 0 && !fillTexts(record, glob)) continue;
    if (matchList(glob, texts, matching, subject, isArn) && met) return true;
  }
  return !met && !allMatched(matching, subject);
}

type IsArn = (text: string) => boolean;

const COLONS = new Int32Array(5);

function isArn(text: string): boolean {
  findColons(text, COLONS);
  return (COLONS[0] as number) >= 0;
}

/**
 * A pattern of an ARN operator. `segments` are six, as they are written: a colon in the value of a variable separates nothing.
 * `whole` has fewer written colons, and begins with a variable.
 */
type ArnForm = { readonly segments: readonly (Glob | undefined)[] } | { readonly whole: Glob; readonly lead: Variable } | undefined;

/**
 * Source: IAM User Guide, "Amazon Resource Name (ARN) condition operators": six segments, each with wildcards; ArnEquals and ArnLike are the same.
 * Assumed: `*` alone is met by every value; any other pattern of fewer than six segments by none, except one that begins with a variable
 * whose value is an ARN: what follows then belongs to the last segment. Segments are those of the pattern as written.
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
  const forms = values.map((pieces) => ({ pieces, form: arnForm(pieces) }));
  const globs = forms.flatMap(({ pieces, form }) => (form !== undefined && 'segments' in form ? [newArnGlob(pieces)] : []));
  const wholes = forms.flatMap(({ form }) => (form !== undefined && 'whole' in form ? [form] : []));
  return (record, list, met) => {
    if (list.length < LIST_MIN) return few(record, list, met);
    if (anything) return met;
    const subject = beginList(record.scratch.matching, list);
    for (const { whole, lead } of wholes) {
      if (!leadIsArn(record, lead) || !fillTexts(record, whole)) continue;
      // A value that matches begins with an ARN, and so is one.
      if (matchList(whole, record.scratch.texts, record.scratch.matching, subject) && met) return true;
    }
    return listExists(record, globs, subject, met, isArn);
  };
}

function isAnything(pieces: readonly Piece[]): boolean {
  return pieces.length === 1 && pieces[0]?.kind === 'many';
}

function leadIsArn(record: RequestRecord, { key, fallback }: Variable): boolean {
  const text = variableValue(record, slotOf(key), key, fallback);
  return text !== undefined && isArn(text);
}

function arnForm(pieces: readonly Piece[]): ArnForm {
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

/** A value that is no number, moment or truth meets nothing, and a policy value that is none is met by nothing. */
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
