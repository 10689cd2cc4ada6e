/** What the guide says of the APIs themselves, held against the published models the server answers by. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import type { ServiceModel, ServiceName } from '#model/model.ts';

const CHIME = [
  'chime',
  'chime-sdk-identity',
  'chime-sdk-meetings',
  'chime-sdk-messaging',
  'chime-sdk-media-pipelines',
  'chime-sdk-voice',
] as const satisfies readonly ServiceName[];

/** Every member of every structure of a model. */
const membersOf = ({ shapes }: ServiceModel): readonly string[] =>
  Object.entries(shapes).flatMap(([name, { members }]) => Object.keys(members ?? {}).map((member) => `${name}.${member}`));

// biome-ignore format: a table
const PROTOCOLS: readonly [service: ServiceName, protocol: string, signingName: string][] = [
  ...CHIME.map((service) => [service, 'rest-json', 'chime'] as [ServiceName, string, string]),
  ['iam',            'query',     'iam'],
  ['sts',            'query',     'sts'],
  ['cloudtrail',     'json',      'cloudtrail'],
  ['accessanalyzer', 'rest-json', 'access-analyzer'],
];

for (const [service, protocol, signingName] of PROTOCOLS) {
  test(`AUTHN-1: ${service} speaks ${protocol} and is signed for ${signingName}`, () => {
    const model = loadModel(service);
    assert.ok(model.protocols.some((each) => each === protocol));
    assert.equal(model.signingName, signingName);
  });
}

test('AUTHN-1: the target of CloudTrail’s requests is the one its clients send', () => {
  assert.match(loadModel('cloudtrail').targetPrefix ?? '', /CloudTrail_20131101$/);
});

// biome-ignore format: a table
const STS_ERRORS: readonly [shape: string, code: string, status: number][] = [
  ['MalformedPolicyDocumentException',     'MalformedPolicyDocument',            400],
  ['PackedPolicyTooLargeException',        'PackedPolicyTooLarge',               400],
  ['RegionDisabledException',              'RegionDisabledException',            403],
  ['ExpiredTokenException',                'ExpiredTokenException',              400],
  ['IDPRejectedClaimException',            'IDPRejectedClaim',                   403],
  ['InvalidIdentityTokenException',        'InvalidIdentityToken',               400],
  ['IDPCommunicationErrorException',       'IDPCommunicationError',              400],
  ['InvalidAuthorizationMessageException', 'InvalidAuthorizationMessageException', 400],
];

for (const [shape, code, status] of STS_ERRORS) {
  test(`STS-1: ${shape} is ${code} with status ${status}`, () => {
    const error = loadModel('sts').shapes[shape]?.error;
    assert.deepEqual([error?.code ?? shape, error?.status], [code, status]);
  });
}

for (const service of CHIME) {
  test(`RBP-1: no operation of ${service} sets or reads a policy on a resource`, () => {
    assert.deepEqual(
      Object.keys(loadModel(service).operations).filter((name) => /Policy|Policies/.test(name)),
      [],
    );
    assert.deepEqual(
      membersOf(loadModel(service)).filter((name) => /\.(Resource)?Policy(Document)?$/.test(name)),
      [],
    );
  });
}

test('RBP-5: the only operations that keep a policy with principals are those of a role’s trust policy', () => {
  const taking = (['iam', 'sts', 'organizations', ...CHIME] as const).flatMap((service) => {
    const { operations, shapes } = loadModel(service);
    return Object.values(operations)
      .filter(
        ({ name, input }) =>
          Object.keys(shapes[input ?? '']?.members ?? {}).some((member) =>
            /^(AssumeRole|Trust|Resource)PolicyDocument$|^ResourcePolicy$/.test(member),
          ) || name === 'UpdateAssumeRolePolicy',
      )
      .map(({ name }) => name);
  });
  // The simulator takes one and keeps nothing.
  assert.deepEqual(taking.filter((name) => !name.startsWith('Simulate')).sort(), ['CreateRole', 'UpdateAssumeRolePolicy']);
});

test('TAG-1: the classic service has no operation on tags', () => {
  assert.deepEqual(
    Object.keys(loadModel('chime').operations).filter((name) => /Tag/.test(name)),
    [],
  );
});

// biome-ignore format: a table
const ROLE_ARNS: readonly [service: ServiceName, members: readonly string[]][] = [
  ['chime',                     []],
  ['chime-sdk-identity',        []],
  ['chime-sdk-meetings',        []],
  ['chime-sdk-messaging',       []],
  ['chime-sdk-voice',           []],
  ['chime-sdk-media-pipelines', ['DataAccessRoleArn', 'ResourceAccessRoleArn', 'SinkIamRoleArn']],
];

for (const [service, expected] of ROLE_ARNS) {
  const [requirement, title] =
    expected.length === 0 ? ['ROLE-13', 'takes no role ARN'] : ['ROLE-14', `takes a role ARN as ${expected.join(', ')}`];
  test(`${requirement}: ${service} ${title}`, () => {
    const names = membersOf(loadModel(service)).map((member) => member.slice(member.indexOf('.') + 1));
    assert.deepEqual([...new Set(names.filter((name) => /RoleArn$/.test(name)))].sort(), expected);
  });
}

test('TS-2: a policy denial’s AccessDeniedException is in the models of the classic service and of voice alone', () => {
  assert.deepEqual(
    CHIME.filter((service) => loadModel(service).shapes['AccessDeniedException'] !== undefined),
    ['chime', 'chime-sdk-voice'],
  );
});
