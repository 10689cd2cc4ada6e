import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { archivedEvents } from './archived-events.ts';
import { busEvents } from './bus-events.ts';
import { type BusRecord, eventBuses, type RuleRecord } from './event-buses.ts';

const busOf = (accountId: AccountId, busName = 'orders'): BusRecord => ({
  ...{ accountId, region: 'us-east-1', busName },
  ...{ tags: [{ key: 'a', value: 'b' }], createdAt: NOON, modifiedAt: NOON, version: 0, rules: 0, archives: 0, patternsCost: 0 },
});
const ruleOf = (bus: BusRecord, ruleName: string, more: Partial<RuleRecord> = {}): RuleRecord => ({
  ...{ accountId: bus.accountId, region: bus.region, busName: bus.busName, ruleName },
  ...{ state: 'ENABLED', tags: [], createdAt: NOON, cost: 0, ...more },
});

export function conformance(suite: Suite): void {
  busesConformance(suite);
  eventsConformance(suite);
}

function busesConformance({ within, fresh }: Suite): void {
  describe('event buses', () => {
    test('event buses: a bus is added once, changed, listed and removed with its rules', async () => {
      const bus = busOf(fresh());
      const key = ruleOf(bus, 'r');
      await within(async (tx) => {
        const buses = tx.of(eventBuses);
        assert.deepEqual([await buses.addBus(bus), await buses.addBus(bus)], ['added', 'exists']);
        await buses.addBus(busOf(bus.accountId, 'default'));
        assert.equal(await buses.countBuses(bus.accountId, 'us-east-1', 5), 1);
        const policy = { policy: '{}', principals: {} };
        await buses.putBus({ ...bus, description: 'd', policy, modifiedAt: instant(NOON + 1) });
        assert.deepEqual(await buses.bus(bus), { ...bus, description: 'd', policy, modifiedAt: NOON + 1 });
        await buses.putBus(bus);
        assert.deepEqual(await buses.listBuses(bus.accountId, 'us-east-1', 'default', 5), [bus]);
        await buses.putRule(key);
        await buses.putTarget({ ...key, targetId: 't', targetArn: 'arn', target: { Id: 't', Arn: 'arn' } });
        assert.deepEqual([await buses.removeBus(bus), await buses.removeBus(bus)], ['removed', 'absent']);
        assert.deepEqual([await buses.rule(key), await buses.targets(key)], [undefined, []]);
      });
    });

    test('event buses: `touch` counts changes, and `uses` is absent without rules and archives', async () => {
      const bus = busOf(fresh());
      await within(async (tx) => {
        const buses = tx.of(eventBuses);
        await buses.addBus(bus);
        await buses.touch(bus);
        assert.equal(await buses.uses(bus), undefined);
        await buses.touch(bus, { rules: 1 });
        assert.deepEqual(await buses.uses(bus), { version: 2, rules: 1, archives: 0, createdAt: bus.createdAt, isFull: false });
        await buses.touch(bus, { rules: -1, archives: 1, cost: 5 });
        await tx.of(busEvents).setFull(bus.accountId, true);
        assert.deepEqual(await buses.uses(bus), { version: 3, rules: 0, archives: 1, createdAt: bus.createdAt, isFull: true });
      });
    });

    test('event rules: they are replaced, listed by name, and found by targets and schedules', async () => {
      const bus = busOf(fresh());
      const elsewhere = busOf(bus.accountId, 'other');
      await within(async (tx) => {
        const buses = tx.of(eventBuses);
        for (const name of ['b', 'a', 'c']) await buses.putRule(ruleOf(bus, name, { description: name }));
        await buses.putRule(ruleOf(bus, 'b', { eventPattern: '{}' }));
        await buses.putRule(ruleOf(elsewhere, 'a'));
        assert.deepEqual(await buses.listRules(bus, 'a', 5), [
          ruleOf(bus, 'b', { eventPattern: '{}' }),
          ruleOf(bus, 'c', { description: 'c' }),
        ]);
        assert.deepEqual([await buses.countRules(bus, 5), await buses.countRules(bus, 2)], [3, 2]);
        for (const [rule, targetId, targetArn] of [
          ['c', '1', 'x'],
          ['a', '2', 'x'],
          ['a', '1', 'x'],
          ['b', '1', 'y'],
        ] as const) {
          await buses.putTarget({ ...ruleOf(bus, rule), targetId, targetArn, target: { Id: targetId, Arn: targetArn } });
        }
        assert.deepEqual(await buses.rulesWithTarget(bus, 'x', '', 5), ['a', 'c']);
        assert.deepEqual(await buses.rulesWithTarget(bus, 'x', 'a', 5), ['c']);
        assert.deepEqual(
          [await buses.removeTarget(ruleOf(bus, 'a'), '1'), await buses.removeTarget(ruleOf(bus, 'a'), '1')],
          ['removed', 'absent'],
        );
        await buses.removeRule(ruleOf(bus, 'c'));
        assert.deepEqual(await buses.rulesWithTarget(bus, 'x', '', 5), ['a']);

        const early = ruleOf(bus, 'early', { scheduleAt: instant(1) });
        await buses.putRule(ruleOf(bus, 'late', { scheduleAt: instant(3) }));
        await buses.putRule(early);
        assert.deepEqual(await buses.due(bus.accountId, instant(2), 5), [early]);
        const other = busOf(fresh());
        await buses.putRule(ruleOf(other, 'first', { scheduleAt: instant(2) }));
        const [low = '', high = ''] = [bus.accountId, other.accountId].sort();
        assert.deepEqual(
          [await buses.isDue(0), await buses.isDue(2), await buses.nextDueAccount(low, 2), await buses.nextDueAccount(high, 2)],
          [false, true, high, undefined],
        );
        await buses.schedule({ ...early, scheduleAt: instant(4) });
        const due = await buses.due(bus.accountId, instant(3), 5);
        assert.deepEqual(
          due.map(({ ruleName }) => ruleName),
          ['late'],
        );
        await buses.removeRule({ ...other, ruleName: 'first' });
        await buses.removeBus(bus);
      });
    });
  });
}

