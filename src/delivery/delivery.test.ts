/** Delivery of log files on a store with a set clock, on both engines. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant, isoSeconds } from '#core/instant.ts';
import { trails } from '#services/cloudtrail/tables/trails.ts';
import { positionAt } from '#store/engine/position.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { ORGANIZATION_KEY } from '#store/identity/organization-records.ts';
import type { Store } from '#store/store.ts';
import { LATEST_MS } from '#store/trail/trail-search.ts';
import { testPostgres } from '../../test/store/test-postgres.ts';
import { ABANDON } from './abandoned-periods.ts';
import { deliveredPositions } from './delivered-positions.ts';
import { type DeliveryFixture, deliveryFixture, INTERVAL_MS, recordOf, START, testClock } from './delivery-fixture.ts';
import { deliveredFiles } from './tables/delivered-files.ts';
import { type LogTarget, TargetError } from './targets/log-target.ts';
import { PUT_MS } from './trail-files.ts';

const [ANN, BEN, CAT] = ['111111111111', '222222222222', '333333333333'] as [AccountId, AccountId, AccountId];
const bucketOf = (accountId: AccountId): string => `bucket-${accountId}`;

const database = await testPostgres();
after(() => database.stop());
let schema = 0;

const ENGINES: readonly (readonly [engine: string, open: (now: () => number) => Promise<Store>])[] = [
  ['SQLite', (now) => openSqlite(':memory:', { now })],
  ['PostgreSQL', (now) => openPostgres(database.url, { now })],
];

for (const [engine, open] of ENGINES) {
  describe(`delivery of log files on ${engine}`, () => {
    /** Runs a test on a store whose trails, records and state are those of this test only. */
    const on = (title: string, run: (own: DeliveryFixture) => Promise<void>): void => {
      test(`delivery: ${title}`, async () => {
        // On PostgreSQL the tests share a database. So the clock of each test is a day after that of the one before.
        const clock = testClock(START + ++schema * 86_400_000);
        const store = await open(() => clock.wall());
        try {
          await store.transaction(async ({ sql }) => {
            for (const table of [
              'cloudtrail_trail',
              'cloudtrail_delivery',
              'cloudtrail_former_selectors',
              'delivery_retry',
              'delivered_file',
            ])
              await sql.run(`DELETE FROM ${table}`);
            await sql.run("DELETE FROM meta WHERE name = 'trail-delivery'");
          });
          await run(deliveryFixture(store, clock));
        } finally {
          await store.close();
        }
      });
    };
    delivers(on);
    fails(on);
    waits(on);
    ends(on);
    changes(on);
    crashes(on);
    replaces(on);
    abandons(on);
  });
}

type On = (title: string, run: (own: DeliveryFixture) => Promise<void>) => void;

/** Creates an organization of two accounts. */
async function addOrganization(own: DeliveryFixture): Promise<void> {
  const organization = { accountId: ANN, organizationId: 'o-example' };
  await own.read(async ({ identity }) => {
    await identity.put(ANN, 'organization', ORGANIZATION_KEY, organization as never);
    for (const accountId of [ANN, BEN])
      await identity.put(accountId, 'organization-member', ORGANIZATION_KEY, { accountId, managementAccountId: ANN });
  });
}

/** Returns a store that loses the connection before a commit, while `isCrashing` returns true. */
function crashingStore(store: Store, isCrashing: () => boolean): Store {
  return {
    ...store,
    transaction: (work, options) =>
      store.transaction(async (tx) => {
        const done = await work(tx);
        if (isCrashing()) throw new Error('the connection is lost');
        return done;
      }, options),
  };
}

