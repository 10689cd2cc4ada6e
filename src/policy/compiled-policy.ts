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
  /**
   * Names (policy ID and ARN) that this policy has in the policy stacks that contain it. `sharedStack` adds new names.
   */
  readonly names: string[];
  readonly lowered: LoweredPolicy;
  /** Cached results of `statementTest`, by the index of the statement. */
  readonly tests: (StatementTest | undefined)[];
  /**
   * Cached tests for trust and resource policies, in which an ARN pattern with fewer than six segments matches nothing.
   */
  readonly strictTests: (StatementTest | undefined)[];
  /** Cached results of `contributionOf`. */
  contributions: Contributions | undefined;
  /** Cached result of `documentOf`. */
  document: PolicyDocument | undefined;
}

/** Policy with the ID and ARN that decisions report. */
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
  /** Result of the test, if it is the same for every request. */
  readonly constant: boolean | undefined;
  /** Maximum number of comparisons. */
  readonly size: number;
}

/**
 * Statements of one policy that apply to one action, in the form from which `link.ts` builds programs (decision
 * graphs).
 *
 * Each contribution is created once. All actions and policy stacks for which the same statements apply share it. Stacks
 * with equal contributions share one program. The map `next` leads to this program.
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
   * Map that leads to shared programs. A key is the next contribution of a stack, or a marker of `link.ts`. The value
   * is another map of this kind, or a program.
   *
   * The map is weak. So if policies share a program and one of them is deleted, the others do not keep the program in
   * memory.
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
