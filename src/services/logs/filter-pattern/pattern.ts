/** Parsed filter patterns. `parse.ts` creates them, and `match.ts` applies them to log events. */

/** Pattern of terms, of a JSON event, or of an event with fields that spaces separate. */
export type FilterPattern = TermsPattern | JsonPattern | FieldsPattern;

/**
 * Terms that a message must contain (`all`), must not contain (`none`), or of which it must contain one (`any`).
 * A pattern without terms matches every message.
 */
export interface TermsPattern {
  readonly kind: 'terms';
  readonly all: readonly string[];
  readonly any: readonly string[];
  readonly none: readonly string[];
}

export interface JsonPattern {
  readonly kind: 'json';
  readonly condition: JsonCondition;
  /** Selectors of the pattern, without duplicates. */
  readonly selectors: readonly Selector[];
}

export type JsonCondition =
  | { readonly kind: 'and' | 'or'; readonly of: readonly JsonCondition[] }
  | { readonly kind: 'compare'; readonly selector: Selector; readonly test: ValueTest }
  | { readonly kind: 'is'; readonly selector: Selector; readonly value: null | boolean }
  | { readonly kind: 'not exists'; readonly selector: Selector };

/** Selector of values in a JSON event: `$.resources[0].arn`. `text` is the selector as written. */
export interface Selector {
  readonly text: string;
  readonly steps: readonly Step[];
}

/** Step of a selector. `any` selects all elements of an array, or all members of an object. */
export type Step =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'element'; readonly index: number }
  | { readonly kind: 'any' };

export interface FieldsPattern {
  readonly kind: 'fields';
  /** Fields before `...`, or all fields. */
  readonly first: readonly Field[];
  /** Fields after `...`. Absent if the pattern has no `...`. */
  readonly last?: readonly Field[];
}

export interface Field {
  /** Absent if the field has no name. */
  readonly name?: string;
  /** Lists of tests. The field passes if it passes all tests of one list, or if there is no list. */
  readonly anyOf: readonly (readonly ValueTest[])[];
}

/** Comparison of a value with a term or a number. */
export type ValueTest =
  | { readonly operator: '=' | '!='; readonly term: ValueTerm }
  | { readonly operator: '<' | '<=' | '>' | '>='; readonly number: number };

/** Term without its wildcards. A wildcard is an asterisk at the start or at the end. Other asterisks stand for themselves. */
export interface ValueTerm {
  readonly text: string;
  readonly anyBefore: boolean;
  readonly anyAfter: boolean;
  /** Value of an unquoted number without wildcards. It equals a number with another notation, such as 1.0. */
  readonly number?: number;
}
