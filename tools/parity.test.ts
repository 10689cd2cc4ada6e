import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import type { Member, Shape } from '#model/model.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import { ACTED_ON, changesSetting } from './parity/acted-on.ts';
import { type ClientName, calls, dashed } from './parity/clients.ts';
import { REASONS } from './parity/reasons.ts';
import { REFUSED, STORED } from './parity/stored.ts';
import { legacyParity, page, parity } from './parity.ts';

const PARITY = parity();

// biome-ignore format: a table
const NAMES: readonly [operation: string, command: string][] = [
  ['CreateMeeting',               'create-meeting'],
  ['CreateOpenIDConnectProvider', 'create-open-id-connect-provider'],
  ['ListMFADevices',              'list-mfa-devices'],
  ['CreateSAMLProvider',          'create-saml-provider'],
  ['GetFindingV2',                'get-finding-v2'],
];

for (const [operation, command] of NAMES) {
  test(`dashed: ${operation} becomes ${command}`, () => {
    assert.equal(dashed(operation, '-'), command);
  });
}

// biome-ignore format: a table
const CALLS: readonly [title: string, text: string, client: ClientName, service: ServiceName, operation: string, found: boolean][] = [
  ['an imported command',                   `import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';`,                'SDK',   'iam',                'CreateUser',    true ],
  ['a command of another service',          `import { TagResourceCommand } from '@aws-sdk/client-chime-sdk-voice';`,              'SDK',   'chime-sdk-meetings', 'TagResource',   false],
  ['a command of a namespace import',       `import * as iam from '@aws-sdk/client-iam';\nnew iam.GetUserCommand({})`,             'SDK',   'iam',                'GetUser',       true ],
  ['a command of the EventBridge package',  `import { PutEventsCommand } from '@aws-sdk/client-eventbridge';`,                    'SDK',   'events',             'PutEvents',     true ],
  ['a part of a longer name',               `import { GetUserPolicyCommand } from '@aws-sdk/client-iam';`,                        'SDK',   'iam',                'GetUser',       false],
  ['a command line',                        'aws iam get-user --user-name x',                                                     'CLI',   'iam',                'GetUser',       true ],
  ['arguments of a command line',           `aws('chime-sdk-meetings', 'create-meeting', '--client-request-token', 'x')`,         'CLI',   'chime-sdk-meetings', 'CreateMeeting', true ],
  ['a longer command',                      'aws iam get-user-policy',                                                            'CLI',   'iam',                'GetUser',       false],
  ['a method of a boto3 client',            `c = boto3.client('sts')\nc.get_caller_identity()`,                                   'boto3', 'sts',                'GetCallerIdentity', true ],
  ['a method without a client of STS',      `c = boto3.client('iam')\nc.get_caller_identity()`,                                   'boto3', 'sts',                'GetCallerIdentity', false],
  ['a method of a started boto3',          `const b = startBoto3(s);\nb({ service: 'sts' });\nmonth.sts('get_caller_identity')`,  'boto3', 'sts',                'GetCallerIdentity', true ],
  ['a started boto3 of another service',   `const b = startBoto3(s);\nb({ service: 'iam' });\nmonth.iam('get_caller_identity')`,  'boto3', 'sts',                'GetCallerIdentity', false],
];

for (const [title, text, client, service, operation, found] of CALLS) {
  test(`calls: ${title} is ${found ? '' : 'not '}a call of ${operation} of ${service}`, () => {
    assert.equal(calls({ path: 'x', text }, client, service, operation), found);
  });
}

test('parity: contains every operation of every model except our own', async () => {
  const services = await PARITY;
  assert.deepEqual(
    services.map(({ service, operations }) => [service, operations.length]),
    SERVICE_NAMES.map((service) => [service, Object.values(loadModel(service).operations).filter(({ own }) => own !== true).length]),
  );
});

for (const service of ['iam', 'sts', 'organizations', 'chime-sdk-voice', 'chime-sdk-media-pipelines'] as const) {
  test(`parity: in ${service}, exactly the operations that are not implemented have a reason`, async () => {
    const { operations } = (await PARITY).find((each) => each.service === service) ?? assert.fail();
    const without = operations.filter(({ built, reason }) => !built && reason === undefined).map(({ operation }) => operation);
    assert.deepEqual(without, []);
    const notBuilt = operations.filter(({ built }) => !built).map(({ operation }) => operation);
    assert.deepEqual([...(REASONS[service]?.keys() ?? [])].sort(), notBuilt.sort());
  });
}

for (const [list, service] of [STORED, REFUSED].flatMap((each) => Object.keys(each).map((name) => [each, name as ServiceName] as const))) {
  test(`parity: for ${service}, ${list === STORED ? 'STORED' : 'REFUSED'} lists only implemented operations, and only inputs in the model`, async () => {
    const { operations } = (await PARITY).find((each) => each.service === service) ?? assert.fail();
    const model = loadModel(service);
    for (const [name, { inputs }] of list[service] ?? []) {
      assert.equal(operations.find(({ operation }) => operation === name)?.built, true, name);
      for (const input of inputs.filter((each) => each !== '*')) {
        let shape: Shape | undefined = model.shapes[model.operations[name]?.input as string];
        for (const member of input.split('.')) {
          while (shape?.type === 'list') shape = model.shapes[shape.member?.shape as string];
          const found: Member | undefined = shape?.members?.[member];
          assert.ok(found, `${name} ${input}`);
          shape = model.shapes[found.shape];
        }
      }
    }
  });
}