function delivers(on: On): void {
  on('each trail gets the records of its account and regions, one file for each account and region', async (own) => {
    await own.trail(ANN);
    await own.trail(BEN, { IsMultiRegionTrail: false, IncludeGlobalServiceEvents: false });
    await own.record(ANN, ['a1', 'a2']);
    await own.record(ANN, ['a3'], { region: 'eu-west-1' });
    await own.record(BEN, ['b1'], { eventSource: 'iam.amazonaws.com' });
    await own.record(BEN, ['b2', 'b3']);
    await own.record(BEN, ['b4'], { region: 'eu-west-1' });
    await own.record(CAT, ['c1']);
    await own.deliver(own.server());
    assert.deepEqual(own.files.map(({ bucket, key, eventIds }) => [bucket, key.split('/').slice(1, 4).join('/'), eventIds]).toSorted(), [
      [bucketOf(ANN), `${ANN}/CloudTrail/eu-west-1`, ['a3']],
      [bucketOf(ANN), `${ANN}/CloudTrail/us-east-1`, ['a1', 'a2']],
      [bucketOf(BEN), `${BEN}/CloudTrail/us-east-1`, ['b2', 'b3']],
    ]);
    const file = own.files.find(({ bucket }) => bucket === bucketOf(ANN));
    assert.deepEqual([file?.contentType, file?.contentEncoding, file?.trailAccountId], ['application/json', 'gzip', ANN]);
    assert.equal(file?.trailArn, `arn:aws:cloudtrail:us-east-1:${ANN}:trail/audit`);
    await own.deliver(own.server());
    assert.equal(own.files.length, 3, 'no record is delivered twice');
    assert.deepEqual(own.reports, []);
  });

  on('selectors and data events', async (own) => {
    const DataResources = [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3:::b/'] }];
    await own.trail(ANN, {}, { eventSelectors: [{ ReadWriteType: 'ReadOnly', DataResources }] });
    await own.record(ANN, ['write']);
    await own.record(ANN, ['read'], { readOnly: true });
    const object = (key: string) => [{ type: 'AWS::S3::Object', name: `arn:aws:s3:::${key}` }];
    await own.record(ANN, ['data'], { readOnly: true, category: 'Data', resources: object('b/k') });
    await own.record(ANN, ['other'], { readOnly: true, category: 'Data', resources: object('c/k') });
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ['read', 'data']);
  });

  on('a trail of an organization gets the records of all accounts of the organization', async (own) => {
    await addOrganization(own);
    await own.trail(ANN, { IsOrganizationTrail: true, S3KeyPrefix: 'p' });
    for (const accountId of [ANN, BEN, CAT]) await own.record(accountId, [accountId]);
    await own.deliver(own.server());
    assert.deepEqual(own.files.map(({ key, eventIds }) => [key.split('/').slice(0, 5).join('/'), eventIds]).toSorted(), [
      [`p/AWSLogs/o-example/${ANN}/CloudTrail`, [ANN]],
      [`p/AWSLogs/o-example/${BEN}/CloudTrail`, [BEN]],
    ]);
    const positionOf = await own.read((tx) => deliveredPositions(tx, [BEN, CAT]));
    assert.ok(positionOf(BEN) < Number.MAX_SAFE_INTEGER, 'the trail also holds the records of a member');
    assert.equal(positionOf(CAT), Number.MAX_SAFE_INTEGER);
  });

  on('a trail that starts later reads the records of both trails together from then on', async (own) => {
    await own.trail(ANN);
    await own.record(ANN, ['1']);
    own.clock.set(own.clock.wall() + 20 * 60_000);
    await own.trail(ANN, { S3BucketName: 'late' }, {}, 'late');
    await own.record(ANN, ['2', '3']);
    await own.deliver(own.server());
    await own.record(ANN, ['4']);
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ['1', '2', '3', '4']);
    assert.deepEqual(own.idsOf('late'), ['2', '3', '4']);
  });

  on('a large backlog is delivered in steps, each record once', async (own) => {
    await own.trail(ANN);
    const document = (id: string): string => JSON.stringify({ eventID: id, filler: 'x'.repeat(100_000) });
    const ids = Array.from({ length: 60 }, (_, i) => `r${i}`);
    for (const id of ids) await own.record(ANN, [id], { document: document(id) });
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ids);
    assert.ok(own.files.length > 1 && own.files.every(({ text }) => text.length < 2 ** 23), `${own.files.length} files`);
  });

  on('files of trails with log file validation are stored for their digest', async (own) => {
    const trail = await own.trail(ANN, { LogFileValidationEnabled: true });
    await own.record(ANN, ['1', '2']);
    await own.deliver(own.server());
    const place = { trailArn: `arn:aws:cloudtrail:us-east-1:${ANN}:trail/audit`, accountId: ANN, region: 'us-east-1' };
    const [file, ...others] = await own.read((tx) => tx.of(deliveredFiles).page(place, '', 10));
    assert.deepEqual([file?.key, file?.bucket, others], [own.files[0]?.key, bucketOf(ANN), []]);
    const status = await own.read((tx) => tx.of(trails).delivery(trail.trailId, 'us-east-1'));
    assert.equal(status?.deliveredAt, own.clock.wall());
  });
}

