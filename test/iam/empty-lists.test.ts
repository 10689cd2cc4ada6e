import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIam, TRUST_ROOT } from './fixture.ts';

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

for (const name of [...FOR_ROLE, ...FOR_USER]) {
  test(`${name}: an unknown user or role is NoSuchEntity`, async () => {
    const { run } = await openIam();
    await assert.rejects(run(name, { UserName: 'absent', RoleName: 'absent' } as never), { code: 'NoSuchEntityException' });
  });
}
