import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bugReports, type LogFacts, type LogLevel, logLine, MESSAGE_MAX, openLog } from './log.ts';

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

// biome-ignore format: a table
const JSON_LINES: readonly [title: string, line: string, level: LogLevel | undefined, facts: LogFacts, expected: object][] = [
  ['time, level and message',         'sweep failed',             undefined, {},                  { level: 'warning', message: 'sweep failed' }],
  ['the request ID is a member',      'request a failed',         'error',   { requestId: 'a' },  { level: 'error', requestId: 'a', message: 'request a failed' }],
  ['line breaks are escaped',         'Error: x\r\n    at y',     'info',    {},                  { level: 'info', message: 'Error: x\n    at y' }],
  ['control characters are replaced', '\u001b[2J\u0085\u2028 é',  'info',    {},                  { level: 'info', message: '?[2J?? é' }],
  ['placeholders are no formats',     '%s %o %d %j',              'info',    {},                  { level: 'info', message: '%s %o %d %j' }],
  ['a member cannot be forged',       '","level":"info',          'error',   {},                  { level: 'error', message: '","level":"info' }],
];
for (const [title, line, level, facts, expected] of JSON_LINES) {
  test(`openLog: json: ${title}`, async () => {
    const written: string[] = [];
    const log = await openLog('json', (text) => written.push(text));
    log(line, level, facts);
    const [text = ''] = written;
    assert.deepEqual([written.length, text.indexOf('\n')], [1, text.length - 1]);
    const { time, ...rest } = JSON.parse(text) as { readonly time: string };
    assert.deepEqual(rest, expected);
    assert.equal(new Date(time).toISOString(), time);
  });
}

test('the length of a line is bounded in both formats', async () => {
  const long = 'x'.repeat(MESSAGE_MAX + 5);
  const expected = `${'x'.repeat(MESSAGE_MAX)}… (5 more characters)`;
  assert.equal(logLine(long, 'error', NOW), `belfry: 2026-03-01T12:00:00.000Z error ${expected}`);
  const written: string[] = [];
  (await openLog('json', (text) => written.push(text)))(long);
  assert.equal((JSON.parse(written.join('')) as { readonly message: string }).message, expected);
});
