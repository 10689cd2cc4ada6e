/** Call detail records of Voice Connectors, in buckets of the server: the owner and the policy of the bucket decide about each record. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { StoredBody } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';
import { writeCallRecords } from '#delivery/call-records.ts';
import { ownBucketTarget } from '#delivery/targets/own-buckets.ts';
import { putChimeSettings } from '#services/chime-kit/settings.ts';
import { sipCalls } from '#services/chime-sdk-voice/tables/sip-calls.ts';
import { ACCOUNT, callOf, OTHER_ACCOUNT, START } from '#services/kit/fixture.ts';
import { buckets } from '#services/s3/tables/buckets.ts';
import { openSqlite } from '#store/engine/sqlite.ts';

const POLICY = { service: 'chime.amazonaws.com', condition: {}, owner: ACCOUNT };
const ACL = 's3:x-amz-acl';
const sourceAccount = (account: string) => ({ StringEquals: { 'aws:SourceAccount': account } });
const acl = (value: string) => ({ StringEquals: { [ACL]: value } });

// biome-ignore format: a table
const ROWS: readonly [title: string, change: Partial<typeof POLICY>, isStored: boolean][] = [
  ['the service without conditions',                      {},                                                                          true ],
  ['CD-1: the account of the Voice Connector',            { condition: sourceAccount(ACCOUNT) },                                       true ],
  ['CD-1: another account',                               { condition: sourceAccount(OTHER_ACCOUNT) },                                 false],
  ['CD-1: another account by the source ARN',             { condition: { ArnLike: { 'aws:SourceArn': `arn:aws:chime:*:${OTHER_ACCOUNT}:*` } } }, false],
  ['CD-1: another service',                               { service: 'cloudtrail.amazonaws.com' },                                     false],
  ['CD-1: another account has created the bucket again',  { owner: OTHER_ACCOUNT },                                                    false],
  ['CD-3: full control of the owner of the bucket',       { condition: acl('bucket-owner-full-control') },                             true ],
  ['CD-3: another ACL',                                   { condition: acl('private') },                                               false],
];

for (const [title, change, isStored] of ROWS) {
  test(`Call detail records: a policy with ${title} ${isStored ? 'receives them' : 'receives none'}`, async () => {
    const { service, condition, owner } = { ...POLICY, ...change };
    const here = await bucketWithRecord(owner, { Principal: { Service: service }, Condition: condition });
    await here.write(START);
    assert.deepEqual([here.written.length, here.lines.length], isStored ? [1, 0] : [0, 1]);
    if (isStored) return;
    assert.match(here.lines[0] ?? '', /another owner, or its policy/);
    // The record is not lost: it is written when the bucket accepts it.
    await here.setPolicy({ Principal: { Service: POLICY.service } });
    await here.write(instant(START + 59_999));
    assert.equal(here.written.length, 0);
    await here.write(instant(START + 60_000));
    assert.equal(here.written.length, owner === ACCOUNT ? 1 : 0);
  });
}

/** Creates a bucket with a policy, and a call record that is due. */
async function bucketWithRecord(owner: typeof ACCOUNT, statement: object) {
  const store = await openSqlite(':memory:');
  after(() => store.close());
  const setPolicy = (more: object) =>
    store.transaction(async (tx) => {
      const Statement = { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::cdrs/*', ...more };
      const policy = JSON.stringify({ Version: '2012-10-17', Statement });
      await tx.of(buckets).setPolicy({ name: 'cdrs', policy: { policy, principals: {} } });
    });
  await store.transaction(async (tx) => {
    await putChimeSettings(callOf(tx), { CdrBucket: 'cdrs' });
    await tx.of(buckets).add({ name: 'cdrs', accountId: owner, region: 'us-east-1', createdAt: START });
    await tx.of(sipCalls).add({
      ...{ transactionId: 't', accountId: ACCOUNT, voiceConnectorId: 'vc', createdAt: START, dueAt: START },
      forgottenAt: instant(START + 86_400_000),
      document: {
        ...{ Direction: 'Outbound', CallId: 'c', SipAuthUser: 'ada', From: '+12065550100', To: '+442079460000', AwsRegion: 'us-east-1' },
      },
    });
  });
  await setPolicy(statement);
  const written: string[] = [];
  const lines: string[] = [];
  const contents = {
    put: async (bytes: Uint8Array): Promise<StoredBody> => {
      written.push(String(bytes));
      return { id: '0'.repeat(32), length: bytes.length, md5: '', checksum: { algorithm: 'CRC64NVME', value: '', sent: false } };
    },
    remove: async () => {},
  };
  return {
    written,
    lines,
    setPolicy,
    write(now: Instant) {
      const target = ownBucketTarget(store, contents, () => now);
      return writeCallRecords({ store, now: () => now, target, report: (line) => void lines.push(line) }, () => false);
    },
  };
}
