import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import type { Tx } from '#store/store.ts';
import { digestKeys } from './digest-keys.ts';
import type { LoggingPeriod } from './logging-periods.ts';
import { PERIODS_MAX, type TrailRecord, trails } from './trails.ts';

const NAME = 'audit';

function trail(accountId: AccountId, more: Partial<TrailRecord> = {}): TrailRecord {
  const { name = NAME, homeRegion = 'us-east-1' } = more;
  return {
    trailId: `${accountId} ${homeRegion} ${name}`,
    accountId,
    homeRegion,
    name,
    configuration: {
      S3BucketName: 'logs',
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: false,
      LogFileValidationEnabled: false,
      IsOrganizationTrail: false,
    },
    selectsData: false,
    customSelectors: false,
    insights: false,
    createdAt: NOON,
    logging: false,
    pending: false,
    logsPending: false,
    periods: [],
    ...more,
  };
}

const at = (seconds: number) => instant(NOON + seconds * 1000);
const request = (seconds: number, requestId: string, position: number) => ({ at: at(seconds), requestId, position });

/** Runs a change on the stored trail with the ID of another one. Returns the stored trail after the change. */
async function changed(tx: Tx, { trailId }: TrailRecord, change: (stored: TrailRecord) => Promise<unknown>) {
  await change((await tx.of(trails).byId(trailId)) as TrailRecord);
  return tx.of(trails).byId(trailId);
}

export function conformance(suite: Suite): void {
  describe('trails', () => {
    stored(suite);
    periods(suite);
    logGroups(suite);
    deleted(suite);
    delivered(suite);
  });
}

function stored({ within, fresh }: Suite): void {
  test('trails: a name is unique in an account and home region', async () => {
    const accountId = fresh();
    const one = trail(accountId);
    const elsewhere = trail(accountId, { homeRegion: 'eu-west-1', name: 'b' });
    const read = await within(async (tx) => [
      await tx.of(trails).add(one, { tags: [] }),
      await tx.of(trails).add({ ...one, trailId: `${accountId} another` }, { tags: [] }),
      await tx.of(trails).add(elsewhere, { tags: [] }),
      await tx.of(trails).get(one),
      await tx.of(trails).get({ ...one, homeRegion: 'eu-west-1' }),
      (await tx.of(trails).ofAccount(accountId)).map(({ name }) => name),
      await tx.of(trails).countOf(accountId, 'us-east-1'),
    ]);
    assert.deepEqual(read, ['added', 'exists', 'added', one, undefined, ['b', NAME], 1]);
  });

  test('trails: settings and configuration change independently', async () => {
    const accountId = fresh();
    const one = trail(accountId);
    const { trailId } = one;
    const configuration = { ...one.configuration, S3KeyPrefix: 'p' };
    const settings = { trailId, tags: [{ key: 'k', value: 'v' }], eventSelectors: [{ ReadWriteType: 'All' as const }] };
    const read = await within(async (tx) => {
      await tx.of(trails).add(one, { tags: [] });
      const before = await tx.of(trails).settings(trailId);
      await tx.of(trails).putSettings(settings);
      const outcome = await tx.of(trails).configure({ ...one, configuration, selectsData: true });
      return [before, await tx.of(trails).settings(trailId), outcome, await tx.of(trails).byId(trailId)];
    });
    assert.deepEqual(read, [{ trailId, tags: [] }, settings, 'changed', { ...one, configuration, selectsData: true }]);
  });
}

