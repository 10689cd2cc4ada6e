/** AUTHN-3, EVAL-10: withdrawing a permission closes exactly the messaging sessions that depend on the permission. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  ChimeSDKIdentityClient,
  CreateAppInstanceCommand,
  CreateAppInstanceUserCommand,
  DeleteAppInstanceCommand,
  DeleteAppInstanceUserCommand,
} from '@aws-sdk/client-chime-sdk-identity';
import {
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand as CreateServiceControlPolicyCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations';
import { newKey } from '../kit/account.ts';
import { startChat } from '../kit/chat.ts';
import type { Keys } from '../kit/keys.ts';
import { allow, deny, policy, trust } from '../kit/policy.ts';
import { type Client, connect } from './client.ts';

const chat = await startChat();
const { admin } = chat;
const CONNECT = allow(['chime:Connect', 'chime:GetMessagingSessionEndpoint']);
const { Policy: MAY_CONNECT } = await admin.send(new CreatePolicyCommand({ PolicyName: 'MayConnect', PolicyDocument: policy(CONNECT) }));
const maker = await chat.user('maker', allow('sts:AssumeRole'));

/** A way to open a session, and a change after which the server closes the session. */
interface Case {
  readonly title: string;
  readonly code: number;
  readonly open: (name: string, userArn: string) => Promise<{ readonly client: Client; readonly withdraw: () => Promise<unknown> }>;
}

const open = (keys: Keys, userArn: string) => connect(chat.messaging(keys), userArn);
const withUser =
  (withdraw: (UserName: string, keys: Keys, userArn: string) => Promise<unknown>): Case['open'] =>
  async (UserName, userArn) => {
    await admin.send(new CreateUserCommand({ UserName }));
    await admin.send(new AttachUserPolicyCommand({ UserName, PolicyArn: MAY_CONNECT?.Arn }));
    const keys = await newKey(admin, UserName);
    return { client: await open(keys, userArn), withdraw: () => withdraw(UserName, keys, userArn) };
  };
const withRole =
  (withdraw: (RoleName: string) => Promise<unknown>): Case['open'] =>
  async (RoleName, userArn) => {
    const role = await chat.role(RoleName, trust(chat.userArn('maker')), CONNECT);
    return { client: await open(await chat.assume(maker, role), userArn), withdraw: () => withdraw(RoleName) };
  };

// biome-ignore format: a table
const CASES: readonly Case[] = [
  { title: 'its policy is detached',                       code: 4401, open: withUser((UserName) => admin.send(new DetachUserPolicyCommand({ UserName, PolicyArn: MAY_CONNECT?.Arn }))) },
  { title: 'it is denied',                                 code: 4401, open: withUser((UserName) => admin.send(new PutUserPolicyCommand({ UserName, PolicyName: 'no', PolicyDocument: policy(deny('chime:Connect')) }))) },
  { title: 'its access key is deactivated',                code: 4401, open: withUser((UserName, { accessKeyId: AccessKeyId }) => admin.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: 'Inactive' }))) },
  { title: 'its user is deleted',                          code: 4401, open: withUser(deleteUser) },
  { title: 'the policy of its role is deleted',            code: 4401, open: withRole((RoleName) => admin.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' }))) },
  { title: 'the sessions of its role are revoked',         code: 4401, open: withRole(revokeSessions) },
  { title: 'the app instance user is deleted',             code: 4401, open: withUser((_, __, AppInstanceUserArn) => chat.identity.send(new DeleteAppInstanceUserCommand({ AppInstanceUserArn }))) },
  { title: 'the app instance is deleted',                  code: 4401, open: inAppInstance },
  { title: 'a service control policy denies it',           code: 4401, open: inMemberAccount },
  { title: 'it is opened again with the same ID',         code: 4003, open: openedAgain },
];

for (const [i, { title, code, open }] of CASES.entries()) {
  test(`Closed sessions: if ${title}, the code is ${code}, and the client does not reconnect`, async () => {
    const userArn = await chat.appUser(`user${i}`);
    const { client, withdraw } = await open(`case${i}`, userArn);
    await withdraw();
    assert.deepEqual([await client.stopped, client.reconnects()], [code, 0]);
  });
}

test("Closed sessions: a withdrawal of another user's permission leaves a session open", async () => {
  const userArn = await chat.appUser('stays');
  const stays = await chat.user('stays', CONNECT);
  const goes = await chat.user('goes', CONNECT);
  const client = await open(stays, userArn);
  const other = await open(goes, userArn);
  await admin.send(new DeleteUserPolicyCommand({ UserName: 'goes', PolicyName: 'p' }));
  assert.equal(await other.stopped, 4401);
  // The server re-authorizes all sessions of an account at the same time. So if the server also closed `client`, the
  // close frame has been sent. Waits until a later close of another session arrives, and then checks `client`.
  const sessionId = randomUUID();
  const earlier = await connect(chat.messaging(stays), userArn, { sessionId });
  await connect(chat.messaging(stays), userArn, { sessionId });
  assert.equal(await earlier.stopped, 4003);
  assert.equal(await Promise.race([client.stopped, Promise.resolve('open')]), 'open');
});

async function deleteUser(UserName: string, { accessKeyId: AccessKeyId }: Keys): Promise<void> {
  await admin.send(new DetachUserPolicyCommand({ UserName, PolicyArn: MAY_CONNECT?.Arn }));
  await admin.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  await admin.send(new DeleteUserCommand({ UserName }));
}

/** Revokes the sessions of a role, as "Revoke active sessions" in the console does. */
async function revokeSessions(RoleName: string): Promise<void> {
  const Condition = { DateLessThan: { 'aws:TokenIssueTime': new Date(Date.now() + 1_000).toISOString() } };
  const PolicyDocument = policy(deny('*', '*', { Condition }));
  await admin.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'AWSRevokeOlderSessions', PolicyDocument }));
}

