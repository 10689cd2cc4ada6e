import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StateValue } from '#model/generated/cloudwatch.ts';
import { type AlarmPoint, type EvaluationRules, evaluate, type MissingData } from './evaluation.ts';
import { obviousState } from './obvious-state.ts';

const MISSING_DATA: readonly MissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching'];

/** Points from a string with one character for each period, the oldest first: `0` is good, `X` is breaching, `-` is missing. */
function rangeOf(text: string): readonly (AlarmPoint | undefined)[] {
  return [...text].map((character, i) =>
    character === '-' ? undefined : { at: i * 60_000, value: character === 'X' ? 1 : 0, sampleCount: 1 },
  );
}

const rules = (evaluationPeriods: number, datapointsToAlarm: number, missingData: MissingData): EvaluationRules => ({
  breaches: (value) => value > 0,
  evaluationPeriods,
  datapointsToAlarm,
  missingData,
});

const NONE = 'INSUFFICIENT_DATA';

/** N = 3. Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data", and "Avoiding premature transitions". */
// biome-ignore format: a table
const CASES: readonly [points: string, m: number, missing: StateValue | 'keep', ignore: StateValue | 'keep', breaching: StateValue, notBreaching: StateValue][] = [
  // points  M  missing  ignore   breaching  notBreaching
  ['0-X-X',  3, 'OK',    'OK',    'OK',      'OK'   ],
  ['0----',  3, 'OK',    'OK',    'OK',      'OK'   ],
  ['-----',  3, NONE,    'keep',  'ALARM',   'OK'   ],
  ['0XX-X',  3, 'ALARM', 'ALARM', 'ALARM',   'ALARM'],
  ['--X--',  3, 'ALARM', 'keep',  'ALARM',   'OK'   ],
  ['0-X-X',  2, 'ALARM', 'ALARM', 'ALARM',   'ALARM'],
  ['00X0X',  2, 'ALARM', 'ALARM', 'ALARM',   'ALARM'],
  ['0-X--',  2, 'OK',    'OK',    'ALARM',   'OK'   ],
  ['----0',  2, 'OK',    'OK',    'ALARM',   'OK'   ],
  ['---X-',  2, 'ALARM', 'keep',  'ALARM',   'OK'   ],
  ['----X',  3, 'keep',  'keep',  'ALARM',   'OK'   ],
  ['---X-',  3, 'keep',  'keep',  'ALARM',   'OK'   ],
];

for (const [points, m, ...expected] of CASES) {
  for (const [i, missingData] of MISSING_DATA.entries()) {
    test(`Evaluation: '${points}' with M = ${m} and ${missingData} is ${expected[i]}`, () => {
      assert.equal(evaluate(rangeOf(points), rules(3, m, missingData)).state ?? 'keep', expected[i]);
    });
  }
}

test('Evaluation: with N points in the range, the treatment of missing data has no effect', () => {
  for (const points of ['XX--X', '0-0X-', 'X-0-X']) {
    const states = MISSING_DATA.map((missingData) => evaluate(rangeOf(points), rules(3, 2, missingData)).state);
    assert.equal(new Set(states).size, 1, points);
  }
});

test('Evaluation: the points that support the state are the newest first', () => {
  const { crossed, evaluated, filled } = evaluate(rangeOf('X0X--'), rules(4, 3, 'breaching'));
  assert.deepEqual([crossed.map(({ at }) => at / 60_000), evaluated.map(({ at }) => at / 60_000), filled], [[2, 0], [2, 1, 0], 1]);
});

/** Returns all strings of `length` characters of `0X-`. */
function allRanges(length: number): readonly string[] {
  return length === 0 ? [''] : allRanges(length - 1).flatMap((text) => ['0', 'X', '-'].map((character) => text + character));
}

test('Evaluation: all ranges for N up to 4 have the state of an implementation on strings', () => {
  const states = new Set<string>();
  for (let n = 1; n <= 4; n++) {
    for (const text of allRanges(n + 2)) {
      for (let m = 1; m <= n; m++) {
        for (const missingData of MISSING_DATA) {
          const { state } = evaluate(rangeOf(text), rules(n, m, missingData));
          assert.equal(state, obviousState(text, n, m, missingData), `${text} N=${n} M=${m} ${missingData}`);
          states.add(`${state}`);
        }
      }
    }
  }
  assert.deepEqual([...states].sort(), ['ALARM', 'INSUFFICIENT_DATA', 'OK', 'undefined']);
});
