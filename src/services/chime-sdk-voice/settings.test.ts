import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { OTHER_ACCOUNT, openFixture, START } from './fixture.ts';

const WEEK_MS = 7 * DAY_MS;

test('UpdateGlobalSettings: all regions share one bucket, which the account must own; a request without one removes it', async () => {
  const { run } = await openFixture();
  assert.deepEqual(await run('GetGlobalSettings', {}), { VoiceConnector: {} });
  await run('UpdateGlobalSettings', { VoiceConnector: { CdrBucket: 'records' } });
  assert.deepEqual(await run('GetGlobalSettings', {}, { region: 'eu-west-1' }), { VoiceConnector: { CdrBucket: 'records' } });
  assert.deepEqual(await run('GetGlobalSettings', {}, { accountId: OTHER_ACCOUNT }), { VoiceConnector: {} });
  for (const [CdrBucket, as] of [
    ['unknown', {}],
    ['records', { accountId: OTHER_ACCOUNT }],
  ] as const) {
    const update = run('UpdateGlobalSettings', { VoiceConnector: { CdrBucket } }, as);
    await assert.rejects(update, { code: 'BadRequestException', message: 'Service received a bad request' });
  }
  assert.deepEqual(await run('GetGlobalSettings', {}), { VoiceConnector: { CdrBucket: 'records' } });
  await run('UpdateGlobalSettings', { VoiceConnector: {} });
  assert.deepEqual(await run('GetGlobalSettings', {}), { VoiceConnector: {} });
});

test('UpdatePhoneNumberSettings: the name can change once in seven days; the same name changes nothing', async () => {
  const { run } = await openFixture();
  assert.deepEqual(await run('GetPhoneNumberSettings', {}), {});
  await run('UpdatePhoneNumberSettings', { CallingName: 'Acme' });
  const soon = { now: instant(START + WEEK_MS - 1) };
  await run('UpdatePhoneNumberSettings', { CallingName: 'Acme' }, soon);
  await assert.rejects(run('UpdatePhoneNumberSettings', { CallingName: 'Other' }, soon), { code: 'BadRequestException' });
  assert.deepEqual(await run('GetPhoneNumberSettings', {}), { CallingName: 'Acme', CallingNameUpdatedTimestamp: START });
  const now = instant(START + WEEK_MS);
  await run('UpdatePhoneNumberSettings', { CallingName: 'Other' }, { now });
  assert.deepEqual(await run('GetPhoneNumberSettings', {}), { CallingName: 'Other', CallingNameUpdatedTimestamp: now });
});

test('Settings: an update of the bucket or of the calling name does not change the other setting', async () => {
  const { run } = await openFixture();
  await run('UpdatePhoneNumberSettings', { CallingName: 'Acme' });
  await run('UpdateGlobalSettings', { VoiceConnector: { CdrBucket: 'records' } });
  assert.equal((await run('GetPhoneNumberSettings', {})).CallingName, 'Acme');
  await run('UpdatePhoneNumberSettings', { CallingName: '' }, { now: instant(START + WEEK_MS) });
  assert.equal((await run('GetGlobalSettings', {})).VoiceConnector?.CdrBucket, 'records');
});
