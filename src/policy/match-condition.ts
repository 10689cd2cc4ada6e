import type { Predicate } from './graph.ts';
import { slotOf } from './keys.ts';
import type { ConditionTest } from './lowered.ts';
import type { Operator } from './operators.ts';
import { codesMatch, MANY, type Piece, plainText, toCodes } from './pattern.ts';
import { addressOf, type ContextValue, contextValue, findColons, momentOf, type RequestRecord } from './request.ts';
import { fillCodes, variableValue } from './substitute.ts';
import { type AddressRange, inRange, toBytes, toMoment, toNumber, toRange, toTruth } from './values.ts';

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
  const meets = meetsAny(operator, test.values);
  if (quantifier === 'ForAllValues') {
    return (record) => {
      const value = contextValue(record, slot, key);
      if (value === undefined || value === '') return true;
      if (typeof value === 'string') return meets(record, value) !== negated;
      if (isNothing(value)) return true;
      for (let i = 0; i < value.length; i++) if (meets(record, value[i] as string) === negated) return false;
      return true;
    };
  }
  return (record) => {
    const value = contextValue(record, slot, key);
    if (value === undefined || value === '') return false;
    if (typeof value === 'string') return meets(record, value) !== negated;
    if (isNothing(value)) return false;
    for (let i = 0; i < value.length; i++) if (meets(record, value[i] as string) !== negated) return true;
    return false;
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
      return binaryMeets(values);
    case 'address':
      return addressMeets(values);
    case 'null':
      return () => false;
  }
}

function anyOf(tests: readonly Meets[]): Meets {
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return only;
  return (record, value) => {
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

/** Case is folded only where a variable is compared ignoring it, and there the text is joined: it is rare. */
function foldedVariableMeets(pieces: readonly Piece[]): Meets {
  return (record, value) => {
    let joined = '';
    for (const piece of pieces) {
      if (piece.kind === 'text') joined += piece.text;
      else if (piece.kind === 'variable') {
        const text = variableValue(record, slotOf(piece.key), piece.key, piece.fallback);
        if (text === undefined) return false;
        joined += text;
      }
    }
    return joined.toLowerCase() === value.toLowerCase();
  };
}

function likeMeets(pieces: readonly Piece[]): Meets {
  if (pieces.some(({ kind }) => kind === 'variable')) {
    return (record, value) => {
      const length = fillCodes(record, pieces);
      return length >= 0 && codesMatch(record.scratch.codes, 0, length, value, 0, value.length);
    };
  }
  const text = plainText(pieces);
  if (text !== undefined) return (_record, value) => value === text;
  const codes = toCodes(pieces);
  return (_record, value) => codesMatch(codes, 0, codes.length, value, 0, value.length);
}

/**
 * Source: IAM User Guide, "Amazon Resource Name (ARN) condition operators": six segments, each with wildcards; ArnEquals and ArnLike are the same.
 * Assumed: `*` alone is met by every value; any other pattern of fewer than six segments by none.
 */
function arnMeets(pieces: readonly Piece[]): Meets {
  if (pieces.length === 1 && pieces[0]?.kind === 'many') return () => true;
  const bounds = new Int32Array(5);
  const colons = new Int32Array(5);
  if (pieces.some(({ kind }) => kind === 'variable')) {
    return (record, value) => {
      const length = fillCodes(record, pieces);
      return (
        length >= 0 &&
        findBounds(record.scratch.codes, length, bounds) &&
        arnCodesMatch(record.scratch.codes, length, bounds, value, colons)
      );
    };
  }
  const codes = toCodes(pieces);
  if (!findBounds(codes, codes.length, bounds)) return () => false;
  return (_record, value) => arnCodesMatch(codes, codes.length, bounds, value, colons);
}

const COLON = 0x3a;

/** The places of the first five colons of a pattern; false where it has fewer. */
function findBounds(codes: Int32Array, length: number, bounds: Int32Array): boolean {
  let found = 0;
  for (let i = 0; i < length && found < 5; i++) if (codes[i] === COLON) bounds[found++] = i;
  return found === 5;
}

function arnCodesMatch(codes: Int32Array, length: number, bounds: Int32Array, value: string, colons: Int32Array): boolean {
  findColons(value, colons);
  if ((colons[0] as number) < 0) return false;
  for (let i = 5; i >= 0; i--) {
    const first = i === 0 ? 0 : (bounds[i - 1] as number) + 1;
    const last = i === 5 ? length : (bounds[i] as number);
    const from = i === 0 ? 0 : (colons[i - 1] as number) + 1;
    const to = i === 5 ? value.length : (colons[i] as number);
    if (last - first === 1 && codes[first] === MANY) continue;
    if (!codesMatch(codes, first, last, value, from, to)) return false;
  }
  return true;
}

function constants(values: readonly (readonly Piece[])[], read: (text: string) => number): Float64Array {
  return Float64Array.from(values.map((pieces) => read(plainText(pieces) ?? '')).filter((value) => !Number.isNaN(value)));
}

/** A value that is no number, moment or truth meets nothing, and a policy value that is none is met by nothing. */
function orderMeets({ relation }: Operator, wanted: Float64Array, read: (record: RequestRecord, value: string) => number): Meets {
  return (record, value) => {
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

function binaryMeets(values: readonly (readonly Piece[])[]): Meets {
  const wanted = new Set(values.flatMap((pieces) => toBytes(plainText(pieces) ?? ' ') ?? []));
  return (_record, value) => {
    const bytes = toBytes(value);
    return bytes !== undefined && wanted.has(bytes);
  };
}

function addressMeets(values: readonly (readonly Piece[])[]): Meets {
  const ranges = values.flatMap((pieces) => toRange(plainText(pieces) ?? '') ?? []);
  return (record, value) => {
    const address = addressOf(record.scratch, value);
    for (let i = 0; i < ranges.length; i++) if (inRange(address, ranges[i] as AddressRange)) return true;
    return false;
  };
}
