import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IamApi } from '#model/generated/iam.ts';
import type { IdentityKind, IdentityRecords } from '#store/identity/identity.ts';
import { ACCOUNT, ALLOW_CHIME, type Iam, openIam, TRUST_ROOT } from './fixture.ts';

/**
 * After any sequence of operations, including failed ones, records and reverse indexes contain the same relations, such
 * as the members of a group and the users of a policy. A step is one operation with its input. The steps use few names,
 * so that many steps concern the same entities.
 */

const NAME = fc.constantFrom('a', 'A', 'b', 'c');
const POLICY_ARN = fc.constantFrom(
  `arn:aws:iam::${ACCOUNT}:policy/p`,
  `arn:aws:iam::${ACCOUNT}:policy/q`,
  'arn:aws:iam::aws:policy/AmazonChimeReadOnly',
);

type Step = readonly [name: keyof IamApi, input: object];

function step<Name extends keyof IamApi>(name: Name, input: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Step> {
  return fc.record(input).map((made) => [name, made] as const);
}

const STEP: fc.Arbitrary<Step> = fc.oneof(
  step('CreateUser', { UserName: NAME }),
  step('DeleteUser', { UserName: NAME }),
  step('UpdateUser', { UserName: NAME, NewUserName: NAME }),
  step('CreateGroup', { GroupName: NAME }),
  step('DeleteGroup', { GroupName: NAME }),
  step('UpdateGroup', { GroupName: NAME, NewGroupName: NAME }),
  step('CreateRole', { RoleName: NAME, AssumeRolePolicyDocument: fc.constant(TRUST_ROOT) }),
  step('DeleteRole', { RoleName: NAME }),
  step('AddUserToGroup', { GroupName: NAME, UserName: NAME }),
  step('RemoveUserFromGroup', { GroupName: NAME, UserName: NAME }),
  step('CreatePolicy', { PolicyName: fc.constantFrom('p', 'q'), PolicyDocument: fc.constant(ALLOW_CHIME) }),
  step('DeletePolicy', { PolicyArn: POLICY_ARN }),
  step('AttachUserPolicy', { UserName: NAME, PolicyArn: POLICY_ARN }),
  step('DetachUserPolicy', { UserName: NAME, PolicyArn: POLICY_ARN }),
  step('AttachGroupPolicy', { GroupName: NAME, PolicyArn: POLICY_ARN }),
  step('DetachGroupPolicy', { GroupName: NAME, PolicyArn: POLICY_ARN }),
  step('AttachRolePolicy', { RoleName: NAME, PolicyArn: POLICY_ARN }),
  step('DetachRolePolicy', { RoleName: NAME, PolicyArn: POLICY_ARN }),
  step('PutUserPermissionsBoundary', { UserName: NAME, PermissionsBoundary: POLICY_ARN }),
  step('DeleteUserPermissionsBoundary', { UserName: NAME }),
  step('PutRolePermissionsBoundary', { RoleName: NAME, PermissionsBoundary: POLICY_ARN }),
  step('CreateAccessKey', { UserName: NAME }),
  step('CreateServiceLinkedRole', { AWSServiceName: fc.constant('chime.amazonaws.com') }),
  step('DeleteServiceLinkedRole', { RoleName: fc.constant('AWSServiceRoleForAmazonChime') }),
);

const arnOf = (name: string): string => `arn:aws:iam::${ACCOUNT}:policy/${name}`;

/** Steps that create the initial entities. */
const INITIAL_STEPS: readonly Step[] = [
  ...['p', 'q'].map((PolicyName) => ['CreatePolicy', { PolicyName, PolicyDocument: ALLOW_CHIME }] as const),
  ...['a', 'b'].flatMap((name): readonly Step[] => [
    ['CreateUser', { UserName: name, PermissionsBoundary: arnOf('q') }],
    ['CreateGroup', { GroupName: name }],
    ['CreateRole', { RoleName: name, AssumeRolePolicyDocument: TRUST_ROOT }],
    ['AddUserToGroup', { GroupName: name, UserName: name }],
    ['AttachUserPolicy', { UserName: name, PolicyArn: arnOf('p') }],
    ['AttachGroupPolicy', { GroupName: name, PolicyArn: arnOf('p') }],
    ['AttachRolePolicy', { RoleName: name, PolicyArn: arnOf('q') }],
    ['CreateAccessKey', { UserName: name }],
  ]),
];

/** Runs a step. Accepts only documented errors, because any other error is a bug. */
async function tryStep({ run }: Iam, [name, input]: Step): Promise<void> {
  try {
    await run(name, input as never);
  } catch (error) {
    const { code } = error as { readonly code?: string };
    assert.match(
      code ?? String(error),
      /^(?:NoSuchEntity|EntityAlreadyExists|DeleteConflict|LimitExceeded|InvalidInput|UnmodifiableEntity|AccessDenied)/,
    );
  }
}

test('Reverse indexes: after any sequence of operations, the indexes match the records', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 10, maxLength: 60 }), async (steps) => {
      const iam = await openIam();
      for (const one of [...INITIAL_STEPS, ...steps]) await tryStep(iam, one);
      await iam.store.transaction(async (tx) => {
        const all = async <Kind extends IdentityKind>(
          kind: Kind,
        ): Promise<{ readonly key: string; readonly record: IdentityRecords[Kind] }[]> => tx.identity.list(ACCOUNT, kind);
        const keysOf = async (kind: IdentityKind): Promise<string[]> => (await all(kind)).map(({ key }) => key).sort();
        const [users, groups, roles, policies, accessKeys] = [
          await all('user'),
          await all('group'),
          await all('role'),
          await all('policy'),
          await all('access-key'),
        ];

        const holders = [
          ...users.map(({ key, record }) => ({ place: `user/${key}`, record, boundary: record.permissionsBoundaryArn })),
          ...groups.map(({ key, record }) => ({ place: `group/${key}`, record, boundary: undefined })),
          ...roles.map(({ key, record }) => ({ place: `role/${key}`, record, boundary: record.permissionsBoundaryArn })),
        ];
        const attachments = holders.flatMap(({ place, record, boundary }) => [
          ...record.attachedPolicyArns.map((arn) => `${arn} ${place}`),
          ...(boundary === undefined ? [] : [`${boundary} ${place} boundary`]),
        ]);
        assert.deepEqual(await keysOf('attachment'), attachments.sort());

        const memberships = users.flatMap(({ key, record }) => record.groupIds.map((id) => `${id} ${key}`));
        assert.deepEqual(await keysOf('membership'), memberships.sort());
        assert.deepEqual(
          await keysOf('unique-id'),
          [
            ...users.map(({ record }) => record.userId),
            ...roles.map(({ record }) => record.roleId),
            ...groups.map(({ record }) => record.groupId),
          ].sort(),
        );
        const owned = users.flatMap(({ record }) => record.accessKeyIds.map((id) => `${id} ${record.userName}`));
        assert.deepEqual(accessKeys.map(({ key, record }) => `${key} ${record.userName}`).sort(), owned.sort());

        const groupIds = new Set(groups.map(({ record }) => record.groupId));
        for (const { record } of users) for (const id of record.groupIds) assert.ok(groupIds.has(id), `${record.userName} is in ${id}`);
        const own = new Set<string>(policies.map(({ record }) => record.arn));
        for (const { record, boundary } of holders) {
          for (const arn of [...record.attachedPolicyArns, ...(boundary === undefined ? [] : [boundary])]) {
            assert.ok(arn.startsWith('arn:aws:iam::aws:') || own.has(arn), `${arn} is attached and absent`);
          }
        }
      });
      await iam.store.close();
    }),
    { numRuns: 200 },
  );
});
