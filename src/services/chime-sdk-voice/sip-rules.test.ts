import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkVoiceApi, CreateSipRuleRequest, SipRuleTargetApplication } from '#model/generated/chime-sdk-voice.ts';
import { seattleNumber, stock } from '../chime-kit/inventory-fixture.ts';
import { DEFAULT_VOICE_LIMITS } from '../chime-kit/voice-limits.ts';
import { ACCOUNT, type Fixture, OTHER_ACCOUNT, openFixture, START, UNKNOWN } from './fixture.ts';

const HOST = (id: string) => `${id}.voiceconnector.chime.aws`;

const NUMBERS = Array.from({ length: 5 }, (_, i) => `+1555010${i}`);

async function openRules(deps: Parameters<typeof openFixture>[0] = {}): Promise<Fixture> {
  const fixture = await openFixture(deps);
  await fixture.dialIn(...NUMBERS);
  return fixture;
}

async function rule({ run, application }: Fixture, more: Partial<CreateSipRuleRequest> = {}): Promise<string> {
  const { SipRule } = await run('CreateSipRule', {
    Name: 'rule',
    TriggerType: 'ToPhoneNumber',
    TriggerValue: '+15550100',
    TargetApplications: more.TargetApplications ?? [{ SipMediaApplicationId: await application() }],
    ...more,
  });
  return SipRule?.SipRuleId as string;
}

test('CreateSipRule: a rule has one application per region', async () => {
  const { run, connector, application } = await openFixture();
  const here = await application();
  const there = await application({ AwsRegion: 'us-west-2' }, { region: 'us-west-2' });
  const TriggerValue = HOST(await connector());
  const { SipRule } = await run('CreateSipRule', {
    Name: 'rule',
    TriggerType: 'RequestUriHostname',
    TriggerValue,
    TargetApplications: [{ SipMediaApplicationId: here }, { SipMediaApplicationId: there, Priority: 2, AwsRegion: 'us-west-2' }],
  });
  assert.deepEqual(SipRule, {
    SipRuleId: SipRule?.SipRuleId,
    Name: 'rule',
    Disabled: false,
    TriggerType: 'RequestUriHostname',
    TriggerValue,
    TargetApplications: [
      { SipMediaApplicationId: here, Priority: 1, AwsRegion: 'us-east-1' },
      { SipMediaApplicationId: there, Priority: 2, AwsRegion: 'us-west-2' },
    ],
    CreatedTimestamp: START,
    UpdatedTimestamp: START,
  });
  assert.deepEqual(await run('GetSipRule', { SipRuleId: SipRule?.SipRuleId as string }), { SipRule });
});

/** Orders another number. Resolves to the number. */
async function otherNumber(
  { store, run }: Fixture,
  accountId: typeof ACCOUNT,
  ProductType: 'VoiceConnector' | 'SipMediaApplicationDialIn',
): Promise<string> {
  const number = '+15550190';
  await stock(store, seattleNumber(number));
  await run('CreatePhoneNumberOrder', { ProductType, E164PhoneNumbers: [number] }, { accountId, now: instant(START - 10_000) });
  return number;
}

