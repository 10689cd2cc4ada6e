import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand,
  DescribeCreateAccountStatusCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Credentials } from '#sigv4/sign.ts';
import { keysOf } from '../kit/keys.ts';
import { allow, policy } from '../kit/policy.ts';
import { element, iamCall, iamPolicy, type Outcome } from './calls.ts';
import { type Member, startCluster } from './cluster.ts';

/** Length of a lease that a busy machine renews in time. Each server acknowledges each change, so that no test waits for the end of a lease. */
const LEASE = 30_000;

const cluster = await startCluster({ servers: 2, leaseMilliseconds: LEASE });
after(() => cluster.stop());
const [here, there] = cluster.members as readonly [Member, Member];
const { accountId } = cluster;

const NOTHING_OF_IAM = policy(allow('chime:*'));

/** Sends a call of the administrator, by default to the first server. @throws AssertionError  the status is not 200 */
async function admin(parameters: Readonly<Record<string, string>>, on: Member = here): Promise<string> {
  const { status, body } = await iamCall(on.endpoint(), cluster.credentials, parameters);
  assert.equal(status, 200, body);
  return body;
}

async function newUser(UserName: string): Promise<Credentials> {
  await admin({ Action: 'CreateUser', UserName });
  const body = await admin({ Action: 'CreateAccessKey', UserName });
  return { accessKeyId: element(body, 'AccessKeyId'), secretAccessKey: element(body, 'SecretAccessKey') };
}

async function newPolicy(PolicyName: string, PolicyDocument: string): Promise<string> {
  return element(await admin({ Action: 'CreatePolicy', PolicyName, PolicyDocument }), 'Arn');
}

/** One way to withdraw a permission. */
interface Way {
  readonly title: string;
  /** Grants the permission that `withdraw` withdraws. */
  readonly grant: (user: string, credentials: Credentials) => Promise<unknown>;
  readonly withdraw: (user: string, credentials: Credentials) => Promise<unknown>;
}

const policyArn = (user: string): string => `arn:aws:iam::${accountId}:policy/of-${user}`;
const inline = (user: string) => admin({ Action: 'PutUserPolicy', UserName: user, PolicyName: 'all', PolicyDocument: iamPolicy('Allow') });

const WAYS: readonly Way[] = [
  {
    title: 'detaching a policy',
    grant: async (user) => {
      await newPolicy(`of-${user}`, iamPolicy('Allow'));
      await admin({ Action: 'AttachUserPolicy', UserName: user, PolicyArn: policyArn(user) });
    },
    withdraw: (user) => admin({ Action: 'DetachUserPolicy', UserName: user, PolicyArn: policyArn(user) }),
  },
  {
    title: 'another default version of a policy',
    grant: async (user) => {
      await newPolicy(`of-${user}`, iamPolicy('Allow'));
      await admin({ Action: 'AttachUserPolicy', UserName: user, PolicyArn: policyArn(user) });
    },
    withdraw: (user) =>
      admin({ Action: 'CreatePolicyVersion', PolicyArn: policyArn(user), PolicyDocument: NOTHING_OF_IAM, SetAsDefault: 'true' }),
  },
  {
    title: 'deleting an inline policy',
    grant: inline,
    withdraw: (user) => admin({ Action: 'DeleteUserPolicy', UserName: user, PolicyName: 'all' }),
  },
  {
    title: 'a policy that denies',
    grant: inline,
    withdraw: (user) => admin({ Action: 'PutUserPolicy', UserName: user, PolicyName: 'none', PolicyDocument: iamPolicy('Deny') }),
  },
  {
    title: 'a narrower permissions boundary',
    grant: async (user) => {
      await inline(user);
      await newPolicy(`of-${user}`, NOTHING_OF_IAM);
    },
    withdraw: (user) => admin({ Action: 'PutUserPermissionsBoundary', UserName: user, PermissionsBoundary: policyArn(user) }),
  },
  {
    title: 'leaving a group',
    grant: async (user) => {
      await admin({ Action: 'CreateGroup', GroupName: `g-${user}` });
      await admin({ Action: 'PutGroupPolicy', GroupName: `g-${user}`, PolicyName: 'all', PolicyDocument: iamPolicy('Allow') });
      await admin({ Action: 'AddUserToGroup', GroupName: `g-${user}`, UserName: user });
    },
    withdraw: (user) => admin({ Action: 'RemoveUserFromGroup', GroupName: `g-${user}`, UserName: user }),
  },
  {
    title: 'deactivating an access key',
    grant: inline,
    withdraw: (user, { accessKeyId }) => admin({ Action: 'UpdateAccessKey', UserName: user, AccessKeyId: accessKeyId, Status: 'Inactive' }),
  },
  {
    title: 'deleting an access key',
    grant: inline,
    withdraw: (user, { accessKeyId }) => admin({ Action: 'DeleteAccessKey', UserName: user, AccessKeyId: accessKeyId }),
  },
];

