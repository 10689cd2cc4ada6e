import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';
import { after, before, test } from 'node:test';
import { POLICY_TEXT_MAX, readPolicy } from './read.ts';

/**
 * That reading takes steps in proportion to the text, counted and not timed: the platform counts how often each block of the reader's
 * sources runs.
 */

const SOURCES = ['json-text.ts', 'read.ts', 'document.ts'];
const TIMES = 8;
const LONG = POLICY_TEXT_MAX - 64;
const SHORT = LONG / TIMES;

const session = new Session();

before(async () => {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
});
after(() => session.disconnect());

/** How often the busiest block of each of the reader's functions runs for a text, added up. */
async function stepsFor(text: string): Promise<number> {
  // Counts begin again whenever they are taken.
  await session.post('Profiler.takePreciseCoverage');
  readPolicy(text);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const own = result.filter(({ url }) => SOURCES.some((name) => url.endsWith(`/policy/${name}`)));
  assert.equal(own.length, SOURCES.length);
  const busiest = own.flatMap(({ functions }) => functions.map(({ ranges }) => Math.max(...ranges.map(({ count }) => count))));
  return busiest.reduce((sum, count) => sum + count, 0);
}

const repeated = (part: string, length: number): string => part.repeat(Math.ceil(length / part.length)).slice(0, length);
const listed = (part: string, length: number): string => Array.from({ length: Math.floor(length / (part.length + 1)) }, () => part).join();

// biome-ignore format: a table
const TEXTS: readonly [name: string, make: (length: number) => string][] = [
  ['one long string',                      (length) => `{"Statement":[],"Id":"${repeated('a', length)}"}`],
  ['a string of escapes',                  (length) => `{"Statement":[],"Id":"${repeated('\\n', length)}"}`],
  ['a string of characters by number',     (length) => `{"Statement":[],"Id":"${'\\u0041'.repeat(length / 6)}"}`],
  ['a string that is not closed',          (length) => `{"Id":"${repeated('a', length)}`],
  ['quotes without end',                   (length) => repeated('"', length)],
  ['blanks',                               (length) => `{"Statement":[]${repeated(' ', length)}}`],
  ['lines',                                (length) => `{"Statement":[]${repeated('\r\n', length)}}`],
  ['one long number',                      (length) => `{"Statement":[],"Id":${repeated('1', length)}}`],
  ['many actions',                         (length) => `{"Statement":{"Effect":"Allow","Resource":"*","Action":[${listed('"a:b"', length)}]}}`],
  ['many statements that are wrong',       (length) => `{"Statement":[${listed('{"x":1}', length)}]}`],
  ['one name again and again',             (length) => `{${listed('"a":1', length)}}`],
  ['one name again and again, on lines',   (length) => `{${listed('\n"a":1', length)}}`],
  ['lists in lists',                       (length) => `{"Statement":[${listed('[[[[]]]]', length)}]}`],
  ['brackets without end',                 (length) => repeated('[', length)],
  ['characters that no policy may hold',   (length) => `{"Statement":[],"Id":"${repeated('\u4e2d', length)}"}`],
];

for (const [name, make] of TEXTS) {
  test(`readPolicy: the steps are linear in the length: ${name}, and ${TIMES} times as much`, async () => {
    // Whatever is compiled or shaped once has been by then.
    await stepsFor(make(LONG));
    const [short, long] = [await stepsFor(make(SHORT)), await stepsFor(make(LONG))];
    // Twice that is for blocks that the platform counts apart at one time and together at another, and for places, which are sought
    // among the lines by halves. What grew with the square would take sixty-four times as many.
    assert.ok(long <= short * TIMES * 2, `${short} steps for ${SHORT} characters, ${long} for ${LONG}`);
    assert.ok(long <= 32 * LONG, `${long} steps for ${LONG} characters`);
  });
}

test('readPolicy: the test counts the steps', async () => {
  const steps = await stepsFor(`{"Statement":[],"Id":"${repeated('a', LONG)}"}`);
  assert.ok(steps > LONG, `${steps} steps for ${LONG} characters`);
});
