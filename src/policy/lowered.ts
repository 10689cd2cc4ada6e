import type { Glob } from './glob.ts';
import type { Operator, Quantifier } from './operators.ts';
import type { Piece } from './pattern.ts';

/** A policy in the form that is linked: plain data, everything understood, nothing left to parse but the request. */
export interface LoweredPolicy {
  readonly version: '2008-10-17' | '2012-10-17';
  readonly statements: readonly LoweredStatement[];
}

export interface LoweredStatement {
  readonly effect: 'Allow' | 'Deny';
  readonly sid?: string;
  /** Where the statement stood in the text, braces included. */
  readonly start: number;
  readonly end: number;
  readonly actions: { readonly not: boolean; readonly patterns: readonly ActionPattern[] };
  /** Absent in trust policies: the resource is what the policy is attached to. */
  readonly resources?: { readonly not: boolean; readonly patterns: readonly ArnPattern[] };
  readonly principals?: { readonly not: boolean; readonly anyone: boolean; readonly entries: readonly PrincipalEntry[] };
  readonly conditions: readonly ConditionTest[];
}

/** Lower-cased, without variables. */
export interface ActionPattern {
  readonly everything: boolean;
  readonly service: Glob;
  readonly name: Glob;
}

/**
 * A pattern for ARNs: everything (`*`), or up to six segments. Fewer stand for `*` in the rest, where the policy type has it so.
 */
export type ArnPattern = { readonly kind: 'everything' } | { readonly kind: 'segments'; readonly segments: readonly (readonly Piece[])[] };

export interface PrincipalEntry {
  readonly type: 'AWS' | 'Service' | 'Federated' | 'CanonicalUser';
  readonly value: string;
}

export interface ConditionTest {
  readonly operator: Operator;
  readonly quantifier: Quantifier;
  readonly ifExists: boolean;
  /** Lower-cased. */
  readonly key: string;
  /** As text families compare them; typed families read `plainText` of them. */
  readonly values: readonly (readonly Piece[])[];
}
