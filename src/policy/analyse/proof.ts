/**
 * Proofs that hold for every request. They compare the patterns and conditions of policies, without a search for
 * examples. A result of true is a proof. A result of false means only that no proof was found.
 */
import { parseArn } from '#core/arn.ts';
import type { CompiledPolicy } from '../compiled-policy.ts';
import type { ActionPattern, ArnPattern, ConditionTest, LoweredStatement, PrincipalEntry } from '../lowered.ts';
import type { Piece } from '../pattern.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import { accountOfPrincipal } from '../trust.ts';
import { complementOf, conditionsImply, contradict } from './condition-proof.ts';
import { codesCover, codesMeet, plainGlob } from './pattern-proof.ts';
import type { AskedAs } from './search.ts';

/**
 * Proves that the existing policy allowed everything that a statement of the updated policy allows. This requires two
 * things:
 *
 * - For each action and resource of the statement, the existing policy has an Allow that covers them. The conditions of
 * this Allow follow from the conditions of the statement and from the Deny statements of the updated policy.
 * - For each Deny of the existing policy that can deny a request of the statement, the updated policy has a Deny that
 * covers the existing Deny.
 */
export function grantsNothingNew(
  statement: LoweredStatement,
  updated: CompiledPolicy,
  existing: CompiledPolicy,
  askedAs: AskedAs,
  budget: StepBudget,
): boolean {
  const before = existing.lowered.statements;
  const denials = before.filter(({ effect }) => effect === 'Deny');
  const kept = updated.lowered.statements.filter(({ effect }) => effect === 'Deny');
  const stillDenied = denials.every(
    (denial) => disjoint(denial, statement, budget) || kept.some((other) => covers(other, denial, askedAs, budget)),
  );
  if (!stillDenied) return false;
  // An Allow with principals in an identity policy allows nothing.
  const allowed = before.filter(({ effect, principals }) => effect === 'Allow' && (askedAs === 'resource' || principals === undefined));
  takeSteps(budget, partsOf(statement) * STEPS_OF_PAIR);
  return parts(statement).every((part) => {
    const narrowed = { ...part, conditions: [...part.conditions, ...impliedByDenials(part, kept, askedAs, budget)] };
    return allowed.some((other) => covers(other, narrowed, askedAs, budget));
  });
}

/**
 * Returns tests that hold for every request that matches `statement` and that no Deny in `denials` denies. Uses only a
 * Deny that has a single condition and, without this condition, covers the statement. The result contains the
 * complement of this condition.
 */
function impliedByDenials(
  statement: LoweredStatement,
  denials: readonly LoweredStatement[],
  askedAs: AskedAs,
  budget: StepBudget,
): readonly ConditionTest[] {
  return denials.flatMap((denial) => {
    const [test, ...others] = denial.conditions;
    if (test === undefined || others.length > 0 || !covers({ ...denial, conditions: [] }, statement, askedAs, budget)) return [];
    return complementOf(test) ?? [];
  });
}

/**
 * Proves that no request matches both `statement` and `asked`, or that `policy` denies every request that matches both
 * of them.
 */
export function neverBoth(
  statement: LoweredStatement,
  asked: LoweredStatement,
  policy: CompiledPolicy,
  askedAs: AskedAs,
  budget: StepBudget,
): boolean {
  const denials = policy.lowered.statements.filter(({ effect }) => effect === 'Deny');
  takeSteps(budget, partsOf(statement) * STEPS_OF_PAIR);
  return parts(statement).every((part) => {
    // A request that matches `part` and `asked` also matches each of these combined statements. So a Deny that covers
    // one combined statement denies the request.
    const { resources: where = part.resources } = asked;
    const of = where === undefined ? {} : { resources: where };
    const narrowed = [part, { ...part, actions: asked.actions }, { ...part, ...of }, { ...part, actions: asked.actions, ...of }];
    return disjoint(part, asked, budget) || denials.some((denial) => narrowed.some((one) => covers(denial, one, askedAs, budget)));
  });
}

/** Fixed cost of comparing two statements or patterns, in steps. Matching their characters costs additional steps. */
const STEPS_OF_PAIR = 8;