async function inAppInstance(UserName: string): ReturnType<Case['open']> {
  const userArn = await userOfOwn(chat.identity, UserName);
  const client = await open(await chat.user(UserName, CONNECT), userArn);
  const AppInstanceArn = userArn.slice(0, userArn.indexOf('/user/'));
  return { client, withdraw: () => chat.identity.send(new DeleteAppInstanceCommand({ AppInstanceArn })) };
}

/** Creates a user in a new app instance. Returns the user's ARN. */
async function userOfOwn(identity: ChimeSDKIdentityClient, name: string): Promise<string> {
  const { AppInstanceArn } = await identity.send(new CreateAppInstanceCommand({ Name: name, ClientRequestToken: name }));
  const of = { AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Ada', ClientRequestToken: name };
  return (await identity.send(new CreateAppInstanceUserCommand(of))).AppInstanceUserArn as string;
}

/** Opens a session in a member account, with the role that the organization created in that account. */
async function inMemberAccount(name: string): ReturnType<Case['open']> {
  const organizations = new OrganizationsClient(chat.server.client());
  await organizations.send(new CreateOrganizationCommand({}));
  const { Roots = [] } = await organizations.send(new ListRootsCommand({}));
  await organizations.send(new EnablePolicyTypeCommand({ RootId: Roots[0]?.Id, PolicyType: 'SERVICE_CONTROL_POLICY' }));
  const { CreateAccountStatus } = await organizations.send(new CreateAccountCommand({ AccountName: name, Email: 'member@example.com' }));
  const TargetId = CreateAccountStatus?.AccountId;
  const keys = await chat.assume(chat.server.credentials, `arn:aws:iam::${TargetId}:role/OrganizationAccountAccessRole`);
  const userArn = await userOfOwn(new ChimeSDKIdentityClient(chat.server.client(keys)), name);
  return {
    client: await open(keys, userArn),
    async withdraw() {
      const { Policy } = await organizations.send(
        new CreateServiceControlPolicyCommand({
          Name: 'NoSessions',
          Description: 'none',
          Type: 'SERVICE_CONTROL_POLICY',
          Content: policy(deny('chime:Connect')),
        }),
      );
      await organizations.send(new AttachPolicyCommand({ PolicyId: Policy?.PolicySummary?.Id, TargetId }));
    },
  };
}

async function openedAgain(UserName: string, userArn: string): ReturnType<Case['open']> {
  const messaging = chat.messaging(await chat.user(UserName, CONNECT));
  const sessionId = randomUUID();
  return { client: await connect(messaging, userArn, { sessionId }), withdraw: () => connect(messaging, userArn, { sessionId }) };
}
