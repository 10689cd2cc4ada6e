/** Times and quota of access previews, in a running core whose clock the test sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as aa from '@aws-sdk/client-accessanalyzer';
import { MINUTE_MS } from '#core/duration.ts';
import { previews } from '#services/accessanalyzer/tables/previews.ts';
import { messageOf, outcomeOf } from '../kit/outcome.ts';
import { policy, trust } from '../kit/policy.ts';
import { startClockCore } from './clock-core.ts';

const core = await startClockCore();
const analyzers = () => new aa.AccessAnalyzerClient(core.client());
const { arn: analyzerArn = '' } = await analyzers().send(new aa.CreateAnalyzerCommand({ analyzerName: 'own', type: 'ACCOUNT' }));
const configurations = { [`arn:aws:iam::${core.accountId}:role/r`]: { iamRole: { trustPolicy: policy(trust('999988887777')) } } };

const create = async () => (await analyzers().send(new aa.CreateAccessPreviewCommand({ analyzerArn, configurations }))).id ?? '';
const get = (accessPreviewId: string) => outcomeOf(analyzers().send(new aa.GetAccessPreviewCommand({ analyzerArn, accessPreviewId })));
const findings = async (accessPreviewId: string) =>
  (await analyzers().send(new aa.ListAccessPreviewFindingsCommand({ analyzerArn, accessPreviewId }))).findings?.length;
const listed = async () => (await analyzers().send(new aa.ListAccessPreviewsCommand({ analyzerArn }))).accessPreviews?.map(({ id }) => id);

/** Returns the ID of the only analyzer. */
const analyzerId = await core.store.transaction(async ({ sql }) => {
  const row = await sql.row<{ readonly analyzer_id: string }>('SELECT analyzer_id FROM access_analyzer', []);
  return row?.analyzer_id ?? '';
});
const isStored = (id: string) => core.store.transaction(async (tx) => (await tx.of(previews).content(analyzerId, id)) !== undefined);

test('Access previews: listed for an hour, readable for 24 hours, then deleted', async () => {
  const id = await create();
  assert.deepEqual(await listed(), [id]);
  core.advance(61 * MINUTE_MS);
  assert.deepEqual(await listed(), []);
  assert.deepEqual([await get(id), await findings(id)], ['allowed', 1]);
  const later = await create();
  core.advance(23 * 60 * MINUTE_MS);
  assert.equal(await get(id), 'ResourceNotFound');
  assert.deepEqual([await isStored(id), await isStored(later)], [true, true]);
  await core.sweep();
  assert.deepEqual([await isStored(id), await isStored(later), await get(later)], [false, true, 'allowed']);
});

test('CreateAccessPreview: the quota of 1,000 in an hour is ServiceQuotaExceededException', async () => {
  core.advance(61 * MINUTE_MS);
  await core.store.transaction(async (tx) => {
    for (let i = 0; i < 999; i++)
      await tx.of(previews).add({ analyzerId, id: `stored ${i}`, status: 'COMPLETED', createdAt: core.now(), configurations });
  });
  core.advance(30 * MINUTE_MS);
  await create();
  const refused = `ServiceQuotaExceededException: The analyzer has reached the limit of 1000 access previews per hour.`;
  assert.equal(await messageOf(create()), refused);
  core.advance(31 * MINUTE_MS);
  await create();
});
