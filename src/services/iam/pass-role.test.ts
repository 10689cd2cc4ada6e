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

/**
 * Input members that do not pass a role to a service, although their name or pattern contains "role". The value says
 * what the member contains.
 */
const EXCEPTED: ReadonlyMap<string, string> = new Map([
  ['accessanalyzer principalArn', 'the principal of generated policies'],
  ['accessanalyzer policyGenerationDetails.principalArn', 'the principal of the analyzed activity'],
  ['chime Role', 'a role of a user in a chat room'],
  ['chime MembershipItemList[].Role', 'a role of a user in a chat room'],
  [
    'chime-sdk-media-pipelines KinesisVideoStreamSourceRuntimeConfiguration.Streams[].StreamChannelDefinition.ChannelDefinitions[].ParticipantRole',
    'a role of a participant in a call',
  ],
  ['iam RoleName', 'the role that the operation changes, or removes from an instance profile'],
  ['iam AssumeRolePolicyDocument', 'a policy'],
  ['iam Description', 'a description'],
  ['organizations RoleName', 'the name of a new role'],
  ['sts RoleArn', 'a role to assume, which requires sts:AssumeRole'],
  ['sts RoleSessionName', 'the name of a role session'],
]);

interface RoleMember {
  readonly service: ServiceName;
  readonly operation: string;
  readonly member: string;
}

/**
 * Returns the string members that may contain a role, from the inputs of all operations of a service. A member may
 * contain a role if its name, the name of its shape or the pattern of its shape contains "role".
 */
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

test('PASSED_ROLES: has every member of the models that passes a role to a service (ROLE-15)', () => {
  const forgotten = MEMBERS.filter((each) => !isPassed(each) && !EXCEPTED.has(exceptionOf(each)));
  assert.deepEqual(forgotten, []);
});

test('PASSED_ROLES and EXCEPTED: every listed member exists in the models', () => {
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

test('PASSED_ROLES: except ValidationError, each code for an invalid role ARN is in the service model', () => {
  const unknown = PASSED_ROLES.filter(
    ({ service, malformed = 'ValidationError' }) =>
      malformed !== 'ValidationError' && loadModel(service).shapes[malformed]?.error === undefined,
  );
  assert.deepEqual(unknown, []);
});

/** Returns an input in which only one member is set: `Targets[].RoleArn` → `{ Targets: [{ RoleArn: text }] }`. */
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

  test(`${operation}: a role in ${member} also requires iam:PassRole for ${passedTo} (ROLE-15)`, () => {
    const [own, ...further] = required(passed, inputWith(member, malformed === undefined ? 'Passed' : ROLE));
    assert.ok(own?.action.endsWith(`:${operation}`));
    assert.deepEqual(
      further.map(({ action, resources, context }) => [action, resources, [...(context ?? [])]]),
      [['iam:PassRole', [malformed === undefined ? `arn:aws:iam::${ACCOUNT}:role/Passed` : ROLE], [['iam:passedtoservice', passedTo]]]],
    );
  });

  test(`${operation}: without a role in ${member}, only the operation's own action is required`, () => {
    for (const input of [{}, inputWith(member, '')]) assert.equal(required(passed, input).length, 1);
  });

  if (malformed === undefined) continue;
  test(`${operation}: an invalid role ARN in ${member} is ${malformed} for an allowed caller`, async () => {
    const [, refused] = required(passed, inputWith(member, `arn:aws:iam::${ACCOUNT}:user/ada`));
    await assert.rejects(async () => refused?.resolve?.(undefined as never), { code: malformed });
  });
}

// biome-ignore format: a table
const NO_ROLES: readonly [title: string, text: string][] = [
  ['a string that is not an ARN', 'Passed'                                   ],
  ['a user',                      `arn:aws:iam::${ACCOUNT}:user/Passed`      ],
  ['a role session',              `arn:aws:sts::${ACCOUNT}:assumed-role/P/s` ],
  ['a role without a name',       `arn:aws:iam::${ACCOUNT}:role/`            ],
  ['a role without an account',   'arn:aws:iam:::role/Passed'                ],
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

test('PutTargets: requires iam:PassRole once for each role, even if several targets have the role', () => {
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

test('AddRoleToInstanceProfile: finds the role by its name, with any path, ignoring case', async () => {
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

// The operations of Belfry itself in `chime` are no part of that API.
for (const passed of PASSED_ROLES.filter(({ service }) => service.startsWith('chime-'))) {
  test(`${passed.operation}: ${passed.member} in a request to the older Chime API is BadRequestException (ROLE-13, ROLE-15)`, () => {
    assert.throws(() => required(passed, inputWith(passed.member, ROLE), 'classic'), { code: 'BadRequestException' });
    assert.throws(() => required(passed, inputWith(passed.member, 'no ARN'), 'classic'), { code: 'BadRequestException' });
    assert.equal(required(passed, {}, 'classic').length, 1);
  });
}

test('withPassedRoles: an operation without an input member for a role is unchanged', () => {
  const table = operationTable('iam', {});
  assert.equal(withPassedRoles('iam', table).GetUser, table.GetUser);
});

test('onPassRole: requires iam:PassRole for the role, with iam:PassedToService (ROLE-15)', () => {
  assert.deepEqual(onPassRole(ROLE, 'mediapipelines.chime.amazonaws.com'), {
    action: 'iam:PassRole',
    resources: [ROLE],
    context: new Map([['iam:passedtoservice', 'mediapipelines.chime.amazonaws.com']]),
  });
});
