import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { decode as decodeCbor } from 'cborg';
import { AwsError } from '#core/aws-error.ts';
import type { Instant } from '#core/instant.ts';
import { scanJson } from '#core/json-scan.ts';
import type { DocumentForm } from './document-reader.ts';
import { notA } from './faults.ts';
import { secondsToInstant, toBoolean } from './scalars.ts';

/**
 * Maximum size of a decompressed body, in bytes. It equals the default maximum size of an uncompressed body.
 *
 * Source: CloudWatch API Reference, PutMetricData, the one operation that documents compression: 1 MB for each request.
 */
export const INFLATED_MAX_BYTES = 2 * 1024 * 1024;

/**
 * Maximum numbers of member names and of values in a document. Reading a document of this size takes about 50 ms, during which all other
 * requests wait.
 *
 * Assumed: no client sends more. The largest input of the models, PutMetricData with 1,000 metrics, is within the limits.
 */
export const NAMES_MAX = 50_000;
export const VALUES_MAX = 400_000;
/**
 * Maximum depth of a document. The deepest input in the models, PutAnomalyDetector, has 8 levels. The limit is higher,
 * because members that the model does not have may be nested more deeply.
 */
const DEPTH_MAX = 32;

/**
 * Decompresses a body.
 *
 * @throws RequestTooLarge         the decompressed body has more than `INFLATED_MAX_BYTES`
 * @throws SerializationException  the body is not a gzip stream
 */
export function inflate(body: Uint8Array): Uint8Array {
  try {
    return gunzipSync(body, { maxOutputLength: INFLATED_MAX_BYTES });
  } catch (error) {
    if (error instanceof RangeError)
      throw new AwsError('RequestTooLarge', `The decompressed request body is too large. The maximum is ${INFLATED_MAX_BYTES} bytes.`);
    throw malformed('The body is not a gzip stream');
  }
}

function malformed(message: string): AwsError {
  return new AwsError('SerializationException', message);
}

/** Decodes a body. @throws SerializationException  the body is not UTF-8 */
export function textOf(body: Uint8Array): string {
  if (!isUtf8(body)) throw malformed('The body is not UTF-8');
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

/**
 * Parses a JSON document. Unlike `JSON.parse`, it rejects repeated names, deep nesting, lone surrogates, and U+0000, which the store cannot
 * contain. For a repeated name, `JSON.parse` uses the last value, but other parsers use the first.
 *
 * A valid document has as many colons outside its strings as its parsed form has keys, unless a name is repeated. So
 * the comparison of these numbers finds repeated names.
 *
 * @throws SerializationException  the document is invalid, or exceeds the limits on names, values or depth
 */
export function parseJson(json: string): unknown {
  const counts = scanJson(json);
  if (counts === undefined) throw malformed('Unexpected end of the document');
  if (counts.depth > DEPTH_MAX) throw tooDeep();
  if (counts.colons > NAMES_MAX || counts.commas > VALUES_MAX) throw tooManyValues();
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    throw malformed('The document is not valid JSON');
  }
  // JSON in UTF-8 can contain U+0000 and lone surrogates only as escape sequences. So without a backslash, the strings
  // do not have to be checked.
  if (keysWithin(document, json.includes('\\')) !== counts.colons) throw malformed('A key occurs twice');
  return document;
}

/**
 * Returns the number of keys in a parsed document. If `escapes` is true, also rejects strings that the store cannot
 * contain.
 */
function keysWithin(value: unknown, escapes: boolean): number {
  if (typeof value === 'string') {
    if (escapes) assertStorable(value);
    return 0;
  }
  if (typeof value !== 'object' || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const one of value) keys += keysWithin(one, escapes);
    return keys;
  }
  for (const name in value) {
    if (escapes) assertStorable(name);
    keys += 1 + keysWithin((value as Readonly<Record<string, unknown>>)[name], escapes);
  }
  return keys;
}

