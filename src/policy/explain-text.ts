/**
 * Matches wildcards, variables and ARNs for explanations, as AWS's documentation describes them. This file shares no
 * logic with the engine, so that `test/reference` can compare the two implementations. Strings become lists of
 * characters and wildcards, so that the value of a variable is never interpreted as a wildcard.
 */

import type { ConditionContext } from '#core/condition-context.ts';
import { type StepBudget, takeSteps } from './steps.ts';

/** Part of a pattern: a character, or one of the two wildcards. */
export type Sign = string | typeof ANY_TEXT | typeof ANY_CHARACTER;
export const ANY_TEXT = Symbol('*');
export const ANY_CHARACTER = Symbol('?');

/** Signs (characters and `?`) of a pattern between two `*`. `text` is the literal string, set if there is no `?`. */
interface Chunk {
  readonly signs: readonly Sign[];
  readonly text: string | undefined;
}

/** Pattern as a list of characters and wildcards. The first comparison sets `chunks` and `segments` as caches. */
export interface Pattern {
  readonly signs: readonly Sign[];
  /**
   * Positions of the first five colons that separate segments. A colon in the value of a variable does not separate
   * segments.
   */
  readonly colons: readonly number[];
  /** Length of the value of the variable at the start of the pattern. 0 if the pattern starts with something else. */
  readonly lead: number;
  chunks: readonly Chunk[] | undefined;
  segments: readonly Pattern[] | undefined;
}

export function newPattern(signs: readonly Sign[], colons: readonly number[] = colonsIn(signs), lead = 0): Pattern {
  return { signs, colons, lead, chunks: undefined, segments: undefined };
}

function colonsIn(signs: readonly Sign[]): number[] {
  const colons: number[] = [];
  for (let at = signs.indexOf(':'); at >= 0 && colons.length < 5; at = signs.indexOf(':', at + 1)) colons.push(at);
  return colons;
}

/** Returns the characters and wildcards of a string. */
export function signsOf(text: string): Sign[] {
  return text.split('').map((char) => (char === '*' ? ANY_TEXT : char === '?' ? ANY_CHARACTER : char));
}

/** Policy value with the values of its variables: a pattern, a literal string, or the name of a variable without a value. */
export type Resolved =
  | { readonly pattern: Pattern; readonly variables: boolean }
  | { readonly plain: string }
  | { readonly unresolved: string };

/** Cost of one character or wildcard of a pattern, in steps. The cost includes the memory for the character. */
const SIGN_STEPS = 16;

/** Replaces the variables of a policy value. Source: IAM User Guide, "IAM policy elements: Variables and tags". */
export function resolveText(text: string, context: ConditionContext, wildcards: boolean, variables: boolean, budget: StepBudget): Resolved {
  const special = (variables && text.includes('${')) || (wildcards && (text.includes('*') || text.includes('?')));
  if (!special) return { plain: text };
  takeSteps(budget, SIGN_STEPS * text.length);
  const signs: Sign[] = [];
  const colons: number[] = [];
  let lead = 0;
  let used = false;
  for (let i = 0; i < text.length; ) {
    const char = text.charAt(i);
    const rest = variables && char === '$' ? text.slice(i) : undefined;
    const escaped = rest === undefined ? null : /^\$\{([*?$])\}/.exec(rest);
    const variable = rest === undefined ? null : /^\$\{([^,}]+)(?:,\s*'([^']*)'\s*)?\}/.exec(rest);
    if (escaped !== null) {
      signs.push(escaped[1] as string);
      i += escaped[0].length;
    } else if (variable !== null) {
      const [whole, key = '', fallback] = variable;
      // "You cannot use multivalued context keys as variables."
      const found = context.get(key.toLowerCase());
      const value = typeof found === 'string' ? found : fallback;
      // "If the variable has no value and no default, the element that contains it does not match."
      if (value === undefined) return { unresolved: key };
      takeSteps(budget, SIGN_STEPS * value.length);
      if (i === 0) lead = value.length;
      for (let at = 0; at < value.length; at++) signs.push(value.charAt(at));
      used = true;
      i += whole.length;
    } else {
      if (char === ':' && colons.length < 5) colons.push(signs.length);
      signs.push(wildcards && char === '*' ? ANY_TEXT : wildcards && char === '?' ? ANY_CHARACTER : char);
      i++;
    }
  }
  return { pattern: newPattern(signs, colons, lead), variables: used };
}

/** Formats a list of characters and wildcards as a string with `*` and `?`. */
export function formatSigns(signs: readonly Sign[]): string {
  return signs.map((sign) => (sign === ANY_TEXT ? '*' : sign === ANY_CHARACTER ? '?' : (sign as string))).join('');
}

