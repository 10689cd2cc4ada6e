/** Digests on a store with a set clock, on both engines. `test/server/digests.test.ts` validates digests with AWS's clients. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { instant, isoSeconds } from '#core/instant.ts';
import { digestKeys } from '#services/cloudtrail/tables/digest-keys.ts';
import { type TrailRecord, trails } from '#services/cloudtrail/tables/trails.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { LATEST_MS } from '#store/trail/trail-search.ts';
import { testPostgres } from '../../test/store/test-postgres.ts';
import type { Delivery } from './delivery.ts';
import { type DeliveredDigest, type DeliveryFixture, deliveryFixture, INTERVAL_MS, START, testClock } from './delivery-fixture.ts';
import { isSigned, readPublicKey, sha256Hex, stringToSign } from './digest.ts';

import { digestSigningKeys } from './tables/digest-signing-keys.ts';
import { type LogTarget, TargetError } from './targets/log-target.ts';

const [ANN, BEN] = ['111111111111', '222222222222'] as [AccountId, AccountId];
const VALIDATED = { LogFileValidationEnabled: true } as const;
const TABLES = [
  'cloudtrail_trail',
  'cloudtrail_delivery',
  'delivery_retry',
  'delivered_file',
  'digest_chain',
  'digest_key',
  'digest_signing_key',
];

const database = await testPostgres();
after(() => database.stop());
let day = 0;

const ENGINES: readonly (readonly [engine: string, open: (now: () => number) => Promise<Store>])[] = [
  ['SQLite', (now) => openSqlite(':memory:', { now })],
  ['PostgreSQL', (now) => openPostgres(database.url, { now })],
];

type On = (title: string, run: (own: DeliveryFixture) => Promise<void>) => void;

for (const [engine, open] of ENGINES) {
  describe(`digests on ${engine}`, () => {
    const on: On = (title, run) => {
      test(`digests: ${title}`, async () => {
        const clock = testClock(START + ++day * 86_400_000);
        const store = await open(() => clock.wall());
        try {
          await store.transaction(async ({ sql }) => {
            for (const table of TABLES) await sql.run(`DELETE FROM ${table}`);
            await sql.run("DELETE FROM meta WHERE name = 'trail-delivery'");
          });
          await run(deliveryFixture(store, clock));
        } finally {
          await store.close();
        }
      });
    };
    chains(on);
    fails(on);
    ends(on);
  });
}

/** Sets the clock forward and runs a delivery. */
async function pass(own: DeliveryFixture, server: Delivery, milliseconds: number): Promise<void> {
  own.clock.set(own.clock.wall() + milliseconds);
  await server.run();
}

/** Returns what links the digests of a bucket: keys, ends, and whether each refers to the one before. */
const linksOf = (digests: readonly DeliveredDigest[]) =>
  digests.map(({ document: { previousDigestS3Object, previousDigestHashValue, previousDigestSignature } }, i) => {
    if (previousDigestS3Object === null) return 'starts';
    const before = digests[i - 1];
    const isNext =
      previousDigestS3Object === before?.key &&
      previousDigestHashValue === sha256Hex(before.text) &&
      previousDigestSignature === before.metadata?.['signature'];
    return isNext ? 'follows' : 'differs';
  });

const endsOf = (digests: readonly DeliveredDigest[]): readonly string[] => digests.map(({ document }) => document.digestEndTime);

/** Checks the signature of each digest with the public key that is valid at its end. */
async function assertSigned(own: DeliveryFixture): Promise<void> {
  for (const { document, text, metadata, key: name } of own.digests) {
    const region = /\/CloudTrail-Digest\/([^/]+)\//.exec(name)?.[1] ?? '';
    const end = instant(Date.parse(document.digestEndTime));
    const keys = await own.read((tx) => tx.of(digestKeys).overlapping(region, end, end));
    const key =
      keys.find(({ fingerprint }) => fingerprint === document.digestPublicKeyFingerprint) ?? assert.fail('the key is valid at the end');
    assert.ok(isSigned(stringToSign(document, sha256Hex(text)), metadata?.['signature'] ?? '', readPublicKey(key.publicKey)));
    assert.equal(metadata?.['signature-algorithm'], 'SHA256withRSA');
  }
}

