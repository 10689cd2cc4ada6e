/**
 * A stopped server's database and buckets, in which trails write log files and digests for many hours of a set clock. The server's own
 * code writes them. Then a server starts on the data folder, and clients validate the files.
 */
import { join } from 'node:path';
import { operatorKeyRing } from '#access/operator-keys.ts';
import { openVault } from '#access/vault.ts';
import type { AccountId } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { type DeliveryFixture, deliveryFixture, testClock } from '#delivery/delivery-fixture.ts';
import { boundTargets, NO_OWN_BUCKETS, openTarget } from '#delivery/targets/bound-targets.ts';
import { ownBucketTarget } from '#delivery/targets/own-buckets.ts';
import { openObjectFiles } from '#server/object-files.ts';
import { putBody } from '#server/stored-body.ts';
import type { TrailConfiguration } from '#services/cloudtrail/tables/logging-periods.ts';
import { type TrailRecord, trails } from '#services/cloudtrail/tables/trails.ts';
import { openSqlite } from '#store/engine/sqlite.ts';

/** Keys rotate every three hours, so that each trail has several. */
const KEY_VALID_MS = 3 * HOUR_MS;

export type Scenario = Awaited<ReturnType<typeof openScenario>>;

/** Opens the database and the buckets of a data folder whose server is stopped. The clock starts now, and only `hour` moves it. */
export async function openScenario(dataFolder: string, accountId: AccountId) {
  const start = Math.ceil(Date.now() / 1000) * 1000;
  const clock = testClock(start);
  const store = await openSqlite(dataFolder, { now: () => clock.wall() });
  const vault = openVault(operatorKeyRing(join(dataFolder, 'operator.key')).keys);
  const files = openObjectFiles(dataFolder);
  const contents = { put: (bytes: Uint8Array) => putBody(files, bytes), remove: files.remove };
  const own = contents === undefined ? NO_OWN_BUCKETS : ownBucketTarget(store, contents, clock.wall);
  const fixture: DeliveryFixture = deliveryFixture(store, clock);
  const server = fixture.server({
    vault,
    target: boundTargets({ store, vault, open: openTarget, own }),
    keyValidMs: KEY_VALID_MS,
  });
  let number = 0;

  return {
    start,
    store,
    vault,
    reports: fixture.reports,
    now: () => clock.wall() as number,
    /** Creates a trail that logs, with log file validation. */
    trail: (name: string, configuration: Partial<TrailConfiguration>): Promise<TrailRecord> =>
      fixture.trail(accountId, { LogFileValidationEnabled: true, ...configuration }, {}, name),
    /** Records an event in each of the regions, and runs the deliveries of an hour: the second run ends the hour. */
    async hour(...regions: readonly string[]): Promise<void> {
      for (const region of regions) await fixture.record(accountId, [`event-${++number}`], { region });
      await fixture.deliver(server);
      clock.set(clock.wall() + HOUR_MS - 300_000);
      await server.run();
    },
    /** Changes the configuration of a trail. */
    configure: (trail: TrailRecord, change: Partial<TrailConfiguration>): Promise<void> =>
      store.transaction(async (tx) => {
        const current = (await tx.of(trails).byId(trail.trailId)) as TrailRecord;
        await tx.of(trails).configure({ ...current, configuration: { ...current.configuration, ...change } });
      }),
    /** Stops a trail, or starts it again. */
    setLogging: (trail: TrailRecord, logging: boolean): Promise<void> =>
      store.transaction(async (tx) => {
        const current = (await tx.of(trails).byId(trail.trailId)) as TrailRecord;
        const now = instant(clock.wall());
        if (logging) await tx.of(trails).start(current, { at: now, requestId: 'start', position: current.deliveredPosition ?? 0 });
        else await tx.of(trails).stop(current, now, 'stop');
      }),
    close: () => store.close(),
  };
}