function chunksOf(signs: readonly Sign[]): Chunk[] {
  const chunks: Sign[][] = [[]];
  for (const sign of signs) {
    if (sign === ANY_TEXT) chunks.push([]);
    else chunks.at(-1)?.push(sign);
  }
  return chunks.map((chunk) => ({ signs: chunk, text: chunk.includes(ANY_CHARACTER) ? undefined : chunk.join('') }));
}

function standsAt(chunk: Chunk, text: string, at: number): boolean {
  if (at < 0 || at + chunk.signs.length > text.length) return false;
  if (chunk.text !== undefined) return text.startsWith(chunk.text, at);
  return chunk.signs.every((sign, i) => sign === ANY_CHARACTER || sign === text.charAt(at + i));
}

/** Reports whether a pattern matches a string. Source: IAM User Guide, "Resource": `*` is any number of characters, `?` exactly one. */
export function wildcardMatch(pattern: Pattern, text: string, budget: StepBudget): boolean {
  takeSteps(budget, 1);
  pattern.chunks ??= chunksOf(pattern.signs);
  const { chunks } = pattern;
  const first = chunks[0] as Chunk;
  if (chunks.length === 1) return first.signs.length === text.length && standsAt(first, text, 0);
  const last = chunks[chunks.length - 1] as Chunk;
  const end = text.length - last.signs.length;
  if (!standsAt(first, text, 0) || end < first.signs.length || !standsAt(last, text, end)) return false;
  return chunks.length === 2 || middleMatches(chunks.slice(1, -1), text.slice(first.signs.length, end), budget);
}

/**
 * Reports whether the chunks (parts of a pattern between two `*`) occur in a string in this order. The i-th bit of
 * `reached` is 1 if the chunks so far can end before the i-th character.
 */
function middleMatches(chunks: readonly Chunk[], text: string, budget: StepBudget): boolean {
  if (chunks.reduce((length, { signs }) => length + signs.length, 0) > text.length) return false;
  const places = placesOf(text);
  const all = (1n << BigInt(text.length + 1)) - 1n;
  let reached = all;
  for (const { signs } of chunks) {
    for (const sign of signs) {
      takeSteps(budget, 4 + (text.length >> 5));
      reached = (sign === ANY_CHARACTER ? reached << 1n : (reached & places(sign as string)) << 1n) & all;
      if (reached === 0n) return false;
    }
    // A chunk after a `*` can begin at the first reached position or at any later one.
    reached = all & -(reached & -reached);
  }
  return true;
}

/** Cache of the positions of each character in a string, by string. It has at most `PLACES_MAX` strings. */
const PLACES = new Map<string, Map<string, bigint>>();
const PLACES_MAX = 256;

/** Returns a function that returns the positions of a character in a string, as bits. */
function placesOf(text: string): (char: string) => bigint {
  let known = PLACES.get(text);
  if (known === undefined) {
    if (PLACES.size >= PLACES_MAX) PLACES.clear();
    known = new Map();
    PLACES.set(text, known);
  }
  const places = known;
  return (char) => {
    let bits = places.get(char);
    if (bits === undefined) {
      let digits = '0b0';
      for (let i = text.length - 1; i >= 0; i--) digits += text.charAt(i) === char ? '1' : '0';
      bits = BigInt(digits);
      places.set(char, bits);
    }
    return bits;
  };
}

/** Returns the segments of a pattern, at most six. The sixth segment contains all colons after the fifth. */
function segmentsOf({ signs, colons }: Pattern): Pattern[] {
  const ends = [...colons, signs.length];
  return ends.map((end, i) => newPattern(signs.slice(i === 0 ? 0 : (ends[i - 1] as number) + 1, end)));
}

/**
 * Returns a function that calls `make` and caches the last result, because the same request value is compared with many
 * policies.
 */
function rememberLast<Made>(make: (text: string) => Made): (text: string) => Made {
  let last: { readonly text: string; readonly made: Made } | undefined;
  return (text) => {
    if (last === undefined || last.text !== text) last = { text, made: make(text) };
    return last.made;
  };
}

/** Returns the six segments of an ARN, or `undefined` if the string is not an ARN. */
const arnParts = rememberLast((text) => {
  const parts = text.split(':');
  return parts.length < 6 || parts[0] !== 'arn' ? undefined : [...parts.slice(0, 5), parts.slice(5).join(':')];
});

/**
 * Reports whether an ARN pattern matches a string. With `short`, missing segments of the pattern mean `*`.
 *
 * Source: IAM User Guide, "Resource" and "ARN condition operators": segments are compared in pairs.
 * Assumed: a pattern with fewer than five colons can begin with a variable whose value is an ARN. The rest of the
 * pattern then belongs to the last segment of this ARN.
 */
