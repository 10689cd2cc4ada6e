import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { Apis } from '#model/generated/apis.ts';
import { loadModel } from '#model/load.ts';
import { SERVICE_NAMES, type ServiceName } from '#model/services.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { ACCOUNT, accessOf, OTHER_ACCOUNT } from '../kit/fixture.ts';
import type { Access } from '../kit/operation.ts';
import { operationTable } from '../kit/operation-table.ts';
import { addRole } from './fixture.ts';
import { onPassRole, PASSED_ROLES, type PassedRole, withPassedRoles } from './pass-role.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/service/Passed`;

/** Members that a role is named in and not handed over by, and what they are instead. */
const EXCEPTED: ReadonlyMap<string, string> = new Map([
  ['accessanalyzer principalArn', 'whose policies were generated'],
  ['accessanalyzer policyGenerationDetails.principalArn', 'whose activity is looked at'],
  ['chime Role', 'a part that people have in a room'],
  ['chime MembershipItemList[].Role', 'a part that people have in a room'],
  [
    'chime-sdk-media-pipelines KinesisVideoStreamSourceRuntimeConfiguration.Streams[].StreamChannelDefinition.ChannelDefinitions[].ParticipantRole',
    'a part that people have in a call',
  ],
  ['iam RoleName', 'the role is acted upon, or taken from an instance profile'],
  ['iam AssumeRolePolicyDocument', 'a policy'],
  ['iam Description', 'a text'],
  ['organizations RoleName', 'the name of a role that is made'],
  ['sts RoleArn', 'a role that is assumed: sts:AssumeRole is asked for it'],
  ['sts RoleSessionName', 'the name of a role session'],
]);

interface RoleMember {
  readonly service: ServiceName;
  readonly operation: string;
  readonly member: string;
}

/** Every text in an operation's input that has to do with roles by its name, its shape's name or its pattern. */
function roleMembers(service: ServiceName): readonly RoleMember[] {
  const { operations, shapes } = loadModel(service);
  function under(shapeName: string, path: string, above: readonly string[]): readonly string[] {
    const shape = shapes[shapeName];
    if (shape === undefined || above.includes(shapeName)) return [];
    const steps: (readonly [path: string, name: string, shape: string])[] = Object.entries(shape.members ?? {}).map(([name, use]) => [
      path === '' ? name : `${path}.${name}`,
      name,
      use.shape,
    ]);
    if (shape.member !== undefined) steps.push([`${path}[]`, '', shape.member.shape]);
    return steps.flatMap(([to, name, target]) =>
      shapes[target]?.type === 'string'
        ? [name, target, shapes[target].pattern ?? ''].some((text) => /role/i.test(text))
          ? [to]
          : []
        : under(target, to, [...above, shapeName]),
    );
  }
  return Object.values(operations).flatMap(({ name, input }) =>
    (input === undefined ? [] : under(input, '', [])).map((member) => ({ service, operation: name, member })),
  );
}

const MEMBERS = SERVICE_NAMES.flatMap(roleMembers);
const isPassed = ({ service, operation, member }: RoleMember) =>
  PASSED_ROLES.some((each) => each.service === service && each.operation === operation && each.member === member);
const exceptionOf = ({ service, member }: RoleMember) => `${service} ${member}`;

test('PASSED_ROLES: has every member of every model that names a role, but those that hand none over (ROLE-15)', () => {
  const forgotten = MEMBERS.filter((each) => !isPassed(each) && !EXCEPTED.has(exceptionOf(each)));
  assert.deepEqual(forgotten, []);
});

test('PASSED_ROLES: names members that are there, as do the exceptions', () => {
  const known = (passed: PassedRole) =>
    MEMBERS.some((each) => isPassed(each) && each.operation === passed.operation && each.member === passed.member);
  assert.deepEqual(
    PASSED_ROLES.filter((each) => !known(each)),
    [],
  );
  const excepted = new Set(MEMBERS.filter((each) => !isPassed(each)).map(exceptionOf));
  assert.deepEqual(
    [...EXCEPTED.keys()].filter((each) => !excepted.has(each)),
    [],
  );
});

test('PASSED_ROLES: what is answered to what is no role’s ARN is an error of the model, or what every service answers', () => {
  const unknown = PASSED_ROLES.filter(
    ({ service, malformed = 'ValidationError' }) =>
      malformed !== 'ValidationError' && loadModel(service).shapes[malformed]?.error === undefined,
  );
  assert.deepEqual(unknown, []);
});

/** An input with a text in one place: `Targets[].RoleArn` → `{ Targets: [{ RoleArn: text }] }`. */
function inputWith(member: string, text: string): unknown {
  return member
    .split('.')
    .reduceRight<unknown>((inner, step) => (step.endsWith('[]') ? { [step.slice(0, -2)]: [inner] } : { [step]: inner }), text);
}

function required({ service, operation }: RoleMember, input: unknown, profile: 'sdk' | 'classic' = 'sdk'): readonly Access[] {
  return accessOf(withPassedRoles(service, operationTable(service as keyof Apis, {})), operation, input, { profile });
}

