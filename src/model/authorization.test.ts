// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of the reference look like templates
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionOf, actionsOf, conditionKey, resourceTypesOf, services } from './authorization.ts';
import { loadModel } from './load.ts';
import { actionName, SERVICE_NAMES, SERVICES } from './services.ts';

test('actionOf: an action has its access level and the ARN format of each resource type', () => {
  const action = actionOf('chime', 'GetMeeting');
  assert.equal(action?.accessLevel, 'Read');
  assert.deepEqual(action?.resourceTypes, [
    { type: 'meeting', required: true, arnFormat: 'arn:${Partition}:chime:${Region}:${AccountId}:meeting/${MeetingId}', conditionKeys: [] },
  ]);
});

test('actionOf: an action without resource types has the condition keys of its request', () => {
  const action = actionOf('chime', 'CreateMeeting');
  assert.deepEqual(action?.resourceTypes, []);
  assert.deepEqual(action?.conditionKeys, ['aws:RequestTag/${TagKey}', 'aws:TagKeys']);
});

// biome-ignore format: a table
const LEVELS: readonly [prefix: string, name: string, level: string | undefined][] = [
  // prefix          name                    level
  ['iam',            'AttachUserPolicy',     'Permissions management'],
  ['chime',          'TagResource',          'Tagging'],
  ['CHIME',          'createchannel',        'Write'],
  ['chime',          'ListChannels',         'List'],
  ['chime',          'CreateNothing',        undefined],
  ['s3',             'GetObject',            undefined],
  ['constructor',    'name',                 undefined],
];

for (const [prefix, name, level] of LEVELS) {
  test(`actionOf: ${prefix}:${name} is ${level}`, () => {
    assert.equal(actionOf(prefix, name)?.accessLevel, level);
  });
}

test('actionsOf: chime has 316 actions, and 148 of them support only *', () => {
  const actions = actionsOf('chime') ?? [];
  assert.equal(actions.length, 316);
  assert.equal(actions.filter(({ resourceTypes }) => resourceTypes.length === 0).length, 148);
});

test('resourceTypesOf: chime has 13 resource types, and all except voice-profile support tags', () => {
  const types = resourceTypesOf('chime') ?? [];
  assert.equal(types.length, 13);
  assert.deepEqual(
    types.filter(({ conditionKeys }) => !conditionKeys.includes('aws:ResourceTag/${TagKey}')).map(({ name }) => name),
    ['voice-profile'],
  );
});

test('services: includes services that this server does not have', () => {
  for (const prefix of ['s3', 'ec2', 'chime', 'iam']) assert.ok(services().has(prefix), prefix);
  assert.equal(services().has('chimes'), false);
});

test('actionName: every operation of the models has an action, except those newer than the reference', () => {
  const without = SERVICE_NAMES.flatMap((service) =>
    Object.keys(loadModel(service).operations).filter((operation) => {
      const [prefix, name] = actionName(service, operation).split(':') as [string, string];
      assert.equal(prefix, SERVICES[service].actionPrefix);
      return actionOf(prefix, name) === undefined;
    }),
  );
  assert.deepEqual(without.sort(), [
    'AcquireRole',
    'AssociateDatasetKmsKey',
    'CreateResourceMetricsConfiguration',
    'DeleteResourceMetricsConfiguration',
    'DescribeAlarmContributors',
    'DisassociateDatasetKmsKey',
    'GetResourceMetricsConfiguration',
    'ListInsightsMetricData',
    'UpdateDelegationRequest',
    'UpdateOTelEnrichment',
    'UpdateResourceMetricsConfiguration',
  ]);
});

// biome-ignore format: a table
const KEYS: readonly [name: string, key: string | undefined, type: string | undefined, multivalued: boolean | undefined][] = [
  // name                                                     key                                                       type         multivalued
  ['aws:SourceIp',                                            'aws:SourceIp',                                           'IPAddress', false],
  ['AWS:SOURCEIP',                                            'aws:SourceIp',                                           'IPAddress', false],
  ['aws:TagKeys',                                             'aws:TagKeys',                                            'String',    true ],
  ['aws:PrincipalTag/team',                                   'aws:PrincipalTag/${TagKey}',                             'String',    false],
  ['aws:RequestTag/',                                         undefined,                                                undefined,   undefined],
  ['iam:PassedToService',                                     'iam:PassedToService',                                    'String',    false],
  ['s3:prefix',                                               's3:prefix',                                              'String',    false],
  ['codebuild:environment.environmentVariables/x.value',      'codebuild:environment.environmentVariables/${name}.value', 'String',  false],
  ['codebuild:environment.environmentVariables/.value',       undefined,                                                undefined,   undefined],
  ['aws:SourceIpp',                                           undefined,                                                undefined,   undefined],
  ['__proto__',                                               undefined,                                                undefined,   undefined],
];

for (const [name, key, type, multivalued] of KEYS) {
  test(`conditionKey: ${name} is ${key}`, () => {
    const found = conditionKey(name);
    assert.deepEqual([found?.key, found?.type, found?.multivalued], [key, type, multivalued]);
  });
}
