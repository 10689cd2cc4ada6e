import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';
import { after, before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { POLICY_TEXT_MAX, readPolicy } from './read.ts';

/**
 * Checks that parsing takes steps in proportion to the length of the text. The steps are counted, not timed: V8 counts how often each block
 * of the parser's sources runs.
 */

const SOURCES = ['read-json.ts', 'json-scalars.ts', 'read.ts', 'document.ts'];
const TIMES = 8;
const LONG = POLICY_TEXT_MAX - 64;
const SHORT = LONG / TIMES;

const session = new Session();

before(async () => {
  // V8 does not count the calls of inlined functions.
  setFlagsFromString('--no-opt');
  setFlagsFromString('--no-maglev');
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
});
after(() => session.disconnect());

/** Returns how often the busiest block of each parser function ran, summed over all functions. */
async function stepsFor(text: string): Promise<number> {
  // Taking the coverage resets the counts.
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
  ['many invalid statements',              (length) => `{"Statement":[${listed('{"x":1}', length)}]}`],
  ['one repeated name',                    (length) => `{${listed('"a":1', length)}}`],
  ['one repeated name, on several lines',  (length) => `{${listed('\n"a":1', length)}}`],
  ['lists in lists',                       (length) => `{"Statement":[${listed('[[[[]]]]', length)}]}`],
  ['brackets without end',                 (length) => repeated('[', length)],
  ['characters that a policy cannot contain', (length) => `{"Statement":[],"Id":"${repeated('\u4e2d', length)}"}`],
];

for (const [name, make] of TEXTS) {
  test(`readPolicy: takes a linear number of steps for ${name}`, async () => {
    // The first run is not counted, because it includes work that V8 does only once.
    await stepsFor(make(LONG));
    const [short, long] = [await stepsFor(make(SHORT)), await stepsFor(make(LONG))];
    // The factor 2 is a margin. V8 may count two blocks separately or as one, and the binary search for a line number
    // takes logarithmic time. Quadratic work would take 64 times as many steps.
    assert.ok(long <= short * TIMES * 2, `${short} steps for ${SHORT} characters, ${long} for ${LONG}`);
    assert.ok(long <= 32 * LONG, `${long} steps for ${LONG} characters`);
  });
}

test('stepsFor: counts more than one step for each character', async () => {
  const steps = await stepsFor(`{"Statement":[],"Id":"${repeated('a', LONG)}"}`);
  assert.ok(steps > LONG, `${steps} steps for ${LONG} characters`);
});
