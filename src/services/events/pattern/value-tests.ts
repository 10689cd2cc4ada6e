import type { AddressRange } from './addresses.ts';
import { addressOf, type EventField, numberOf } from './event-fields.ts';
import { type CaseForms, endsIgnoringCase, equalsIgnoringCase, startsIgnoringCase } from './ignore-case.ts';
import { matchesWildcard, type Wildcard } from './wildcard.ts';

/** One alternative of a field in a pattern. `exists: false` is not a test: see `PatternKey.absent`. */
export type ValueTest = ExactTest | ExistsTest | OtherTest;

/** Test that the value of a field has a certain key (`exactKey`, `addressKey`). */
export interface ExactTest {
  readonly kind: 'exact';
  readonly key: string;
}

/** Test that a field exists. */
export interface ExistsTest {
  readonly kind: 'exists';
}

/** Test of any other operator. */
export interface OtherTest {
  readonly kind: 'other';
  /** Operator and operand. Tests with the same name are equal. */
  readonly name: string;
  readonly holds: (field: EventField) => boolean;
  /** Number of strings that the test compares with a value. */
  readonly operands: number;
  /** Whether the test may read each character of the value. */
  readonly scans: boolean;
  /** Whether the test holds for most values. */
  readonly common?: true;
  /** Patterns whose complexity is limited. */
  readonly wildcards?: readonly Wildcard[];
}

/** Returns the key of a value. Two values are equal if their keys are equal. */
export function exactKey(type: EventField['type'], text: string, value: number | undefined): string {
  if (type === 'string') return `"${text}`;
  if (type === 'number' && value !== undefined) return `=${value}`;
  return `~${text}`;
}

/** Returns the key of an address, which all its notations share. */
export function addressKey(address: string): string {
  return `@${address}`;
}

/** Returns a name of a test. Tests with the same name are equal. */
export function testName(test: ValueTest): string {
  return test.kind === 'other' ? test.name : test.kind === 'exact' ? test.key : test.kind;
}

/** Reports whether a test holds for a field. */
export function testHolds(test: ValueTest, field: EventField): boolean {
  if (test.kind === 'exists') return true;
  if (test.kind === 'other') return test.holds(field);
  if (test.key.startsWith('@')) return test.key === addressKey(addressOf(field) ?? '');
  return test.key === exactKey(field.type, field.text, numberOf(field));
}

type StringTest = (text: string) => boolean;

function onStrings(name: string, holds: StringTest, operands = 1, scans = true): OtherTest {
  return { kind: 'other', name, holds: ({ type, text }) => type === 'string' && holds(text), operands, scans };
}

/** Test of `prefix`. */
export function prefixTest(prefix: string): OtherTest {
  return onStrings(`prefix ${prefix}`, (text) => text.startsWith(prefix), 1, false);
}

/** Test of `suffix`. */
export function suffixTest(suffix: string): OtherTest {
  return onStrings(`suffix ${suffix}`, (text) => text.endsWith(suffix), 1, false);
}

/** Test of `prefix` and `suffix` with `equals-ignore-case`, and of `equals-ignore-case` alone. */
export function ignoreCaseTest(place: 'prefix' | 'suffix' | 'all', operand: string, forms: CaseForms): OtherTest {
  const holds = { prefix: startsIgnoringCase, suffix: endsIgnoringCase, all: equalsIgnoringCase }[place];
  return onStrings(`ignore-case ${place} ${operand}`, (text) => holds(text, forms), 1, true);
}

/** Test of `wildcard`. */
export function wildcardTest(operand: string, wildcard: Wildcard): OtherTest {
  return { ...onStrings(`wildcard ${operand}`, (text) => matchesWildcard(text, wildcard)), wildcards: [wildcard] };
}

/** Test of `cidr`. */
export function cidrTest({ first, last }: AddressRange): OtherTest {
  const holds = (field: EventField): boolean => {
    const address = addressOf(field);
    return address !== undefined && address.length === first.length && address >= first && address <= last;
  };
  return { kind: 'other', name: `cidr ${first} ${last}`, holds, operands: 1, scans: false };
}

/** Range of numbers. */
export interface NumberRange {
  readonly bottom: number;
  readonly bottomOpen: boolean;
  readonly top: number;
  readonly topOpen: boolean;
}

/** Test of `numeric`. */
export function numericTest({ bottom, bottomOpen, top, topOpen }: NumberRange): OtherTest {
  const holds = (field: EventField): boolean => {
    const value = numberOf(field);
    if (value === undefined) return false;
    return (bottomOpen ? value > bottom : value >= bottom) && (topOpen ? value < top : value <= top);
  };
  return { kind: 'other', name: `numeric ${bottomOpen} ${bottom} ${top} ${topOpen}`, holds, operands: 1, scans: false };
}

/** Test of `anything-but` with strings. Values of other types match. */
export function noneOfTest(strings: ReadonlySet<string>): OtherTest {
  return complement(`strings ${list(strings)}`, ({ type, text }) => type === 'string' && strings.has(text), 1, false);
}

/** Test of `anything-but` with numbers. */
export function noNumberOfTest(numbers: ReadonlySet<number>): OtherTest {
  const listed = (field: EventField): boolean => {
    const value = numberOf(field);
    return value !== undefined && numbers.has(value);
  };
  return complement(`numbers ${list(numbers)}`, listed, 1, false);
}

/** Test of `anything-but` with another operator. */
export function noneHoldsTest(tests: readonly OtherTest[]): OtherTest {
  const name = list(tests.map((test) => test.name));
  const scans = tests.some((test) => test.scans);
  const test = complement(name, (field) => tests.some(({ holds }) => holds(field)), Math.max(1, tests.length), scans);
  return { ...test, wildcards: tests.flatMap(({ wildcards = [] }) => wildcards) };
}

function complement(name: string, listed: (field: EventField) => boolean, operands: number, scans: boolean): OtherTest {
  return { kind: 'other', name: `anything-but ${name}`, holds: (field) => !listed(field), operands, scans, common: true };
}

function list(operands: Iterable<string | number>): string {
  return JSON.stringify([...operands].sort());
}