function assertStorable(text: string): void {
  if (text.includes('\0') || !text.isWellFormed()) throw malformed('Null characters and unpaired surrogates are not allowed');
}

function tooManyValues(): AwsError {
  return malformed(`The document has too many values (maximum: ${NAMES_MAX} names, ${VALUES_MAX} values)`);
}

/**
 * Numbers of values that a CBOR map and a CBOR array count as. A number counts as one value. Maps and arrays count as
 * more, because they take longer to read.
 */
const VALUES_OF_MAP = 8;
const VALUES_OF_ARRAY = 2;

/**
 * Counts the items of a CBOR document without decoding them. It reads only the first bytes of each item (its head),
 * which have its type and length. It does not check that the document is well-formed.
 *
 * @throws SerializationException  the document has more than `VALUES_MAX` values
 *
 * Source: RFC 8949, §3 and appendix B: a head has three bits of major type, five bits of length or value, and then 0,
 * 1, 2, 4 or 8 further bytes of length or value.
 */
function assertFewItems(body: Uint8Array): void {
  let values = 0;
  for (let at = 0; at < body.length; ) {
    const head = body[at] as number;
    const major = head >> 5;
    const info = head & 31;
    const width = info < 24 ? 0 : info < 28 ? 1 << (info - 24) : 0;
    values += major === 5 ? VALUES_OF_MAP : major === 4 ? VALUES_OF_ARRAY : 1;
    if (values > VALUES_MAX) throw tooManyValues();
    at += 1 + width;
    if (major !== 2 && major !== 3) continue;
    let length = info < 24 ? info : 0;
    for (let i = at - width; i < at; i++) length = length * 256 + (body[i] ?? 0);
    at += length;
  }
}

function tooDeep(): AwsError {
  return malformed(`The document is nested too deeply (maximum: ${DEPTH_MAX} levels)`);
}

/** CBOR timestamp. It has a type of its own, so that a plain number is not accepted as a timestamp. */
interface Tagged {
  readonly tag: 'timestamp';
  readonly instant: Instant;
}

/** Parses a CBOR document into plain objects. @throws SerializationException  the document is invalid, too deep or too large */
export function parseCbor(body: Uint8Array): unknown {
  assertFewItems(body);
  let document: unknown;
  try {
    document = decodeCbor(body, {
      useMaps: true,
      rejectDuplicateMapKeys: true,
      tags: { 1: (content): Tagged => ({ tag: 'timestamp', instant: secondsToInstant(content()) }) },
    });
  } catch (error) {
    // Deep nesting in the document can cause a stack overflow. This overflow is also reported as an invalid document.
    if (error instanceof AwsError) throw error;
    throw malformed('The document is not valid CBOR');
  }
  return plain(document, 0);
}

/** Converts maps to objects without a prototype, because the client chooses their keys. */
function plain(value: unknown, depth: number): unknown {
  if (depth > DEPTH_MAX) throw tooDeep();
  if (typeof value === 'string') {
    assertStorable(value);
    return value;
  }
  if (Array.isArray(value)) return value.map((one) => plain(one, depth + 1));
  if (!(value instanceof Map)) return value;
  const object = Object.create(null) as Record<string, unknown>;
  for (const [name, one] of value) {
    if (typeof name !== 'string') throw malformed('The keys of a map must be strings');
    assertStorable(name);
    object[name] = plain(one, depth + 1);
  }
  return object;
}

/** Conversions of CBOR: blobs are byte strings, and timestamps have tag 1. Source: Smithy 2.0, "RPC v2 CBOR". */
export const CBOR_FORM: DocumentForm = {
  boolean: toBoolean,
  blob(value) {
    if (!(value instanceof Uint8Array)) throw notA(value, 'a Blob');
    return value;
  },
  timestamp(value) {
    if (typeof value !== 'object' || value === null || !('tag' in value) || !('instant' in value)) throw notA(value, 'a Timestamp');
    return value.instant as Instant;
  },
};
