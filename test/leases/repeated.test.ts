/** Repeated withdrawals: the client lost the response and calls again, or another administrator makes the same change. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Credentials } from '#sigv4/sign.ts';
import { element, iamCall, iamPolicy } from './calls.ts';
import { type Member, startCluster } from './cluster.ts';

/** Length of a lease. Each test waits for the end of one. It is long enough that a busy machine renews the lease of the other server in time. */
const LEASE = 5_000;

const cluster = await startCluster({ servers: 2, leaseMilliseconds: LEASE });
after(() => cluster.stop());
const [here, there] = cluster.members as readonly [Member, Member];

type Parameters = Readonly<Record<string, string>>;

async function admin(parameters: Parameters): Promise<string> {
  const { status, body } = await iamCall(here.endpoint(), cluster.credentials, parameters);
  assert.equal(status, 200, body);
  return body;
}

interface Way {
  readonly withdrawal: (user: string, accessKeyId: string) => Parameters;
  /** Status of the repeated call. */
  readonly repeated: number;
}

const arnOf = (user: string): string => `arn:aws:iam::${cluster.accountId}:policy/none-${user}`;

// biome-ignore format: a table
const WAYS: Readonly<Record<string, Way>> = {
  RemoveUserFromGroup: { withdrawal: (user) => ({ UserName: user, GroupName: `g-${user}` }),           repeated: 200 },
  AttachUserPolicy:    { withdrawal: (user) => ({ UserName: user, PolicyArn: arnOf(user) }),           repeated: 200 },
  UpdateAccessKey:     { withdrawal: (user, AccessKeyId) => ({ UserName: user, AccessKeyId, Status: 'Inactive' }), repeated: 200 },
  DeleteGroupPolicy:   { withdrawal: (user) => ({ GroupName: `g-${user}`, PolicyName: 'all' }),        repeated: 404 },
  DeleteAccessKey:     { withdrawal: (user, AccessKeyId) => ({ UserName: user, AccessKeyId }),         repeated: 404 },
};

for (const [Action, { withdrawal, repeated }] of Object.entries(WAYS)) {
  test(`withdrawing: a repeated ${Action} returns after the first call is in force on every server`, { timeout: 120_000 }, async (t) => {
    const UserName = `user-${Action}`;
    const GroupName = `g-${UserName}`;
    await admin({ Action: 'CreateUser', UserName });
    const key = await admin({ Action: 'CreateAccessKey', UserName });
    const credentials: Credentials = { accessKeyId: element(key, 'AccessKeyId'), secretAccessKey: element(key, 'SecretAccessKey') };
    await admin({ Action: 'CreateGroup', GroupName });
    await admin({ Action: 'PutGroupPolicy', GroupName, PolicyName: 'all', PolicyDocument: iamPolicy('Allow') });
    await admin({ Action: 'CreatePolicy', PolicyName: `none-${UserName}`, PolicyDocument: iamPolicy('Deny') });
    await admin({ Action: 'AddUserToGroup', GroupName, UserName });
    const version = async () => (await cluster.query("SELECT value FROM counter WHERE name = 'identity'"))[0]?.['value'];
    const before = await version();
    // Waits until the other server has a lease, because a previous test may have cut the renewals of that server.
    while ((await iamCall(there.endpoint(), credentials, { Action: 'ListUsers' })).outcome !== 'allowed');

    // Prevents renewals of the other server, which then decides by its current snapshot until its lease ends.
    there.proxy.cut('renewals');
    t.after(() => there.proxy.heal());
    const parameters = { Action, ...withdrawal(UserName, credentials.accessKeyId) };
    const first = iamCall(here.endpoint(), cluster.credentials, parameters);
    while ((await version()) === before) await new Promise((resolve) => setImmediate(resolve));
    const { status, body } = await iamCall(here.endpoint(), cluster.credentials, parameters);
    assert.equal(status, repeated, body);
    assert.notEqual((await iamCall(there.endpoint(), credentials, { Action: 'ListUsers' })).outcome, 'allowed');
    assert.equal((await first).status, 200);
  });
}