/** Returns the number of statements that `parts` returns. */
function partsOf({ actions, resources }: LoweredStatement): number {
  return (actions.not ? 1 : actions.patterns.length) * (resources === undefined || resources.not ? 1 : resources.patterns.length);
}

/** Splits a statement into equivalent statements with one action and one resource each. */
function parts(statement: LoweredStatement): readonly LoweredStatement[] {
  const actions = statement.actions.not
    ? [statement.actions]
    : statement.actions.patterns.map((pattern) => ({ not: false, patterns: [pattern] }));
  const { resources } = statement;
  const ofResources =
    resources === undefined || resources.not ? [resources] : resources.patterns.map((pattern) => ({ not: false, patterns: [pattern] }));
  return actions.flatMap((some) =>
    ofResources.map((where) => ({ ...statement, actions: some, ...(where === undefined ? {} : { resources: where }) })),
  );
}

/**
 * Proves that every request that matches the narrower statement matches the wider one. It does not matter whether the
 * statements allow or deny, with one exception: a wider Deny for `*` also covers callers without credentials.
 */
export function covers(wider: LoweredStatement, narrower: LoweredStatement, askedAs: AskedAs, budget: StepBudget): boolean {
  takeSteps(budget, STEPS_OF_PAIR);
  return (
    actionsCover(wider, narrower, budget) &&
    resourcesCover(wider, narrower, budget) &&
    (askedAs === 'identity' || principalsCover(wider, narrower, budget)) &&
    conditionsImply(narrower.conditions, wider.conditions, budget)
  );
}

interface PatternSet<Pattern> {
  readonly not: boolean;
  readonly patterns: readonly Pattern[];
}

/** Proves that one set of patterns covers another. A negated set, such as `NotAction`, is wider if it excludes less. */
function setCovers<Pattern>(
  wider: PatternSet<Pattern>,
  narrower: PatternSet<Pattern>,
  patternCovers: (wide: Pattern, narrow: Pattern) => boolean,
  patternsMeet: (wide: Pattern, narrow: Pattern) => boolean,
): boolean {
  if (!wider.not && !narrower.not) return narrower.patterns.every((narrow) => wider.patterns.some((wide) => patternCovers(wide, narrow)));
  if (wider.not && narrower.not) return wider.patterns.every((wide) => narrower.patterns.some((narrow) => patternCovers(narrow, wide)));
  // Exactly one set is negated here. A negated `wider` covers `narrower` if no string matches both an excluded pattern
  // of `wider` and a pattern of `narrower`.
  return wider.not && !wider.patterns.some((wide) => narrower.patterns.some((narrow) => patternsMeet(wide, narrow)));
}

function actionsCover(wider: LoweredStatement, narrower: LoweredStatement, budget: StepBudget): boolean {
  return setCovers(
    wider.actions,
    narrower.actions,
    (wide, narrow) => actionCovers(wide, narrow, budget),
    (wide, narrow) => actionsMeet(wide, narrow, budget),
  );
}

function resourcesCover(wider: LoweredStatement, narrower: LoweredStatement, budget: StepBudget): boolean {
  if (wider.resources === undefined) return narrower.resources === undefined;
  if (!wider.resources.not && wider.resources.patterns.some(({ kind }) => kind === 'everything')) return true;
  return (
    narrower.resources !== undefined &&
    setCovers(
      wider.resources,
      narrower.resources,
      (wide, narrow) => arnCovers(wide, narrow, budget),
      (wide, narrow) => arnsMeet(wide, narrow, budget),
    )
  );
}

/** Proves that every action that matches the narrower pattern matches the wider one. */
export function actionCovers(wide: ActionPattern, narrow: ActionPattern, budget: StepBudget): boolean {
  takeSteps(budget, 1);
  if (wide.everything) return true;
  if (narrow.everything) return false;
  return codesCover(wide.service, narrow.service, budget) && codesCover(wide.name, narrow.name, budget);
}

/** Proves that every ARN that matches the narrower pattern matches the wider one. */
export function arnCovers(wide: ArnPattern, narrow: ArnPattern, budget: StepBudget): boolean {
  takeSteps(budget, STEPS_OF_PAIR);
  if (wide.kind === 'everything') return true;
  if (narrow.kind === 'everything' || wide.segments.length < 6 || narrow.segments.length < 6)
    return JSON.stringify(wide) === JSON.stringify(narrow);
  return wide.segments.every((segment, i) => segmentCovers(segment, narrow.segments[i] ?? [], budget));
}

