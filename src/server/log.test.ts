import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bugReports, logLine } from './log.ts';

const NOW = new Date('2026-03-01T12:00:00Z');

// biome-ignore format: a table
const LINES: readonly [title: string, line: string, expected: string][] = [
  ['time, level and text',           'sweep failed: disk I/O error',            'sweep failed: disk I/O error'],
  ['further lines are indented',     'failed: Error: x\n    at y\r\nbelfry: z', 'failed: Error: x\n    at y\n    belfry: z'],
  ['control characters are replaced', 'user \u001b[2J\u0000\t',                  'user ?[2J??'],
];
for (const [title, line, expected] of LINES) {
  test(`logLine: ${title}`, () => {
    assert.equal(logLine(line, 'error', NOW), `belfry: 2026-03-01T12:00:00.000Z error ${expected}`);
  });
}

test('bugReports: the stack of a bug is printed once an hour, even if the messages differ', () => {
  let now = 0;
  const describe = bugReports(() => now);
  const bugs = { one: (message: string) => new TypeError(message), other: (message: string) => new TypeError(message) };
  // biome-ignore format: a table
  for (const [bug, at, message, expected] of [
    ['one',   0,         'first',  /^TypeError: first\n {4}at /],
    ['one',   1,         'second', /^TypeError: second \(the stack is above\)$/],
    ['other', 2,         'first',  /^TypeError: first\n {4}at /],
    ['one',   3_600_000, 'third',  /^TypeError: third\n {4}at /],
  ] as const) {
    now = at;
    assert.match(describe(bugs[bug](message)), expected);
  }
  assert.equal(describe('text'), 'text');
});