function chains(on: On): void {
  on('each hour has a digest with its log files, in each region with files, and keys rotate', async (own) => {
    await own.trail(ANN, VALIDATED);
    await own.trail(BEN);
    const server = own.server({ keyValidMs: 2 * HOUR_MS });
    await own.deliver(server);
    for (const [i, regions] of [['us-east-1', 'eu-west-1'], [], ['us-east-1']].entries()) {
      for (const region of regions) await own.record(ANN, [`${i}-${region}`], { region });
      await own.deliver(server);
      await pass(own, server, HOUR_MS - INTERVAL_MS);
    }
    await pass(own, server, INTERVAL_MS);
    const [home, other] = ['us-east-1', 'eu-west-1'].map((region) => own.digests.filter(({ key }) => key.includes(`/${region}/`)));
    assert.deepEqual(
      home?.map(({ document }) => document.logFiles.map(({ s3Object }) => s3Object)),
      [[own.files[0]?.key], [], [own.files[2]?.key]],
    );
    assert.deepEqual(
      [linksOf(home ?? []), linksOf(other ?? [])],
      [
        ['starts', 'follows', 'follows'],
        ['starts', 'follows', 'follows'],
      ],
    );
    assert.deepEqual([home?.[1]?.document.newestEventTime, home?.[1]?.document.oldestEventTime], [null, null]);
    assert.equal(own.digests.length, 6, 'a trail without log file validation has no digests');
    await assertSigned(own);
    const fingerprints = new Set(home?.map(({ document }) => document.digestPublicKeyFingerprint));
    assert.equal(fingerprints.size, 2);
    const sealed = await own.read((tx) => tx.of(digestSigningKeys).list());
    assert.ok(sealed.every(({ sealedPrivateKey }) => !Buffer.from(sealedPrivateKey, 'base64url').includes('RSA')));
  });

  on('a chain continues in another bucket, and after hours without a server', async (own) => {
    const trail = await own.trail(ANN, VALIDATED);
    const server = own.server();
    await own.deliver(server);
    await pass(own, server, HOUR_MS);
    await own.read((tx) =>
      tx.of(trails).configure({ ...trail, configuration: { ...trail.configuration, S3BucketName: 'new', S3KeyPrefix: 'p' } }),
    );
    await pass(own, server, 3 * HOUR_MS);
    assert.deepEqual(
      own.digests.map(({ bucket }) => bucket),
      [`bucket-${ANN}`, 'new', 'new', 'new'],
    );
    assert.deepEqual(linksOf(own.digests), ['starts', 'follows', 'follows', 'follows']);
    assert.equal(own.digests[1]?.document.previousDigestS3Bucket, `bucket-${ANN}`);
    assert.ok(own.digests[1]?.key.startsWith('p/AWSLogs/'));
    await assertSigned(own);
  });
}

function fails(on: On): void {
  on('a crash after the write repeats the same bytes, and the next digest refers to them', async (own) => {
    await own.trail(ANN, VALIDATED);
    await own.record(ANN, ['1']);
    await own.deliver(own.server());
    let isCrashing = true;
    const store: Store = {
      ...own.store,
      transaction: (work, options) =>
        own.store.transaction(async (tx) => {
          const done = await work(tx);
          if (isCrashing && own.digests.length > 0) throw new Error('the connection is lost');
          return done;
        }, options),
    };
    await pass(own, own.server({ store }), HOUR_MS);
    isCrashing = false;
    // Records that arrive before the next attempt do not change the digest.
    await own.record(ANN, ['2']);
    const server = own.server();
    await pass(own, server, 61_000);
    await pass(own, server, HOUR_MS);
    const [first, again, next, ...others] = own.digests;
    const bytesOf = (digest = first) => [digest?.key, Buffer.from(digest?.body ?? []), digest?.metadata];
    assert.deepEqual(bytesOf(again), bytesOf(first));
    assert.deepEqual(linksOf([again, next].flatMap((each) => each ?? [])), ['starts', 'follows']);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [first, next].map((digest) => digest?.document.logFiles.length),
      [1, 1],
    );
  });

  on('a failing target delays only its chains, and later hours follow in order', async (own) => {
    const bad = await own.trail(ANN, { ...VALIDATED, S3BucketName: 'bad' });
    await own.trail(BEN, VALIDATED);
    let isBad = true;
    const target: LogTarget = {
      async put(object) {
        if (object.bucket === 'bad' && isBad) throw new TargetError('AccessDenied', 'no');
        await own.memory.put(object);
      },
    };
    const server = own.server({ target });
    const status = () => own.read((tx) => tx.of(trails).delivery(bad.trailId, 'us-east-1'));
    await own.deliver(server);
    for (let i = 0; i < 3; i++) await pass(own, server, HOUR_MS);
    assert.deepEqual(
      own.digests.map(({ bucket }) => bucket),
      Array.from({ length: 3 }, () => `bucket-${BEN}`),
    );
    assert.equal((await status())?.digestError, 'AccessDenied');
    assert.ok(own.reports.length > 0 && own.reports.every((line) => line.includes("'bad'")));
    isBad = false;
    await pass(own, server, HOUR_MS);
    const late = own.digests.filter(({ bucket }) => bucket === 'bad');
    assert.deepEqual(linksOf(late), ['starts', 'follows', 'follows', 'follows']);
    assert.deepEqual([(await status())?.digestError, (await status())?.digestAt], [undefined, own.clock.wall()]);
  });

  on('a digest that its bucket refused is created again for a new bucket', async (own) => {
    const trail = await own.trail(ANN, { ...VALIDATED, S3BucketName: 'bad' });
    const target: LogTarget = {
      async put(object) {
        if (object.bucket === 'bad') throw new TargetError('NoSuchBucket', 'no');
        await own.memory.put(object);
      },
    };
    const server = own.server({ target });
    await own.deliver(server);
    await pass(own, server, HOUR_MS);
    await own.read((tx) => tx.of(trails).configure({ ...trail, configuration: { ...trail.configuration, S3BucketName: 'good' } }));
    await pass(own, server, HOUR_MS);
    assert.deepEqual(linksOf(own.digests), ['starts', 'follows']);
    assert.deepEqual(
      own.digests.map(({ bucket, document }) => [bucket, document.digestS3Bucket]),
      [
        ['good', 'good'],
        ['good', 'good'],
      ],
    );
    await assertSigned(own);
  });
}

