import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionOf } from './authorization.ts';
import { loadLegacyModel, loadModel, modelOfOperation } from './load.ts';
import { SERVICE_NAMES, type ServiceName } from './services.ts';

// biome-ignore format: a table
const SERVICES: readonly [service: ServiceName, signingName: string, protocols: string, operations: number][] = [
  // service                     signs as            protocols                          operations
  ['chime',                      'chime',            'rest-json',                       114],
  ['chime-sdk-identity',         'chime',            'rest-json',                       30],
  ['chime-sdk-meetings',         'chime',            'rest-json',                       16],
  ['chime-sdk-messaging',        'chime',            'rest-json',                       51],
  ['chime-sdk-media-pipelines',  'chime',            'rest-json',                       31],
  ['chime-sdk-voice',            'chime',            'rest-json',                       96],
  ['sts',                        'sts',              'query',                           11],
  ['cloudwatch',                 'monitoring',       'smithy-rpc-v2-cbor json query',   0],
  ['accessanalyzer',             'access-analyzer',  'rest-json',                       42],
  ['s3',                         's3',               'rest-xml',                        25],
];

for (const [service, signingName, protocols, operations] of SERVICES) {
  test(`loadModel: ${service} has the signing name ${signingName} and the protocols ${protocols}`, () => {
    const model = loadModel(service);
    assert.equal(model.signingName, signingName);
    assert.equal(model.protocols.join(' '), protocols);
    if (operations > 0) assert.equal(Object.keys(model.operations).length, operations);
  });
}

test('loadModel: a second call returns the same object', () => {
  assert.equal(loadModel('sts'), loadModel('sts'));
});

test('loadModel: names of Object.prototype are not operations or shapes', () => {
  const { operations, shapes } = loadModel('sts');
  assert.equal(operations['constructor'], undefined);
  assert.equal(shapes['toString'], undefined);
});

test('loadModel: every referenced shape exists', () => {
  for (const service of SERVICE_NAMES) {
    const { operations, shapes } = loadModel(service);
    const named = [
      ...Object.values(operations).flatMap((o) => [o.input ?? [], o.output ?? [], o.errors].flat()),
      ...Object.values(shapes).flatMap((s) => [...Object.values(s.members ?? {}), s.member ?? [], s.key ?? []].flat().map((m) => m.shape)),
    ];
    assert.deepEqual(
      named.filter((name) => shapes[name] === undefined),
      [],
      service,
    );
  }
});

test('loadModel: only chime has removed operations: 129, and each has an IAM action', () => {
  const once = SERVICE_NAMES.map((service) => [service, Object.keys(loadModel(service).removed).length] as const);
  assert.deepEqual(
    once.filter(([, count]) => count > 0),
    [['chime', 129]],
  );
  const { operations, removed } = loadModel('chime');
  assert.deepEqual(
    Object.keys(removed).filter((name) => name in operations || actionOf('chime', name) === undefined),
    [],
  );
});

test('loadModel: ten operations that AWS removed from chime exist in no other Chime service', () => {
  const living = new Set(
    SERVICE_NAMES.filter((name) => name.startsWith('chime-')).flatMap((name) => Object.keys(loadModel(name).operations)),
  );
  const { removed } = loadModel('chime');
  // Source: security.md §16.
  assert.deepEqual(
    Object.keys(removed).filter((name) => !living.has(name)),
    [
      'DeleteAppInstanceStreamingConfigurations',
      'GetAppInstanceStreamingConfigurations',
      'ListAttendeeTags',
      'ListMeetingTags',
      'ListMeetings',
      'PutAppInstanceStreamingConfigurations',
      'TagAttendee',
      'TagMeeting',
      'UntagAttendee',
      'UntagMeeting',
    ],
  );
  assert.deepEqual(
    Object.values(removed).filter(({ name, readOnly }) => readOnly !== /^(?:Describe|Get|List|Retrieve|Search|Validate)/.test(name)),
    [],
  );
});

// biome-ignore format: a table
const READ_ONLY: readonly [service: ServiceName, operation: string, readOnly: boolean][] = [
  ['chime-sdk-meetings',  'GetMeeting',                true ],
  ['chime-sdk-meetings',  'CreateMeeting',             false],
  ['chime',               'SearchAvailablePhoneNumbers', true ],
  ['iam',                 'SimulatePrincipalPolicy',   true ],
  ['iam',                 'GenerateCredentialReport',  true ],
  ['sts',                 'AssumeRole',                true ],
  ['sts',                 'GetFederationToken',        false],
  ['cloudtrail',          'LookupEvents',              true ],
  ['cloudwatch',          'PutMetricData',             false],
  ['accessanalyzer',      'ListFindingsV2',            true ],
];

for (const [service, operation, readOnly] of READ_ONLY) {
  test(`loadModel: ${operation} is ${readOnly ? '' : 'not '}read-only`, () => {
    assert.equal(loadModel(service).operations[operation]?.readOnly, readOnly);
  });
}

test('loadLegacyModel: has the 119 removed operations with a successor, at their old routes', () => {
  const { operations, successors = {} } = loadLegacyModel();
  const { removed } = loadModel('chime');
  assert.equal(Object.keys(operations).length, 119);
  assert.deepEqual(Object.keys(operations), Object.keys(successors));
  for (const { name, http, readOnly } of Object.values(operations)) {
    assert.deepEqual({ http, readOnly }, { http: removed[name]?.http, readOnly: removed[name]?.readOnly });
    const several = successors[name]?.length !== 1;
    assert.equal(several, ['TagResource', 'UntagResource', 'ListTagsForResource'].includes(name), name);
  }
});

test('loadLegacyModel: every error of a removed operation is an error of chime with the same status', () => {
  const { operations, shapes } = loadLegacyModel();
  const codes = new Set(Object.values(operations).flatMap(({ errors }) => errors));
  assert.equal(codes.size, 11);
  for (const code of codes) assert.deepEqual(shapes[code]?.error, loadModel('chime').shapes[code]?.error, code);
});

test('loadLegacyModel: a list or string that is limited today is limited in the old shape too, by at most 256 items or 4,096 characters', () => {
  const { shapes } = loadLegacyModel();
  assert.deepEqual([shapes['CreateAttendeeRequestItemList']?.max, shapes['NonEmptyString']?.max, shapes['String']?.max], [100, 256, 4096]);
});

test('modelOfOperation: the old model describes a removed operation with a successor only if the server serves it', () => {
  const served = (operation: string, legacyChime: boolean) => modelOfOperation('chime', operation, legacyChime) === loadLegacyModel();
  assert.deepEqual([served('CreateMeeting', true), served('CreateMeeting', false)], [true, false]);
  assert.deepEqual([served('ListMeetings', true), served('constructor', true), served('GetAccount', true)], [false, false, false]);
  assert.equal(modelOfOperation('chime-sdk-meetings', 'CreateMeeting', true), loadModel('chime-sdk-meetings'));
});
