import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionOf } from './authorization.ts';
import { loadModel } from './load.ts';
import { SERVICE_NAMES, type ServiceName } from './services.ts';

// biome-ignore format: a table
const SERVICES: readonly [service: ServiceName, signingName: string, protocols: string, operations: number][] = [
  // service                     signs as            protocols                          operations
  ['chime',                      'chime',            'rest-json',                       62],
  ['chime-sdk-identity',         'chime',            'rest-json',                       30],
  ['chime-sdk-meetings',         'chime',            'rest-json',                       16],
  ['chime-sdk-messaging',        'chime',            'rest-json',                       51],
  ['chime-sdk-media-pipelines',  'chime',            'rest-json',                       31],
  ['chime-sdk-voice',            'chime',            'rest-json',                       96],
  ['sts',                        'sts',              'query',                           11],
  ['cloudwatch',                 'monitoring',       'smithy-rpc-v2-cbor json query',   0],
  ['accessanalyzer',             'access-analyzer',  'rest-json',                       39],
];

for (const [service, signingName, protocols, operations] of SERVICES) {
  test(`loadModel: ${service} has the signing name ${signingName} and the protocols ${protocols}`, () => {
    const model = loadModel(service);
    assert.equal(model.signingName, signingName);
    assert.equal(model.protocols.join(' '), protocols);
    if (operations > 0) assert.equal(Object.keys(model.operations).length, operations);
  });
}

test('loadModel: returns the same object again', () => {
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

test('loadModel: only chime has removed operations: 129, each with an action', () => {
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

test('loadModel: ten removed operations have no successor with the same name in the other Chime services', () => {
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
