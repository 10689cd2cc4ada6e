import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkedStep, STEP_LINES } from './chunked-step.ts';

const ONE = '1\r\nx\r\n';
const LARGE = `10000\r\n${'x'.repeat(65_536)}\r\n`;

// biome-ignore format: a table
const STEPS: readonly [what: string, bytes: string, from: number, length: number, lines: number][] = [
  // what                                       bytes                         from  length                  lines
  ['no line end',                               'x'.repeat(65_536),            0,    65_536,                 0],
  ['half a line end',                           '\r',                          0,    1,                      0],
  ['a chunk of 64 KiB',                         LARGE,                         0,    LARGE.length,           2],
  ['the rest of a chunk',                       LARGE,                         9,    LARGE.length - 9,       1],
  ['as many chunks of one byte as a step has',  ONE.repeat(STEP_LINES / 2),    0,    3 * STEP_LINES,         STEP_LINES],
  ['more chunks of one byte',                   ONE.repeat(9_000),             0,    3 * STEP_LINES,         STEP_LINES],
  ['more chunks of one byte, from within one',  ONE.repeat(9_000),             4,    3 * STEP_LINES - 1,       STEP_LINES],
  ['a large chunk before small ones',           LARGE + ONE.repeat(9_000),     0,    LARGE.length + 3 * (STEP_LINES - 2), STEP_LINES],
  ['line feeds alone, which end no line',       '\n'.repeat(1_000),            0,    1_000,                  0],
];
for (const [what, bytes, from, length, lines] of STEPS) {
  test(`chunkedStep: ${what}`, () => {
    assert.deepEqual(chunkedStep(Buffer.from(bytes, 'latin1'), from), { length, lines });
  });
}