function fails(on: On): void {
  on('one server at a time delivers, and another one takes over a minute after its last sign', async (own) => {
    await own.trail(ANN);
    await own.record(ANN, ['1']);
    own.clock.set(own.clock.wall() + INTERVAL_MS);
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    // The write of the first server never ends.
    const put = (): Promise<void> => {
      asked();
      return new Promise(() => {});
    };
    void own.server({ target: { put } }).run();
    await isAsked;
    const second = own.server();
    await second.run();
    assert.deepEqual(own.files, []);
    const stopped = own.server();
    stopped.stop();
    await own.store.transaction((tx) =>
      tx.meta.put('trail-delivery', JSON.stringify({ holder: { id: 'lost', until: own.clock.wall() }, nextAt: 0 })),
    );
    await stopped.run();
    assert.deepEqual(own.files, [], 'a stopped server does not deliver');
    await second.run();
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ['1']);
  });

  on('a crash between the write and the progress delivers the records again', async (own) => {
    await own.trail(ANN);
    await own.record(ANN, ['1', '2']);
    let isCrashing = true;
    const store = crashingStore(own.store, () => isCrashing && own.files.length > 0);
    await own.deliver(own.server({ store }));
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ['1', '2']);
    isCrashing = false;
    own.clock.set(own.clock.wall() + 61_000);
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ['1', '2', '1', '2']);
    await own.deliver(own.server());
    assert.equal(own.files.length, 2);
  });

  on('a failing target delays only its trails, waits longer after each failure, and gets all records later', async (own) => {
    const bad = await own.trail(ANN, { S3BucketName: 'bad' });
    await own.trail(BEN);
    let attempts = 0;
    let isBad = true;
    const target: LogTarget = {
      put: async (object) => {
        if (object.bucket === 'bad') attempts++;
        if (object.bucket === 'bad' && isBad) throw new TargetError('AccessDenied', 'no');
        await own.memory.put(object);
      },
    };
    const server = own.server({ target });
    const status = () => own.read((tx) => tx.of(trails).delivery(bad.trailId, 'us-east-1'));
    for (let i = 0; i < 8; i++) {
      await own.record(ANN, [`a${i}`]);
      await own.record(BEN, [`b${i}`]);
      await own.deliver(server);
    }
    assert.equal(own.idsOf(bucketOf(BEN)).length, 8);
    assert.ok(attempts >= 3 && attempts <= 6, `${attempts} attempts`);
    assert.equal((await status())?.deliveryError, 'AccessDenied');
    const positionOf = await own.read((tx) => deliveredPositions(tx, [ANN, BEN]));
    assert.ok(positionOf(ANN) < positionOf(BEN));
    isBad = false;
    own.clock.set(own.clock.wall() + 3_600_000);
    await own.deliver(server);
    assert.deepEqual(
      own.idsOf('bad'),
      Array.from({ length: 8 }, (_, i) => `a${i}`),
    );
    assert.equal((await status())?.deliveryError, undefined);
    assert.equal(own.reports.length, attempts - 1);
  });
}