// biome-ignore format: a table
const REFUSED: readonly [title: string, change: (fixture: Fixture) => Promise<Partial<CreateSipRuleRequest>>, code: string][] = [
  // The rows are in the order of the operation's checks.
  ['a number without a plus sign',            async () => ({ TriggerValue: '15550101' }),                                                            'BadRequestException'           ],
  ['a number of no account',                  async () => ({ TriggerValue: '+15550199' }),                                                           'BadRequestException'           ],
  ['another account’s number',                async (fixture) => ({ TriggerValue: await otherNumber(fixture, OTHER_ACCOUNT, 'SipMediaApplicationDialIn') }), 'BadRequestException'       ],
  ['a number with another product',           async (fixture) => ({ TriggerValue: await otherNumber(fixture, ACCOUNT, 'VoiceConnector') }),              'BadRequestException'           ],
  ['a number in the deletion queue',          async ({ run }) => { await run('DeletePhoneNumber', { PhoneNumberId: '+15550102' }); return { TriggerValue: '+15550102' }; }, 'BadRequestException' ],
  ['a host name outside the voice domain',     async () => ({ TriggerType: 'RequestUriHostname', TriggerValue: 'pbx.example.org' }),                  'BadRequestException'           ],
  ['the host name of an unknown connector',   async () => ({ TriggerType: 'RequestUriHostname', TriggerValue: HOST('0000000000000000000000') }),     'BadRequestException'           ],
  ['another account’s connector',             async ({ connector }) => ({ TriggerType: 'RequestUriHostname', TriggerValue: HOST(await connector({}, { accountId: OTHER_ACCOUNT })) }), 'BadRequestException' ],
  ['a target that names no application',      async () => ({ TargetApplications: [{}] }),                                                            'BadRequestException'           ],
  ['an unknown target',                       async () => ({ TargetApplications: [{ SipMediaApplicationId: UNKNOWN }] }),                            'BadRequestException'           ],
  ['a target with a wrong region',            async ({ application }) => ({ TargetApplications: [{ SipMediaApplicationId: await application(), AwsRegion: 'eu-west-1' }] }), 'BadRequestException' ],
  ['two targets in one region',               async ({ application }) => ({ TargetApplications: [{ SipMediaApplicationId: await application() }, { SipMediaApplicationId: await application() }] }), 'BadRequestException' ],
  ['the trigger of another rule',             async () => ({ TriggerValue: '+15550100' }),                                                           'ConflictException'             ],
  ['an account with the maximum',             async () => ({}),                                                                                      'ResourceLimitExceededException'],
];

for (const [title, change, code] of REFUSED) {
  test(`CreateSipRule: ${title} is ${code}, and nothing is created`, async () => {
    const fixture = await openRules({ limits: { ...DEFAULT_VOICE_LIMITS, sipRules: 1 } });
    await rule(fixture);
    await assert.rejects(rule(fixture, { TriggerValue: '+15550101', ...(await change(fixture)) }), { code });
    assert.equal((await fixture.run('ListSipRules', {})).SipRules?.length, 1);
  });
}