/** Starts callers that call both servers without a pause. `end` returns the outcomes of the calls that began after `mark`. */
function load(credentials: Credentials) {
  let running = true;
  let marked = false;
  const begunAfter: Outcome[] = [];
  const callers = cluster.members.flatMap((member) =>
    Array.from({ length: 2 }, async () => {
      while (running) {
        const counts = marked;
        const { outcome } = await iamCall(member.endpoint(), credentials, { Action: 'ListUsers' });
        if (counts) begunAfter.push(outcome);
      }
    }),
  );
  return {
    mark: (): void => {
      marked = true;
    },
    async end(): Promise<readonly Outcome[]> {
      // Continues until enough calls have begun after the mark.
      while (begunAfter.length < 8) await new Promise((resolve) => setImmediate(resolve));
      running = false;
      await Promise.all(callers);
      return begunAfter;
    },
  };
}

describe('withdrawing on two servers: each server denies the next request', () => {
  for (const [i, { title, grant, withdraw }] of WAYS.entries()) {
    test(`withdrawing: ${title} denies the next request on both servers, under load`, async () => {
      const user = `user${i}`;
      const credentials = await newUser(user);
      await grant(user, credentials);
      for (const member of cluster.members) {
        assert.equal((await iamCall(member.endpoint(), credentials, { Action: 'ListUsers' })).outcome, 'allowed');
      }
      const busy = load(credentials);
      await withdraw(user, credentials);
      busy.mark();
      for (const member of [there, here]) {
        assert.equal((await iamCall(member.endpoint(), credentials, { Action: 'ListUsers' })).outcome, 'denied');
      }
      assert.deepEqual(new Set(await busy.end()), new Set<Outcome>(['denied']));
    });
  }

  test('withdrawing: a permission granted on one server allows the next request on the other server', async () => {
    const credentials = await newUser('granted');
    await admin({ Action: 'PutUserPolicy', UserName: 'granted', PolicyName: 'all', PolicyDocument: iamPolicy('Allow') });
    assert.equal((await iamCall(there.endpoint(), credentials, { Action: 'ListUsers' })).outcome, 'allowed');
  });

  test('withdrawing: during concurrent withdrawals, the other server denies the next request', async () => {
    await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const user = `many${i}`;
        const credentials = await newUser(user);
        await inline(user);
        const [by, other] = i % 2 === 0 ? [here, there] : [there, here];
        assert.equal((await iamCall(other.endpoint(), credentials, { Action: 'ListUsers' })).outcome, 'allowed');
        await admin({ Action: 'DeleteUserPolicy', UserName: user, PolicyName: 'all' }, by);
        assert.equal((await iamCall(other.endpoint(), credentials, { Action: 'ListUsers' })).outcome, 'denied');
      }),
    );
  });

  test('withdrawing: an attached SCP denies the next request of a role session on the other server', async () => {
    const common = { region: 'us-east-1', credentials: cluster.credentials, endpoint: here.endpoint() };
    const organizations = new OrganizationsClient(common);
    await organizations.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }));
    const { CreateAccountStatus: asked } = await organizations.send(
      new CreateAccountCommand({ Email: 'm@example.com', AccountName: 'member' }),
    );
    const { CreateAccountStatus: made } = await organizations.send(
      new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: asked?.Id }),
    );
    assert.equal(made?.State, 'SUCCEEDED');
    const { Roots } = await organizations.send(new ListRootsCommand({}));
    await organizations.send(new EnablePolicyTypeCommand({ RootId: Roots?.[0]?.Id, PolicyType: 'SERVICE_CONTROL_POLICY' }));
    const { Credentials: session } = await new STSClient({ ...common, endpoint: there.endpoint() }).send(
      new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${made?.AccountId}:role/OrganizationAccountAccessRole`, RoleSessionName: 'me' }),
    );
    const credentials = keysOf(session);
    assert.equal((await iamCall(there.endpoint(), credentials, { Action: 'ListUsers' })).outcome, 'allowed');
    const { Policy } = await organizations.send(
      new CreatePolicyCommand({ Name: 'no-iam', Description: '', Type: 'SERVICE_CONTROL_POLICY', Content: iamPolicy('Deny') }),
    );
    await organizations.send(new AttachPolicyCommand({ PolicyId: Policy?.PolicySummary?.Id, TargetId: made?.AccountId }));
    assert.equal((await iamCall(there.endpoint(), credentials, { Action: 'ListUsers' })).outcome, 'denied');
  });
});
