import type { CompiledPolicy, StatementTest } from './compiled-policy.ts';
import { conditionAtom } from './condition-atom.ts';
import type { PolicyDocument, Position } from './document.ts';
import { matchesText } from './glob.ts';
import { answerNode, graphOf, type Test, walk } from './graph.ts';
import { lowerPolicy } from './lower.ts';
import type { ActionPattern, LoweredStatement } from './lowered.ts';
import { resourceTest } from './match-resource.ts';
import { readPolicy } from './read.ts';
import type { RequestRecord } from './request.ts';
import { type StepBudget, takeSteps } from './steps.ts';

export interface PolicyTextProblem {
  readonly message: string;
  readonly start: Position;
  readonly end: Position;
}

/** A policy text that cannot be decided by, with every reason and its place. */
export type PolicyTextError = Error & { readonly name: 'PolicyTextError'; readonly problems: readonly PolicyTextProblem[] };

export function isPolicyTextError(error: unknown): error is PolicyTextError {
  return error instanceof Error && error.name === 'PolicyTextError';
}

let compiledPolicies = 0;

/** Steps that it costs to read and lower a policy text, at most: both are linear in it. */
export function compileSteps(text: string): number {
  return 64 + text.length * COMPILE_STEPS_OF_CHARACTER;
}

const COMPILE_STEPS_OF_CHARACTER = 32;

/** Reads and lowers a policy text; a policy, or every reason why it is none. Never throws. */
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
 * Reads and lowers a policy text.
 *
 * @throws PolicyTextError where anything in it is not understood: a policy decides whole or not at all
 */
export function compilePolicy(text: string): CompiledPolicy {
  const compiled = tryCompilePolicy(text);
  if ('policy' in compiled) return compiled.policy;
  const [first] = compiled.problems;
  const message = first === undefined ? 'no policy' : `line ${first.start.line}, column ${first.start.column}: ${first.message}`;
  throw Object.assign(new Error(message), { name: 'PolicyTextError' as const, problems: compiled.problems });
}

/** The policy as it was written; read again the first time it is asked for. */
export function documentOf(policy: CompiledPolicy): PolicyDocument {
  policy.document ??= readPolicy(policy.text).document;
  if (policy.document === undefined) throw new Error('A compiled policy can be read again.');
  return policy.document;
}

const HOLDS = answerNode(1);
const FAILS = answerNode(0);

export function statementTest(policy: CompiledPolicy, statement: number, shortArnMatches: boolean): StatementTest {
  const made = shortArnMatches ? policy.tests : policy.strictTests;
  const known = made[statement];
  if (known !== undefined) return known;
  const test = makeTest(policy.lowered.statements[statement] as LoweredStatement, shortArnMatches);
  const root = graphOf(test, HOLDS, FAILS);
  const prepared = { test, root, constant: root === HOLDS ? true : root === FAILS ? false : undefined };
  made[statement] = prepared;
  return prepared;
}

/** Asks a statement's test. */
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
 * Whether a statement speaks of an action; `action` in lower case.
 *
 * @throws StepsExceeded  the budget has fewer steps left than the comparisons need; without one, any number is taken
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
