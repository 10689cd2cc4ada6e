import type { Arn } from '#core/arn.ts';
import type { Contributions } from './contribution.ts';
import type { PolicyDocument, Position } from './document.ts';
import { lowerPolicy } from './lower.ts';
import type { ActionPattern, LoweredPolicy, LoweredStatement } from './lowered.ts';
import { conditionTest } from './match-condition.ts';
import { always, never, type Predicate, resourceMatcher } from './match-resource.ts';
import { codesMatch } from './pattern.ts';
import { readPolicy } from './read.ts';

/** A policy ready to be linked. Immutable but for what it remembers; may be shared by any number of stacks. */
export interface CompiledPolicy {
  readonly text: string;
  readonly lowered: LoweredPolicy;
  /** By statement; made when the policy is first linked. */
  readonly predicates: (Predicate | undefined)[];
  /** As `predicates`, where a short ARN matches nothing (resource policies). */
  readonly strictPredicates: (Predicate | undefined)[];
  /** What the policy brings to programs; see `contributionOf`. */
  readonly contributions: Contributions;
  /** Read again only when somebody wants an explanation; see `documentOf`. */
  document: PolicyDocument | undefined;
}

/** A policy, and what it is called in decisions. */
export interface SourcedPolicy {
  /** The policy's ARN, or `user/maker:inline-name` where it is inline. */
  readonly policyId: string;
  readonly policyArn?: Arn;
  readonly policy: CompiledPolicy;
}

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

/** Reads and lowers a policy text; a policy, or every reason why it is none. Never throws. */
export function tryCompilePolicy(text: string): { readonly policy: CompiledPolicy } | { readonly problems: readonly PolicyTextProblem[] } {
  const { document, problems } = readPolicy(text);
  if (document === undefined || problems.length > 0) return { problems };
  const lowered = lowerPolicy(document);
  if (lowered.policy === undefined) return { problems: lowered.problems };
  const contributions = { byAction: new Map(), byStatements: new Map() };
  return { policy: { text, lowered: lowered.policy, predicates: [], strictPredicates: [], contributions, document: undefined } };
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

/** Whether a statement's resources and conditions hold; its action and principal are not asked about. */
export function statementPredicate(policy: CompiledPolicy, statement: number, shortArnMatches: boolean): Predicate {
  const made = shortArnMatches ? policy.predicates : policy.strictPredicates;
  const known = made[statement];
  if (known !== undefined) return known;
  const predicate = makePredicate(policy.lowered.statements[statement] as LoweredStatement, shortArnMatches);
  made[statement] = predicate;
  return predicate;
}

function makePredicate({ resources, conditions }: LoweredStatement, shortArnMatches: boolean): Predicate {
  const tests: Predicate[] = [];
  if (resources !== undefined) {
    const matchers = resources.patterns.map((pattern) => resourceMatcher(pattern, shortArnMatches));
    const any = anyOf(matchers);
    tests.push(resources.not ? not(any) : any);
  }
  for (const condition of conditions) tests.push(conditionTest(condition));
  return allOf(tests);
}

/** `always` and `never` are recognised, so that what is constant costs nothing. */
function anyOf(tests: readonly Predicate[]): Predicate {
  if (tests.includes(always)) return always;
  const some = tests.filter((test) => test !== never);
  const [first, second] = some;
  if (first === undefined) return never;
  if (second === undefined) return first;
  if (some.length === 2) return (record) => first(record) || second(record);
  return (record) => {
    for (let i = 0; i < some.length; i++) if ((some[i] as Predicate)(record)) return true;
    return false;
  };
}

function not(test: Predicate): Predicate {
  if (test === always) return never;
  if (test === never) return always;
  return (record) => !test(record);
}

function allOf(tests: readonly Predicate[]): Predicate {
  if (tests.includes(never)) return never;
  const some = tests.filter((test) => test !== always);
  const [first, second, third] = some;
  if (first === undefined) return always;
  if (second === undefined) return first;
  if (third === undefined) return (record) => first(record) && second(record);
  if (some.length === 3) return (record) => first(record) && second(record) && third(record);
  return (record) => {
    for (let i = 0; i < some.length; i++) if (!(some[i] as Predicate)(record)) return false;
    return true;
  };
}

/**
 * Whether a statement speaks of an action; `action` in lower case.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Action" (prefix and name compare case-insensitively) and "NotAction".
 */
export function statementHasAction({ actions }: LoweredStatement, action: string): boolean {
  const colon = action.indexOf(':');
  const matches = (pattern: ActionPattern): boolean =>
    pattern.everything ||
    (colon >= 0 &&
      codesMatch(pattern.service, 0, pattern.service.length, action, 0, colon) &&
      codesMatch(pattern.name, 0, pattern.name.length, action, colon + 1, action.length));
  return actions.patterns.some(matches) !== actions.not;
}
