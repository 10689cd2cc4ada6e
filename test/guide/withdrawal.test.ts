/**
 * EVAL-10 under load. Sixteen callers send requests without a pause, while a permission is withdrawn and restored. The server denies each
 * request sent after the response to the withdrawal, and allows each request sent after the restoration. Tests one server.
 * `test/leases/` tests several servers.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { GetMeetingCommand } from '@aws-sdk/client-chime-sdk-meetings';
import {
  AddUserToGroupCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  DetachRolePolicyCommand,
  DetachUserPolicyCommand,
  PutGroupPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  SetDefaultPolicyVersionCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreatePolicyCommand as CreateControlPolicyCommand,
  CreateOrganizationCommand,
  DetachPolicyCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations';
import { startAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { allow, deny, managed, policy, trust } from '../kit/policy.ts';

const CALLERS = 16;
/** Number of responses after which the next change begins. The time between two changes is called a phase. */
const CALLS = 100;

const account = await startAccount();
const { accountId, admin, meetings } = account;
const organizations = new OrganizationsClient(account.server.client());
const CHIME = policy(allow('chime:*'));
const FULL = managed('AmazonChimeFullAccess');
const own = (name: string) => `arn:aws:iam::${accountId}:policy/${name}`;
let member: Keys;
let denying = '';
let memberAccount = '';

before(async () => {
  await organizations.send(new CreateOrganizationCommand({}));
  const { Roots } = await organizations.send(new ListRootsCommand({}));
  await organizations.send(new EnablePolicyTypeCommand({ RootId: Roots?.[0]?.Id, PolicyType: 'SERVICE_CONTROL_POLICY' }));
  const { CreateAccountStatus } = await organizations.send(
    new CreateAccountCommand({ AccountName: 'member', Email: 'member@example.com' }),
  );
  memberAccount = CreateAccountStatus?.AccountId as string;
  member = await account.assume(account.server.credentials, `arn:aws:iam::${memberAccount}:role/OrganizationAccountAccessRole`);
  const Content = policy(deny('chime:*'));
  const { Policy } = await organizations.send(
    new CreateControlPolicyCommand({ Name: 'NoChime', Description: '', Type: 'SERVICE_CONTROL_POLICY', Content }),
  );
  denying = Policy?.PolicySummary?.Id as string;
});

/** Reports whether policies allow a call. Rejected credentials count as denials. */
async function passes(client: ReturnType<typeof meetings>): Promise<boolean> {
  try {
    await client.send(new GetMeetingCommand({ MeetingId: '00000000-0000-4000-8000-000000000000' }));
    return true;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'NotFoundException') return true;
    assert.match(name, /^(AccessDenied|UnrecognizedClient)Exception$/, message);
    return false;
  }
}

/**
 * Sends calls without a pause, and makes the changes meanwhile. Each change begins when `CALLS` calls have had
 * responses since the previous change.
 */
async function underLoad(keys: Keys, changes: readonly (() => Promise<unknown>)[]): Promise<readonly (readonly boolean[])[]> {
  const client = meetings(keys);
  const outcomes: boolean[][] = [[], ...changes.map(() => [])];
  /** Number of completed changes. `changing` is the number of started changes. */
  let phase = 0;
  let changing = 0;
  let done = false;
  const enough = changes.map(() => Promise.withResolvers<void>()).concat(Promise.withResolvers<void>());
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!done) {
      const sentIn = phase;
      const passed = await passes(client);
      // Ignores a call if the next change started before the response, because then Allow and Deny are both correct.
      if (changing !== sentIn) continue;
      outcomes[sentIn]?.push(passed);
      if ((outcomes[sentIn]?.length ?? 0) >= CALLS) enough[sentIn]?.resolve();
    }
  });
  const change = async () => {
    for (const make of changes) {
      await enough[phase]?.promise;
      changing++;
      await make();
      phase++;
    }
    await enough[phase]?.promise;
    done = true;
  };
  try {
    await Promise.all([change(), ...callers]);
  } finally {
    done = true;
  }
  return outcomes;
}

interface Row {
  readonly title: string;
  readonly keys: () => Promise<Keys>;
  readonly withdraw: (keys: Keys) => Promise<unknown>;
  /** Restores the permission. Absent if the change cannot be undone. */
  readonly restore?: (keys: Keys) => Promise<unknown>;
}

const session = async (name: string): Promise<Keys> => {
  const maker = await account.user(`maker-${name}`, allow('sts:AssumeRole'));
  const role = await account.role(name, trust(account.userArn(`maker-${name}`)));
  await admin.send(new AttachRolePolicyCommand({ RoleName: name, PolicyArn: FULL }));
  return account.assume(maker, role);
};

