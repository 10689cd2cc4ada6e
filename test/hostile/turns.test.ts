import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MINUTE_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { MetricDataQuery } from '#model/generated/cloudwatch.ts';
import { evaluateQueries } from '#services/cloudwatch/queries.ts';
import type { PointRecord } from '#services/cloudwatch/tables/metrics.ts';
import { ACCOUNT } from '#services/kit/fixture.ts';
import type { InTurns } from '#services/kit/turns.ts';
import { parsePattern } from '#services/logs/filter-pattern/parse.ts';
import { isLong, type ParsedFilter, samplesOf } from '#services/logs/metric-values.ts';
import { CORE_STEPS_MAX, countSteps } from './steps.ts';

/** Checks that each turn of a long computation takes at most `CORE_STEPS_MAX` steps of the core's thread. */

let steps: Awaited<ReturnType<typeof countSteps>>;

before(async () => {
  steps = await countSteps();
});
after(() => steps.stop());

/** Runs a computation. Returns the number of its turns, and the steps of the longest one. */
async function turnsOf(work: InTurns<unknown>): Promise<{ readonly turns: number; readonly longest: number }> {
  let turns = 0;
  let longest = 0;
  for (let done = false; !done; turns++) {
    let failure: unknown;
    const taken = await steps.of(async () => {
      try {
        done = work.next().done === true;
      } catch (error) {
        failure = error;
      }
    });
    longest = Math.max(longest, taken);
    if (failure !== undefined) throw failure;
  }
  return { turns, longest };
}

function filterOf(pattern: string, i: number): ParsedFilter {
  const parsed = parsePattern(pattern);
  assert.ok('pattern' in parsed, JSON.stringify(parsed));
  const transformations = [{ metricName: `m${i}`, metricNamespace: 'App', metricValue: '1' }];
  return { parsed: parsed.pattern, name: `f${i}`, transformations } as unknown as ParsedFilter;
}

const repeated = (count: number, of: string, separator: string): string => Array.from({ length: count }, () => of).join(separator);

// biome-ignore format: a table
const BATCHES: readonly (readonly [title: string, filters: number, pattern: string, messages: readonly string[]])[] = [
  ['a message of 1 MiB and many terms',       25,  repeated(100, '-aaaaaaab', ' '),                     ['a'.repeat(1_048_550)]],
  ['10,000 messages and many terms',          12,  repeated(60, '-aab', ' '),                           Array.from({ length: 10_000 }, () => 'a'.repeat(70))],
  ['10,000 messages and many conditions',     6,   `{${repeated(50, '$.a = 1', ' || ')}}`,              Array.from({ length: 10_000 }, () => '{"a":2}')],
  ['a large array and three wildcards',       10,  `{${repeated(3, '$.* = "*b*"', ' || ')}}`,           [JSON.stringify(Array.from({ length: 500_000 }, () => 1))]],
  ['many fields',                             10,  '[..., a = 1 || a = 2]',                             ['a '.repeat(524_000)]],
];

for (const [title, count, pattern, messages] of BATCHES) {
  test(`Metric filters: ${title} run in turns`, async () => {
    const filters = Array.from({ length: count }, (_, i) => filterOf(pattern, i));
    const events = messages.map((message) => ({ timestamp: instant(0), message }));
    assert.ok(isLong(filters, events));
    const { turns, longest } = await turnsOf(samplesOf(filters, events));
    assert.ok(turns > 2 && longest <= CORE_STEPS_MAX, `${turns} turns, the longest with ${longest} steps`);
  });
}

const START = 1_795_305_600_000;
/** Ten metrics with a point in each minute: almost the number of points that a request may read. */
const METRICS = Array.from({ length: 10 }, (_, i) => queryOf(`m${i}`));
const MINUTES = 14_000;

function queryOf(Id: string): MetricDataQuery {
  return { Id, MetricStat: { Metric: { Namespace: 'A', MetricName: 'm' }, Period: 60, Stat: 'Average' }, ReturnData: false };
}

/** Returns points in each minute. The points of metrics whose time is odd are absent, so that series differ. */
async function pointsIn(metricId: string, from: number, to: number, limit: number): Promise<readonly PointRecord[]> {
  const points: PointRecord[] = [];
  for (let at = from; at < to && points.length < limit; at += MINUTE_MS)
    points.push({ metricId, startAt: instant(at), period: 60, unit: 'None', summary: '[1,5]' });
  return points;
}

// biome-ignore format: a table
const EXPRESSIONS: readonly (readonly [expression: string, count: number])[] = [
  ['SUM(METRICS())',                                   20],
  ['STDDEV(METRICS() * m1 + m2)',                      20],
  ['SORT(METRICS(), STDDEV, ASC)',                     20],
  ['FILL(METRICS(), REPEAT)',                          20],
  ['RATE(METRICS())',                                  20],
  ['[m1, m2, 1, 2, 3, 4]',                             20],
  ['FILL(m1, 0) + FILL(m2, 1) + FILL(m3, LINEAR)',     100],
];

for (const [expression, count] of EXPRESSIONS) {
  test(`Metric math: ${count} queries of ${expression} run in turns`, async () => {
    let all = { turns: 0, longest: 0 };
    const reads = {
      ...{ accountId: ACCOUNT, region: 'us-east-1', now: instant(START), readRange: pointsIn, listMetrics: async () => [] },
      budget: { points: 150_000 },
      async run<T>(work: InTurns<T>): Promise<T> {
        let result: T | undefined;
        all = await turnsOf(
          (function* () {
            result = yield* work;
          })(),
        );
        return result as T;
      },
    };
    const queries = [...METRICS, ...Array.from({ length: count }, (_, i) => ({ Id: `e${i}`, Expression: expression }))];
    const outcome = await evaluateQueries(reads, queries, instant(START - MINUTES * MINUTE_MS), instant(START)).then(
      () => 'evaluated',
      (error: Error) => error.message,
    );
    assert.ok(all.longest <= CORE_STEPS_MAX, `the longest turn has ${all.longest} steps`);
    assert.ok(all.turns > 5 || outcome.endsWith('too many data points.'), `${all.turns} turns: ${outcome}`);
  });
}