function waits(on: On): void {
  on('a target that hangs delays only its trails, and has no error code', async (own) => {
    const hanging = await own.trail(ANN, { S3BucketName: 'hanging' });
    await own.trail(BEN);
    await own.record(ANN, ['a']);
    await own.record(BEN, ['b']);
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const { promise: isDelivered, resolve: delivered } = Promise.withResolvers<void>();
    const target: LogTarget = {
      put(object) {
        if (object.bucket !== 'hanging') return own.memory.put(object).then(delivered);
        asked();
        return new Promise(() => {});
      },
    };
    own.clock.set(own.clock.wall() + INTERVAL_MS);
    const run = own.server({ target }).run();
    await Promise.all([isAsked, isDelivered]);
    assert.deepEqual(own.idsOf(bucketOf(BEN)), ['b']);
    own.clock.set(own.clock.wall() + PUT_MS);
    await run;
    const status = await own.read((tx) => tx.of(trails).delivery(hanging.trailId, 'us-east-1'));
    assert.deepEqual([status?.attemptedAt, status?.deliveryError], [own.clock.wall(), undefined]);
    assert.deepEqual(own.reports.length, 1);
  });

  on('a server that stops does not wait for a target', async (own) => {
    await own.trail(ANN);
    await own.record(ANN, ['1']);
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const server = own.server({
      target: {
        put() {
          asked();
          return new Promise(() => {});
        },
      },
    });
    own.clock.set(own.clock.wall() + INTERVAL_MS);
    const run = server.run();
    await isAsked;
    server.stop();
    await run;
    await own.server().run();
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ['1'], 'another server delivers at once');
  });
}

function ends(on: On): void {
  on('the record of StopLogging is the last one, and the trail ends when no earlier record can follow', async (own) => {
    const trail = await own.trail(ANN);
    await own.record(ANN, ['1']);
    const stoppedAt = own.clock.wall();
    const started = await own.stored(trail);
    await own.read((tx) => tx.of(trails).stop(started, stoppedAt, 'stop'));
    own.clock.set(stoppedAt + 5);
    await own.record(ANN, ['other'], recordOf('other'));
    await own.record(ANN, ['stop'], recordOf('stop'));
    await own.record(ANN, ['2']);
    // The record of an earlier request follows late.
    await own.record(ANN, ['late'], { at: instant(stoppedAt - 10) });
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ['1', 'stop', 'late']);
    assert.equal((await own.stored(trail)).pending, true);
    own.clock.set(stoppedAt + LATEST_MS);
    await own.record(ANN, ['3']);
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ['1', 'stop', 'late']);
    assert.equal((await own.stored(trail)).pending, false);
    const positionOf = await own.read((tx) => deliveredPositions(tx, [ANN]));
    assert.equal(positionOf(ANN), Number.MAX_SAFE_INTEGER);
  });

  on('a deleted trail delivers its records, and then no longer exists', async (own) => {
    const trail = await own.trail(ANN);
    await own.record(ANN, ['1']);
    const started = await own.stored(trail);
    await own.read((tx) => tx.of(trails).remove(started, own.clock.wall(), 'delete'));
    own.clock.set(own.clock.wall() + 5);
    await own.record(ANN, ['delete'], recordOf('delete'));
    own.clock.set(own.clock.wall() + LATEST_MS);
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)), ['1', 'delete']);
    assert.equal(await own.read((tx) => tx.of(trails).byId(trail.trailId)), undefined);
  });
}

const READS = { eventSelectors: [{ ReadWriteType: 'ReadOnly' as const }] };
const WRITES = { eventSelectors: [{ ReadWriteType: 'WriteOnly' as const }] };

/** Changes the selectors of a trail ten times, with a write and a read after each change. Returns the IDs that the trail must deliver. */
async function tenChanges(own: DeliveryFixture): Promise<readonly string[]> {
  const trail = await own.trail(ANN);
  const expected: string[] = [];
  for (let i = 0; i < 10; i++) {
    const isRead = i % 2 === 0;
    // The record of a change is a write, and the selectors before the change decide about it.
    await own.change(trail, `change-${i}`, { settings: isRead ? READS : WRITES });
    if (i === 0 || isRead) expected.push(`change-${i}`);
    await own.record(ANN, [`write-${i}`]);
    await own.record(ANN, [`read-${i}`], { readOnly: true });
    expected.push(isRead ? `read-${i}` : `write-${i}`);
  }
  return expected.toSorted();
}

function changes(on: On): void {
  on('narrower selectors do not hide earlier records, nor the record of the change', async (own) => {
    const trail = await own.trail(ANN);
    await own.record(ANN, ['write', 'write-2']);
    await own.change(trail, 'change', { settings: READS });
    await own.record(ANN, ['late-write']);
    await own.record(ANN, ['read'], { readOnly: true });
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)).toSorted(), ['change', 'read', 'write', 'write-2']);
    await own.record(ANN, ['read-2'], { readOnly: true });
    own.clock.set(own.clock.wall() + LATEST_MS);
    await own.deliver(own.server());
    assert.equal(own.idsOf(bucketOf(ANN)).length, 5, 'no record is delivered twice');
    assert.deepEqual(
      (await own.stored(trail)).periods.map(({ former }) => former),
      [undefined],
    );
  });

  on('each of ten changes in a row applies to the records after it', async (own) => {
    const expected = await tenChanges(own);
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)).toSorted(), expected);
  });
}

