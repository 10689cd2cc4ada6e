import type { JsonNode, JsonObject, JsonString } from './json-text.ts';

/**
 * A policy as it was written: every element with the place where it stood. What the elements mean is not known here.
 * An element of a wrong JSON type is absent (its problem says so), and still reachable through `node`.
 */
export interface PolicyDocument {
  readonly text: string;
  readonly root: JsonObject;
  /** Offsets at which lines begin; for `positionAt`. */
  readonly lineStarts: readonly number[];
  readonly version?: JsonString;
  readonly id?: JsonString;
  /** One for an object in place of a list. */
  readonly statements: readonly StatementNode[];
}

export interface StatementNode {
  readonly node: JsonObject;
  /** From 0. */
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

/** `"Action": "x"` and `"Action": ["x", "y"]` alike. */
export interface TextsNode {
  /** The element's name, or the key of a principal map or condition. */
  readonly key: JsonString;
  readonly node: JsonNode;
  readonly isList: boolean;
  readonly values: readonly TextNode[];
}

/** A text, or in a condition a number or boolean as text (`true` is `"true"`, `5` is `"5"`). */
export interface TextNode {
  readonly value: string;
  readonly node: JsonNode;
}

export interface PrincipalNode {
  readonly key: JsonString;
  readonly node: JsonNode;
  /** `"Principal": "*"`. A map's `"AWS": "*"` is not this. */
  readonly anyone: boolean;
  /** `AWS`, `Service`, `Federated`, `CanonicalUser`, or whatever was written, with its values. */
  readonly entries: readonly TextsNode[];
}

export interface ConditionNode {
  readonly key: JsonString;
  readonly node: JsonObject;
  readonly blocks: readonly ConditionBlock[];
}

/** One operator with its keys. */
export interface ConditionBlock {
  readonly operator: JsonString;
  readonly node: JsonObject;
  readonly tests: readonly TextsNode[];
}

/**
 * A place in the text. `line` counts from 1; `column` and `offset` from 0, in UTF-16 units.
 *
 * Source: IAM Access Analyzer API, Position.
 */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** Offsets at which the lines of a text begin; a line ends with CR, LF or CR LF. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a || (code === 0x0d && text.charCodeAt(i + 1) !== 0x0a)) starts.push(i + 1);
  }
  return starts;
}

/** Where an offset is, in lines and columns; logarithmic in the number of lines. */
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
