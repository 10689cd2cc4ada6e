import { AwsError } from '#core/aws-error.ts';
import { type Instant, instant } from '#core/instant.ts';
import { notA } from './faults.ts';

const INTEGER = /^[+-]?[0-9]{1,19}$/;
const DECIMAL = /^[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?$/;
const DATE_TIME = /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})?$/;
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** Maximum time value of a Date, in milliseconds. Source: ECMA-262, "Time Values and Time Range". */
const INSTANT_MAX = 8.64e15;

/**
 * Checks an integer.
 *
 * @throws SerializationException  the value is out of range, or a long that JavaScript cannot represent exactly
 */
export function toInteger(value: unknown, type: 'integer' | 'long'): number {
  const wanted = type === 'integer' ? 'an Integer' : 'a Long';
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw notA(value, wanted);
  if (type === 'integer' && (value > 2_147_483_647 || value < -2_147_483_648)) throw notA(value, wanted);
  return value;
}

/** Converts a floating-point number. Protocols that cannot represent `NaN` and the infinities send them as strings. */
export function toDouble(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  throw notA(value, 'a Double');
}

export function textToInteger(text: string, type: 'integer' | 'long'): number {
  if (!INTEGER.test(text)) throw notA(text, type === 'integer' ? 'an Integer' : 'a Long');
  return toInteger(Number(text), type);
}

export function textToDouble(text: string): number {
  return DECIMAL.test(text) ? Number(text) : toDouble(text);
}

/** @throws SerializationException  the value is not a Boolean */
export function toBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw notA(value, 'a Boolean');
  return value;
}

export function textToBoolean(text: string): boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw notA(text, 'a Boolean');
}

/** Converts seconds since 1970, rounded to milliseconds. @throws SerializationException  the value is not a number or out of range */
export function secondsToInstant(seconds: unknown): Instant {
  if (typeof seconds !== 'number') throw notA(seconds, 'a Timestamp');
  const milliseconds = Math.round(seconds * 1000);
  if (!(Math.abs(milliseconds) <= INSTANT_MAX)) throw notA(seconds, 'a Timestamp');
  return instant(milliseconds);
}

/**
 * Parses ISO 8601 with an optional fraction and offset, or a date alone. A time without an offset is in UTC. botocore
 * sends such times.
 */
export function textToInstant(text: string): Instant {
  const parts = DATE_TIME.exec(text);
  const milliseconds = parts
    ? Date.parse(parts[8] === undefined ? `${text}Z` : text.toUpperCase())
    : DATE.test(text)
      ? Date.parse(text)
      : Number.NaN;
  if (Number.isNaN(milliseconds)) throw notA(text, 'a Timestamp');
  return instant(milliseconds);
}

/** Decodes Base64 with padding. @throws SerializationException  the value is not such a string */
export function base64ToBytes(text: unknown): Uint8Array {
  if (typeof text !== 'string' || text.length % 4 !== 0 || !BASE64.test(text))
    throw new AwsError('SerializationException', 'Invalid Base64');
  const bytes = Buffer.from(text, 'base64');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
}
