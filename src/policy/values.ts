/**
 * Parsers of typed condition values: numbers, times, addresses, booleans and bytes. For an invalid string, they return
 * NaN or `undefined`.
 */
import { DAY_MS } from '#core/duration.ts';

/** UTF-16 unit of the digit 0. */
export const ZERO = 0x30;
const NINE = 0x39;

/** Reports whether a UTF-16 unit is a decimal digit. */
export function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Returns the value of a hexadecimal digit, or -1 for another UTF-16 unit. */
export function hexDigit(code: number): number {
  if (isDigit(code)) return code - ZERO;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

/**
 * Parses a decimal number. Returns NaN for an invalid number.
 *
 * Source: IAM User Guide, "Numeric condition operators" (integers and decimals).
 * Assumed: a number has no exponent, no spaces and at most 64 characters. Numbers are compared as doubles.
 */
export function toNumber(text: string): number {
  const { length } = text;
  if (length === 0 || length > 64) return Number.NaN;
  let at = text[0] === '-' || text[0] === '+' ? 1 : 0;
  const from = at;
  while (at < length && isDigit(text.charCodeAt(at))) at++;
  if (at === from) return Number.NaN;
  if (at < length && text[at] === '.') {
    const point = ++at;
    while (at < length && isDigit(text.charCodeAt(at))) at++;
    if (at === point) return Number.NaN;
  }
  return at === length ? Number(text) : Number.NaN;
}

/** Parses `count` digits at `at`. Returns -1 if there are other characters. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return -1;
    value = value * 10 + code - ZERO;
  }
  return value;
}

/**
 * Parses a time in a profile of ISO 8601 or in seconds since 1970. Returns milliseconds since 1970, or NaN for an invalid time.
 *
 * Source: IAM User Guide, "Date condition operators"; W3C note "Date and Time Formats" (a time needs its zone).
 * Assumed: four digits are a year. A second is at most 59.
 */
export function toMoment(text: string): number {
  const { length } = text;
  if (length === 0 || length > 40) return Number.NaN;
  if (length !== 4 && length <= 13) {
    const seconds = digits(text, 0, length);
    if (seconds >= 0) return seconds * 1000;
  }
  const year = digits(text, 0, 4);
  if (year < 0) return Number.NaN;
  if (length === 4) return moment(year, 1, 1, 0, 0, 0);
  const month = text[4] === '-' ? digits(text, 5, 2) : -1;
  if (month < 1 || month > 12) return Number.NaN;
  if (length === 7) return moment(year, month, 1, 0, 0, 0);
  const day = text[7] === '-' ? digits(text, 8, 2) : -1;
  if (day < 1 || day > daysIn(year, month)) return Number.NaN;
  if (length === 10) return moment(year, month, day, 0, 0, 0);
  return text[10] === 'T' ? momentWithTime(text, year, month, day) : Number.NaN;
}

function momentWithTime(text: string, year: number, month: number, day: number): number {
  const hour = digits(text, 11, 2);
  const minute = text[13] === ':' ? digits(text, 14, 2) : -1;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return Number.NaN;
  let at = 16;
  let second = 0;
  let millisecond = 0;
  if (text[at] === ':') {
    second = digits(text, 17, 2);
    if (second < 0 || second > 59) return Number.NaN;
    at = 19;
    if (text[at] === '.') {
      const from = ++at;
      let scale = 100;
      for (; isDigit(text.charCodeAt(at)); at++, scale /= 10) millisecond += (text.charCodeAt(at) - ZERO) * scale;
      if (at === from) return Number.NaN;
    }
  }
  const offset = zoneMinutes(text, at);
  return moment(year, month, day, hour, minute - offset, second) + Math.floor(millisecond);
}

function moment(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  // Date.UTC interprets the years 0 to 99 as 1900 to 1999. Adding and subtracting 400 years avoids this.
  return Date.UTC(year + 400, month - 1, day, hour, minute, second) - 146_097 * DAY_MS;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function zoneMinutes(text: string, at: number): number {
  if (text[at] === 'Z') return at + 1 === text.length ? 0 : Number.NaN;
  if ((text[at] !== '+' && text[at] !== '-') || text.length !== at + 6 || text[at + 3] !== ':') return Number.NaN;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return Number.NaN;
  return (text[at] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** Parses a boolean, ignoring case. Returns 1 for `true`, 0 for `false`, and NaN otherwise. */
export function toTruth(text: string): number {
  if (text === 'true') return 1;
  if (text === 'false') return 0;
  if (text.length > 5) return Number.NaN;
  const lower = text.toLowerCase();
  return lower === 'true' ? 1 : lower === 'false' ? 0 : Number.NaN;
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Returns the canonical Base64 of the same bytes, or `undefined` for invalid Base64.
 *
 * Source: IAM User Guide, "Binary condition operators".
 * Assumed: the request's value is also in Base64.
 */
export function toBytes(text: string): string | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  return Buffer.from(text, 'base64').toString('base64');
}

/** IP address: the family (4 or 6, or 0 for an invalid address), and its bits in 32-bit words. IPv4 has one word. */
export type Address = Uint32Array;

export function newAddress(): Address {
  return new Uint32Array(5);
}

/**
 * Parses an address into `into`, so that a decision allocates nothing. Returns false for an invalid address.
 *
 * An IPv4-mapped IPv6 address counts as IPv6. The server converts such client addresses to IPv4 before a decision.
 */
export function readAddress(text: string, into: Address): boolean {
  into[0] = 0;
  if (text.length < 2 || text.length > 45) return false;
  const value = toIpv4(text, 0, text.length);
  if (value >= 0) {
    into[0] = 4;
    into[1] = value;
    return true;
  }
  return text.includes(':') && readIpv6(text, into);
}

/** Parses four decimal octets without leading zeros. Returns -1 if they are invalid. */
function toIpv4(text: string, from: number, to: number): number {
  let value = 0;
  let octets = 0;
  let at = from;
  while (at < to) {
    const begin = at;
    let octet = 0;
    while (at < to && isDigit(text.charCodeAt(at))) octet = octet * 10 + text.charCodeAt(at++) - ZERO;
    const length = at - begin;
    if (length < 1 || length > 3 || octet > 255 || (length > 1 && text.charCodeAt(begin) === ZERO)) return -1;
    value = value * 256 + octet;
    octets++;
    if (at === to) break;
    if (octets === 4 || text[at] !== '.' || at + 1 === to) return -1;
    at++;
  }
  return octets === 4 ? value : -1;
}

/** Working memory of `readIpv6`, which each call overwrites, so that a decision allocates nothing. */
const GROUPS = new Uint16Array(8);

function readIpv6(text: string, into: Address): boolean {
  GROUPS.fill(0);
  let count = 0;
  let gap = -1;
  let at = 0;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    if (count === 8) return false;
    const begin = at;
    let group = 0;
    while (at < text.length && at - begin < 5) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) break;
      group = group * 16 + digit;
      at++;
    }
    if (text[at] === '.') {
      const tail = toIpv4(text, begin, text.length);
      if (tail < 0 || count > 6) return false;
      GROUPS[count++] = Math.floor(tail / 65536);
      GROUPS[count++] = tail % 65536;
      at = text.length;
      break;
    }
    if (at === begin || at - begin > 4) return false;
    GROUPS[count++] = group;
    if (at === text.length) break;
    if (text[at] !== ':') return false;
    at++;
    if (text[at] === ':') {
      if (gap >= 0) return false;
      gap = count;
      at++;
    } else if (at === text.length) {
      return false;
    }
  }
  if (gap < 0 ? count !== 8 : count > 7) return false;
  if (gap >= 0) {
    const moved = count - gap;
    for (let i = 0; i < moved; i++) {
      GROUPS[7 - i] = GROUPS[count - 1 - i] as number;
    }
    for (let i = gap; i < 8 - moved; i++) GROUPS[i] = 0;
  }
  into[0] = 6;
  for (let i = 0; i < 4; i++) into[i + 1] = (GROUPS[2 * i] as number) * 65536 + (GROUPS[2 * i + 1] as number);
  return true;
}

/** Range of addresses: family, prefix length, and the bits of the network with the host bits cleared. */
export interface AddressRange {
  readonly family: number;
  readonly bits: number;
  readonly words: readonly number[];
}

/**
 * Parses a range such as `10.0.0.0/8` or `2001:db8::/32`, or a single address. Ignores host bits. Returns `undefined` for an invalid range.
 *
 * Source: IAM User Guide, "IP address condition operators"; policy check IMPROVE_IP_RANGE.
 */
export function toRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/');
  const address = newAddress();
  if (!readAddress(slash < 0 ? text : text.slice(0, slash), address)) return undefined;
  const family = address[0] as number;
  const width = family === 4 ? 32 : 128;
  let bits = width;
  if (slash >= 0) {
    const length = text.length - slash - 1;
    bits = length >= 1 && length <= 3 ? digits(text, slash + 1, length) : -1;
    if (bits < 0 || bits > width || (length > 1 && text.charCodeAt(slash + 1) === ZERO)) return undefined;
  }
  const words: number[] = [];
  for (let i = 0; i < width / 32; i++) words.push(((address[i + 1] as number) & mask(bits - 32 * i)) >>> 0);
  return { family, bits, words };
}

/** Returns a 32-bit word whose first `bits` bits are 1. `bits` may be negative, or greater than 32. */
export function mask(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

/** Formats the words of an address. An IPv6 address has all eight groups, without leading zeros. */
export function addressText(words: readonly number[]): string {
  if (words.length === 1) return [24, 16, 8, 0].map((shift) => ((words[0] ?? 0) >>> shift) & 0xff).join('.');
  return words.flatMap((word) => [(word >>> 16).toString(16), (word & 0xffff).toString(16)]).join(':');
}

/**
 * Reports whether an address is in a range. An IPv4 address is never in an IPv6 range, and an IPv6 address is never in
 * an IPv4 range.
 */
export function inRange(address: Address, range: AddressRange): boolean {
  if (address[0] !== range.family) return false;
  const { bits, words } = range;
  for (let i = 0; i < words.length; i++) {
    if (((address[i + 1] as number) & mask(bits - 32 * i)) >>> 0 !== words[i]) return false;
  }
  return true;
}