export function arnMatch(pattern: Pattern, text: string, short: boolean, budget: StepBudget): boolean {
  if (pattern.signs.length === 1 && pattern.signs[0] === ANY_TEXT) return true;
  const parts = arnParts(text);
  if (parts === undefined) return false;
  pattern.segments ??= segmentsOf(pattern);
  const { segments, signs, lead } = pattern;
  if (segments.length < 6 && !short)
    return arnParts(formatSigns(signs.slice(0, lead))) !== undefined && wildcardMatch(pattern, text, budget);
  return segments.every((segment, i) => wildcardMatch(segment, parts[i] as string, budget));
}

/** Parses a decimal number of at most 64 characters. Returns `undefined` for an invalid number. */
export function decimal(text: string): number | undefined {
  return text.length <= 64 && /^[+-]?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : undefined;
}

const W3C =
  /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(?:Z|([+-])([0-9]{2}):([0-9]{2})))?)?)?$/;

/** Parses the time of a request with `moment`. Caches the last result. */
export const askedMoment = rememberLast(moment);

/** Parses a time to milliseconds since 1970. Source: IAM User Guide, "Date condition operators"; W3C note "Date and Time Formats". */
export function moment(text: string): number | undefined {
  if (text.length > 40) return undefined;
  if (text.length !== 4 && /^[0-9]{1,13}$/.test(text)) return Number(text) * 1000;
  const parts = W3C.exec(text);
  if (parts === null) return undefined;
  const [
    ,
    year,
    month = '01',
    day = '01',
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '',
    sign,
    zoneHour = '00',
    zoneMinute = '00',
  ] = parts;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const local = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`);
  // JavaScript interprets 31 February as 3 March. So an invalid date differs from the date that JavaScript returns.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== `${year}-${month}-${day}`) return undefined;
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000;
  return sign === '-' ? local + offset : local - offset;
}

interface Numbered {
  readonly family: 4 | 6;
  readonly value: bigint;
}

function ipv4(text: string): bigint | undefined {
  const octets = text.split('.');
  if (octets.length !== 4 || octets.some((octet) => !/^(0|[1-9][0-9]{0,2})$/.test(octet) || Number(octet) > 255)) return undefined;
  return octets.reduce((value, octet) => value * 256n + BigInt(octet), 0n);
}

function ipv6(text: string): bigint | undefined {
  const tail = text.slice(text.lastIndexOf(':') + 1);
  const embedded = tail.includes('.') ? ipv4(tail) : undefined;
  if (tail.includes('.') && embedded === undefined) return undefined;
  const groups = (part: string): (bigint | undefined)[] =>
    part === '' ? [] : part.split(':').map((group) => (/^[0-9a-fA-F]{1,4}$/.test(group) ? BigInt(`0x${group}`) : undefined));
  const whole =
    embedded === undefined ? text : `${text.slice(0, -tail.length)}${(embedded >> 16n).toString(16)}:${(embedded & 0xffffn).toString(16)}`;
  const halves = whole.split('::');
  if (halves.length > 2) return undefined;
  const left = groups(halves[0] as string);
  const right = halves.length === 2 ? groups(halves[1] as string) : [];
  const gap = 8 - left.length - right.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
  const all = [...left, ...new Array<bigint>(gap).fill(0n), ...right];
  if (all.includes(undefined)) return undefined;
  return (all as bigint[]).reduce((value, group) => value * 65536n + group, 0n);
}

function address(text: string): Numbered | undefined {
  if (text.length > 45) return undefined;
  const four = ipv4(text);
  if (four !== undefined) return { family: 4, value: four };
  const six = text.includes(':') ? ipv6(text) : undefined;
  return six === undefined ? undefined : { family: 6, value: six };
}

/** Range of IP addresses: all addresses of one family that begin with the same bits. */
export interface Range {
  readonly family: 4 | 6;
  readonly hostBits: bigint;
  readonly network: bigint;
}

/**
 * Parses an address range in CIDR notation, or a single address. Returns `undefined` for other strings. Source: IAM
 * User Guide, "IP address condition operators".
 */
export function addressRange(text: string): Range | undefined {
  const [network = '', prefix, more] = text.split('/');
  const wanted = address(network);
  if (wanted === undefined || more !== undefined) return undefined;
  const width = wanted.family === 4 ? 32 : 128;
  if (prefix !== undefined && (!/^(0|[1-9][0-9]{0,2})$/.test(prefix) || Number(prefix) > width)) return undefined;
  const hostBits = BigInt(width - Number(prefix ?? width));
  return { family: wanted.family, hostBits, network: wanted.value >> hostBits };
}

const askedAddress = rememberLast(address);

/** Reports whether an address is in a range of the same family. */
export function addressMatch(range: Range | undefined, text: string): boolean {
  const asked = askedAddress(text);
  if (range === undefined || asked === undefined || range.family !== asked.family) return false;
  return asked.value >> range.hostBits === range.network;
}

/** Returns the bytes of a Base64 string in hexadecimal, or `undefined` for invalid Base64. */
export function bytes(text: string): string | undefined {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64').toString('hex') : undefined;
}
