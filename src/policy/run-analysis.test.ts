import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { ANALYSIS_STEPS_MAX, type Analysis, RESULT_ITEMS_MAX, type SimulationAnalysis } from './analysis.ts';
import { DECISION_CHARACTERS } from './decision-steps.ts';
import { runAnalysis } from './run-analysis.ts';
import { SIMULATED_TEXT_MAX } from './simulate.ts';
import { StepsExceeded } from './steps.ts';

const reference = authorizationReference();
const run = <Kind extends Analysis['kind']>(analysis: Extract<Analysis, { readonly kind: Kind }>, stepsLeft = ANALYSIS_STEPS_MAX) =>
  runAnalysis<Kind>(analysis, reference, { stepsLeft }, true);

/** Returns a policy of about `length` characters: one condition with many values. */
function policyOf(length: number, value: string): string {
  const values = Array.from({ length: Math.floor((length - 150) / (value.length + 3)) }, () => value);
  const Condition = { StringLike: { 'aws:UserAgent': values } };
  return JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*', Condition } });
}

function simulation(texts: readonly string[], more: Partial<SimulationAnalysis> = {}): SimulationAnalysis {
  return {
    kind: 'simulation',
    identity: texts.map((text, i) => ({ policyId: `PolicyInputList.${i + 1}`, text })),
    boundary: [],
    context: [['aws:useragent', 'a'.repeat(SIMULATED_TEXT_MAX)]],
    actions: ['s3:GetObject'],
    resources: ['*'],
    from: 0,
    count: 1,
    ...more,
  };
}

/** Patterns in which each character must be compared with the whole value. */
const SLOW = [`*${'a'.repeat(490)}?b*`, `*${'a?'.repeat(240)}b*`, '*a?a?b*'];

for (const value of SLOW) {
  test(`runAnalysis: policies that fill all quotas with ${value.slice(0, 8)}… do not exceed the budget`, () => {
    const texts = Array.from({ length: Math.ceil(DECISION_CHARACTERS / 120_000) }, () => policyOf(120_000, value));
    const outcome = run<'simulation'>(simulation(texts));
    assert.ok('results' in outcome);
    assert.equal(outcome.results[0]?.EvalDecision, 'implicitDeny');
  });
}

test('runAnalysis: a simulation above the budget returns its first results, or throws if it has none', () => {
  const actions = Array.from({ length: 100 }, (_, i) => `s3:Get${i}`);
  const analysis = simulation([policyOf(5_000, SLOW[0] as string)], { actions, count: actions.length });
  const outcome = run<'simulation'>(analysis, 2_000_000);
  assert.ok('results' in outcome && outcome.results.length > 0 && outcome.results.length < actions.length);
  assert.throws(() => run(analysis, 200_000), StepsExceeded);
});

test('runAnalysis: a simulation returns fewer results if the results list many statements or long names', () => {
  const actions = Array.from({ length: 10 }, (_, i) => `s3:Get${i}`);
  const statement = { Effect: 'Allow', Action: '*', Resource: '*' };
  const many = JSON.stringify({ Version: '2012-10-17', Statement: Array.from({ length: RESULT_ITEMS_MAX / 4 }, () => statement) });
  const outcome = run<'simulation'>(simulation([many], { actions, count: actions.length }));
  assert.equal('results' in outcome && outcome.results.length, 3);
  const long = { ...statement, Condition: { StringLike: { [`a:${'k'.repeat(100_000)}`]: 'x' } } };
  const named = simulation([JSON.stringify({ Version: '2012-10-17', Statement: long })], { actions, count: actions.length });
  const short = run<'simulation'>(named);
  assert.equal('results' in short && short.results.length, 2);
});

test('runAnalysis: findings with very long names exceed the budget', () => {
  const Condition = { NumericEquals: { [`a:${'k'.repeat(60_000)}`]: Array.from({ length: 1_000 }, () => 'x') } };
  const text = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*', Condition } });
  assert.throws(() => run({ kind: 'validation', text, policyType: 'identity', from: 0, to: 1_000 }), StepsExceeded);
});
