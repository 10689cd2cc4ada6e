/**
 * Compares statements of the Amazon Chime Administration Guide about the APIs with the published service models that
 * the server uses.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadModel } from '#model/load.ts';
import type { ServiceModel } from '#model/model.ts';
import { CHIME_SERVICES, type ServiceName } from '#model/services.ts';

/** Returns all members of all structures of a model, as `Structure.Member`. */
const membersOf = ({ shapes }: ServiceModel): readonly string[] =>
  Object.entries(shapes).flatMap(([name, { members }]) => Object.keys(members ?? {}).map((member) => `${name}.${member}`));

// biome-ignore format: a table
const PROTOCOLS: readonly [service: ServiceName, protocol: string, signingName: string][] = [
  ...CHIME_SERVICES.map((service) => [service, 'rest-json', 'chime'] as [ServiceName, string, string]),
  ['iam',            'query',     'iam'],
  ['sts',            'query',     'sts'],
  ['cloudtrail',     'json',      'cloudtrail'],
  ['accessanalyzer', 'rest-json', 'access-analyzer'],
];

for (const [service, protocol, signingName] of PROTOCOLS) {
  test(`AUTHN-1: ${service} uses ${protocol} and the signing name ${signingName}`, () => {
    const model = loadModel(service);
    assert.ok(model.protocols.some((each) => each === protocol));
    assert.equal(model.signingName, signingName);
  });
}

test('AUTHN-1: the target prefix of CloudTrail is the one that its clients send', () => {
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

for (const service of CHIME_SERVICES) {
  test(`RBP-1: no operation of ${service} sets or returns a resource policy`, () => {
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

test('RBP-5: only the operations on trust policies and bucket policies store a policy with principals', () => {
  const taking = (['iam', 'sts', 'organizations', 's3', ...CHIME_SERVICES] as const).flatMap((service) => {
    const { operations, shapes } = loadModel(service);
    return Object.values(operations)
      .filter(
        ({ name, input }) =>
          Object.keys(shapes[input ?? '']?.members ?? {}).some((member) =>
            /^(AssumeRole|Trust|Resource)PolicyDocument$|^ResourcePolicy$/.test(member),
          ) || ['UpdateAssumeRolePolicy', 'PutBucketPolicy'].includes(name),
      )
      .map(({ name }) => name);
  });
  // The policy simulator also accepts a trust policy, but does not store it.
  assert.deepEqual(taking.filter((name) => !name.startsWith('Simulate')).sort(), [
    'CreateRole',
    'PutBucketPolicy',
    'UpdateAssumeRolePolicy',
  ]);
});

test('TAG-1: the classic service (chime) has no tag operations', () => {
  assert.deepEqual(
    Object.keys(loadModel('chime').operations).filter((name) => /Tag/.test(name)),
    [],
  );
});

/** Shapes of Belfry's own operations of `chime`. */
const OWN_SHAPES = new Set(Object.keys((JSON.parse(readFileSync('models/chime-2018-05-01.own.json', 'utf8')) as ServiceModel).shapes));

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
    expected.length === 0 ? ['ROLE-13', 'accepts no role ARN'] : ['ROLE-14', `accepts a role ARN as ${expected.join(', ')}`];
  test(`${requirement}: ${service} ${title}`, () => {
    const names = membersOf(loadModel(service))
      .map((member) => member.split('.') as [shape: string, name: string])
      .flatMap(([shape, name]) => (OWN_SHAPES.has(shape) ? [] : [name]));
    assert.deepEqual([...new Set(names.filter((name) => /RoleArn$/.test(name)))].sort(), expected);
  });
}

test('TS-2: of the Chime models, only chime and chime-sdk-voice contain AccessDeniedException', () => {
  assert.deepEqual(CHIME_SERVICES.filter((service) => loadModel(service).shapes['AccessDeniedException'] !== undefined).toSorted(), [
    'chime',
    'chime-sdk-voice',
  ]);
});