function eventsConformance({ within, fresh }: Suite): void {
  describe('events of buses', () => {
    test('bus events: the oldest come first, removed events are gone, and positions are not reused', async () => {
      const bus = busOf(fresh());
      const { accountId, region, busName } = bus;
      const append = (n: number) =>
        within((tx) => tx.of(busEvents).append({ accountId, region, busName, event: `{"n":${n}}`, at: NOON, replay: { replayName: 'p' } }));
      for (let n = 0; n < 70; n++) await append(n);
      await within(async (tx) => {
        const events = tx.of(busEvents);
        const read = await events.next(accountId, 0, 100);
        assert.deepEqual(
          read.map(({ event }) => event),
          Array.from({ length: 70 }, (_, n) => `{"n":${n}}`),
        );
        assert.deepEqual(read[0], {
          position: read[0]?.position,
          accountId,
          region,
          busName,
          event: '{"n":0}',
          bytes: 7,
          at: NOON,
          replay: { replayName: 'p' },
        });
        assert.deepEqual(await events.next(accountId, read[66]?.position ?? 0, 2), read.slice(67, 69));
        assert.deepEqual(
          [await events.waiting(accountId, 100), await events.waiting(accountId, 2)],
          [
            { events: 70, bytes: 10 * 7 + 60 * 8 },
            { events: 2, bytes: 14 },
          ],
        );
        await events.remove(read.slice(0, 69).map(({ position }) => position));
        assert.deepEqual(await events.next(accountId, 0, 5), read.slice(69));
        await events.remove(read.slice(69).map(({ position }) => position));
        await events.remove([]);
        assert.deepEqual([await events.next(accountId, 0, 5), await events.waiting(accountId, 5)], [[], { events: 0, bytes: 0 }]);
      });
    });

    test('bus events: accounts with events are found in the order of IDs, and full accounts are listed', async () => {
      const [one, two] = [fresh(), fresh()].sort() as [AccountId, AccountId];
      const before = `${one.slice(0, -1)}${String.fromCharCode(one.charCodeAt(one.length - 1) - 1)}~`;
      await within(async (tx) => {
        const events = tx.of(busEvents);
        for (const accountId of [two, one, two]) {
          await events.append({ accountId, region: 'us-east-1', busName: 'orders', event: '{}', at: NOON });
        }
        assert.deepEqual([await events.nextAccount(before), await events.nextAccount(one)], [one, two]);
        for (const accountId of [two, one, one]) await events.setFull(accountId, true);
        assert.deepEqual(await events.full(before, 2), [one, two]);
        await events.setFull(one, false);
        assert.deepEqual(await events.full(before, 1), [two]);
      });
    });

    test('archived events: they are read by time and position, counted, and removed from the oldest', async () => {
      const archiveId = `archive of ${fresh()}`;
      const append = (at: number, event: string) =>
        within((tx) => tx.of(archivedEvents).append({ archiveId, at: instant(at), bytes: event.length, event }));
      for (const [at, event] of [
        [5, 'b'],
        [5, 'cc'],
        [1, 'a'],
        [9, 'd'],
      ] as const)
        await append(at, event);
      await append(1, 'a2');
      await within(async (tx) => {
        const events = tx.of(archivedEvents);
        const read = await events.between(archiveId, { at: instant(0), position: 0 }, instant(9), 3);
        assert.deepEqual(
          read.map(({ event }) => event),
          ['a', 'a2', 'b'],
        );
        const last = read[2] as (typeof read)[number];
        const rest = await events.between(archiveId, last, instant(9), 3);
        assert.deepEqual(
          rest.map(({ event }) => event),
          ['cc'],
        );
        assert.deepEqual(await events.size(archiveId), { count: 5, bytes: 7 });
        assert.equal(await events.remove(archiveId, instant(6), 3), 3);
        assert.equal(await events.remove(archiveId, instant(6), 3), 1);
        assert.deepEqual(await events.size(archiveId), { count: 1, bytes: 1 });
        assert.deepEqual(await events.size('none'), { count: 0, bytes: 0 });
      });
    });
  });
}