const ROWS: readonly Row[] = [
  {
    title: 'detaching a policy',
    keys: () => account.user('detached', FULL),
    withdraw: () => admin.send(new DetachUserPolicyCommand({ UserName: 'detached', PolicyArn: FULL })),
    restore: () => admin.send(new AttachUserPolicyCommand({ UserName: 'detached', PolicyArn: FULL })),
  },
  {
    title: 'deleting an inline policy',
    keys: () => account.user('inline', allow('chime:*')),
    withdraw: () => admin.send(new DeleteUserPolicyCommand({ UserName: 'inline', PolicyName: 'p' })),
    restore: () => admin.send(new PutUserPolicyCommand({ UserName: 'inline', PolicyName: 'p', PolicyDocument: CHIME })),
  },
  {
    title: 'leaving a group',
    async keys() {
      const keys = await account.user('grouped');
      await admin.send(new CreateGroupCommand({ GroupName: 'group' }));
      await admin.send(new PutGroupPolicyCommand({ GroupName: 'group', PolicyName: 'p', PolicyDocument: CHIME }));
      await admin.send(new AddUserToGroupCommand({ GroupName: 'group', UserName: 'grouped' }));
      return keys;
    },
    withdraw: () => admin.send(new RemoveUserFromGroupCommand({ GroupName: 'group', UserName: 'grouped' })),
    restore: () => admin.send(new AddUserToGroupCommand({ GroupName: 'group', UserName: 'grouped' })),
  },
  {
    title: 'another version of a policy',
    async keys() {
      await admin.send(new CreatePolicyCommand({ PolicyName: 'Versioned', PolicyDocument: CHIME }));
      await admin.send(new CreatePolicyVersionCommand({ PolicyArn: own('Versioned'), PolicyDocument: policy(allow('iam:*')) }));
      return account.user('versioned', own('Versioned'));
    },
    withdraw: () => admin.send(new SetDefaultPolicyVersionCommand({ PolicyArn: own('Versioned'), VersionId: 'v2' })),
    restore: () => admin.send(new SetDefaultPolicyVersionCommand({ PolicyArn: own('Versioned'), VersionId: 'v1' })),
  },
  {
    title: 'a permissions boundary',
    keys: () => account.user('bounded', FULL),
    withdraw: () =>
      admin.send(new PutUserPermissionsBoundaryCommand({ UserName: 'bounded', PermissionsBoundary: managed('IAMReadOnlyAccess') })),
    restore: () => admin.send(new DeleteUserPermissionsBoundaryCommand({ UserName: 'bounded' })),
  },
  {
    title: 'deactivating an access key',
    keys: () => account.user('inactive', FULL),
    withdraw: ({ accessKeyId }) =>
      admin.send(new UpdateAccessKeyCommand({ UserName: 'inactive', AccessKeyId: accessKeyId, Status: 'Inactive' })),
    restore: ({ accessKeyId }) =>
      admin.send(new UpdateAccessKeyCommand({ UserName: 'inactive', AccessKeyId: accessKeyId, Status: 'Active' })),
  },
  {
    title: 'deleting an access key',
    keys: () => account.user('keyless', FULL),
    withdraw: ({ accessKeyId }) => admin.send(new DeleteAccessKeyCommand({ UserName: 'keyless', AccessKeyId: accessKeyId })),
  },
  {
    title: 'detaching the policy of a session’s role',
    keys: () => session('Detached'),
    withdraw: () => admin.send(new DetachRolePolicyCommand({ RoleName: 'Detached', PolicyArn: FULL })),
    restore: () => admin.send(new AttachRolePolicyCommand({ RoleName: 'Detached', PolicyArn: FULL })),
  },
  {
    title: 'deleting the role of a session',
    keys: () => session('Deleted'),
    async withdraw() {
      await admin.send(new DetachRolePolicyCommand({ RoleName: 'Deleted', PolicyArn: FULL }));
      await admin.send(new DeleteRoleCommand({ RoleName: 'Deleted' }));
    },
  },
  {
    title: 'a service control policy on the account',
    keys: async () => member,
    withdraw: () => organizations.send(new AttachPolicyCommand({ PolicyId: denying, TargetId: memberAccount })),
    restore: () => organizations.send(new DetachPolicyCommand({ PolicyId: denying, TargetId: memberAccount })),
  },
];

for (const { title, keys: make, withdraw, restore } of ROWS) {
  test(`EVAL-10: ${title} applies to the next request under load`, async () => {
    const keys = await make();
    const changes = [() => withdraw(keys), ...(restore === undefined ? [] : [() => restore(keys)])];
    const [earlier, withdrawn, restored] = await underLoad(keys, changes);
    assert.equal(
      withdrawn?.filter((passed) => passed).length,
      0,
      `of ${withdrawn?.length} calls sent after the withdrawal some were allowed`,
    );
    assert.ok((withdrawn?.length ?? 0) >= CALLS);
    assert.ok(earlier?.some((passed) => passed));
    if (restore !== undefined)
      assert.equal(
        restored?.filter((passed) => !passed).length,
        0,
        `of ${restored?.length} calls sent after the restoration some were denied`,
      );
  });
}