/** Time after a stop at which the records of the period are settled. */
const SETTLED = LATEST_MS + 120_000;

function ends(on: On): void {
  const stop = (own: DeliveryFixture, trail: TrailRecord) =>
    own.read(async (tx) => tx.of(trails).stop((await tx.of(trails).byId(trail.trailId)) ?? trail, own.clock.wall(), 'stop'));

  on('StopLogging writes a last digest, and StartLogging starts a new chain', async (own) => {
    const trail = await own.trail(ANN, VALIDATED);
    const server = own.server();
    await own.deliver(server);
    await pass(own, server, HOUR_MS);
    await own.record(ANN, ['last'], { at: own.clock.wall() });
    own.clock.set(own.clock.wall() + 1_000);
    await stop(own, trail);
    await pass(own, server, SETTLED);
    await pass(own, server, 5 * HOUR_MS);
    assert.deepEqual(
      own.digests.map(({ document }) => document.logFiles.length),
      [0, 1],
    );
    const stopped = await own.stored(trail);
    await own.read((tx) =>
      tx.of(trails).start(stopped, { at: own.clock.wall(), requestId: 'start', position: stopped.deliveredPosition ?? 0 }),
    );
    await own.deliver(server);
    await pass(own, server, HOUR_MS);
    assert.deepEqual(linksOf(own.digests), ['starts', 'follows', 'starts']);
    assert.deepEqual(endsOf(own.digests), endsOf(own.digests).toSorted());
  });

  on('disabled log file validation ends the chain, and files of that time are in no digest', async (own) => {
    const trail = await own.trail(ANN, VALIDATED);
    const server = own.server();
    const setValidation = (LogFileValidationEnabled: boolean) =>
      own.read((tx) => tx.of(trails).configure({ ...trail, configuration: { ...trail.configuration, LogFileValidationEnabled } }));
    await own.record(ANN, ['1']);
    await own.deliver(server);
    await setValidation(false);
    await own.record(ANN, ['2']);
    await own.deliver(server);
    await setValidation(true);
    await own.record(ANN, ['3']);
    await own.deliver(server);
    await pass(own, server, HOUR_MS);
    assert.deepEqual(linksOf(own.digests), ['starts', 'starts']);
    assert.deepEqual(
      own.digests.map(({ document }) => document.logFiles.map(({ s3Object }) => s3Object)),
      [[own.files[0]?.key], [own.files[2]?.key]],
    );
  });

  on('a deleted trail gets its last digest, and a trail with its name continues with later ends', async (own) => {
    const trail = await own.trail(ANN, VALIDATED);
    const server = own.server();
    await own.record(ANN, ['1']);
    await own.deliver(server);
    const started = await own.stored(trail);
    await own.read((tx) => tx.of(trails).remove(started, own.clock.wall(), 'delete'));
    await own.trail(ANN, VALIDATED);
    await pass(own, server, SETTLED);
    assert.equal(await own.read((tx) => tx.of(trails).byId(trail.trailId)), undefined);
    await pass(own, server, INTERVAL_MS);
    await pass(own, server, HOUR_MS);
    assert.deepEqual(linksOf(own.digests), ['starts', 'starts']);
    const [last, first] = own.digests.map(({ document }) => document);
    assert.deepEqual(last?.logFiles.length, 1);
    assert.ok(
      (first?.digestStartTime ?? '') >= (last?.digestEndTime ?? 'x') && (first?.digestEndTime ?? '') > (last?.digestEndTime ?? 'x'),
    );
    assert.equal(first?.digestEndTime, isoSeconds(own.clock.wall()));
  });
}
