import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, openIam, TRUST_ROOT } from './fixture.ts';

type Run = Awaited<ReturnType<typeof openIam>>['run'];

const FOR_ROLE = ['ListInstanceProfilesForRole'] as const;
const FOR_USER = ['ListSigningCertificates', 'ListSSHPublicKeys', 'ListServiceSpecificCredentials'] as const;
const FOR_ACCOUNT = ['ListInstanceProfiles', 'ListServerCertificates'] as const;

for (const name of [...FOR_ROLE, ...FOR_USER, ...FOR_ACCOUNT]) {
  test(`${name}: the list is empty`, async () => {
    const { run } = await openIam();
    await run('CreateUser', { UserName: 'ada' });
    await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST_ROOT });
    const { IsTruncated, ...list } = (await run(name, { UserName: 'ada', RoleName: 'r' } as never)) as { readonly IsTruncated?: boolean };
    assert.deepEqual([IsTruncated, Object.values(list)], [false, [[]]]);
  });
}

// Source: localstack/localstack, tests/aws/services/iam, test_instance_profile_errors, recorded on AWS on 2026-02-12.
test('GetInstanceProfile: every name is NoSuchEntity, because instance profiles are not supported', async () => {
  const { run, requiredAccess } = await openIam();
  const input = { InstanceProfileName: 'nonexistent-profile' };
  await assert.rejects(run('GetInstanceProfile', input), {
    code: 'NoSuchEntityException',
    message: 'Instance Profile nonexistent-profile cannot be found.',
  });
  const [access] = await requiredAccess('GetInstanceProfile', input);
  assert.deepEqual(access?.resources, [`arn:aws:iam::${ACCOUNT}:instance-profile/nonexistent-profile`]);
});

// Source: localstack/localstack, tests/aws/services/iam, recorded on AWS in February 2026.
// Assumed: ListInstanceProfileTags and ListServerCertificateTags return these messages.
// biome-ignore format: a table
const NOT_FOUND: readonly (readonly [operation: Parameters<Run>[0], input: object, resource: string, message: string])[] = [
  ['ListInstanceProfileTags',   { InstanceProfileName: 'p' },                                                        'instance-profile/p',   'Instance Profile p cannot be found.'],
  ['GetServerCertificate',      { ServerCertificateName: 'nonexistent-certificate' },                                'server-certificate/nonexistent-certificate', 'The Server Certificate with name nonexistent-certificate cannot be found.'],
  ['ListServerCertificateTags', { ServerCertificateName: 'c' },                                                      'server-certificate/c', 'The Server Certificate with name c cannot be found.'],
  ['GetSSHPublicKey',           { UserName: 'ada', SSHPublicKeyId: 'APKAXXXXXXXXXXXXXXXXX', Encoding: 'SSH' },       'user/ada',             'The Public Key with id APKAXXXXXXXXXXXXXXXXX cannot be found.'],
  ['GetSSHPublicKey',           { UserName: 'nonexistent-user', SSHPublicKeyId: 'APKAXXXXXXXXXXXXXXXXX', Encoding: 'PEM' }, 'user/nonexistent-user', 'The user with name nonexistent-user cannot be found.'],
];

for (const [operation, input, resource, message] of NOT_FOUND) {
  test(`${operation}: ${message}`, async () => {
    const { run, requiredAccess } = await openIam();
    await run('CreateUser', { UserName: 'ada' });
    await assert.rejects(run(operation, input as never), { code: 'NoSuchEntityException', message });
    const [access] = await requiredAccess(operation, input as never);
    assert.deepEqual(access?.resources, [`arn:aws:iam::${ACCOUNT}:${resource}`]);
  });
}

for (const name of [...FOR_ROLE, ...FOR_USER]) {
  test(`${name}: an unknown user or role is NoSuchEntity`, async () => {
    const { run } = await openIam();
    await assert.rejects(run(name, { UserName: 'absent', RoleName: 'absent' } as never), { code: 'NoSuchEntityException' });
  });
}
