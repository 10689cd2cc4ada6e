/**
 * Proofs that hold for every request. They compare patterns and conditions without a search. False means only that there is no proof.
 */
import type { CompiledPolicy } from '../compiled-policy.ts';
import { type Glob, MANY, newGlob, ONE } from '../glob.ts';
import { matchesText } from '../glob-match.ts';
import type { ActionPattern, ArnPattern, ConditionTest, LoweredStatement } from '../lowered.ts';
import type { Piece } from '../pattern.ts';
import { type StepBudget, takeSteps } from '../steps.ts';
import type { AskedAs } from './search.ts';

/**
 * Proves that the existing policy allowed everything that a statement of the updated policy allows.
 *
 * An Allow of the existing policy without further conditions must cover each action and resource of the statement, and the updated policy
 * must contain all denials of the existing policy that apply to it.
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
  // An identity policy with principals allows nothing.
  const allowed = before.filter(({ effect, principals }) => effect === 'Allow' && (askedAs === 'resource' || principals === undefined));
  takeSteps(budget, partsOf(statement) * STEPS_OF_PAIR);
  return parts(statement).every((part) => allowed.some((other) => covers(other, part, askedAs, budget)));
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

/** Steps of comparing two statements or patterns, without matching their patterns. */
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

/** Proves that every request that matches the narrower statement matches the wider one. Ignores their effects. */
export function covers(wider: LoweredStatement, narrower: LoweredStatement, askedAs: AskedAs, budget: StepBudget): boolean {
  takeSteps(budget, STEPS_OF_PAIR);
  return (
    setCovers(wider.actions, narrower.actions, (wide, narrow) => actionCovers(wide, narrow, budget)) &&
    resourcesCover(wider, narrower, budget) &&
    (askedAs === 'identity' || principalsCover(wider, narrower, budget)) &&
    wider.conditions.every((test) => narrower.conditions.some((other) => sameTest(test, other, budget)))
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
): boolean {
  if (!wider.not && !narrower.not) return narrower.patterns.every((narrow) => wider.patterns.some((wide) => patternCovers(wide, narrow)));
  if (wider.not && narrower.not) return wider.patterns.every((wide) => narrower.patterns.some((narrow) => patternCovers(narrow, wide)));
  return false;
}

function resourcesCover(wider: LoweredStatement, narrower: LoweredStatement, budget: StepBudget): boolean {
  if (wider.resources === undefined) return narrower.resources === undefined;
  if (!wider.resources.not && wider.resources.patterns.some(({ kind }) => kind === 'everything')) return true;
  return (
    narrower.resources !== undefined && setCovers(wider.resources, narrower.resources, (wide, narrow) => arnCovers(wide, narrow, budget))
  );
}

function actionCovers(wide: ActionPattern, narrow: ActionPattern, budget: StepBudget): boolean {
  takeSteps(budget, 1);
  if (wide.everything) return true;
  if (narrow.everything) return false;
  return codesCover(wide.service, narrow.service, budget) && codesCover(wide.name, narrow.name, budget);
}

/** Proves that one pattern covers another. Wildcards of the narrower pattern are treated as characters that only wildcards match. */
function codesCover(wider: Glob, { codes: narrow }: Glob, budget: StepBudget): boolean {
  const { codes: wide } = wider;
  takeSteps(budget, 4 + 8 * narrow.length);
  // A `?` of the wider pattern would match a `*` of the narrower one as one character, although it matches any number.
  if (wide.includes(ONE) && narrow.includes(MANY)) return same(wide, narrow);
  const text = String.fromCharCode(...[...narrow].slice(0, 4000).map((code) => (code === MANY ? 0xfffe : code === ONE ? 0xffff : code)));
  return narrow.length <= 4000 && matchesText(wider, text, 0, text.length, budget);
}

function same(left: Int32Array, right: Int32Array): boolean {
  return left.length === right.length && left.every((code, i) => code === right[i]);
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

function plainGlob(pieces: readonly Piece[], budget: StepBudget): Glob | undefined {
  if (pieces.some(({ kind }) => kind === 'variable')) return undefined;
  takeSteps(budget, pieces.reduce((sum, piece) => sum + (piece.kind === 'text' ? piece.text.length : 1), 4) * STEPS_OF_CODE);
  return newGlob(pieces);
}

function principalsCover(wider: LoweredStatement, narrower: LoweredStatement, budget: StepBudget): boolean {
  const [wide, narrow] = [wider.principals, narrower.principals];
  if (wide === undefined || narrow === undefined || wide.not || narrow.not) return JSON.stringify(wide) === JSON.stringify(narrow);
  takeSteps(budget, wide.entries.length * narrow.entries.length);
  return (
    narrow.entries.every(({ type, value }) => wide.entries.some((entry) => entry.type === type && entry.value === value)) &&
    (wide.anyone || !narrow.anyone)
  );
}

/** Steps of one character or wildcard of a pattern. */
const STEPS_OF_CODE = 4;

/** Returns the number of characters and wildcards in all values of a test. */
function textsOf({ values }: ConditionTest): number {
  return values.flat().reduce((sum, piece) => sum + 16 + (piece.kind === 'text' ? piece.text.length : 16), 0);
}

/** Proves that one condition test covers another, in any order of values. More values of a positive operator match more. */
function sameTest(wide: ConditionTest, narrow: ConditionTest, budget: StepBudget): boolean {
  takeSteps(budget, STEPS_OF_PAIR);
  if (
    wide.operator.name !== narrow.operator.name ||
    wide.quantifier !== narrow.quantifier ||
    wide.ifExists !== narrow.ifExists ||
    wide.key !== narrow.key
  )
    return false;
  takeSteps(budget, (textsOf(wide) + textsOf(narrow)) * STEPS_OF_CODE);
  const ofWide = new Set(wide.values.map((pieces) => JSON.stringify(pieces)));
  const ofNarrow = new Set(narrow.values.map((pieces) => JSON.stringify(pieces)));
  const [fewer, more] = wide.operator.negated ? [ofWide, ofNarrow] : [ofNarrow, ofWide];
  // `Null` with both values and comparisons by order are proven only if they are equal.
  if (wide.operator.family === 'null' && ofWide.size !== ofNarrow.size) return false;
  return [...fewer].every((value) => more.has(value));
}

/** Proves from the actions or the resources alone that no request matches both statements. */
export function disjoint(left: LoweredStatement, right: LoweredStatement, budget: StepBudget): boolean {
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

/**
 * Reports whether a string matches both patterns. The work is the product of their lengths. Returns true for patterns of more than 2,000
 * codes.
 */
function codesMeet({ codes: left }: Glob, { codes: right }: Glob, budget: StepBudget): boolean {
  if (left.length * right.length > 4_000_000) return true;
  takeSteps(budget, 4 + 2 * (left.length + 1) * (right.length + 1));
  let row = new Uint8Array(right.length + 1);
  row[0] = 1;
  for (let j = 1; j <= right.length && right[j - 1] === MANY; j++) row[j] = 1;
  for (const a of left) {
    const next = new Uint8Array(right.length + 1);
    next[0] = a === MANY ? (row[0] as number) : 0;
    for (let j = 1; j <= right.length; j++) {
      const b = right[j - 1];
      if (a === MANY || b === MANY) next[j] = (row[j] as number) | (next[j - 1] as number);
      else next[j] = a === b || a === ONE || b === ONE ? (row[j - 1] as number) : 0;
    }
    row = next;
  }
  return row[right.length] === 1;
}
