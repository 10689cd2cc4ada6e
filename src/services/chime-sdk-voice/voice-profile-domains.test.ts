import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { CreateVoiceProfileDomainRequest } from '#model/generated/chime-sdk-voice.ts';
import { DEFAULT_VOICE_LIMITS } from '../chime-kit/voice-limits.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START, UNKNOWN } from './fixture.ts';

const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d`;
const keyArn = (KmsKeyArn: string) => ({ ServerSideEncryptionConfiguration: { KmsKeyArn } });
const REQUEST: CreateVoiceProfileDomainRequest = { Name: 'customers', ...keyArn(KEY) };
const LATER = instant(START + 1_000);

type Opened = Awaited<ReturnType<typeof openFixture>>;
const create = async ({ run }: Opened, more: Partial<CreateVoiceProfileDomainRequest> = {}, as: Parameters<Opened['run']>[2] = {}) =>
  (await run('CreateVoiceProfileDomain', { ...REQUEST, ...more }, as)).VoiceProfileDomain?.VoiceProfileDomainId as string;
const idsOf = async ({ run }: Opened, as: Parameters<Opened['run']>[2] = {}) =>
  (await run('ListVoiceProfileDomains', {}, as)).VoiceProfileDomains?.map(({ VoiceProfileDomainId }) => VoiceProfileDomainId);

test('CreateVoiceProfileDomain: Get returns the domain, and List its summary without the key', async () => {
  const opened = await openFixture();
  const VoiceProfileDomainId = await create(opened, { Description: 'Consented' });
  const summary = {
    VoiceProfileDomainId,
    VoiceProfileDomainArn: `arn:aws:chime:us-east-1:${ACCOUNT}:voice-profile-domain/${VoiceProfileDomainId}`,
    Name: 'customers',
    Description: 'Consented',
    CreatedTimestamp: START,
    UpdatedTimestamp: START,
  };
  assert.deepEqual(await opened.run('GetVoiceProfileDomain', { VoiceProfileDomainId }), {
    VoiceProfileDomain: { ...summary, ...keyArn(KEY) },
  });
  assert.deepEqual(await opened.run('ListVoiceProfileDomains', {}), { VoiceProfileDomains: [summary] });
  assert.deepEqual(await opened.run('ListVoiceProfiles', { VoiceProfileDomainId }), { VoiceProfiles: [] });
});

// The rows are in the order of the operation's checks. Each row also has the faults of the rows below it.
// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, more: Partial<CreateVoiceProfileDomainRequest>, code: string])[] = [
  ['a token of another request',   { ClientRequestToken: 'used', ...keyArn('arn:aws:kms'), Tags: [{ Key: 'aws:x', Value: '' }] }, 'ConflictException'             ],
  ['no ARN of a key',              { ...keyArn('arn:aws:kms'), Tags: [{ Key: 'aws:x', Value: '' }] },                             'BadRequestException'           ],
  ['an alias of a key',            { ...keyArn(`arn:aws:kms:us-east-1:${ACCOUNT}:alias/a`) },                                     'BadRequestException'           ],
  ['more than the ID of a key',    { ...keyArn(`${KEY}:1`) },                                                                     'BadRequestException'           ],
  ['a key of another region',      { ...keyArn(KEY.replace('us-east-1', 'us-west-2')) },                                          'BadRequestException'           ],
  ['an ARN of another service',    { ...keyArn(KEY.replace('kms', 'iam')) },                                                      'BadRequestException'           ],
  ['a reserved tag',               { Tags: [{ Key: 'aws:x', Value: '' }] },                                                       'BadRequestException'           ],
  ['a region with the maximum',    {},                                                                                            'ResourceLimitExceededException'],
];

for (const [title, more, code] of REFUSED) {
  test(`CreateVoiceProfileDomain: ${title} is ${code}, and nothing is created`, async () => {
    const opened = await openFixture({ limits: { ...DEFAULT_VOICE_LIMITS, profileDomains: 1 } });
    const first = await create(opened, { ClientRequestToken: 'used' });
    await assert.rejects(create(opened, more), (error: { readonly code: string; readonly message: string }) => {
      assert.equal(error.code, code);
      assert.doesNotMatch(error.message, /arn:aws/);
      return true;
    });
    assert.deepEqual(await idsOf(opened), [first]);
    await opened.domain({}, { region: 'us-west-2' });
  });
}

test('CreateVoiceProfileDomain: a token returns the first domain until it is deleted', async () => {
  const opened = await openFixture();
  const token = { ClientRequestToken: 'once' };
  const first = await create(opened, token);
  assert.equal(await create(opened, token), first);
  assert.deepEqual(await idsOf(opened), [first]);
  await opened.run('DeleteVoiceProfileDomain', { VoiceProfileDomainId: first });
  assert.notEqual(await create(opened, token), first);
  assert.equal((await idsOf(opened))?.length, 1);
});

test('UpdateVoiceProfileDomain: changes the name and the description, and omitted members stay', async () => {
  const { run, ...opened } = await openFixture();
  const VoiceProfileDomainId = await create({ run, ...opened });
  await run('UpdateVoiceProfileDomain', { VoiceProfileDomainId, Description: '' }, { now: LATER });
  const { VoiceProfileDomain } = await run('UpdateVoiceProfileDomain', { VoiceProfileDomainId, Name: 'staff' }, { now: LATER });
  const { Name, Description, ServerSideEncryptionConfiguration, CreatedTimestamp, UpdatedTimestamp } = VoiceProfileDomain ?? {};
  assert.deepEqual([Name, Description, ServerSideEncryptionConfiguration?.KmsKeyArn], ['staff', '', KEY]);
  assert.deepEqual([CreatedTimestamp, UpdatedTimestamp], [START, LATER]);
});

for (const operation of ['GetVoiceProfileDomain', 'UpdateVoiceProfileDomain', 'DeleteVoiceProfileDomain', 'ListVoiceProfiles'] as const) {
  test(`${operation}: an unknown domain, or one of another account or region, is NotFoundException`, async () => {
    const opened = await openFixture();
    const own = { VoiceProfileDomainId: await create(opened) };
    await assert.rejects(opened.run(operation, { VoiceProfileDomainId: UNKNOWN }), {
      code: 'NotFoundException',
      message: `Could not find VoiceProfileDomain with Id '${UNKNOWN}'`,
    });
    for (const as of [{ accountId: OTHER_ACCOUNT }, { region: 'us-west-2' }])
      await assert.rejects(opened.run(operation, own, as), { code: 'NotFoundException' });
    assert.deepEqual(await idsOf(opened), [own.VoiceProfileDomainId]);
  });
}
