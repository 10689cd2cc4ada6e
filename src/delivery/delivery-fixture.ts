/** A store with a set clock, trails and a target in memory, for tests of the delivery. */
import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import type { LeaseClock } from '#access/lease-parts.ts';
import { openVault } from '#access/vault.ts';
import type { AccountId } from '#core/arn.ts';
import { MINUTE_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { TrailConfiguration } from '#services/cloudtrail/tables/logging-periods.ts';
import { type TrailRecord, type TrailSettings, trails } from '#services/cloudtrail/tables/trails.ts';
import { trailRow } from '#store/conformance-fixtures.ts';
import { positionAt } from '#store/engine/position.ts';
import type { Store, Tx } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { type Delivery, trailDelivery } from './delivery.ts';
import type { DigestDocument } from './digest.ts';
import type { DigestParts } from './digest-run.ts';
import type { LogObject, LogTarget } from './targets/log-target.ts';

/** Time at which the clock of a fixture starts. */
export const START = Date.UTC(2026, 10, 29, 12);
export const INTERVAL_MS = 5 * MINUTE_MS;

/** Members of the record of a request to CloudTrail. */
export const recordOf = (requestId: string): Partial<TrailRow> => ({
  eventSource: 'cloudtrail.amazonaws.com',
  document: JSON.stringify({ eventID: requestId, requestID: requestId }),
});

/** A delivered file. */
export interface Delivered extends LogObject {
  readonly eventIds: readonly string[];
  readonly text: string;
}

/** A delivered digest. */
export interface DeliveredDigest extends LogObject {
  readonly text: string;
  readonly document: DigestDocument;
}

/** Clock that tests set. A timer runs when the time is set to its end. */
export interface TestClock extends LeaseClock {
  set(now: number): void;
}

export function testClock(start: number): TestClock {
  let now = start;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  return {
    monotonic: () => now,
    wall: () => instant(now),
    after(milliseconds, run) {
      const timer = { at: now + milliseconds, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    set(to) {
      now = to;
      for (const timer of [...timers].filter(({ at }) => at <= now)) {
        timers.delete(timer);
        timer.run();
      }
    },
  };
}

/** Vault with an operator key that is the same in each test. */
export const TEST_VAULT = openVault(() => [new Uint8Array(32).fill(7)]);

export type DeliveryFixture = ReturnType<typeof deliveryFixture>;

/** Creates the functions of a test. `store` has the clock `clock`. */
export function deliveryFixture(store: Store, clock: TestClock) {
  const files: Delivered[] = [];
  const digests: DeliveredDigest[] = [];
  const reports: string[] = [];
  let number = 0;
  const newId = (): string => `id-${++number}`;
  const memory: LogTarget = {
    async put(object) {
      const text = gunzipSync(object.body).toString('utf8');
      if (object.metadata !== undefined) {
        digests.push({ ...object, text, document: JSON.parse(text) as DigestDocument });
        return;
      }
      const { Records } = JSON.parse(text) as { readonly Records: readonly { readonly eventID: string }[] };
      files.push({ ...object, text, eventIds: Records.map(({ eventID }) => eventID) });
    },
  };
  const now = () => clock.wall() as number;

  return {
    store,
    clock,
    files,
    digests,
    reports,
    memory,
    /** Returns the delivery of another server on the store. */
    server: (own: Partial<DigestParts> = {}): Delivery =>
      trailDelivery({
        store,
        clock,
        vault: TEST_VAULT,
        newId,
        random: (bytes) => Uint8Array.from({ length: bytes }, () => number++ % 248),
        target: memory,
        intervalMs: INTERVAL_MS,
        report: (line) => reports.push(line),
        ...own,
      }),
    /** Creates a trail that has been logging since a second before the present time. */
    async trail(
      accountId: AccountId,
      configuration: Partial<TrailConfiguration> = {},
      settings: Partial<TrailSettings> = {},
      name = 'audit',
    ): Promise<TrailRecord> {
      const trail: TrailRecord = {
        trailId: newId(),
        accountId,
        homeRegion: 'us-east-1',
        name,
        configuration: {
          S3BucketName: `bucket-${accountId}`,
          IncludeGlobalServiceEvents: true,
          IsMultiRegionTrail: true,
          LogFileValidationEnabled: false,
          IsOrganizationTrail: false,
          ...configuration,
        },
        selectsData: false,
        customSelectors: false,
        insights: false,
        createdAt: instant(now()),
        logging: false,
        pending: false,
        logsPending: false,
        periods: [],
      };
      await store.transaction(async (tx) => {
        await tx.of(trails).add(trail, { tags: [], ...settings });
        const request = { at: instant(now() - 1000), requestId: 'start', position: positionAt(now() - 15 * MINUTE_MS) };
        await tx.of(trails).start(trail, request);
      });
      return trail;
    },
    /**
     * Changes the settings of a trail as UpdateTrail and PutEventSelectors do, a millisecond after the last record. The record of the request
     * is the event `requestId`, five milliseconds later.
     */
    async change(
      { trailId, accountId }: TrailRecord,
      requestId: string,
      { configuration, settings }: { configuration?: Partial<TrailConfiguration>; settings?: Partial<TrailSettings> },
      recordAccountId = accountId,
    ): Promise<void> {
      clock.set(now() + 1);
      await store.transaction(async (tx) => {
        const repository = tx.of(trails);
        const stored = (await repository.byId(trailId)) ?? assert.fail('the trail exists');
        const request = { at: instant(now()), requestId, position: positionAt(now() - 15 * MINUTE_MS) };
        const next = { ...stored.configuration, ...configuration };
        assert.equal(await repository.endSettings(stored, request, next), 'ended');
        await repository.configure({ ...stored, configuration: next });
        if (settings !== undefined) await repository.putSettings({ trailId, tags: [], ...settings });
      });
      clock.set(now() + 5);
      await this.record(recordAccountId, [requestId], recordOf(requestId));
      clock.set(now() + 1);
    },
    /** Records events at the present time, each in a pack of its own. */
    async record(accountId: AccountId, ids: readonly string[], more: Partial<TrailRow> = {}): Promise<void> {
      for (const id of ids) await store.transaction((tx) => tx.trail.append(trailRow(id, now(), { accountId, ...more })));
    },
    /** Sets the clock to the next delivery and runs it. */
    async deliver(delivery: Delivery): Promise<void> {
      clock.set(now() + INTERVAL_MS);
      await delivery.run();
    },
    /** Returns the IDs of all delivered events of a bucket. */
    idsOf: (bucket: string): readonly string[] => files.filter((file) => file.bucket === bucket).flatMap(({ eventIds }) => eventIds),
    read: <T>(work: (tx: Tx) => Promise<T>): Promise<T> => store.transaction(work),
    async stored(trail: TrailRecord): Promise<TrailRecord> {
      const found = await store.transaction((tx) => tx.of(trails).byId(trail.trailId));
      return found ?? assert.fail('the trail exists');
    },
  };
}