/** Proves that one segment covers another. A segment with variables covers only an equal segment. */
function segmentCovers(wide: readonly Piece[], narrow: readonly Piece[], budget: StepBudget): boolean {
  if (wide.length === 1 && wide[0]?.kind === 'many') return true;
  const codes = [wide, narrow].map((pieces) => plainGlob(pieces, budget));
  const [left, right] = codes;
  if (left === undefined || right === undefined) return JSON.stringify(wide) === JSON.stringify(narrow);
  return codesCover(left, right, budget);
}

/**
 * Proves that the principals of one statement include those of another.
 *
 * In an Allow, `*` includes only callers with an account, as in the engine (`granteeOf` in `trust.ts`). AWS says that
 * `*` specifies "all principals". So AWS's CheckNoNewAccess passes if an update replaces `*` with a service or an
 * identity provider. Belfry reports this update as new access.
 */
function principalsCover(wider: LoweredStatement, narrower: LoweredStatement, budget: StepBudget): boolean {
  const [wide, narrow] = [wider.principals, narrower.principals];
  if (wide === undefined || narrow === undefined || wide.not || narrow.not) return JSON.stringify(wide) === JSON.stringify(narrow);
  takeSteps(budget, wide.entries.length * narrow.entries.length * STEPS_OF_PAIR);
  if (wide.anyone && wider.effect === 'Deny') return true;
  if (narrow.anyone && !wide.anyone) return false;
  return narrow.entries.every(
    (entry) => (wide.anyone && entry.type === 'AWS') || wide.entries.some((other) => principalCovers(other, entry)),
  );
}

/** Proves that one principal includes another. An account includes its users, roles and sessions. */
function principalCovers(wide: PrincipalEntry, narrow: PrincipalEntry): boolean {
  if (wide.type !== narrow.type) return false;
  if (wide.value === narrow.value) return true;
  const accountId = accountOfPrincipal(wide.value);
  return wide.type === 'AWS' && accountId !== undefined && (narrow.value === accountId || parseArn(narrow.value)?.accountId === accountId);
}

/**
 * Proves that no request matches both statements, because their actions or resources do not overlap, or because their
 * conditions contradict each other.
 */
export function disjoint(left: LoweredStatement, right: LoweredStatement, budget: StepBudget): boolean {
  if (contradict(left.conditions, right.conditions, budget)) return true;
  if (!left.actions.not && !right.actions.not) {
    if (!left.actions.patterns.some((a) => right.actions.patterns.some((b) => actionsMeet(a, b, budget)))) return true;
  } else if (left.actions.not && !right.actions.not) {
    if (right.actions.patterns.every((b) => left.actions.patterns.some((a) => actionCovers(a, b, budget)))) return true;
  } else if (right.actions.not && !left.actions.not) {
    if (left.actions.patterns.every((a) => right.actions.patterns.some((b) => actionCovers(b, a, budget)))) return true;
  }
  const [ofLeft, ofRight] = [left.resources, right.resources];
  if (ofLeft === undefined || ofRight === undefined || ofLeft.not || ofRight.not) return false;
  return !ofLeft.patterns.some((a) => ofRight.patterns.some((b) => arnsMeet(a, b, budget)));
}

export function actionsMeet(a: ActionPattern, b: ActionPattern, budget: StepBudget): boolean {
  takeSteps(budget, 1);
  return a.everything || b.everything || (codesMeet(a.service, b.service, budget) && codesMeet(a.name, b.name, budget));
}

/** Reports whether some ARN may match both patterns. A result of false is a proof. */
export function arnsMeet(a: ArnPattern, b: ArnPattern, budget: StepBudget): boolean {
  takeSteps(budget, STEPS_OF_PAIR);
  if (a.kind === 'everything' || b.kind === 'everything') return true;
  return a.segments.every((segment, i) => {
    const other = b.segments[i];
    const [left, right] = [plainGlob(segment, budget), plainGlob(other ?? [], budget)];
    return other === undefined || left === undefined || right === undefined || codesMeet(left, right, budget);
  });
}