function periods({ within, fresh }: Suite): void {
  test('trails: a period is open from start to stop, and pending until it is delivered', async () => {
    const accountId = fresh();
    const one = trail(accountId, { selectsData: true });
    const states = await within(async (tx) => {
      const repository = tx.of(trails);
      await repository.add(one, { tags: [] });
      const state = async (change: (stored: TrailRecord) => Promise<unknown>) => {
        const after = await changed(tx, one, change);
        return {
          logging: after?.logging,
          periods: after?.periods.map(({ startRequestId, stopRequestId }) => [startRequestId, stopRequestId]),
          position: after?.deliveredPosition,
          pending: (await repository.pendingOf([accountId])).length,
          data: (await repository.selectingData(accountId)).length,
        };
      };
      return [
        await state((stored) => repository.start(stored, request(1, 'r1', 100))),
        await state((stored) => repository.start(stored, request(2, 'r2', 200))),
        await state((stored) => repository.stop(stored, at(3), 'r3')),
        await state((stored) => repository.stop(stored, at(4), 'r4')),
        await state((stored) => repository.start(stored, request(5, 'r5', 500))),
        await state((stored) => repository.setPeriods(stored, stored.periods.slice(1))),
        await state((stored) => repository.stop(stored, at(6), 'r6')),
        await state((stored) => repository.setPeriods(stored, [])),
        await state((stored) => repository.start(stored, request(7, 'r7', 700))),
      ];
    });
    // biome-ignore format: a table
    assert.deepEqual(states, [
        { logging: true,  periods: [['r1', undefined]],               position: 100, pending: 1, data: 1 },
        { logging: true,  periods: [['r1', undefined]],               position: 100, pending: 1, data: 1 },
        { logging: false, periods: [['r1', 'r3']],                    position: 100, pending: 1, data: 0 },
        { logging: false, periods: [['r1', 'r3']],                    position: 100, pending: 1, data: 0 },
        { logging: true,  periods: [['r1', 'r3'], ['r5', undefined]], position: 100, pending: 1, data: 1 },
        { logging: true,  periods: [['r5', undefined]],               position: 500, pending: 1, data: 1 },
        { logging: false, periods: [['r5', 'r6']],                    position: 500, pending: 1, data: 0 },
        { logging: false, periods: [],                                position: 500, pending: 0, data: 0 },
        { logging: true,  periods: [['r7', undefined]],               position: 700, pending: 1, data: 1 },
      ]);
  });

  test('trails: a change of the settings ends the period, which keeps its settings until it is delivered', async () => {
    const accountId = fresh();
    const one = trail(accountId);
    const { trailId, configuration } = one;
    const eventSelectors = [{ ReadWriteType: 'ReadOnly' as const }];
    const other = { ...configuration, S3BucketName: 'other' };
    const read = await within(async (tx) => {
      const repository = tx.of(trails);
      await repository.add(one, { tags: [], eventSelectors });
      const unchanged = await repository.endSettings(one, request(0, 'r0', 1));
      await changed(tx, one, (stored) => repository.start(stored, request(1, 'r1', 100)));
      await changed(tx, one, (stored) => repository.endSettings(stored, request(2, 'r2', 50)));
      await repository.putSettings({ trailId, tags: [], advancedEventSelectors: [] });
      await changed(tx, one, (stored) => repository.stop(stored, at(3), 'r3'));
      await changed(tx, one, (stored) => repository.endSettings(stored, request(4, 'r4', 400)));
      await repository.configure({ ...one, configuration: other });
      const stopped = await changed(tx, one, (stored) => repository.endSettings(stored, request(5, 'r5', 500)));
      const periods = stopped?.periods ?? [];
      const selectors = async () => {
        const found = [];
        for (const period of periods) found.push(await repository.selectorsOf(trailId, period));
        return found;
      };
      const before = await selectors();
      await changed(tx, one, (stored) => repository.setPeriods(stored, stored.periods.slice(1)));
      return { unchanged, periods, before, after: await selectors(), logging: stopped?.logging, position: stopped?.deliveredPosition };
    });
    const started = { startedAt: at(1), startRequestId: 'r1' };
    assert.deepEqual(read, {
      unchanged: 'ended',
      periods: [
        { ...started, stoppedAt: at(2), stopRequestId: 'r2', deliveredPosition: 100, former: { configuration, selectorsId: 'r2' } },
        {
          ...started,
          changedAt: at(2),
          changeRequestId: 'r2',
          stoppedAt: at(3),
          stopRequestId: 'r3',
          deliveredPosition: 100,
          former: { configuration, selectorsId: 'r4' },
        },
      ],
      before: [
        { trailId, selectorsId: 'r2', eventSelectors },
        { trailId, selectorsId: 'r4', advancedEventSelectors: [] },
      ],
      after: [undefined, { trailId, selectorsId: 'r4', advancedEventSelectors: [] }],
      logging: false,
      position: 100,
    });
  });

  test('trails: with too many periods, a trail cannot start or change, but stop', async () => {
    const accountId = fresh();
    const one = trail(accountId);
    const periods = Array.from({ length: PERIODS_MAX }, (_, i): LoggingPeriod => {
      const stopped = i < PERIODS_MAX - 1 && { stoppedAt: at(2 * i + 1), stopRequestId: `stop ${i}` };
      return { startedAt: at(2 * i), startRequestId: `start ${i}`, ...stopped, deliveredPosition: 1 };
    });
    const read = await within(async (tx) => {
      const repository = tx.of(trails);
      const full = { ...one, pending: true, logging: true, periods, deliveredPosition: 1 };
      await repository.add(full, { tags: [] });
      const outcomes = [await repository.endSettings(full, request(999, 'change', 2))];
      const same = await repository.byId(one.trailId);
      const stopped = await changed(tx, one, (stored) => repository.stop(stored, at(1000), 'stop'));
      outcomes.push(await repository.endSettings(stopped as TrailRecord, request(1001, 'change', 2)));
      const started = await repository.start(stopped as TrailRecord, request(1002, 'start', 2));
      return { outcomes: [...outcomes, started], periods: same?.periods, last: stopped?.periods.at(-1)?.stopRequestId };
    });
    assert.deepEqual(read, { outcomes: ['full', 'ended', 'full'], periods, last: 'stop' });
  });
}

