/**
 * Shapes of JSON documents: each shape is a JSON Schema and a TypeScript type, so that a document and its schema have one declaration.
 */

/** JSON Schema of a value. Source: JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Shape of a value. `Of` returns its type. */
export interface Shape<Value> {
  readonly schema: JsonSchema;
  readonly isOptional?: boolean;
  /** Never set. It carries the type. */
  readonly value?: Value;
}

/** Type of the values of a shape. */
export type Of<S> = S extends Shape<infer Value> ? Value : never;

type Members = Readonly<Record<string, Shape<unknown>>>;
type OptionalName<M extends Members> = { readonly [K in keyof M]: M[K] extends { readonly isOptional: true } ? K : never }[keyof M];
type ObjectOf<M extends Members> = { readonly [K in Exclude<keyof M, OptionalName<M>>]: Of<M[K]> } & {
  readonly [K in OptionalName<M>]?: Of<M[K]>;
};

export const text: Shape<string> = { schema: { type: 'string' } };
export const whole: Shape<number> = { schema: { type: 'integer', minimum: 0 } };
export const flag: Shape<boolean> = { schema: { type: 'boolean' } };
/** Time in ISO 8601. */
export const time: Shape<string> = { schema: { type: 'string', format: 'date-time' } };

/** Returns the shape of one of several strings. */
export function oneOf<const Text extends string>(...texts: readonly Text[]): Shape<Text> {
  return { schema: { enum: texts } };
}

/** Shape of an object with any members, which are strings. */
export const texts: Shape<Readonly<Record<string, string>>> = { schema: { type: 'object', additionalProperties: { type: 'string' } } };

/** Shape of an object with any members of any type. */
export const anyObject: Shape<Readonly<Record<string, unknown>>> = { schema: { type: 'object', additionalProperties: true } };

/** Returns the shape of a list. */
export function list<Item>(item: Shape<Item>): Shape<readonly Item[]> {
  return { schema: { type: 'array', items: item.schema } };
}

/** Returns the shape of a member that may be absent. */
export function optional<Value>({ schema }: Shape<Value>): Shape<Value> & { readonly isOptional: true } {
  return { schema, isOptional: true };
}

/** Returns a shape with a description. */
export function described<S extends Shape<unknown>>(shape: S, description: string): S {
  return { ...shape, schema: { ...shape.schema, description } };
}

/** Returns the shape of an object with exactly these members. */
export function object<const M extends Members>(members: M): Shape<ObjectOf<M>> {
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(members).map(([name, { schema }]) => [name, schema])),
      required: Object.keys(members).filter((name) => members[name]?.isOptional !== true),
      additionalProperties: false,
    },
  };
}

/** Returns the shape of a list that names only some of its items. `file` has all of them, one JSON document in each line. */
export function excerpt<Item>(item: Shape<Item>) {
  return object({
    items: list(item),
    total: described(whole, 'Number of items, with those that are not listed here.'),
    more: described(whole, 'Number of items that are not listed here.'),
    file: described(text, 'File of the report with all items, one JSON document in each line.'),
  });
}

/** List that names only some of its items. */
export interface Excerpt<Item> {
  readonly items: readonly Item[];
  readonly total: number;
  readonly more: number;
  readonly file: string;
}

/** Returns the excerpt of a list that has `total` items. */
export function excerptOf<Item>(items: readonly Item[], total: number, { name }: { readonly name: string }): Excerpt<Item> {
  return { items, total, more: total - items.length, file: name };
}
