import { parseAddress } from './addresses.ts';
import { comparableNumber } from './comparable-number.ts';
import { JsonProblem } from './json-problem.ts';
import { type JsonReader, type JsonToken, jsonReader } from './json-reader.ts';

/** Element of an array of the event that contains fields. */
export interface ArrayElement {
  /** Number of the array in the event. */
  readonly array: number;
  readonly index: number;
  /** Element of the array that contains this array. */
  readonly parent: ArrayElement | undefined;
}

/** Leaf of an event: a string, number, boolean or null at a path. */
export interface EventField {
  readonly type: 'string' | 'number' | 'literal';
  /** Value of a string, and the characters of other types. */
  readonly text: string;
  /** Innermost element that contains the field. A leaf that is itself an element is in no element of that array. */
  readonly element: ArrayElement | undefined;
  /** Caches of `numberOf` and `addressOf`. `null` means: not computed. */
  number: number | undefined | null;
  address: string | undefined | null;
}

/** Leaves of an event, by path. Paths are the names of the members, joined by dots. Several leaves may have one path. */
export interface EventFields {
  readonly byPath: ReadonlyMap<string, readonly EventField[]>;
  /** Whether a field is in an element of an array. */
  readonly hasElements: boolean;
}

/** Maximum length of an event in characters. */
const EVENT_MAX = 1_048_576;
/** Maximum nesting of an event. Source: Jackson 2.15, StreamReadConstraints. */
const DEPTH_MAX = 1_000;

/**
 * Returns the leaves of an event. Returns `undefined` if the string does not start with a JSON object, is nested more
 * than 1,000 deep, or has more than 1,048,576 characters.
 *
 *     {"a": {"b": 1}, "c": [2, {"d": 3}]} → a.b: 1 · c: 2 · c.d: 3, in the element 1 of the first array
 *
 * Each of several members with the same name counts. Objects and empty arrays are not leaves. Ignores the text after the object.
 *
 * Source: aws/event-ruler `337e8d9`, Event.
 */
export function eventFields(text: string): EventFields | undefined {
  if (text.length > EVENT_MAX) return undefined;
  const event: Progress = { reader: jsonReader(text, DEPTH_MAX), byPath: new Map(), arrays: 0, hasElements: false };
  try {
    if (event.reader.next() !== 'object') return undefined;
    readObject(event, '', undefined);
  } catch (problem) {
    if (problem instanceof JsonProblem) return undefined;
    throw problem;
  }
  return event;
}

interface Progress {
  readonly reader: JsonReader;
  readonly byPath: Map<string, EventField[]>;
  arrays: number;
  hasElements: boolean;
}

function readObject(event: Progress, path: string, element: ArrayElement | undefined): void {
  const { reader } = event;
  while (reader.next() !== 'end-object') {
    const name = reader.name();
    readValue(event, reader.next(), path === '' ? name : `${path}.${name}`, element);
  }
}

function readArray(event: Progress, path: string, parent: ArrayElement | undefined): void {
  const array = event.arrays++;
  for (let index = 0; ; index++) {
    const token = event.reader.next();
    if (token === 'end-array') return;
    readValue(event, token, path, token === 'object' || token === 'array' ? { array, index, parent } : parent);
  }
}

function readValue(event: Progress, token: JsonToken, path: string, element: ArrayElement | undefined): void {
  if (token === 'object') readObject(event, path, element);
  else if (token === 'array') readArray(event, path, element);
  else addLeaf(event, token, path, element);
}

function addLeaf(event: Progress, token: JsonToken, path: string, element: ArrayElement | undefined): void {
  const type = token === 'string' || token === 'number' ? token : 'literal';
  const field: EventField = { type, text: event.reader.text(), element, number: null, address: null };
  if (element !== undefined) event.hasElements = true;
  const fields = event.byPath.get(path);
  if (fields === undefined) event.byPath.set(path, [field]);
  else fields.push(field);
}

/** Returns the number of a field, or `undefined` if the field is not a number or no double equals it. */
export function numberOf(field: EventField): number | undefined {
  if (field.number === null) field.number = field.type === 'number' ? comparableNumber(field.text) : undefined;
  return field.number;
}

/** Returns the address of a field, or `undefined` if the field is not a string with an IP address. */
export function addressOf(field: EventField): string | undefined {
  if (field.address === null) field.address = field.type === 'string' ? parseAddress(field.text) : undefined;
  return field.address;
}
