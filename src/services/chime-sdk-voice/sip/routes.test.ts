import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OriginationRoute } from '#model/generated/chime-sdk-voice.ts';
import { orderRoutes, routesOf } from './routes.ts';

const route = fc.record({
  Priority: fc.integer({ min: 1, max: 3 }),
  Weight: fc.integer({ min: 1, max: 4 }),
});
const numbered = fc
  .array(route, { maxLength: 8 })
  .map((routes) => routes.map((each, index): OriginationRoute => ({ ...each, Host: `host-${index}`, Port: 5060, Protocol: 'UDP' })));
const draws = fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 30, maxLength: 30 });

/** The obvious implementation: a bag with one ticket for each unit of weight, from which routes are drawn. */
function obviousOrder(routes: readonly OriginationRoute[], random: () => number): readonly OriginationRoute[] {
  const order: OriginationRoute[] = [];
  for (const priority of [1, 2, 3]) {
    for (;;) {
      const left = routes.filter((each) => each.Priority === priority && !order.includes(each));
      const tickets = left.flatMap((each) => Array.from({ length: each.Weight ?? 1 }, () => each));
      if (tickets.length === 0) break;
      order.push(tickets[Math.floor(random() * tickets.length)] as OriginationRoute);
    }
  }
  return order;
}

function sequence(numbers: readonly number[]): () => number {
  let next = 0;
  return () => (numbers[next++ % numbers.length] as number) / 1_000;
}

test('orderRoutes: the order is that of the obvious implementation, and each route occurs once', () => {
  fc.assert(
    fc.property(numbered, draws, (routes, numbers) => {
      const order = orderRoutes(routes, sequence(numbers));
      assert.deepEqual(order, obviousOrder(routes, sequence(numbers)));
      assert.deepEqual(new Set(order), new Set(routes));
      assert.equal(order.length, routes.length);
    }),
  );
});

test('orderRoutes: weights 1 and 3 are a quarter and three quarters of the first attempts', () => {
  const routes: OriginationRoute[] = [
    { Host: 'light', Priority: 1, Weight: 1 },
    { Host: 'heavy', Priority: 1, Weight: 3 },
  ];
  const first = Array.from({ length: 400 }, (_, index) => orderRoutes(routes, () => index / 400)[0]?.Host);
  assert.equal(first.filter((host) => host === 'heavy').length, 300);
});

const connector = (name: string, more: object = {}) => ({
  ...{ name, requireEncryption: false },
  origination: { Routes: [{ Host: name, Priority: 1, Weight: 1, Protocol: 'UDP' as const, Port: 5060 }], Disabled: false },
  ...more,
});

test('routesOf: connectors of a group are tried by priority, at most the limit of a group, without disabled ones (RES-1)', () => {
  const members = [
    { connector: connector('last'), priority: 9 },
    { connector: connector('second'), priority: 2 },
    { connector: connector('off', { origination: { Routes: [{ Host: 'off' }], Disabled: true } }), priority: 1 },
    { connector: connector('first'), priority: 1 },
  ];
  const hosts = (isLoadBalanced: boolean, random: () => number, most = 3) =>
    routesOf({ members, isLoadBalanced }, random, most).map(({ host }) => host);
  assert.deepEqual(
    hosts(false, () => 0),
    ['first', 'second'],
  );
  assert.deepEqual([hosts(false, () => 0, 2), hosts(false, () => 0, 4)], [['first'], ['first', 'second', 'last']]);
  assert.deepEqual(
    hosts(true, () => 0),
    ['last', 'second'],
  );
  assert.deepEqual(
    hosts(true, () => 0.999),
    ['first', 'second'],
  );
});

test('routesOf: all routes of an encrypted connector use TLS', () => {
  const members = [{ connector: connector('pbx.example.com', { requireEncryption: true }), priority: 1 }];
  assert.deepEqual(
    routesOf({ members, isLoadBalanced: false }, () => 0, 3).map(({ transport, port }) => [transport, port]),
    [['tls', 5060]],
  );
});
