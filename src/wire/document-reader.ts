import { AwsError } from '#core/aws-error.ts';
import type { Instant } from '#core/instant.ts';
import type { Member, ServiceModel, Shape } from '#model/model.ts';
import { isUnquoted } from '#model/secret-members.ts';
import { type Check, elementConstraint, numberCheck, sizeCheck, stringCheck } from './constraints.ts';
import { fault, lowerFirst, notA, type Read, type Reading } from './faults.ts';
import { base64ToBytes, secondsToInstant, textToBoolean, textToInstant, toBoolean, toDouble, toInteger } from './scalars.ts';

/** Conversions that differ between JSON and CBOR documents, or between services. */
export interface DocumentForm {
  readonly boolean: (value: unknown) => boolean;
  readonly blob: (value: unknown) => Uint8Array;
  readonly timestamp: (value: unknown, format: 'iso8601' | 'unixTimestamp' | 'rfc822') => Instant;
}

/** Conversions of JSON: epoch seconds unless the model has another format, and blobs in Base64. Source: AWS JSON 1.1 and restJson1. */
export const JSON_FORM: DocumentForm = {
  boolean: toBoolean,
  blob: base64ToBytes,
  timestamp(value, format) {
    if (format !== 'iso8601') return secondsToInstant(value);
    if (typeof value !== 'string') throw notA(value, 'a Timestamp');
    return textToInstant(value);
  },
};

/**
 * Conversions of JSON by the services of Chime, which also accept the strings `true` and `false` as Booleans.
 *
 * Recorded: cdklabs/cdk-amazon-chime-resources issue 502 and aws-samples/amazon-chime-sdk-click-to-call issue 128. CloudFormation passes the
 * properties of a custom resource as strings, so the library sends `"RequireEncryption": "true"` and `"EnableSIPLogs": "true"`. Chime SDK
 * Voice creates the Voice Connector, and checks the log group.
 * Assumed: (1) The other services of Chime do the same. (2) Numbers cannot be strings, because the library converts them.
 */
export const CHIME_JSON_FORM: DocumentForm = {
  ...JSON_FORM,
  boolean: (value) => (typeof value === 'string' ? textToBoolean(value) : toBoolean(value)),
};

/** Readers of one service's documents. */
export interface DocumentReaders {
  /** Returns the reader of a member. Compiles the reader when it is first needed. */
  readonly member: (member: Member) => Read;
}

/**
 * Creates readers of parsed JSON or CBOR documents, one for each use of a shape in the model. Each reader is compiled
 * once, so requests do not traverse the model.
 *
 * Members that the model does not have are ignored, as in AWS. A null member counts as absent.
 */
export function documentReaders(model: ServiceModel, form: DocumentForm): DocumentReaders {
  const compiled = new Map<string, Read>();

  function member(use: Member): Read {
    const sensitive = use.sensitive === true;
    const format = use.timestampFormat;
    const key = `${use.shape} ${sensitive} ${format}`;
    const known = compiled.get(key);
    if (known) return known;
    // A recursive shape uses this forward reference while it is being compiled.
    let actual: Read | undefined;
    compiled.set(key, (value, reading, depth) => (actual as Read)(value, reading, depth));
    actual = compile(shapeOf(model, use.shape), sensitive, format);
    compiled.set(key, actual);
    return actual;
  }

  function compile(shape: Shape, sensitiveUse: boolean, useFormat: Member['timestampFormat']): Read {
    const sensitive = sensitiveUse || shape.sensitive === true;
    switch (shape.type) {
      case 'string':
        return stringReader(stringCheck(shape, sensitive, model.service));
      case 'integer':
      case 'long': {
        const { type } = shape;
        return checked((value) => toInteger(value, type), numberCheck(shape, sensitive));
      }
      case 'float':
      case 'double':
        return checked(toDouble, numberCheck(shape, sensitive));
      case 'boolean':
        return form.boolean;
      case 'timestamp': {
        const format = useFormat ?? shape.timestampFormat ?? 'unixTimestamp';
        return (value) => form.timestamp(value, format);
      }
      case 'blob':
        return blobReader(shape, form.blob, sensitive);
      case 'list':
        return listReader(model, shape, member, sensitive);
      case 'map':
        return mapReader(model, shape, member, sensitive);
      case 'structure':
        return structureReader(model, shape, member);
    }
  }

  return { member };
}

/** Returns a shape of the model. @throws Error  the model has no such shape */
export function shapeOf(model: ServiceModel, name: string): Shape {
  const shape = model.shapes[name];
  if (shape === undefined) throw new Error(`the model of ${model.service} has no shape ${name}`);
  return shape;
}

function stringReader(check: Check<string> | undefined): Read {
  return (value, reading, depth) => {
    if (typeof value !== 'string') throw notA(value, 'a String');
    check?.(value, reading, depth);
    return value;
  };
}

function checked<T>(convert: (value: unknown) => T, check: Check<T> | undefined): Read {
  if (check === undefined) return convert;
  return (value, reading, depth) => {
    const converted = convert(value);
    check(converted, reading, depth);
    return converted;
  };
}

function blobReader(shape: Shape, convert: (value: unknown) => Uint8Array, sensitive: boolean): Read {
  const size = sizeCheck(shape);
  return (value, reading, depth) => {
    const bytes = convert(value);
    size?.(bytes.byteLength, undefined, sensitive, reading, depth);
    return bytes;
  };
}

