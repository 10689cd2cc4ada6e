import type { Member, ServiceModel, Shape } from '#model/model.ts';
import { shapeOf } from './document-reader.ts';

/** Writes one value of a shape as JSON text. @throws Error where the value is not what the model says: a bug of ours, never the caller's */
export type WriteJson = (value: unknown) => string;

/**
 * Writers of JSON documents, one per use of a shape. Only members of the model are written, so that nothing a handler carries along reaches a
 * caller; absent ones and nulls are left out. Text is put together directly: that is quicker than to copy into a plain object and stringify it.
 *
 * Source: AWS JSON 1.1 and restJson1: timestamps are epoch seconds unless the model says otherwise, blobs Base64.
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
        return (value) => (typeof value === 'boolean' ? `${value}` : unfit(value, 'boolean'));
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

/** An answer that is not what the model says. */
export function unfit(value: unknown, wanted: string): never {
  throw new TypeError(`an answer has ${value === null ? 'null' : typeof value} where the model has ${wanted}`);
}

/** What JSON does not allow in a string as it is, and half surrogate pairs, which UTF-8 cannot carry. */
const TO_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** A JSON string. */
export function quoteJson(value: unknown): string {
  if (typeof value !== 'string') unfit(value, 'string');
  return TO_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`;
}

function writeNumber(value: unknown): string {
  if (typeof value !== 'number') unfit(value, 'number');
  return Number.isFinite(value) ? `${value}` : `"${value}"`;
}

/** ISO 8601, with milliseconds. */
export function isoText(value: unknown): string {
  return typeof value === 'number' ? new Date(value).toISOString() : unfit(value, 'timestamp');
}

/** Epoch seconds with three decimals at most. */
export function secondsOf(value: unknown): number {
  return typeof value === 'number' ? value / 1000 : unfit(value, 'timestamp');
}

export function base64Of(value: unknown): string {
  if (!(value instanceof Uint8Array)) unfit(value, 'blob');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

function listWriter(element: WriteJson): WriteJson {
  return (value) => {
    if (!Array.isArray(value)) unfit(value, 'list');
    let text = '[';
    for (let i = 0; i < value.length; i++) text += i === 0 ? element(value[i]) : `,${element(value[i])}`;
    return `${text}]`;
  };
}

function mapWriter(writeValue: WriteJson): WriteJson {
  return (value) => {
    if (typeof value !== 'object' || value === null) unfit(value, 'map');
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
    if (typeof value !== 'object' || value === null || Array.isArray(value)) unfit(value, 'structure');
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