for (const passed of PASSED_ROLES) {
  const { operation, member, passedTo, malformed } = passed;

  test(`${operation}: a role in ${member} is asked for as iam:PassRole to ${passedTo}, after the operation’s own permission (ROLE-15)`, () => {
    const [own, ...further] = required(passed, inputWith(member, malformed === undefined ? 'Passed' : ROLE));
    assert.ok(own?.action.endsWith(`:${operation}`));
    assert.deepEqual(
      further.map(({ action, resources, context }) => [action, resources, [...(context ?? [])]]),
      [['iam:PassRole', [malformed === undefined ? `arn:aws:iam::${ACCOUNT}:role/Passed` : ROLE], [['iam:passedtoservice', passedTo]]]],
    );
  });

  test(`${operation}: without a role in ${member} nothing more is asked for`, () => {
    for (const input of [{}, inputWith(member, '')]) assert.equal(required(passed, input).length, 1);
  });

  if (malformed === undefined) continue;
  test(`${operation}: what is no role’s ARN in ${member} is ${malformed}, once the operation itself is allowed`, async () => {
    const [, refused] = required(passed, inputWith(member, `arn:aws:iam::${ACCOUNT}:user/ada`));
    await assert.rejects(async () => refused?.resolve?.(undefined as never), { code: malformed });
  });
}

// biome-ignore format: a table
const NO_ROLES: readonly [title: string, text: string][] = [
  ['no ARN',                      'Passed'                                   ],
  ['a user',                      `arn:aws:iam::${ACCOUNT}:user/Passed`      ],
  ['a role session',              `arn:aws:sts::${ACCOUNT}:assumed-role/P/s` ],
  ['a role without a name',       `arn:aws:iam::${ACCOUNT}:role/`            ],
  ['a role of no account',        'arn:aws:iam:::role/Passed'                ],
  ['a role of AWS',               'arn:aws:iam::aws:role/Passed'             ],
  ['a role in a region',          `arn:aws:iam:us-east-1:${ACCOUNT}:role/P`  ],
  ['a role in another partition', `arn:aws-cn:iam::${ACCOUNT}:role/Passed`   ],
];

const PUT_TARGETS: RoleMember = { service: 'events', operation: 'PutTargets', member: 'Targets[].RoleArn' };

for (const [title, text] of NO_ROLES) {
  test(`iam:PassRole: ${title} cannot be passed`, async () => {
    const [, refused] = required(PUT_TARGETS, inputWith(PUT_TARGETS.member, text));
    await assert.rejects(async () => refused?.resolve?.(undefined as never), { code: 'ValidationError' });
  });
}

test('PutTargets: the role of each target is asked for, each once', () => {
  const Targets = [{ RoleArn: ROLE }, {}, { RoleArn: `${ROLE}2` }, { RoleArn: ROLE }];
  assert.deepEqual(
    required(PUT_TARGETS, { Targets }).map(({ action, resources }) => [action, ...resources]),
    [
      ['events:PutTargets', '*'],
      ['iam:PassRole', ROLE],
      ['iam:PassRole', `${ROLE}2`],
    ],
  );
});

test('AddRoleToInstanceProfile: the role is found by its name, whatever its path and the case of the name', async () => {
  const store = await openSqlite(':memory:');
  await addRole(store, ROLE);
  const resolved = (RoleName: string, accountId?: AccountId) => {
    const table = withPassedRoles('iam', operationTable('iam', {}));
    const input = { RoleName, InstanceProfileName: 'p' };
    const [, passing] = accessOf(table, 'AddRoleToInstanceProfile', input, { ...(accountId && { accountId }) });
    return store.transaction((tx) => passing?.resolve?.(tx) ?? Promise.resolve([]));
  };
  assert.deepEqual(await resolved('PASSED'), [ROLE]);
  assert.deepEqual(await resolved('Unknown'), [`arn:aws:iam::${ACCOUNT}:role/Unknown`]);
  assert.deepEqual(await resolved('Passed', OTHER_ACCOUNT), [`arn:aws:iam::${OTHER_ACCOUNT}:role/Passed`]);
});

for (const passed of PASSED_ROLES.filter(({ service }) => service.startsWith('chime'))) {
  test(`${passed.operation}: in the classic profile a role in ${passed.member} is BadRequestException before anything is asked (ROLE-13, ROLE-15)`, () => {
    assert.throws(() => required(passed, inputWith(passed.member, ROLE), 'classic'), { code: 'BadRequestException' });
    assert.throws(() => required(passed, inputWith(passed.member, 'no ARN'), 'classic'), { code: 'BadRequestException' });
    assert.equal(required(passed, {}, 'classic').length, 1);
  });
}

test('withPassedRoles: an operation whose input has no role is unchanged', () => {
  const table = operationTable('iam', {});
  assert.equal(withPassedRoles('iam', table).GetUser, table.GetUser);
});

test('onPassRole: asks for the role, and says to which service it is passed (ROLE-15)', () => {
  assert.deepEqual(onPassRole(ROLE, 'mediapipelines.chime.amazonaws.com'), {
    action: 'iam:PassRole',
    resources: [ROLE],
    context: new Map([['iam:passedtoservice', 'mediapipelines.chime.amazonaws.com']]),
  });
});