function listReader(model: ServiceModel, shape: Shape, member: (use: Member) => Read, sensitive: boolean): Read {
  const use = shape.member as Member;
  const element = elementReader(model, use, member);
  const size = sizeCheck(shape);
  const quiet = sensitive || use.sensitive === true || shapeOf(model, use.shape).sensitive === true;
  return (value, reading, depth) => {
    if (!Array.isArray(value)) throw notA(value, 'a List');
    size?.(value.length, value, quiet, reading, depth);
    return readElements(value, element, reading, depth);
  };
}

/** Reads the elements of a list. Their paths are `<list>.<n>.member`, where n starts at one. */
export function readElements(values: readonly unknown[], element: Read, reading: Reading, depth: number): unknown[] {
  const list: unknown[] = [];
  for (let i = 0; i < values.length; i++) {
    reading.at[depth] = i + 1;
    reading.at[depth + 1] = 'member';
    const value = values[i];
    if (value === null || value === undefined) fault(reading, depth + 2, MUST_NOT_BE_NULL, null, false);
    else list.push(element(value, reading, depth + 2));
  }
  return list;
}

/** Constraint that a missing or null member, list element or map value violates. */
export const MUST_NOT_BE_NULL = 'Member must not be null';

/**
 * Returns the reader of list elements. If an element is an invalid string, the reader reports a fault of the list, and
 * not of the element: `Value '[a b]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member
 * must have length …]`.
 */
export function elementReader(model: ServiceModel, use: Member, member: (use: Member) => Read): Read {
  const shape = shapeOf(model, use.shape);
  const read = member(use);
  const constrained = shape.min !== undefined || shape.max !== undefined || shape.pattern !== undefined || shape.enum !== undefined;
  if (shape.type !== 'string' || !constrained) return read;
  const constraint = elementConstraint(shape);
  const sensitive = use.sensitive === true || shape.sensitive === true;
  return (value, reading, depth) => {
    const before = reading.faults.length;
    const element = read(value, reading, depth);
    if (reading.faults.length > before) {
      reading.faults.length = before;
      fault(reading, depth - 2, constraint, [value], sensitive);
    }
    return element;
  };
}

function mapReader(model: ServiceModel, shape: Shape, member: (use: Member) => Read, sensitive: boolean): Read {
  const keyUse = shape.key as Member;
  const key = member(keyUse);
  const readValue = member(shape.member as Member);
  const keyConstraint = `Map keys must satisfy constraint: ${elementConstraint(shapeOf(model, keyUse.shape)).slice('Member must satisfy constraint: '.length)}`;
  const size = sizeCheck(shape);
  return (value, reading, depth) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) throw notA(value, 'a Map');
    const names = Object.keys(value);
    size?.(names.length, undefined, sensitive, reading, depth);
    return readEntries(names, (name) => (value as Readonly<Record<string, unknown>>)[name], key, keyConstraint, readValue, reading, depth);
  };
}

/** Reads the entries of a map into an object without a prototype, because the client chooses the keys. */
export function readEntries(
  names: readonly string[],
  valueAt: (name: string) => unknown,
  key: Read,
  keyConstraint: string,
  readValue: Read,
  reading: Reading,
  depth: number,
): Record<string, unknown> {
  const map = Object.create(null) as Record<string, unknown>;
  for (const name of names) {
    const before = reading.faults.length;
    key(name, reading, depth);
    if (reading.faults.length > before) {
      reading.faults.length = before;
      fault(reading, depth, keyConstraint, undefined, true);
    }
    reading.at[depth] = name.slice(0, 64);
    reading.at[depth + 1] = 'member';
    const value = valueAt(name);
    if (value === null || value === undefined) fault(reading, depth + 2, MUST_NOT_BE_NULL, null, false);
    else map[name] = readValue(value, reading, depth + 2);
  }
  return map;
}

/** Compiled member of a structure. */
interface StructureMember {
  readonly name: string;
  readonly label: string;
  readonly required: boolean;
  readonly read: Read;
}

function structureReader(model: ServiceModel, shape: Shape, member: (use: Member) => Read): Read {
  const required = new Set(shape.required);
  const members: StructureMember[] = Object.entries(shape.members ?? {}).map(([name, use]) => {
    assertOwnName(model, name);
    return {
      name,
      label: lowerFirst(name),
      required: required.has(name),
      read: member(isUnquoted(name) ? { ...use, sensitive: true } : use),
    };
  });
  const union = shape.union === true;
  return (value, reading, depth) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
      throw notA(value, 'a Structure');
    const document = value as Readonly<Record<string, unknown>>;
    const input: Record<string, unknown> = {};
    let given = 0;
    for (let i = 0; i < members.length; i++) {
      const { name, label, required: isRequired, read } = members[i] as StructureMember;
      const found = document[name];
      if (found !== undefined && found !== null) {
        reading.at[depth] = label;
        input[name] = read(found, reading, depth + 1);
        given++;
      } else if (isRequired) {
        reading.at[depth] = label;
        fault(reading, depth + 1, MUST_NOT_BE_NULL, null, false);
      }
    }
    if (union && given !== 1) throw oneOf();
    return input;
  };
}

/** Returns the error for a union with no member or several members. */
export function oneOf(): AwsError {
  return new AwsError('SerializationException', 'Exactly one member of a union must be set');
}

/**
 * Checks that a member's name differs from the properties that every object inherits. Otherwise an absent member would seem present.
 *
 * @throws Error  the name is that of an inherited property, so the model must be changed
 */
export function assertOwnName(model: ServiceModel, name: string): void {
  if (name in Object.prototype) throw new Error(`the model of ${model.service}: the member name '${name}' is a property of every object`);
}
