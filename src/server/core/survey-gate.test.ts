import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newSurveyGate } from './survey-gate.ts';

const LIMITS = { running: 3, runningOfAccount: 2, waiting: 6, waitingOfAccount: 4 };

/** Opens a gate whose surveys end when the test ends them. */
function open() {
  const gate = newSurveyGate(LIMITS);
  const started: string[] = [];
  const ends = new Map<string, { readonly end: () => void; readonly fail: (error: Error) => void }>();
  return {
    started,
    survey(accountId: string, name: string): Promise<string> {
      return gate(accountId, () => {
        started.push(name);
        return new Promise((resolve, reject) => ends.set(name, { end: () => resolve(name), fail: reject }));
      });
    },
    end: (name: string) => ends.get(name)?.end(),
    fail: (name: string, error: Error) => ends.get(name)?.fail(error),
  };
}

test('newSurveyGate: an account has some of the slots, and accounts take turns', async () => {
  const { survey, started, end } = open();
  const running = ['a1', 'a2', 'a3', 'a4', 'a5'].map((name) => survey('a', name));
  running.push(survey('b', 'b1'), survey('b', 'b2'), survey('c', 'c1'));
  await Promise.resolve();
  assert.deepEqual(started, ['a1', 'a2', 'b1'], 'a has two of the three slots');
  // biome-ignore format: a table
  for (const [ended, next] of [['a1', 'a3'], ['a2', 'b2'], ['a3', 'c1'], ['b1', 'a4'], ['b2', 'a5']] as const) {
    end(ended);
    assert.equal(await running[['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2', 'c1'].indexOf(ended)], ended);
    await Promise.resolve();
    assert.equal(started.at(-1), next);
  }
  for (const name of started) end(name);
  assert.equal((await Promise.all(running)).length, 8);
});

test('newSurveyGate: too many waiting surveys of an account, or of all accounts, are Throttling', async () => {
  const { survey, started, end } = open();
  const running = Array.from({ length: 6 }, (_, i) => survey('a', `a${i}`));
  await assert.rejects(survey('a', 'more'), { code: 'Throttling' });
  running.push(...Array.from({ length: 3 }, (_, i) => survey('b', `b${i}`)));
  await assert.rejects(survey('c', 'more'), { code: 'Throttling' });
  const all = Promise.all(running);
  for (const name of started) end(name);
  for (let i = 0; i < 100 && started.length < 9; i++) {
    await Promise.resolve();
    for (const name of started) end(name);
  }
  assert.equal((await all).length, 9);
  assert.ok(!started.includes('more'));
});

test('newSurveyGate: a survey that fails releases its slot', async () => {
  const { survey, fail, end } = open();
  const failing = survey('a', 'a1');
  await Promise.resolve();
  fail('a1', new Error('broken'));
  await assert.rejects(failing, { message: 'broken' });
  for (const name of ['a2', 'a3']) {
    const next = survey('a', name);
    await Promise.resolve();
    end(name);
    assert.equal(await next, name);
  }
});