// biome-ignore format: a table
const WITHOUT_EFFECT: readonly [service: ServiceName, operation: string, state: string][] = [
  ['chime-sdk-meetings',        'StartMeetingTranscription',                 'not yet: '],
  ['chime-sdk-meetings',        'CreateMeeting',                             'yes; stored, not acted on: `MediaRegion`'],
  ['chime-sdk-identity',        'PutAppInstanceRetentionSettings',           'yes |'],
  ['chime-sdk-media-pipelines', 'CreateMediaInsightsPipelineConfiguration',  'stored, not acted on: '],
  ['chime-sdk-media-pipelines', 'CreateMediaCapturePipeline',                'refused: '],
  ['chime-sdk-voice',           'PutVoiceConnectorStreamingConfiguration',   'stored, not acted on: '],
  ['chime-sdk-voice',           'PutVoiceConnectorLoggingConfiguration',     'yes; stored, not acted on: `LoggingConfiguration.EnableMediaMetricLogs`'],
  ['cloudtrail',                'GetInsightSelectors',                       'yes; refused: `EventDataStore` (there are no event data stores) |'],
];

for (const [service, operation, state] of WITHOUT_EFFECT) {
  test(`page: ${operation} has the state '${state.trim()}'`, async () => {
    const text = page((await PARITY).filter((each) => each.service === service));
    assert.ok(text.includes(`| ${operation} | ${state}`));
  });
}

for (const service of SERVICE_NAMES) {
  test(`parity: every operation of ${service} that changes a setting is in ACTED_ON or STORED`, async () => {
    const { operations } = (await PARITY).find((each) => each.service === service) ?? assert.fail();
    const setting = operations.filter(({ operation, built }) => built && changesSetting(operation));
    const unlisted = setting.filter(({ operation, stored }) => stored === undefined && ACTED_ON[service]?.has(operation) !== true);
    assert.deepEqual(
      unlisted.map(({ operation }) => operation),
      [],
    );
  });
}

test('page: lists whether each operation is implemented, its test clients and its assumptions', () => {
  const text = page([
    {
      service: 'sts',
      title: 'STS',
      assumed: 2,
      removed: 0,
      unsupported: [],
      own: 0,
      operations: [
        { operation: 'AssumeRole', built: true, testedBy: ['SDK', 'CLI'], file: 'assume-role.ts', assumed: 2 },
        { operation: 'AssumeRoot', built: false, testedBy: [], assumed: 0 },
        { operation: 'DecodeAuthorizationMessage', built: false, isRefused: true, reason: 'it is secret', testedBy: [], assumed: 0 },
        { operation: 'GetWebIdentityToken', built: false, reason: 'it has no use', testedBy: [], assumed: 0 },
      ],
    },
  ]);
  assert.match(text, /^\| \[STS\]\(#sts\) \| 4 \| 1 \| 1 \| 0 \| 1 \| 1 \| 0 \| 2 \|$/m);
  assert.match(text, /^\| AssumeRole \| yes \| SDK, CLI \| `assume-role\.ts` \| 2 \|$/m);
  assert.match(text, /^\| DecodeAuthorizationMessage \| refused: it is secret \|/m);
  assert.match(text, /^\| GetWebIdentityToken \| not yet: it has no use \|/m);
  assert.doesNotMatch(text, /AWS removed/);
  assert.match(text, /^\| AssumeRoot \| not yet \| {2}\| {2}\| {2}\|$/m);
});

test('page: states how many operations AWS removed, and omits them from the counts of operations', () => {
  const text = page([{ service: 'chime', title: 'Chime', assumed: 0, operations: [], unsupported: [], own: 49, removed: 129 }]);
  assert.match(text, /^AWS removed 129 operations of Chime\. /m);
  assert.match(text, /^Belfry adds 49 operations of its own /m);
  assert.match(text, /^\| \[Chime\]\(#chime\) \| 0 \| 0 \|/m);
});

test('legacyParity: lists the 129 removed operations of Chime: 119 have a successor, and ten are always refused', async () => {
  const legacy = legacyParity(await PARITY);
  assert.equal(legacy.length, 129);
  assert.equal(legacy.filter(({ successors }) => successors.length > 0).length, 119);
  const stateOf = (name: string) => legacy.find(({ operation }) => operation === name);
  assert.deepEqual(stateOf('CreateMeeting'), { operation: 'CreateMeeting', successors: ['Chime SDK Meetings'], built: true });
  assert.deepEqual(stateOf('ListMeetings'), { operation: 'ListMeetings', successors: [], built: false });
  const text = page(await PARITY);
  assert.ok(text.includes('| CreateMeeting | served with `BELFRY_LEGACY_CHIME=on` | Chime SDK Meetings |'));
  assert.ok(text.includes('| CreateProxySession | refused, as in the successor | Chime SDK Voice |'));
  assert.ok(text.includes('| ListMeetings | refused: no successor |  |'));
});
