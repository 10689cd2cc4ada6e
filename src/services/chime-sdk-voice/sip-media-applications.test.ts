import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { ChimeSdkVoiceApi, CreateSipMediaApplicationRequest } from '#model/generated/chime-sdk-voice.ts';
import { DEFAULT_VOICE_LIMITS } from '../chime-kit/voice-limits.ts';
import { ACCOUNT, lambdaIn, OTHER_ACCOUNT, openFixture, START, UNKNOWN } from './fixture.ts';

const REQUEST = {
  Name: 'answering',
  AwsRegion: 'us-west-2',
  Endpoints: [{ LambdaArn: lambdaIn('us-west-2') }],
} satisfies CreateSipMediaApplicationRequest;

test('CreateSipMediaApplication: Get and List return the application; creates the linked role once (SLR-6)', async () => {
  const { run, createdRoles, application } = await openFixture();
  const { SipMediaApplication } = await run('CreateSipMediaApplication', REQUEST);
  const id = SipMediaApplication?.SipMediaApplicationId as string;
  assert.deepEqual(SipMediaApplication, {
    SipMediaApplicationId: id,
    AwsRegion: 'us-west-2',
    Name: 'answering',
    Endpoints: REQUEST.Endpoints,
    CreatedTimestamp: START,
    UpdatedTimestamp: START,
    SipMediaApplicationArn: `arn:aws:chime:us-east-1:${ACCOUNT}:sma/${id}`,
  });
  assert.deepEqual(await run('GetSipMediaApplication', { SipMediaApplicationId: id }), { SipMediaApplication });
  assert.deepEqual(await run('ListSipMediaApplications', {}), { SipMediaApplications: [SipMediaApplication] });
  await application();
  assert.deepEqual(await createdRoles(), ['voiceconnector.chime.amazonaws.com']);
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, change: Partial<CreateSipMediaApplicationRequest>, code: string][] = [
  // The rows are in the order of the operation's checks.
  ['a region without voice',                      { AwsRegion: 'moon-1' },                         'BadRequestException'           ],
  ['an endpoint without a function',              { Endpoints: [{}] },                             'BadRequestException'           ],
  ['a function in another region',                { Endpoints: [{ LambdaArn: lambdaIn('us-east-1') }] }, 'BadRequestException'     ],
  ['a reserved tag key',                          { Tags: [{ Key: 'aws:x', Value: '' }] },         'BadRequestException'           ],
  ['a name in use',                               { Name: 'taken' },                               'ConflictException'             ],
  ['an account with the maximum',                 {},                                              'ResourceLimitExceededException'],
];

for (const [title, change, code] of REFUSED) {
  test(`CreateSipMediaApplication: ${title} is ${code}, and nothing is created`, async () => {
    const { run, application } = await openFixture({ limits: { ...DEFAULT_VOICE_LIMITS, sipMediaApplications: 1 } });
    await application({ Name: 'taken' });
    await assert.rejects(run('CreateSipMediaApplication', { ...REQUEST, ...change }), { code });
    assert.equal((await run('ListSipMediaApplications', {})).SipMediaApplications?.length, 1);
  });
}

test('UpdateSipMediaApplication: omitted members do not change, and a name in use is ConflictException', async () => {
  const { run, application } = await openFixture();
  await application({ Name: 'taken' });
  const SipMediaApplicationId = await application({ Name: 'own' });
  const now = instant(START + 1000);
  const Endpoints = [{ LambdaArn: `${lambdaIn('us-east-1')}:2` }];
  await run('UpdateSipMediaApplication', { SipMediaApplicationId, Endpoints }, { now });
  await run('UpdateSipMediaApplication', { SipMediaApplicationId, Name: 'own' }, { now });
  const { SipMediaApplication } = await run('UpdateSipMediaApplication', { SipMediaApplicationId, Name: 'new' }, { now });
  const { Name, Endpoints: after, CreatedTimestamp, UpdatedTimestamp } = SipMediaApplication ?? {};
  assert.deepEqual([Name, after, CreatedTimestamp, UpdatedTimestamp], ['new', Endpoints, START, now]);
  await assert.rejects(run('UpdateSipMediaApplication', { SipMediaApplicationId, Name: 'taken' }), { code: 'ConflictException' });
  for (const endpoint of [{}, { LambdaArn: lambdaIn('us-west-2') }]) {
    const update = run('UpdateSipMediaApplication', { SipMediaApplicationId, Endpoints: [endpoint] });
    await assert.rejects(update, { code: 'BadRequestException' });
  }
  assert.deepEqual(await run('GetSipMediaApplication', { SipMediaApplicationId }), { SipMediaApplication });
});

test('DeleteSipMediaApplication: the target of an enabled rule is ConflictException; disabled rules remain', async () => {
  const { run, application, dialIn } = await openFixture();
  const SipMediaApplicationId = await application();
  await dialIn('+15550100');
  const { SipRule } = await run('CreateSipRule', {
    Name: 'rule',
    TriggerType: 'ToPhoneNumber',
    TriggerValue: '+15550100',
    TargetApplications: [{ SipMediaApplicationId }],
  });
  const SipRuleId = SipRule?.SipRuleId as string;
  await assert.rejects(run('DeleteSipMediaApplication', { SipMediaApplicationId }), { code: 'ConflictException' });
  await run('UpdateSipRule', { SipRuleId, Name: 'rule', Disabled: true });
  await run('DeleteSipMediaApplication', { SipMediaApplicationId });
  await assert.rejects(run('DeleteSipMediaApplication', { SipMediaApplicationId }), { code: 'NotFoundException' });
  await run('UpdateSipRule', { SipRuleId, Name: 'renamed' });
  await assert.rejects(run('UpdateSipRule', { SipRuleId, Name: 'rule', Disabled: false }), { code: 'BadRequestException' });
});

test('PutSipMediaApplicationLoggingConfiguration: logging is off by default (LOG-27)', async () => {
  const { run, application } = await openFixture();
  const SipMediaApplicationId = await application();
  const got = async () =>
    (await run('GetSipMediaApplicationLoggingConfiguration', { SipMediaApplicationId })).SipMediaApplicationLoggingConfiguration;
  const [off, on] = [{ EnableSipMediaApplicationMessageLogs: false }, { EnableSipMediaApplicationMessageLogs: true }];
  assert.deepEqual(await got(), off);
  for (const [given, after] of [
    [on, on],
    [{}, off],
    [on, on],
    [undefined, off],
  ]) {
    const configuration = given && { SipMediaApplicationLoggingConfiguration: given };
    await run('PutSipMediaApplicationLoggingConfiguration', { SipMediaApplicationId, ...configuration });
    assert.deepEqual(await got(), after);
  }
});

// biome-ignore format: a table
const OF_AN_APPLICATION = [
  'GetSipMediaApplication', 'UpdateSipMediaApplication', 'DeleteSipMediaApplication',
  'GetSipMediaApplicationLoggingConfiguration', 'PutSipMediaApplicationLoggingConfiguration',
] as const satisfies readonly (keyof ChimeSdkVoiceApi)[];

for (const name of OF_AN_APPLICATION) {
  test(`${name}: an unknown application, or one of another account or region, is NotFoundException`, async () => {
    const { run, application } = await openFixture();
    const own = await application();
    for (const [SipMediaApplicationId, as] of [
      [UNKNOWN, {}],
      ['*', {}],
      [own, { accountId: OTHER_ACCOUNT }],
      [own, { region: 'eu-west-1' }],
    ] as const) {
      await assert.rejects(run(name, { SipMediaApplicationId }, as), { code: 'NotFoundException' });
    }
  });
}
