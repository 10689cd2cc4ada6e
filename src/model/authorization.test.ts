// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of the reference look like templates
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionOf, actionsOf, conditionKey, resourceTypesOf, services } from './authorization.ts';
import { loadModel } from './load.ts';
import { actionName, isChime, SERVICE_NAMES } from './services.ts';

test('actionOf: an action has its access level and the ARN format of each resource type', () => {
  const action = actionOf('chime', 'GetMeeting');
  assert.equal(action?.accessLevel, 'Read');
  assert.deepEqual(action?.resourceTypes, [
    { type: 'meeting', required: true, arnFormat: 'arn:${Partition}:chime:${Region}:${AccountId}:meeting/${MeetingId}', conditionKeys: [] },
  ]);
});

test('actionOf: an action without resource types has condition keys for the tags in the request', () => {
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
  ['s3',             'GetObject',            'Read'],
  ['sqs',            'SendMessage',          undefined],
  ['constructor',    'name',                 undefined],
];

for (const [prefix, name, level] of LEVELS) {
  test(`actionOf: ${prefix}:${name} has the access level ${level}`, () => {
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

/**
 * Actions of operations that the reference does not have yet. Add those of a new model. If the action of an operation has
 * another name than the operation, add it to `OTHER_ACTIONS` in `services.ts` instead.
 */
const NEWER_THAN_REFERENCE: readonly string[] = [
  'cloudtrail:ListInsightsMetricData',
  'cloudwatch:AssociateDatasetKmsKey',
  'cloudwatch:CreateResourceMetricsConfiguration',
  'cloudwatch:DeleteResourceMetricsConfiguration',
  'cloudwatch:DescribeAlarmContributors',
  'cloudwatch:DisassociateDatasetKmsKey',
  'cloudwatch:GetResourceMetricsConfiguration',
  'cloudwatch:UpdateOTelEnrichment',
  'cloudwatch:UpdateResourceMetricsConfiguration',
  'iam:AcquireRole',
  'iam:UpdateDelegationRequest',
  'logs:GetLogObject',
];

test('actionName: every operation of the models has an action in the reference, or is in NEWER_THAN_REFERENCE', () => {
  const actions = SERVICE_NAMES.flatMap((service) =>
    Object.keys(loadModel(service).operations).map((operation) => actionName(service, operation)),
  );
  const inReference = (action: string) => actionOf(...(action.split(':') as [string, string])) !== undefined;
  const unknown = new Set<string>(actions.filter((action) => !inReference(action)));
  assert.deepEqual(
    {
      addToNewerThanReference: [...unknown].filter((action) => !NEWER_THAN_REFERENCE.includes(action)),
      removeFromNewerThanReference: NEWER_THAN_REFERENCE.filter((action) => !unknown.has(action)),
    },
    { addToNewerThanReference: [], removeFromNewerThanReference: [] },
  );
});

/**
 * Action of `chime` without an operation. Source: Service Authorization Reference: "the account resource associated with your Amazon Chime
 * account", which no document explains. For Belfry, this resource is the role of people (Decision 0038), which needs no validation of its own.
 */
const WITHOUT_OPERATION = ['ValidateAccountResource'];

test('own operations: each has a permission-only action of chime for *, and one of the 64 such actions has no operation', () => {
  const { operations, removed } = loadModel('chime');
  const own = Object.values(operations)
    .filter((operation) => operation.own === true)
    .map(({ name }) => name);
  const published = new Set(
    SERVICE_NAMES.filter(isChime)
      .flatMap((service) => Object.values(loadModel(service).operations).filter((each) => each.own !== true))
      .map(({ name }) => name),
  );
  const permissionOnly = (actionsOf('chime') ?? []).filter(({ name }) => !published.has(name));
  assert.equal(permissionOnly.length, 64);
  assert.equal(permissionOnly.filter(({ name }) => removed[name] !== undefined).length, 10);
  // Connect is the upgrade of a messaging session to a WebSocket, which the models do not contain.
  const expected = permissionOnly.filter(
    ({ name }) => removed[name] === undefined && name !== 'Connect' && !WITHOUT_OPERATION.includes(name),
  );
  assert.deepEqual(own, expected.map(({ name }) => name).sort());
  assert.deepEqual(
    expected.filter(({ resourceTypes }) => resourceTypes.length > 0),
    [],
  );
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