function crashes(on: On): void {
  on('a crash after ten changes loses no record and delivers no other', async (own) => {
    const expected = await tenChanges(own);
    // The progress of the third file and of all later ones is lost.
    await own.deliver(own.server({ store: crashingStore(own.store, () => own.files.length > 2) }));
    own.clock.set(own.clock.wall() + 61_000);
    await own.deliver(own.server());
    const delivered = own.idsOf(bucketOf(ANN));
    assert.deepEqual([...new Set(delivered)].toSorted(), expected);
    assert.ok(delivered.length > expected.length, 'the crash was between a file and its progress');
    const { length } = own.files;
    await own.deliver(own.server());
    assert.equal(own.files.length, length);
  });
}

function replaces(on: On): void {
  on('a former bucket that fails delays the retention, but not the delivery to the new bucket', async (own) => {
    const trail = await own.trail(ANN, { S3BucketName: 'former', S3KeyPrefix: 'p' });
    await own.record(ANN, ['1']);
    await own.change(trail, 'change', { configuration: { S3BucketName: 'new', S3KeyPrefix: 'q' } });
    await own.record(ANN, ['2']);
    let isBad = true;
    const target: LogTarget = {
      put: async (object) => {
        if (object.bucket === 'former' && isBad) throw new TargetError('NoSuchBucket', 'no');
        await own.memory.put(object);
      },
    };
    const server = own.server({ target });
    await own.deliver(server);
    assert.deepEqual(
      own.files.map(({ bucket, key, eventIds }) => [bucket, key.slice(0, 2), eventIds]),
      [['new', 'q/', ['2']]],
    );
    const status = await own.read((tx) => tx.of(trails).delivery(trail.trailId, 'us-east-1'));
    assert.equal(status?.deliveryError, undefined, 'the status is that of the new bucket');
    const [former, present] = (await own.stored(trail)).periods;
    assert.ok((former?.deliveredPosition ?? 0) < (present?.deliveredPosition ?? 0));
    const positionOf = await own.read((tx) => deliveredPositions(tx, [ANN]));
    assert.equal(positionOf(ANN), former?.deliveredPosition);
    isBad = false;
    await own.deliver(server);
    assert.deepEqual(own.idsOf('former'), ['1', 'change']);
    assert.deepEqual(own.idsOf('new'), ['2']);
  });

  on('a changed and deleted trail delivers each record by its settings, and then no longer exists', async (own) => {
    const trail = await own.trail(ANN, { LogFileValidationEnabled: true });
    await own.record(ANN, ['1']);
    await own.change(trail, 'change', { settings: READS, configuration: { S3BucketName: 'new', LogFileValidationEnabled: false } });
    await own.record(ANN, ['read'], { readOnly: true });
    await own.record(ANN, ['write']);
    const changed = await own.stored(trail);
    await own.read((tx) => tx.of(trails).remove(changed, own.clock.wall(), 'delete'));
    own.clock.set(own.clock.wall() + 5);
    await own.record(ANN, ['delete'], { ...recordOf('delete'), readOnly: true });
    await own.record(ANN, ['read-2'], { readOnly: true });
    own.clock.set(own.clock.wall() + LATEST_MS);
    await own.deliver(own.server());
    assert.deepEqual(
      [own.idsOf(bucketOf(ANN)), own.idsOf('new')],
      [
        ['1', 'change'],
        ['read', 'delete'],
      ],
    );
    // The last digest has the log file of the time with validation, and not that of the time without.
    const listed = own.digests.flatMap(({ document }) => document.logFiles.map(({ s3Object }) => s3Object));
    const former = own.files.filter(({ bucket }) => bucket !== 'new').map(({ key }) => key);
    assert.deepEqual(listed, former);
    assert.equal(former.length, 1);
    const left = await own.read(async (tx) => [
      await tx.of(trails).byId(trail.trailId),
      ...(await Promise.all(changed.periods.map((period) => tx.of(trails).selectorsOf(trail.trailId, period)))),
    ]);
    assert.deepEqual(left, [undefined, undefined, undefined]);
  });

  on('a trail that was an organization trail delivers and holds the records of members until the change', async (own) => {
    await addOrganization(own);
    const trail = await own.trail(ANN, { IsOrganizationTrail: true });
    await own.record(BEN, ['b1']);
    // A delegated administrator changes the trail, so the record belongs to another account.
    await own.change(trail, 'change', { configuration: { IsOrganizationTrail: false } }, BEN);
    await own.record(BEN, ['b2']);
    await own.record(ANN, ['a2']);
    const positionOf = await own.read((tx) => deliveredPositions(tx, [BEN]));
    assert.ok(positionOf(BEN) < Number.MAX_SAFE_INTEGER);
    await own.deliver(own.server());
    assert.deepEqual(own.idsOf(bucketOf(ANN)).toSorted(), ['a2', 'b1', 'change']);
    own.clock.set(own.clock.wall() + LATEST_MS);
    await own.deliver(own.server());
    const later = await own.read((tx) => deliveredPositions(tx, [BEN]));
    assert.equal(later(BEN), Number.MAX_SAFE_INTEGER);
  });
}

