import type { JsonNode, JsonObject, JsonString } from './json-text.ts';

/**
 * Parsed policy document with the position of every element. Parsing does not interpret the elements.
 *
 * An element with the wrong JSON type is absent from this object, and the parser reports a problem. The JSON nodes
 * (`root` and `node`) still contain the element.
 */
export interface PolicyDocument {
  readonly text: string;
  readonly root: JsonObject;
  /** Offsets at which lines begin, for `positionAt`. */
  readonly lineStarts: readonly number[];
  readonly version?: JsonString;
  readonly id?: JsonString;
  /** Statements. A single object counts as a list of one. */
  readonly statements: readonly StatementNode[];
}

export interface StatementNode {
  readonly node: JsonObject;
  /** Index of the statement, from 0. */
  readonly index: number;
  readonly sid?: JsonString;
  readonly effect?: JsonString;
  readonly action?: TextsNode;
  readonly notAction?: TextsNode;
  readonly resource?: TextsNode;
  readonly notResource?: TextsNode;
  readonly principal?: PrincipalNode;
  readonly notPrincipal?: PrincipalNode;
  readonly condition?: ConditionNode;
}

/** Element with one string or a list of strings: `"Action": "x"` or `"Action": ["x", "y"]`. */
export interface TextsNode {
  /** Name of the element, or key of a principal map or condition. */
  readonly key: JsonString;
  readonly node: JsonNode;
  readonly isList: boolean;
  readonly values: readonly TextNode[];
}

/** String. In a condition, a number or boolean is converted to a string (`true` to `"true"`, `5` to `"5"`). */
export interface TextNode {
  readonly value: string;
  readonly node: JsonNode;
}

export interface PrincipalNode {
  readonly key: JsonString;
  readonly node: JsonNode;
  /** Whether the element is `"*"`. False for the map `{"AWS": "*"}`. */
  readonly anyone: boolean;
  /** Values by type: `AWS`, `Service`, `Federated`, `CanonicalUser`, or an unknown type. */
  readonly entries: readonly TextsNode[];
}

export interface ConditionNode {
  readonly key: JsonString;
  readonly node: JsonObject;
  readonly blocks: readonly ConditionBlock[];
}

/** One operator of a condition, with its keys. */
export interface ConditionBlock {
  readonly operator: JsonString;
  readonly node: JsonObject;
  readonly tests: readonly TextsNode[];
}

/**
 * Position in a document. `line` counts from 1, `column` and `offset` from 0, in UTF-16 units.
 *
 * Source: IAM Access Analyzer API, Position.
 */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** Returns the offsets at which lines begin. A line ends with CR, LF or CR LF. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a || (code === 0x0d && text.charCodeAt(i + 1) !== 0x0a)) starts.push(i + 1);
  }
  return starts;
}

/** Returns the line and column of an offset. Takes logarithmic time in the number of lines. */
export function positionAt(lineStarts: readonly number[], offset: number): Position {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] as number), offset };
}