function logGroups({ within, fresh }: Suite): void {
  const GROUP = 'arn:aws:logs:us-east-1:111122223333:log-group:g:*';

  test('trails: only periods with a log group have records for it, until their position is removed', async () => {
    const accountId = fresh();
    const one = trail(accountId);
    const { trailId, configuration } = one;
    const withGroup = { ...configuration, CloudWatchLogsLogGroupArn: GROUP };
    const read = await within(async (tx) => {
      const repository = tx.of(trails);
      const found: unknown[] = [];
      const note = async () => {
        const stored = await repository.byId(trailId);
        const pending = (await repository.logsPending('', 1_000)).some((each) => each.trailId === trailId);
        found.push([stored?.periods.map(({ logsPosition }) => logsPosition), stored?.deliveredPosition, pending]);
      };
      await repository.add(one, { tags: [] });
      await changed(tx, one, (stored) => repository.start(stored, request(1, 'r1', 100)));
      await note();
      await changed(tx, one, (stored) => repository.endSettings(stored, request(2, 'r2', 200), withGroup));
      await repository.configure({ ...one, configuration: withGroup });
      await note();
      await changed(tx, one, (stored) => repository.endSettings(stored, request(3, 'r3', 300)));
      await changed(tx, one, (stored) => repository.stop(stored, at(4), 'r4'));
      await note();
      const deliver = (logsPosition?: number) =>
        changed(tx, one, (stored) =>
          repository.setPeriods(
            stored,
            stored.periods.slice(-1).map(({ logsPosition: _, ...period }) => ({
              ...{ ...period, deliveredPosition: 900 },
              ...(logsPosition !== undefined && { logsPosition }),
            })),
          ),
        );
      await deliver(400);
      await note();
      await deliver();
      await note();
      await changed(tx, one, (stored) => repository.start(stored, request(5, 'r5', 950)));
      await note();
      return found;
    });
    assert.deepEqual(read, [
      [[undefined], 100, false],
      [[undefined, 200], 100, true],
      [[undefined, 200, 300], 100, true],
      [[400], 400, true],
      [[undefined], 900, false],
      [[undefined, 950], 900, true],
    ]);
  });
}

