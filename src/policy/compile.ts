import type { CompiledPolicy, StatementTest } from './compiled-policy.ts';
import { conditionAtom } from './condition-atom.ts';
import type { PolicyDocument, Position } from './document.ts';
import { matchesText } from './glob-match.ts';
import { answerNode, graphOf, sizeOf, type Test, walk } from './graph.ts';
import { lowerPolicy } from './lower.ts';
import type { ActionPattern, LoweredStatement } from './lowered.ts';
import { resourceTest } from './match-resource.ts';
import { readPolicy } from './read.ts';
import type { RequestRecord } from './request.ts';
import { type StepBudget, takeSteps } from './steps.ts';

/** Reason why a document cannot be compiled, with its position. */
export interface PolicyTextProblem {
  readonly message: string;
  readonly start: Position;
  readonly end: Position;
}

/** Error for a document that cannot be compiled, with all reasons. */
export type PolicyTextError = Error & { readonly name: 'PolicyTextError'; readonly problems: readonly PolicyTextProblem[] };

/** Reports whether an error is a `PolicyTextError`. */
export function isPolicyTextError(error: unknown): error is PolicyTextError {
  return error instanceof Error && error.name === 'PolicyTextError';
}

let compiledPolicies = 0;

/** Returns the maximum number of steps that compiling a document takes. It is linear in the document's length. */
export function compileSteps(text: string): number {
  return 64 + text.length * COMPILE_STEPS_OF_CHARACTER;
}

const COMPILE_STEPS_OF_CHARACTER = 32;

/** Compiles a document. Returns the policy, or all reasons why it is invalid. Never throws. */
export function tryCompilePolicy(text: string): { readonly policy: CompiledPolicy } | { readonly problems: readonly PolicyTextProblem[] } {
  const { document, problems } = readPolicy(text);
  if (document === undefined || problems.length > 0) return { problems };
  const lowered = lowerPolicy(document);
  if (lowered.policy === undefined) return { problems: lowered.problems };
  return {
    policy: {
      text,
      number: compiledPolicies++,
      names: [],
      lowered: lowered.policy,
      tests: [],
      strictTests: [],
      contributions: undefined,
      document: undefined,
    },
  };
}

/**
 * Compiles a document.
 *
 * @throws PolicyTextError  a part of the document is invalid or unsupported. The engine never evaluates only the valid
 * parts.
 */
export function compilePolicy(text: string): CompiledPolicy {
  const compiled = tryCompilePolicy(text);
  if ('policy' in compiled) return compiled.policy;
  const [first] = compiled.problems;
  const message =
    first === undefined ? 'The document is not a policy.' : `line ${first.start.line}, column ${first.start.column}: ${first.message}`;
  throw Object.assign(new Error(message), { name: 'PolicyTextError' as const, problems: compiled.problems });
}

/** Returns the parsed document of a policy. The first call parses the policy's text again. */
export function documentOf(policy: CompiledPolicy): PolicyDocument {
  policy.document ??= readPolicy(policy.text).document;
  if (policy.document === undefined) throw new Error('The document of a compiled policy is no longer valid.');
  return policy.document;
}

const HOLDS = answerNode(1);
const FAILS = answerNode(0);

/**
 * Returns the test of a statement's resources and conditions. Creates the test at the first call.
 * With `shortArnMatches`, missing segments of an ARN pattern mean `*`.
 */
export function statementTest(policy: CompiledPolicy, statement: number, shortArnMatches: boolean): StatementTest {
  const made = shortArnMatches ? policy.tests : policy.strictTests;
  const known = made[statement];
  if (known !== undefined) return known;
  const test = makeTest(policy.lowered.statements[statement] as LoweredStatement, shortArnMatches);
  const root = graphOf(test, HOLDS, FAILS);
  const prepared = { test, root, constant: root === HOLDS ? true : root === FAILS ? false : undefined, size: sizeOf(test) };
  made[statement] = prepared;
  return prepared;
}

/** Reports whether a statement's test holds for a request. */
export function statementHolds(policy: CompiledPolicy, statement: number, shortArnMatches: boolean, record: RequestRecord): boolean {
  return walk(statementTest(policy, statement, shortArnMatches).root, record) === 1;
}

function makeTest({ resources, conditions }: LoweredStatement, shortArnMatches: boolean): Test {
  const all: Test[] = conditions.map(conditionAtom);
  if (resources !== undefined) {
    const any: Test = { any: resources.patterns.map((pattern) => resourceTest(pattern, shortArnMatches)) };
    all.unshift(resources.not ? { not: any } : any);
  }
  return { all };
}

/**
 * Reports whether a statement applies to an action in lower case. Without a budget, the number of steps is unlimited.
 *
 * @throws StepsExceeded  the budget has too few steps left
 * Source: IAM User Guide, "IAM JSON policy elements: Action" (prefix and name compare case-insensitively) and "NotAction".
 */
export function statementHasAction({ actions }: LoweredStatement, action: string, budget?: StepBudget): boolean {
  const colon = action.indexOf(':');
  if (budget !== undefined) takeSteps(budget, 1 + actions.patterns.length);
  const matches = (pattern: ActionPattern): boolean =>
    pattern.everything ||
    (colon >= 0 &&
      matchesText(pattern.service, action, 0, colon, budget) &&
      matchesText(pattern.name, action, colon + 1, action.length, budget));
  return actions.patterns.some(matches) !== actions.not;
}
