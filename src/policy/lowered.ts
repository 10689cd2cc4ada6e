import type { Glob } from './glob.ts';
import type { Operator, Quantifier } from './operators.ts';
import type { Piece } from './pattern.ts';

/** Policy in the form from which the engine builds decision graphs: plain data, validated and parsed. */
export interface LoweredPolicy {
  readonly version: '2008-10-17' | '2012-10-17';
  readonly statements: readonly LoweredStatement[];
}

/** Statement of a `LoweredPolicy`. */
export interface LoweredStatement {
  readonly effect: 'Allow' | 'Deny';
  readonly sid?: string;
  /** Offsets of the statement in the document, including the braces. `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly actions: { readonly not: boolean; readonly patterns: readonly ActionPattern[] };
  /** Absent in trust policies, where the resource is the role that has the policy. */
  readonly resources?: { readonly not: boolean; readonly patterns: readonly ArnPattern[] };
  readonly principals?: { readonly not: boolean; readonly anyone: boolean; readonly entries: readonly PrincipalEntry[] };
  readonly conditions: readonly ConditionTest[];
}

/** Pattern of an action, in lower case. It has no variables. */
export interface ActionPattern {
  readonly everything: boolean;
  readonly service: Glob;
  readonly name: Glob;
}

/**
 * Pattern of ARNs: everything (`*`), or up to six segments. In some policy types, missing segments mean `*`.
 */
export type ArnPattern = { readonly kind: 'everything' } | { readonly kind: 'segments'; readonly segments: readonly (readonly Piece[])[] };

/** One principal of a statement. */
export interface PrincipalEntry {
  readonly type: 'AWS' | 'Service' | 'Federated' | 'CanonicalUser';
  readonly value: string;
}

/** One condition key under one operator. */
export interface ConditionTest {
  readonly operator: Operator;
  readonly quantifier: Quantifier;
  readonly ifExists: boolean;
  /** Context key, in lower case. */
  readonly key: string;
  /**
   * Values as patterns for the string operators. Operators on numbers, dates and other types read the literal string of
   * a value (`plainText`).
   */
  readonly values: readonly (readonly Piece[])[];
}
