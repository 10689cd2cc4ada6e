import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '#store/store.ts';
import { STORED_CONFIGURATION } from '../chime-kit/insights-configurations.ts';
import { DEFAULT_VOICE_LIMITS } from '../chime-kit/voice-limits.ts';
import { accessOf } from '../kit/fixture.ts';
import { ACCOUNT, openFixture, START } from './fixture.ts';
import { voiceOperations } from './operations.ts';
import { sipPeers } from './sip-peers.ts';

const ID = '0123456789abcdefghijkl';
const UUID = 'a6b1e9b0-0000-4000-8000-00000000000a';
const arnOf = (resource: string) => `arn:aws:chime:us-east-1:${ACCOUNT}:${resource}`;
const VC = arnOf(`vc/${ID}`);
const SMA = arnOf(`sma/${UUID}`);
const GROUP = arnOf(`vcg/${UUID}`);
const DOMAIN = arnOf(`voice-profile-domain/${UUID}`);
const PROFILE = arnOf(`voice-profile/${UUID}`);
const ANALYTICS = arnOf('media-insights-pipeline-configuration/calls');
const ROLE = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/voiceconnector.chime.amazonaws.com/AWSServiceRoleForAmazonChimeVoiceConnector`;
const LINKED = ['iam:CreateServiceLinkedRole', ROLE] as const;

const OPERATIONS = voiceOperations({
  vault: { seal: () => '' },
  limits: DEFAULT_VOICE_LIMITS,
  hostSuffix: '.voiceconnector.chime.aws',
  sipPeers: sipPeers([]),
  ownedBuckets: { owns: async () => true },
});
const NAMES = Object.keys(OPERATIONS);

/** Returns the required permissions: actions with their resources, and the tags of the resources. */
function required(store: Store, name: string, input: object, profile: 'sdk' | 'classic' = 'sdk') {
  return store.transaction(async (tx) => {
    const all: { readonly action: string; readonly resources: readonly string[]; readonly tags?: readonly unknown[] }[] = [];
    for (const { action, resources, resolve, resourceTags } of accessOf(OPERATIONS, name, input, { profile })) {
      all.push({ action, resources: resolve ? await resolve(tx) : resources, ...(resourceTags && { tags: await resourceTags(tx) }) });
    }
    return all;
  });
}

/** Input with every member that the `access` of an operation reads. */
const INPUT = {
  VoiceConnectorId: ID,
  SipMediaApplicationId: UUID,
  VoiceConnectorGroupId: UUID,
  SipRuleId: UUID,
  VoiceProfileDomainId: UUID,
  VoiceProfileId: UUID,
  VoiceConnectorItems: [{ VoiceConnectorId: ID }],
  TargetApplications: [{ SipMediaApplicationId: UUID }],
  StreamingConfiguration: { DataRetentionInHours: 1, Disabled: false, MediaInsightsConfiguration: { ConfigurationArn: ANALYTICS } },
  ResourceARN: VC,
  TagKeys: ['Team'],
  Tags: [{ Key: 'Team', Value: 'blue' }],
};

/** Permissions by operation. An operation that is not listed requires only its own action on the Voice Connector. */
// biome-ignore format: a table
const OTHERS: Readonly<Record<string, readonly (readonly [action: string, ...resources: string[]])[]>> = {
  CreateVoiceConnector:                    [['chime:CreateVoiceConnector', arnOf('vc/*')], ['chime:TagResource', arnOf('vc/*')]],
  ListVoiceConnectors:                     [['chime:ListVoiceConnectors', arnOf('vc/*')]],
  ListAvailableVoiceConnectorRegions:      [['chime:ListAvailableVoiceConnectorRegions', '*']],
  PutVoiceConnectorStreamingConfiguration: [['chime:PutVoiceConnectorStreamingConfiguration', VC, ANALYTICS], LINKED],
  CreateVoiceConnectorGroup:               [['chime:CreateVoiceConnectorGroup', VC]],
  GetVoiceConnectorGroup:                  [['chime:GetVoiceConnectorGroup', GROUP]],
  ListVoiceConnectorGroups:                [['chime:ListVoiceConnectorGroups', arnOf('vcg/*')]],
  UpdateVoiceConnectorGroup:               [['chime:UpdateVoiceConnectorGroup', VC]],
  DeleteVoiceConnectorGroup:               [['chime:DeleteVoiceConnectorGroup', GROUP]],
  CreateSipMediaApplication:               [['chime:CreateSipMediaApplication', arnOf('sma/*')], ['chime:TagResource', arnOf('sma/*')], LINKED],
  GetSipMediaApplication:                  [['chime:GetSipMediaApplication', SMA]],
  ListSipMediaApplications:                [['chime:ListSipMediaApplications', arnOf('sma/*')]],
  UpdateSipMediaApplication:               [['chime:UpdateSipMediaApplication', SMA], LINKED],
  DeleteSipMediaApplication:               [['chime:DeleteSipMediaApplication', SMA]],
  GetSipMediaApplicationLoggingConfiguration:    [['chime:GetSipMediaApplicationLoggingConfiguration', SMA]],
  PutSipMediaApplicationLoggingConfiguration:    [['chime:PutSipMediaApplicationLoggingConfiguration', SMA]],
  GetSipMediaApplicationAlexaSkillConfiguration: [['chime:GetSipMediaApplicationAlexaSkillConfiguration', SMA]],
  PutSipMediaApplicationAlexaSkillConfiguration: [['chime:PutSipMediaApplicationAlexaSkillConfiguration', SMA]],
  CreateSipRule:                           [['chime:CreateSipRule', SMA]],
  GetSipRule:                              [['chime:GetSipRule', '*']],
  ListSipRules:                            [['chime:ListSipRules', SMA]],
  UpdateSipRule:                           [['chime:UpdateSipRule', SMA]],
  DeleteSipRule:                           [['chime:DeleteSipRule', '*']],
  CreateSipMediaApplicationCall:           [['chime:CreateSipMediaApplicationCall', SMA]],
  UpdateSipMediaApplicationCall:           [['chime:UpdateSipMediaApplicationCall', SMA]],
  CreateVoiceProfileDomain:                [['chime:CreateVoiceProfileDomain', arnOf('voice-profile-domain/*')], ['chime:TagResource', arnOf('voice-profile-domain/*')]],
  GetVoiceProfileDomain:                   [['chime:GetVoiceProfileDomain', DOMAIN]],
  ListVoiceProfileDomains:                 [['chime:ListVoiceProfileDomains', arnOf('voice-profile-domain/*')]],
  UpdateVoiceProfileDomain:                [['chime:UpdateVoiceProfileDomain', DOMAIN]],
  DeleteVoiceProfileDomain:                [['chime:DeleteVoiceProfileDomain', DOMAIN]],
  ListVoiceProfiles:                       [['chime:ListVoiceProfiles', DOMAIN]],
  CreateVoiceProfile:                      [['chime:CreateVoiceProfile', arnOf('voice-profile/*')]],
  GetVoiceProfile:                         [['chime:GetVoiceProfile', PROFILE]],
  UpdateVoiceProfile:                      [['chime:UpdateVoiceProfile', PROFILE]],
  DeleteVoiceProfile:                      [['chime:DeleteVoiceProfile', PROFILE]],
  ValidateE911Address:                     [['chime:ValidateE911Address', '*']],
  GetGlobalSettings:                       [['chime:GetGlobalSettings', '*']],
  UpdateGlobalSettings:                    [['chime:UpdateGlobalSettings', '*']],
  GetPhoneNumberSettings:                  [['chime:GetPhoneNumberSettings', '*']],
  UpdatePhoneNumberSettings:               [['chime:UpdatePhoneNumberSettings', '*']],
  SearchAvailablePhoneNumbers:             [['chime:SearchAvailablePhoneNumbers', '*']],
  ListSupportedPhoneNumberCountries:       [['chime:ListSupportedPhoneNumberCountries', '*']],
  CreatePhoneNumberOrder:                  [['chime:CreatePhoneNumberOrder', '*']],
  GetPhoneNumberOrder:                     [['chime:GetPhoneNumberOrder', '*']],
  ListPhoneNumberOrders:                   [['chime:ListPhoneNumberOrders', '*']],
  GetPhoneNumber:                          [['chime:GetPhoneNumber', '*']],
  ListPhoneNumbers:                        [['chime:ListPhoneNumbers', '*']],
  UpdatePhoneNumber:                       [['chime:UpdatePhoneNumber', '*']],
  BatchUpdatePhoneNumber:                  [['chime:BatchUpdatePhoneNumber', '*']],
  DeletePhoneNumber:                       [['chime:DeletePhoneNumber', '*']],
  BatchDeletePhoneNumber:                  [['chime:BatchDeletePhoneNumber', '*']],
  RestorePhoneNumber:                      [['chime:RestorePhoneNumber', '*']],
  AssociatePhoneNumbersWithVoiceConnectorGroup: [['chime:AssociatePhoneNumbersWithVoiceConnectorGroup', GROUP]],
  DisassociatePhoneNumbersFromVoiceConnectorGroup: [['chime:DisassociatePhoneNumbersFromVoiceConnectorGroup', GROUP]],
};

test('Access: the operations in the table exist', () => {
  assert.deepEqual(
    Object.keys(OTHERS).filter((name) => !NAMES.includes(name)),
    [],
  );
});

/** A store without resources, which these tests only read. */
const EMPTY = openFixture();

for (const name of NAMES) {
  test(`Access: ${name} requires its own action on its resource (CHM-3)`, async () => {
    const { store } = await EMPTY;
    const expected = OTHERS[name] ?? [[`chime:${name}`, VC]];
    const all = await required(store, name, INPUT);
    assert.deepEqual(
      all.map(({ action, resources }) => [action, ...resources]),
      expected,
    );
  });

  test(`Access: in the older service chime, ${name} requires its action on * and reads no tags (CHM-1, TAG-2)`, async () => {
    const { store } = await EMPTY;
    const all = await required(store, name, INPUT, 'classic');
    const own = all.filter(({ action }) => action.startsWith('chime:'));
    assert.deepEqual(own, [{ action: `chime:${name}`, resources: ['*'] }]);
  });
}

// biome-ignore format: a table
const WITHOUT: readonly (readonly [name: string, input: object, resource: string])[] = [
  ['CreateVoiceConnectorGroup',               {},                                                        arnOf('vcg/*')],
  ['UpdateVoiceConnectorGroup',               { VoiceConnectorGroupId: UUID, VoiceConnectorItems: [] },  GROUP         ],
  ['CreateSipRule',                           { TargetApplications: [{}] },                              '*'           ],
  ['UpdateSipRule',                           { SipRuleId: UUID },                                       '*'           ],
  ['ListSipRules',                            {},                                                        arnOf('sma/*')],
  ['PutVoiceConnectorStreamingConfiguration', { VoiceConnectorId: ID, StreamingConfiguration: {} },      VC            ],
];

for (const [name, input, resource] of WITHOUT) {
  test(`Access: if the input names no optional resource, ${name} requires its action on ${resource}`, async () => {
    const { store } = await EMPTY;
    assert.deepEqual((await required(store, name, input))[0]?.resources, [resource]);
  });
}

test('Access: a resource of another region is checked with its own ARN and its own tags (RES-1)', async () => {
  const { store, connector, application } = await openFixture();
  const tags = (Value: string) => ({ Tags: [{ Key: 'team', Value }] });
  const [here, there] = [await connector(tags('red')), await connector(tags('blue'), { region: 'us-west-2' })];
  const app = await application(tags('green'), { region: 'us-west-2' });
  const VoiceConnectorItems = [here, there, ID].map((VoiceConnectorId) => ({ VoiceConnectorId }));
  const west = (resource: string) => `arn:aws:chime:us-west-2:${ACCOUNT}:${resource}`;
  assert.deepEqual(await required(store, 'CreateVoiceConnectorGroup', { VoiceConnectorItems }), [
    {
      action: 'chime:CreateVoiceConnectorGroup',
      resources: [arnOf(`vc/${here}`), west(`vc/${there}`), VC],
      tags: [{ team: 'red' }, { team: 'blue' }, undefined],
    },
  ]);
  assert.deepEqual(await required(store, 'CreateSipRule', { TargetApplications: [{ SipMediaApplicationId: app }] }), [
    { action: 'chime:CreateSipRule', resources: [west(`sma/${app}`)], tags: [{ team: 'green' }] },
  ]);
});

test('Access: a connector and a call analytics configuration are each checked with their own tags', async () => {
  const { store, connector } = await openFixture();
  const VoiceConnectorId = await connector({ Tags: [{ Key: 'team', Value: 'red' }] });
  const configuration = {
    ...{ accountId: ACCOUNT, region: 'us-east-1', parent: '', id: 'calls', createdAt: START, updatedAt: START },
    tags: [{ key: 'team', value: 'blue' }],
    document: { MediaInsightsPipelineConfigurationId: 'c', ResourceAccessRoleArn: ROLE, Elements: [] },
  };
  await store.transaction((tx) => tx.resources.add(STORED_CONFIGURATION, configuration));
  const [first] = await required(store, 'PutVoiceConnectorStreamingConfiguration', { ...INPUT, VoiceConnectorId });
  assert.deepEqual(first?.tags, [{ team: 'red' }, { team: 'blue' }]);
});

test('Access: the permission to create the service-linked role is required only until it exists (SLR-6)', async () => {
  const { store, application } = await openFixture();
  const asksForRole = async () => (await required(store, 'UpdateSipMediaApplication', INPUT))[1]?.resources;
  assert.deepEqual(await asksForRole(), [ROLE]);
  await application();
  assert.deepEqual(await asksForRole(), []);
});
