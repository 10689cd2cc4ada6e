/** Call detail records of Voice Connectors, in buckets of the server. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { writeCallRecords } from '#delivery/call-records.ts';
import { ownBucketTarget } from '#delivery/targets/own-buckets.ts';
import { putChimeSettings } from '#services/chime-kit/settings.ts';
import { sipCalls } from '#services/chime-sdk-voice/tables/sip-calls.ts';
import { ACCOUNT, callOf, OTHER_ACCOUNT, START } from '#services/kit/fixture.ts';
import { buckets } from '#services/s3/tables/buckets.ts';
import { openSqlite } from '#store/engine/sqlite.ts';

test('Call detail records: another AWS account that has created the bucket again gets none', async () => {
  const store = await openSqlite(':memory:');
  after(() => store.close());
  const Statement = {
    Effect: 'Allow',
    Principal: { Service: 'chime.amazonaws.com' },
    Action: 's3:PutObject',
    Resource: 'arn:aws:s3:::cdrs/*',
  };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await store.transaction(async (tx) => {
    await putChimeSettings(callOf(tx), { CdrBucket: 'cdrs' });
    await tx.of(buckets).add({ name: 'cdrs', accountId: OTHER_ACCOUNT, region: 'us-east-1', createdAt: START });
    await tx.of(buckets).setPolicy({ name: 'cdrs', policy: { policy, principals: {} } });
    await tx.of(sipCalls).add({
      ...{
        transactionId: 't',
        accountId: ACCOUNT,
        voiceConnectorId: 'vc',
        createdAt: START,
        dueAt: START,
        forgottenAt: instant(START + 1_000),
      },
      document: {
        Direction: 'Outbound',
        CallId: 'c',
        SipAuthUser: 'ada',
        From: '+12065550100',
        To: '+442079460000',
        AwsRegion: 'us-east-1',
      },
    });
  });
  const contents = { put: () => assert.fail('the record is stored'), remove: async () => {} };
  const target = ownBucketTarget(store, contents, () => START);
  const lines: string[] = [];
  await writeCallRecords({ store, now: () => START, target, report: (line) => void lines.push(line) }, () => false);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /another owner, or its policy/);
});
