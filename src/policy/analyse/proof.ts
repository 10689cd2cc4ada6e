/**
 * Proofs that hold for every request. They compare patterns and conditions without a search. False means only that there is no proof.
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
 * Proves that the existing policy allowed everything that a statement of the updated policy allows.
 *
 * An Allow of the existing policy without further conditions must cover each action and resource of the statement. The updated policy must
 * contain all denials of the existing policy that apply to the statement.
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
 * Returns tests that hold for every request that a statement allows. They are the complements of conditions of denials: a request that
 * fails one is denied.
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

/** Proves that no request is allowed by both statements, or that an unconditional Deny covers one of them. */
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
    // A request that matches both statements matches each of these parts, so a Deny of any part denies it.
    const { resources: where = part.resources } = asked;
    const of = where === undefined ? {} : { resources: where };
    const narrowed = [part, { ...part, actions: asked.actions }, { ...part, ...of }, { ...part, actions: asked.actions, ...of }];
    return disjoint(part, asked, budget) || denials.some((denial) => narrowed.some((one) => covers(denial, one, askedAs, budget)));
  });
}

/** Cost of comparing two statements or patterns without matching their patterns, in steps. */
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
 * Proves that every request that matches the narrower statement matches the wider one. Ignores their effects, except that a Deny for `*`
 * also applies to callers without credentials.
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

/** Proves that one set of patterns covers another. A negated set is wider if it excludes less. */
function setCovers<Pattern>(
  wider: PatternSet<Pattern>,
  narrower: PatternSet<Pattern>,
  patternCovers: (wide: Pattern, narrow: Pattern) => boolean,
  patternsMeet: (wide: Pattern, narrow: Pattern) => boolean,
): boolean {
  if (!wider.not && !narrower.not) return narrower.patterns.every((narrow) => wider.patterns.some((wide) => patternCovers(wide, narrow)));
  if (wider.not && narrower.not) return wider.patterns.every((wide) => narrower.patterns.some((narrow) => patternCovers(narrow, wide)));
  // `NotAction` and `NotResource` cover a pattern if they exclude nothing that it matches.
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

function actionCovers(wide: ActionPattern, narrow: ActionPattern, budget: StepBudget): boolean {
  takeSteps(budget, 1);
  if (wide.everything) return true;
  if (narrow.everything) return false;
  return codesCover(wide.service, narrow.service, budget) && codesCover(wide.name, narrow.name, budget);
}

function arnCovers(wide: ArnPattern, narrow: ArnPattern, budget: StepBudget): boolean {
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
 * In an Allow, `*` includes only callers with an account, as the engine decides (`granteeOf` in `trust.ts`). AWS says that `*` specifies
 * "all principals", so its CheckNoNewAccess passes if `*` becomes a service or an identity provider. Here that is new access.
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

/** Proves that a principal includes another: an account includes its users, roles and sessions. */
function principalCovers(wide: PrincipalEntry, narrow: PrincipalEntry): boolean {
  if (wide.type !== narrow.type) return false;
  if (wide.value === narrow.value) return true;
  const accountId = accountOfPrincipal(wide.value);
  return wide.type === 'AWS' && accountId !== undefined && (narrow.value === accountId || parseArn(narrow.value)?.accountId === accountId);
}

/** Proves that no request matches both statements: from the actions or the resources alone, or from contradicting conditions. */
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

function actionsMeet(a: ActionPattern, b: ActionPattern, budget: StepBudget): boolean {
  takeSteps(budget, 1);
  return a.everything || b.everything || (codesMeet(a.service, b.service, budget) && codesMeet(a.name, b.name, budget));
}

function arnsMeet(a: ArnPattern, b: ArnPattern, budget: StepBudget): boolean {
  takeSteps(budget, STEPS_OF_PAIR);
  if (a.kind === 'everything' || b.kind === 'everything') return true;
  return a.segments.every((segment, i) => {
    const other = b.segments[i];
    const [left, right] = [plainGlob(segment, budget), plainGlob(other ?? [], budget)];
    return other === undefined || left === undefined || right === undefined || codesMeet(left, right, budget);
  });
}
