import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { decode as decodeCbor } from 'cborg';
import { AwsError } from '#core/aws-error.ts';
import type { Instant } from '#core/instant.ts';
import { scanJson } from '#core/json-scan.ts';
import type { DocumentForm } from './document-reader.ts';
import { notA } from './faults.ts';
import { secondsToInstant } from './scalars.ts';

/**
 * Size of a compressed body once it is inflated: as large as an uncompressed one may be by default.
 *
 * Source: CloudWatch API Reference, PutMetricData, the one operation that documents compression: 1 MB for each request.
 */
export const INFLATED_MAX_BYTES = 2 * 1024 * 1024;

/**
 * Names of the members of a document, and its values in all. With so many, reading one takes about 50 ms, while every other
 * caller waits.
 *
 * Assumed: no client sends as many. The largest input of the models, PutMetricData with 1,000 metrics, is within it.
 */
export const NAMES_MAX = 50_000;
export const VALUES_MAX = 400_000;
/** Four times as deep as the deepest input of the models (PutAnomalyDetector, 8); what the model does not have may be nested too. */
const DEPTH_MAX = 32;

/** The body as it was before the client compressed it. @throws AwsError RequestTooLarge, SerializationException */
export function inflate(body: Uint8Array): Uint8Array {
  try {
    return gunzipSync(body, { maxOutputLength: INFLATED_MAX_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw new AwsError('RequestTooLarge', 'The request body is too large once decompressed.');
    throw malformed('The body is no gzip stream');
  }
}

function malformed(message: string): AwsError {
  return new AwsError('SerializationException', message);
}

/** The text of a body. @throws AwsError SerializationException where it is not UTF-8 */
export function textOf(body: Uint8Array): string {
  if (!isUtf8(body)) throw malformed('The body is not UTF-8');
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

/**
 * Parses a JSON document. Unlike `JSON.parse`, it rejects repeated names (of which `JSON.parse` keeps the last one, and other parsers the
 * first), deep nesting, lone surrogates and U+0000, which the store cannot keep.
 *
 * A valid document has as many colons outside its strings as its parsed form has keys, unless a name is repeated.
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
  // Without a backslash, JSON in UTF-8 contains neither U+0000 nor lone surrogates.
  if (keysWithin(document, json.includes('\\')) !== counts.colons) throw malformed('A key is given twice');
  return document;
}

/** The number of keys in a parsed document; with `escapes`, its texts are looked at too. */
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
  return malformed('The document has too many values');
}

/** Values that a CBOR map, and an array, count for: they take longer to read than a number. */
const VALUES_OF_MAP = 8;
const VALUES_OF_ARRAY = 2;

/**
 * Counts the items of a CBOR document by their heads, without reading them. Reads as far as the document is well-formed.
 *
 * Source: RFC 8949, §3 and appendix B: three bits of major type, five of length or value, then 0, 1, 2, 4 or 8 bytes.
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
  return malformed('The document is nested too deeply');
}

/** A CBOR timestamp, told apart from every other value by its kind. */
interface Tagged {
  readonly tag: 'timestamp';
  readonly instant: Instant;
}

/** Parses a CBOR document into plain objects. An empty body is an empty document. */
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
    // A stack that overflowed is the caller's nesting.
    if (error instanceof AwsError) throw error;
    throw malformed('The document is not valid CBOR');
  }
  return plain(document, 0);
}

/** Maps as objects without a prototype: their keys are the caller's. */
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
    if (typeof name !== 'string') throw malformed('The keys of a map must be texts');
    assertStorable(name);
    object[name] = plain(one, depth + 1);
  }
  return object;
}

/** Source: Smithy 2.0, "RPC v2 CBOR": byte strings, tag 1 for timestamps. */
export const CBOR_FORM: DocumentForm = {
  blob(value) {
    if (!(value instanceof Uint8Array)) throw notA(value, 'a Blob');
    return value;
  },
  timestamp(value) {
    if (typeof value !== 'object' || value === null || !('tag' in value) || !('instant' in value)) throw notA(value, 'a Timestamp');
    return value.instant as Instant;
  },
};
