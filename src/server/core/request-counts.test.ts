import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import type { CalledOperation, RoutingRefusal } from '#wire/routed.ts';
import { bucketOf } from './durations.ts';
import { newRequestCounts, REQUEST_BOUNDS_MS, STATUS_CLASSES } from './request-counts.ts';

const BUCKETS = REQUEST_BOUNDS_MS.length + 1;

function called(service: ServiceName, name: string): CalledOperation {
  const model = loadModel(service);
  return {
    kind: 'routed',
    service,
    model,
    operation: model.operations[name],
    protocol: model.protocols[0],
    profile: 'sdk',
  } as CalledOperation;
}

// biome-ignore format: a table
const PLACES: readonly [title: string, status: number, milliseconds: number, statusClass: number, bucket: number][] = [
  // title                       status  milliseconds  class  bucket
  ['a success',                  200,    0,            0,     0],
  ['an upgrade is a success',    101,    1,            0,     0],
  ['a bound is in its bucket',   204,    2,            0,     0],
  ['above a bound',              200,    3,            0,     1],
  ['a redirection',              304,    10,           1,     2],
  ['a client error',             403,    60,           2,     5],
  ['a server error',             503,    10_001,       3,     12],
  ['a clock that went back',     200,    -5,           0,     0],
];
for (const [title, status, milliseconds, statusClass, bucket] of PLACES) {
  test(`newRequestCounts: ${title} counts in its class and bucket`, () => {
    const requests = newRequestCounts();
    requests.count(called('iam', 'GetUser'), status, milliseconds);
    const [{ counts, sumMs, ...names } = assert.fail(), ...others] = requests.figures();
    assert.deepEqual([names, others, sumMs], [{ service: 'iam', operation: 'GetUser' }, [], Math.max(0, milliseconds)]);
    assert.deepEqual(
      [...counts.entries()].filter(([, count]) => count > 0),
      [[statusClass * BUCKETS + bucket, 1]],
    );
    assert.equal(counts.length, STATUS_CLASSES.length * BUCKETS);
  });
}

test('newRequestCounts: every operation of every model has counts of its own, also after the array has grown', () => {
  const requests = newRequestCounts();
  const all = SERVICE_NAMES.flatMap((service) => Object.keys(loadModel(service).operations).map((name) => [service, name] as const));
  assert.ok(all.length > 800);
  for (const turns of [1, 2]) {
    for (const [i, [service, name]] of all.entries()) requests.count(called(service, name), 200, i % 7);
    const figures = requests.figures();
    assert.deepEqual(
      figures.map(({ service, operation }) => [service, operation]),
      all,
    );
    assert.deepEqual(new Set(figures.map(({ counts }) => counts.reduce((sum, each) => sum + each, 0))), new Set([turns]));
    assert.deepEqual(
      figures.map(({ sumMs }) => sumMs),
      all.map((_, i) => turns * (i % 7)),
    );
  }
});

test('newRequestCounts: unknown operations count together, by service', () => {
  const requests = newRequestCounts();
  const refused = (operationName: string, service?: ServiceName) =>
    ({ kind: 'refused', protocol: 'json', operationName, ...(service && { service }) }) as unknown as RoutingRefusal;
  for (let i = 0; i < 5_000; i++) requests.count(i % 2 === 0 ? refused(`Unknown${i}`) : refused(`Unknown${i}`, 'iam'), 404, 1);
  // More operations than the models have share the counts of their service.
  const { operation, ...rest } = called('iam', 'GetUser');
  for (let i = 0; i < 5_000; i++) requests.count({ ...rest, operation: { ...operation, name: `Another${i}` } }, 200, 1);
  const figures = requests.figures();
  const total = (each: (typeof figures)[number]) => each.counts.reduce((sum, count) => sum + count, 0);
  assert.deepEqual(
    figures.slice(0, 2).map((each) => [each.service, each.operation]),
    [
      ['unknown', 'unknown'],
      ['iam', 'unknown'],
    ],
  );
  assert.equal(figures.length, 2_048);
  assert.equal(total(figures[1] as (typeof figures)[number]), 2_500 + 5_000 - (2_048 - 2));
});

test('bucketOf: the last bucket has no bound', () => {
  assert.deepEqual(
    [0, 1, 1.5, 2, 9].map((each) => bucketOf([1, 2], each)),
    [0, 0, 1, 1, 2],
  );
});
