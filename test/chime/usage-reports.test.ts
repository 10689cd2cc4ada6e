/** The weekly usage reports of Amazon Chime, in buckets of the server, on SQLite and PostgreSQL. */
import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { ownBucketTarget } from '#delivery/targets/own-buckets.ts';
import { writeUsageReports } from '#delivery/usage-reports.ts';
import { openObjectFiles } from '#server/object-files.ts';
import { putBody } from '#server/stored-body.ts';
import { ACCOUNT, openFixture, START } from '#services/chime/fixture.ts';
import { messageCounts } from '#services/chime/tables/message-counts.ts';
import { buckets } from '#services/s3/tables/buckets.ts';
import { objects } from '#services/s3/tables/objects.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { newFolder } from '../kit/folder.ts';
import { testPostgres } from '../store/test-postgres.ts';

/** `START` is a Sunday, 2026-11-22. */
const at = (days: number): Instant => instant(START + days * DAY_MS);
const BUCKET = 'records';
const policyOf = (account: AccountId | '444455556666') =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { Service: 'chime.amazonaws.com' },
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${BUCKET}/*`,
      Condition: { StringEquals: { 'aws:SourceAccount': account, 's3:x-amz-acl': 'bucket-owner-full-control' } },
    },
  });

for (const engine of ['SQLite', 'PostgreSQL'] as const) {
  test(`Usage report, ${engine}: one file a week for each account, when the policy of the bucket allows it`, async () => {
    const database = engine === 'PostgreSQL' ? await testPostgres() : undefined;
    const store = database === undefined ? await openSqlite(':memory:') : await openPostgres(database.url);
    const folder = newFolder('usage');
    after(async () => {
      await store.close();
      await database?.stop();
    });
    const bodies = openObjectFiles(folder);
    const { run, account, become, register } = await openFixture(store);
    const AccountId = await account('My, "big"/account', { now: at(-30) });
    await become(AccountId, 'EnterpriseLWA');
    const ada = await register(AccountId, 'ada@example.com', { now: at(-29) }, { displayName: '=HYPERLINK("x")' });
    await register(AccountId, 'bob@example.com', { now: at(-28) });
    await account('young', { now: at(0) });
    await store.transaction(async (tx) => {
      for (const days of [-8, -7, -3, -0.01, 0]) await tx.of(messageCounts).count(ACCOUNT, ada.userId, at(days));
    });

    let now = at(0.5);
    const lines: string[] = [];
    const own = { put: (bytes: Uint8Array) => putBody(bodies, bytes), remove: bodies.remove };
    const write = async () =>
      await writeUsageReports(
        {
          ...{ store, now: () => now, newId: () => crypto.randomUUID(), report: (line) => void lines.push(line) },
          target: ownBucketTarget(store, own, () => now),
        },
        () => false,
      );
    const files = () => store.transaction((tx) => tx.of(objects).list(BUCKET, { from: '', before: undefined }, 10));

    await write();
    await store.transaction((tx) => tx.of(buckets).add({ name: BUCKET, accountId: ACCOUNT, region: 'us-east-1', createdAt: at(0) }));
    await run('UpdateGlobalSettings', { BusinessCalling: { CdrBucket: BUCKET } });
    assert.deepEqual(lines, []);
    await write();
    const setPolicy = (policy: string) =>
      store.transaction((tx) => tx.of(buckets).setPolicy({ name: BUCKET, policy: { policy, principals: {} } }));
    await setPolicy(policyOf('444455556666'));
    await write();
    const refusal = `could not write the usage report of account '${AccountId}' to '${BUCKET}': the bucket has another owner, or its policy does not allow the delivery`;
    assert.deepEqual([lines.splice(0), await files()], [[refusal, refusal], []]);

    await setPolicy(policyOf(ACCOUNT));
    await write();
    const [file, ...more] = await files();
    const prefix = `Amazon-Chime-User-Activity-Reports/csv/${ACCOUNT}`;
    assert.equal(file?.key, `${prefix}/2026/11/15/My_+_big__account_${AccountId}_20261115.csv`);
    const text = String(await buffer(await bodies.read(file?.bodyId ?? '', 0, file?.size ?? 0)));
    const [header, ...rows] = text.split('\r\n');
    assert.match(header ?? '', /^Account Name,Week Start Date,.*,Messages Sent$/);
    assert.deepEqual(rows, [
      `"My, ""big""/account",2026-11-15,"'=HYPERLINK(""x"")",ada@example.com,Registered,2026-10-23,,,3`,
      `"My, ""big""/account",2026-11-15,bob,bob@example.com,Registered,2026-10-23,,,0`,
      '',
    ]);
    assert.deepEqual([more, lines], [[], []]);

    // The week is written once. The next one ends a week later, and then both accounts have a file.
    now = at(6.99);
    await write();
    assert.equal((await files())[0]?.bodyId, file?.bodyId);
    assert.equal((await files()).length, 1);
    now = at(7);
    await write();
    const keys = (await files()).map(({ key }) => key.slice(prefix.length, prefix.length + 12));
    assert.deepEqual(keys.toSorted(), ['/2026/11/15/', '/2026/11/22/', '/2026/11/22/']);
    const query = { accountId: ACCOUNT, region: 'us-east-1', from: at(0), to: instant(8.64e15), limit: 10 };
    const { rows: records } = await store.transaction((tx) => tx.trail.lookup(query));
    assert.deepEqual(
      records.map(({ eventName, document }) => [eventName, JSON.parse(document).serviceEventDetails.bucketName]),
      Array.from({ length: 3 }, () => ['DeliverUsageReport', BUCKET]),
    );
  });
}
