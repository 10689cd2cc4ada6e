import type { Branch, Pattern, PatternKey } from './compile.ts';
import { type OtherTest, testName, type ValueTest } from './value-tests.ts';

/**
 * Tables of a rule index.
 *
 * A *condition* is a path with tests: a value of the path must pass one of them. Equal conditions of several rules are
 * one condition. Each branch is *anchored* at one of its conditions, the one that probably the fewest events satisfy.
 */
export interface RuleTables {
  readonly rules: number;
  /** Number of conditions. */
  readonly conditions: number;
  readonly byPath: ReadonlyMap<string, TestsOfPath>;
  readonly branches: readonly Branch[];
  readonly ruleOfBranch: readonly number[];
  readonly conditionsOfBranch: readonly (readonly number[])[];
  /** Branches that are anchored at each condition. */
  readonly anchored: readonly (readonly number[])[];
  /** Whether a field of the branch also matches if it does not exist. Such fields have no condition. */
  readonly hasAbsent: readonly boolean[];
  /** Branches without a condition. */
  readonly unconditional: readonly number[];
}

/** Tests of one path, with the conditions that they satisfy. */
export interface TestsOfPath {
  readonly exact: Map<string, number[]>;
  readonly exists: number[];
  readonly others: OtherTests[];
  hasAddresses: boolean;
  /** Number of operands in `others`, and of those that are compared with each character. */
  operands: number;
  scans: number;
}

/** Test of another operator, with the conditions that it satisfies. */
export interface OtherTests {
  readonly test: OtherTest;
  readonly conditions: number[];
  /** Number of the last event that passed the test. */
  passedBy: number;
}

/** Weights of conditions in the choice of anchors: how much more often they are satisfied than an exact value. */
const OTHER_WEIGHT = 4;
const COMMON_WEIGHT = 1_000;

interface Builder {
  readonly byPath: Map<string, TestsOfPath>;
  /** Other tests, by path and name. */
  readonly others: Map<string, OtherTests>;
  /** Conditions, by path and names of the tests. */
  readonly conditions: Map<string, number>;
  readonly weights: number[];
  /** Number of branches that have each condition. */
  readonly uses: number[];
}

/** Builds the tables for the patterns of rules. */
export function ruleTables(patterns: readonly Pattern[]): RuleTables {
  const builder: Builder = { byPath: new Map(), others: new Map(), conditions: new Map(), weights: [], uses: [] };
  const branches = patterns.flatMap((pattern) => pattern.branches);
  const ruleOfBranch = patterns.flatMap((pattern, rule) => pattern.branches.map(() => rule));
  const conditionsOfBranch = branches.map((branch) => branch.filter(({ absent }) => !absent).map((key) => conditionOf(builder, key)));
  const anchored: number[][] = builder.uses.map(() => []);
  const unconditional: number[] = [];
  conditionsOfBranch.forEach((conditions, branch) => {
    const anchor = rarest(builder, conditions);
    if (anchor === undefined) unconditional.push(branch);
    else anchored[anchor]?.push(branch);
  });
  return {
    rules: patterns.length,
    conditions: builder.uses.length,
    byPath: builder.byPath,
    branches,
    ruleOfBranch,
    conditionsOfBranch,
    anchored,
    hasAbsent: branches.map((branch) => branch.some(({ absent }) => absent)),
    unconditional,
  };
}

function rarest({ weights, uses }: Builder, conditions: readonly number[]): number | undefined {
  const frequency = (condition: number): number => (weights[condition] as number) * (uses[condition] as number);
  let best = conditions[0];
  for (const condition of conditions) if (best === undefined || frequency(condition) < frequency(best)) best = condition;
  return best;
}

function conditionOf(builder: Builder, { path, tests }: PatternKey): number {
  const names = [...new Set(tests.map(testName))].sort();
  const name = JSON.stringify([path, ...names]);
  const existing = builder.conditions.get(name);
  if (existing !== undefined) {
    builder.uses[existing] = (builder.uses[existing] as number) + 1;
    return existing;
  }
  const condition = builder.uses.push(1) - 1;
  builder.conditions.set(name, condition);
  builder.weights.push(Math.max(...tests.map(weightOf)));
  const ofPath = testsOf(builder, path);
  for (const test of tests) addTest(builder, ofPath, path, test, condition);
  return condition;
}

function weightOf(test: ValueTest): number {
  if (test.kind === 'exact') return 1;
  return test.kind === 'exists' || test.common === true ? COMMON_WEIGHT : OTHER_WEIGHT;
}

function testsOf({ byPath }: Builder, path: string): TestsOfPath {
  const existing = byPath.get(path);
  if (existing !== undefined) return existing;
  const added: TestsOfPath = { exact: new Map(), exists: [], others: [], hasAddresses: false, operands: 0, scans: 0 };
  byPath.set(path, added);
  return added;
}

function addTest(builder: Builder, ofPath: TestsOfPath, path: string, test: ValueTest, condition: number): void {
  if (test.kind === 'exists') {
    ofPath.exists.push(condition);
  } else if (test.kind === 'exact') {
    const list = ofPath.exact.get(test.key);
    if (list === undefined) ofPath.exact.set(test.key, [condition]);
    else list.push(condition);
    if (test.key.startsWith('@')) ofPath.hasAddresses = true;
  } else {
    const name = JSON.stringify([path, test.name]);
    const existing = builder.others.get(name);
    if (existing !== undefined) {
      existing.conditions.push(condition);
      return;
    }
    const added = { test, conditions: [condition], passedBy: 0 };
    builder.others.set(name, added);
    ofPath.others.push(added);
    ofPath.operands += test.operands;
    if (test.scans) ofPath.scans += test.operands;
  }
}
