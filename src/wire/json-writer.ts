import type { Member, ServiceModel, Shape } from '#model/model.ts';
import { shapeOf } from './document-reader.ts';

/** Writes one value of a shape as JSON. @throws TypeError  the value does not match the model, which is a bug of the operation */
export type WriteJson = (value: unknown) => string;

/**
 * Creates writers of JSON documents, one for each use of a shape in the model.
 *
 * A writer writes only members of the model, so that clients never receive internal values. It omits absent members and nulls. It
 * concatenates strings, which is faster than `JSON.stringify` of a copy.
 *
 * Source: AWS JSON 1.1 and restJson1: timestamps are epoch seconds unless the model has another format, and blobs are in Base64.
 */
export function jsonWriters(model: ServiceModel): { readonly member: (member: Member) => WriteJson } {
  const compiled = new Map<string, WriteJson>();

  function member(use: Member): WriteJson {
    const key = `${use.shape} ${use.timestampFormat}`;
    const known = compiled.get(key);
    if (known) return known;
    let actual: WriteJson | undefined;
    compiled.set(key, (value) => (actual as WriteJson)(value));
    actual = compile(shapeOf(model, use.shape), use);
    compiled.set(key, actual);
    return actual;
  }

  function compile(shape: Shape, use: Member): WriteJson {
    switch (shape.type) {
      case 'string':
        return quoteJson;
      case 'integer':
      case 'long':
      case 'float':
      case 'double':
        return writeNumber;
      case 'boolean':
        return (value) => (typeof value === 'boolean' ? `${value}` : throwInvalid(value, 'boolean'));
      case 'timestamp':
        return (use.timestampFormat ?? shape.timestampFormat) === 'iso8601'
          ? (value) => `"${isoText(value)}"`
          : (value) => `${secondsOf(value)}`;
      case 'blob':
        return (value) => `"${base64Of(value)}"`;
      case 'list':
        return listWriter(member(shape.member as Member));
      case 'map':
        return mapWriter(member(shape.member as Member));
      case 'structure':
        return structureWriter(shape, member);
    }
  }

  return { member };
}

/** Throws the error for an output that does not match the model. */
export function throwInvalid(value: unknown, wanted: string): never {
  throw new TypeError(`the output has ${value === null ? 'null' : typeof value}, but the model has ${wanted}`);
}

/** Characters that JSON must escape, and surrogates, which may be unpaired and then have no UTF-8 encoding. */
const TO_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Returns a string as JSON. */
export function quoteJson(value: unknown): string {
  if (typeof value !== 'string') throwInvalid(value, 'string');
  return TO_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`;
}

function writeNumber(value: unknown): string {
  if (typeof value !== 'number') throwInvalid(value, 'number');
  return Number.isFinite(value) ? `${value}` : `"${value}"`;
}

/** Returns an instant in ISO 8601 with milliseconds. */
export function isoText(value: unknown): string {
  return typeof value === 'number' ? new Date(value).toISOString() : throwInvalid(value, 'timestamp');
}

/** Returns an instant in epoch seconds, with at most three decimals. */
export function secondsOf(value: unknown): number {
  return typeof value === 'number' ? value / 1000 : throwInvalid(value, 'timestamp');
}

/** Returns bytes in Base64. */
export function base64Of(value: unknown): string {
  if (!(value instanceof Uint8Array)) throwInvalid(value, 'blob');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

function listWriter(element: WriteJson): WriteJson {
  return (value) => {
    if (!Array.isArray(value)) throwInvalid(value, 'list');
    let text = '[';
    for (let i = 0; i < value.length; i++) text += i === 0 ? element(value[i]) : `,${element(value[i])}`;
    return `${text}]`;
  };
}

function mapWriter(writeValue: WriteJson): WriteJson {
  return (value) => {
    if (typeof value !== 'object' || value === null) throwInvalid(value, 'map');
    let text = '';
    for (const [name, one] of Object.entries(value)) {
      if (one === undefined || one === null) continue;
      text += `${text === '' ? '' : ','}${quoteJson(name)}:${writeValue(one)}`;
    }
    return `{${text}}`;
  };
}

function structureWriter(shape: Shape, member: (use: Member) => WriteJson): WriteJson {
  const members = Object.entries(shape.members ?? {})
    .filter(([, use]) => use.location === undefined)
    .map(([name, use]) => ({
      name,
      first: `{"${use.locationName ?? name}":`,
      next: `,"${use.locationName ?? name}":`,
      write: member(use),
    }));
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throwInvalid(value, 'structure');
    const structure = value as Readonly<Record<string, unknown>>;
    let text = '';
    for (let i = 0; i < members.length; i++) {
      const one = members[i] as (typeof members)[number];
      const found = structure[one.name];
      if (found !== undefined && found !== null) text += (text === '' ? one.first : one.next) + one.write(found);
    }
    return text === '' ? '{}' : `${text}}`;
  };
}