function deleted({ within, fresh }: Suite): void {
  test('trails: a deleted trail is pending until it is delivered, and its name is free', async () => {
    const accountId = fresh();
    const one = trail(accountId);
    const read = await within(async (tx) => {
      const repository = tx.of(trails);
      await repository.add(one, { tags: [] });
      await repository.putDelivery({ trailId: one.trailId, region: 'us-east-1', position: 5 });
      await changed(tx, one, (stored) => repository.start(stored, request(1, 'r1', 1)));
      const deleted = await changed(tx, one, (stored) => repository.remove(stored, at(2), 'r2'));
      return {
        periods: deleted?.periods,
        found: await repository.get(one),
        listed: await repository.ofAccount(accountId),
        deleted: await repository.countDeleted(accountId, 'us-east-1'),
        pending: (await repository.pendingOf([accountId])).length,
        again: await repository.add({ ...one, trailId: `${accountId} again` }, { tags: [] }),
        delivered: await changed(tx, one, (stored) => repository.setPeriods(stored, [])),
        left: [await repository.settings(one.trailId), await repository.delivery(one.trailId, 'us-east-1')],
      };
    });
    assert.deepEqual(read, {
      periods: [{ startedAt: at(1), startRequestId: 'r1', stoppedAt: at(2), stopRequestId: 'r2', deliveredPosition: 1 }],
      found: undefined,
      listed: [],
      deleted: 1,
      pending: 1,
      again: 'added',
      delivered: undefined,
      left: [undefined, undefined],
    });
  });

  test('trails: a trail that is not pending is deleted immediately', async () => {
    const one = trail(fresh());
    const read = await within(async (tx) => {
      await tx.of(trails).add(one, { tags: [] });
      await tx.of(trails).remove(one, at(2), 'r');
      return await tx.of(trails).byId(one.trailId);
    });
    assert.equal(read, undefined);
  });

  test('trails: pages of pending trails contain each pending trail once', async () => {
    const owners = Array.from({ length: 40 }, fresh);
    const own = new Set(owners);
    const read = await within(async (tx) => {
      for (const accountId of owners) {
        await tx.of(trails).add(trail(accountId), { tags: [] });
        await changed(tx, trail(accountId), (stored) => tx.of(trails).start(stored, request(1, 'r', 1)));
      }
      const found: string[] = [];
      for (let after = ''; ; ) {
        const page = await tx.of(trails).pending(after, 7);
        found.push(...page.flatMap(({ accountId }) => (own.has(accountId) ? [accountId] : [])));
        if (page.length < 7) break;
        after = page.at(-1)?.trailId as string;
      }
      return [found, (await tx.of(trails).pendingOf(owners)).map(({ accountId }) => accountId)];
    });
    assert.deepEqual(read, [owners.toSorted(), owners.toSorted()]);
  });
}

function delivered({ within, fresh }: Suite): void {
  test('trails: a delivery is read back as stored, in the order of regions', async () => {
    const trailId = `${fresh()} delivery`;
    const full = { trailId, region: 'us-east-1', position: 7, deliveredAt: at(1), attemptedAt: at(1), digestAt: at(2) };
    const failed = { trailId, region: 'eu-west-1', deliveryError: 'AccessDenied', digestError: 'NoSuchBucket', attemptedAt: at(3) };
    const read = await within(async (tx) => {
      for (const each of [{ ...full, deliveryError: 'NoSuchBucket' }, full, failed]) await tx.of(trails).putDelivery(each);
      return [await tx.of(trails).delivery(trailId, 'us-east-1'), await tx.of(trails).deliveries(trailId)];
    });
    assert.deepEqual(read, [full, [failed, full]]);
  });

  test('digest keys: a range finds the keys of a region that are valid in it', async () => {
    const region = `region of ${fresh()}`;
    const key = (fingerprint: string, from: number, until: number) => ({
      region,
      fingerprint,
      publicKey: new Uint8Array([1, 2]),
      validFrom: at(from),
      validUntil: at(until),
    });
    const read = await within(async (tx) => {
      for (const each of [key('b', 10, 20), key('a', 0, 10), key('c', 20, 30)]) await tx.of(digestKeys).add(each);
      const found = async (from: number, to: number) =>
        (await tx.of(digestKeys).overlapping(region, at(from), at(to))).map(({ fingerprint }) => fingerprint).join('');
      return [await found(11, 19), await found(10, 20), await found(31, 40), await found(0, 99)];
    });
    assert.deepEqual(read, ['b', 'abc', '', 'abc']);
  });
}