test('ListSipRules: pages have all rules of the region, or all rules of one application', async () => {
  const fixture = await openRules();
  const { run, application } = fixture;
  const [wanted, other] = [await application(), await application()];
  const ids: string[] = [];
  for (const [number, SipMediaApplicationId] of [wanted, other, wanted, other, wanted].entries()) {
    ids.push(await rule(fixture, { TriggerValue: `+1555010${number}`, TargetApplications: [{ SipMediaApplicationId }] }));
  }
  const every = async (SipMediaApplicationId?: string) => {
    const found: (string | undefined)[] = [];
    let NextToken: string | undefined;
    do {
      const page = await run('ListSipRules', {
        MaxResults: 2,
        ...omitUndefined({ SipMediaApplicationId, NextToken }),
      });
      found.push(...(page.SipRules ?? []).map(({ SipRuleId }) => SipRuleId));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return found;
  };
  assert.deepEqual(await every(), ids);
  assert.deepEqual(await every(wanted), [ids[0], ids[2], ids[4]]);
  assert.deepEqual(await every(UNKNOWN), []);
  assert.deepEqual((await run('ListSipRules', {}, { region: 'eu-west-1' })).SipRules, []);
});

test('UpdateSipRule: the trigger and omitted members do not change', async () => {
  const fixture = await openRules();
  const { run, application } = fixture;
  const SipRuleId = await rule(fixture);
  const { SipRule: before } = await run('GetSipRule', { SipRuleId });
  await run('UpdateSipRule', { SipRuleId, Name: 'off', Disabled: true });
  const target: SipRuleTargetApplication = { SipMediaApplicationId: await application(), Priority: 7, AwsRegion: 'us-east-1' };
  await run('UpdateSipRule', { SipRuleId, Name: 'other', TargetApplications: [target] });
  const { SipRule } = await run('GetSipRule', { SipRuleId });
  assert.deepEqual(SipRule, { ...before, Name: 'other', Disabled: true, TargetApplications: [target] });
  await assert.rejects(run('UpdateSipRule', { SipRuleId, Name: 'x', TargetApplications: [{ SipMediaApplicationId: UNKNOWN }] }), {
    code: 'BadRequestException',
  });
  assert.deepEqual(await run('GetSipRule', { SipRuleId }), { SipRule });
});

// Source: AWS provider of Terraform, sip_rule_test.go: an enabled rule is deleted.
test('DeleteSipRule: an enabled rule is deleted, and a new rule can then have the same trigger', async () => {
  const fixture = await openRules();
  const { run } = fixture;
  const SipRuleId = await rule(fixture);
  await run('DeleteSipRule', { SipRuleId });
  await assert.rejects(run('GetSipRule', { SipRuleId }), { code: 'NotFoundException' });
  await rule(fixture);
});

for (const name of ['GetSipRule', 'UpdateSipRule', 'DeleteSipRule'] as const satisfies readonly (keyof ChimeSdkVoiceApi)[]) {
  test(`${name}: an unknown rule, or one of another account or region, is NotFoundException`, async () => {
    const fixture = await openRules();
    const own = await rule(fixture, { Disabled: true });
    for (const [SipRuleId, as] of [
      [UNKNOWN, {}],
      [own, { accountId: OTHER_ACCOUNT }],
      [own, { region: 'eu-west-1' }],
    ] as const) {
      await assert.rejects(fixture.run(name, { SipRuleId, Name: 'n' }, as), { code: 'NotFoundException' });
    }
  });
}

test('CreateSipRule: the number is associated with the rule, and free after DeleteSipRule', async () => {
  const fixture = await openRules();
  const { run } = fixture;
  const PhoneNumberId = '+15550100';
  const SipRuleId = await rule(fixture);
  const number = async () => {
    const { Status, Associations } = (await run('GetPhoneNumber', { PhoneNumberId })).PhoneNumber ?? {};
    return [Status, Associations];
  };
  assert.deepEqual(await number(), ['Assigned', [{ Name: 'SipRuleId', Value: SipRuleId, AssociatedTimestamp: START }]]);
  const ofRule = await run('ListPhoneNumbers', { FilterName: 'SipRuleId', FilterValue: SipRuleId });
  assert.deepEqual(
    ofRule.PhoneNumbers?.map(({ E164PhoneNumber }) => E164PhoneNumber),
    [PhoneNumberId],
  );

  await assert.rejects(run('DeletePhoneNumber', { PhoneNumberId }), { code: 'BadRequestException' });
  await assert.rejects(run('UpdatePhoneNumber', { PhoneNumberId, ProductType: 'VoiceConnector' }), { code: 'ConflictException' });
  const VoiceConnectorId = await fixture.connector();
  const forced = { VoiceConnectorId, E164PhoneNumbers: [PhoneNumberId], ForceAssociate: true };
  const { PhoneNumberErrors } = await run('AssociatePhoneNumbersWithVoiceConnector', forced);
  assert.deepEqual(
    PhoneNumberErrors?.map(({ ErrorCode }) => ErrorCode),
    ['BadRequest'],
  );

  // A disabled rule still has its number.
  await run('UpdateSipRule', { SipRuleId, Name: 'off', Disabled: true });
  assert.equal((await number())[0], 'Assigned');
  await run('DeleteSipRule', { SipRuleId });
  assert.deepEqual(await number(), ['Unassigned', []]);
  await run('DeletePhoneNumber', { PhoneNumberId });
});
