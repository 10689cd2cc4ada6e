import type { Arn } from '#core/arn.ts';
import type { PolicyDocument } from './document.ts';
import type { Node, Test } from './graph.ts';
import type { LoweredPolicy } from './lowered.ts';

/**
 * Compiled policy. The policy stack of a principal (`stack.ts`) consists of such policies. A policy is immutable except for its caches, so
 * stacks can share it.
 */
export interface CompiledPolicy {
  /** The policy document, as written. */
  readonly text: string;
  /** Number of this policy, unique in the process. */
  readonly number: number;
  /** Names of the policy in stacks. `sharedStack` adds to the list. */
  readonly names: string[];
  readonly lowered: LoweredPolicy;
  /** Cache: the test of each statement, created when the policy is first linked. */
  readonly tests: (StatementTest | undefined)[];
  /** Like `tests`, but a short ARN matches nothing. Used for resource policies. */
  readonly strictTests: (StatementTest | undefined)[];
  /** Cache of `contributionOf`. */
  contributions: Contributions | undefined;
  /** Cache of `documentOf`. */
  document: PolicyDocument | undefined;
}

/** Policy with the name that decisions report. */
export interface SourcedPolicy {
  /** ARN of a managed policy. For an inline policy, the entity and the name: `user/maker:inline-name`. */
  readonly policyId: string;
  readonly policyArn?: Arn;
  readonly policy: CompiledPolicy;
}

/** Test of a statement's resources and conditions. It does not include the action and the principal. */
export interface StatementTest {
  readonly test: Test;
  /** Graph that ends at 1 if the test holds, and at 0 otherwise. */
  readonly root: Node;
  /** Result, if it is the same for every request. */
  readonly constant: boolean | undefined;
}

/**
 * Statements of one policy that apply to one action, prepared for programs.
 *
 * Created once and shared by all actions and stacks for which the same statements apply. Stacks with equal contributions share one
 * program, which is found through `next`.
 */
export interface Contribution {
  readonly source: SourcedPolicy;
  readonly denies: readonly Test[];
  /** Index of the statement that each test in `denies` belongs to. */
  readonly denyOf: readonly number[];
  readonly allows: readonly Test[];
  /** Index of the statement that each test in `allows` belongs to. */
  readonly allowOf: readonly number[];
  /** Graph of each test in `allows`. It ends at 1 if the test holds. */
  readonly allowRoots: readonly Node[];
  /** Index in `allows` of the first test that always holds, or -1. */
  readonly alwaysAt: number;
  /** Context keys that the conditions and variables of these statements read. */
  readonly keys: readonly string[];
  /**
   * Next step to a program: a contribution, or a marker of `link.ts`.
   *
   * The map is weak, so that a policy does not keep programs that it shares with deleted policies in memory.
   */
  next: WeakMap<object, unknown> | undefined;
}

/** Cached contributions of one policy. */
export interface Contributions {
  /** Contributions by the policy's name and the lower-case action. `undefined` if no statement applies. */
  readonly byAction: Map<string, Contribution | undefined>;
  /** Contributions by the policy's name and the indexes of the statements. */
  readonly byStatements: Map<string, Contribution>;
}
