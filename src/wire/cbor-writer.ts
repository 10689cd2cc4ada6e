import { encode, Token, Type } from 'cborg';
import type { Member, ServiceModel, Shape } from '#model/model.ts';
import { shapeOf } from './document-reader.ts';
import { throwInvalid } from './json-writer.ts';

/** Converts one value of a shape for `toCbor`: keeps only members of the model, and converts timestamps to dates. */
export type Plain = (value: unknown) => unknown;

/**
 * Creates converters of response values, one for each use of a shape in the model.
 *
 * Source: Smithy 2.0, "RPC v2 CBOR": timestamps are tag 1 with seconds, and blobs are byte strings.
 */
export function cborConverters(model: ServiceModel): { readonly member: (member: Member) => Plain } {
  const compiled = new Map<string, Plain>();

  function member(use: Member): Plain {
    const known = compiled.get(use.shape);
    if (known) return known;
    let actual: Plain | undefined;
    compiled.set(use.shape, (value) => (actual as Plain)(value));
    actual = compile(shapeOf(model, use.shape));
    compiled.set(use.shape, actual);
    return actual;
  }

  function compile(shape: Shape): Plain {
    switch (shape.type) {
      case 'string':
        return scalar('string');
      case 'integer':
      case 'long':
      case 'float':
      case 'double':
        return scalar('number');
      case 'boolean':
        return scalar('boolean');
      case 'timestamp':
        return (value) => (typeof value === 'number' ? new Date(value) : throwInvalid(value, 'timestamp'));
      case 'blob':
        return (value) => (value instanceof Uint8Array ? value : throwInvalid(value, 'blob'));
      case 'list': {
        const element = member(shape.member as Member);
        return (value) => (Array.isArray(value) ? value.map(element) : throwInvalid(value, 'list'));
      }
      case 'map': {
        const convertValue = member(shape.member as Member);
        return (value) =>
          convertEntries(
            Object.entries(typeof value === 'object' && value !== null ? value : throwInvalid(value, 'map')),
            () => convertValue,
          );
      }
      case 'structure': {
        const members = new Map(Object.entries(shape.members ?? {}).map(([name, use]) => [name, member(use)]));
        return (value) => {
          if (typeof value !== 'object' || value === null || Array.isArray(value)) throwInvalid(value, 'structure');
          const structure = value as Readonly<Record<string, unknown>>;
          return convertEntries(
            [...members.keys()].map((name) => [name, structure[name]] as const),
            (name) => members.get(name) as Plain,
          );
        };
      }
    }
  }

  return { member };
}

function convertEntries(entries: readonly (readonly [string, unknown])[], converter: (name: string) => Plain): Record<string, unknown> {
  const object = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of entries) if (value !== undefined && value !== null) object[name] = converter(name)(value);
  return object;
}

function scalar(type: 'string' | 'number' | 'boolean'): Plain {
  return (value) => (typeof value === type ? value : throwInvalid(value, type));
}

/** Encodes a converted document. */
export function toCbor(document: unknown): Uint8Array {
  return encode(document, {
    typeEncoders: { Date: (date: Date) => [new Token(Type.tag, 1), new Token(Type.float, date.getTime() / 1000)] },
  });
}
