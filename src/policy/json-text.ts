/** Types of the nodes and the problems of a parsed JSON text, with positions. `read-json.ts` creates the objects. */

/** Offsets in the text, in UTF-16 units. `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface JsonString extends Span {
  readonly kind: 'string';
  /** Content of the string, with escapes resolved. */
  readonly value: string;
}
export interface JsonNumber extends Span {
  readonly kind: 'number';
  /** Number as written. */
  readonly text: string;
}
export interface JsonBoolean extends Span {
  readonly kind: 'boolean';
  readonly value: boolean;
}
export interface JsonNull extends Span {
  readonly kind: 'null';
}
export interface JsonArray extends Span {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}
export interface JsonMember {
  readonly name: JsonString;
  readonly value: JsonNode;
}
export interface JsonObject extends Span {
  readonly kind: 'object';
  /** Members in the order of the text, including repeated names. */
  readonly members: readonly JsonMember[];
}
export type JsonNode = JsonString | JsonNumber | JsonBoolean | JsonNull | JsonArray | JsonObject;

/** Problem of a JSON text, from the offset `at` to `end`, exclusive. */
export type JsonProblem =
  | { readonly kind: 'syntax'; readonly message: string; readonly at: number; readonly end: number }
  | { readonly kind: 'depth'; readonly message: string; readonly at: number; readonly end: number }
  | { readonly kind: 'repeated-name'; readonly name: string; readonly message: string; readonly at: number; readonly end: number };