function abandons(on: On): void {
  on('a deleted trail whose target fails for 7 days and 24 attempts is abandoned, with a service event', async (own) => {
    const trail = await own.trail(ANN, { S3BucketName: 'gone', S3KeyPrefix: 'p' });
    const logging = await own.trail(BEN, { S3BucketName: 'gone' });
    for (const accountId of [ANN, BEN]) await own.record(accountId, [`of ${accountId}`]);
    const started = await own.stored(trail);
    const stoppedAt = own.clock.wall();
    await own.read((tx) => tx.of(trails).remove(started, stoppedAt, 'delete'));
    const refused: LogTarget = { put: () => Promise.reject(new TargetError('NoSuchBucket', 'no')) };
    const server = own.server({ target: refused });
    const isPending = () => own.read(async (tx) => (await tx.of(trails).byId(trail.trailId)) !== undefined);
    for (let i = 1; i < ABANDON.failures; i++) {
      own.clock.set(Math.max(own.clock.wall() + 3_600_000, stoppedAt + ABANDON.afterMs));
      await own.deliver(server);
    }
    assert.equal(await isPending(), true, 'there are 23 failures');
    own.clock.set(own.clock.wall() + 3_600_000);
    await own.deliver(server);
    assert.equal(await isPending(), false);
    assert.equal((await own.stored(logging)).pending, true, 'a trail that is logging is never abandoned');
    const positionOf = await own.read((tx) => deliveredPositions(tx, [ANN, BEN]));
    assert.deepEqual([positionOf(ANN), positionOf(BEN)], [Number.MAX_SAFE_INTEGER, (await own.stored(logging)).deliveredPosition]);
    const line = `abandoned the remaining log files of trail 'arn:aws:cloudtrail:us-east-1:${ANN}:trail/audit' for 'gone'`;
    assert.equal(own.reports.filter((report) => report.startsWith(line)).length, 1);
    const { rows } = await own.read((tx) =>
      tx.trail.lookup({
        accountId: ANN,
        region: 'us-east-1',
        from: stoppedAt,
        to: own.clock.wall(),
        attribute: { name: 'EventName', value: 'AbandonTrailDelivery' },
        limit: 10,
      }),
    );
    const documents = rows.map(({ document }) => JSON.parse(document) as { readonly serviceEventDetails: unknown });
    assert.deepEqual(
      documents.map(({ serviceEventDetails }) => serviceEventDetails),
      [
        {
          trailARN: `arn:aws:cloudtrail:us-east-1:${ANN}:trail/audit`,
          s3BucketName: 'gone',
          s3KeyPrefix: 'p',
          afterPosition: started.deliveredPosition,
          lastPosition: positionAt(stoppedAt + LATEST_MS),
          startTime: isoSeconds(instant(stoppedAt - 1000)),
          endTime: isoSeconds(stoppedAt),
          errorCode: 'NoSuchBucket',
        },
      ],
    );
  });
}
