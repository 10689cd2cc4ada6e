/** Messaging sessions on several server processes with one database, over plain WebSockets on loopback. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ChimeSDKIdentityClient, CreateAppInstanceCommand, CreateAppInstanceUserCommand } from '@aws-sdk/client-chime-sdk-identity';
import { ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging';
import { CreateUserCommand, DeleteUserPolicyCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { newKey } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { allow, policy } from '../kit/policy.ts';
import { type Member, startCluster } from '../leases/cluster.ts';
import { connect } from './client.ts';

const cluster = await startCluster({ servers: 2, leaseMilliseconds: 2_000 });
after(() => cluster.stop());
const [here, there] = cluster.members as readonly [Member, Member];
const on = (member: Member, credentials: Keys = cluster.credentials) => ({ endpoint: member.endpoint(), region: 'us-east-1', credentials });
const hostOf = (member: Member) => new URL(member.endpoint()).host;
const iam = new IAMClient(on(here));
const identity = new ChimeSDKIdentityClient(on(here));
const { AppInstanceArn } = await identity.send(new CreateAppInstanceCommand({ Name: 'chat', ClientRequestToken: 'chat' }));

async function appUser(AppInstanceUserId: string): Promise<string> {
  const of = { AppInstanceArn, AppInstanceUserId, Name: AppInstanceUserId, ClientRequestToken: `make-${AppInstanceUserId}` };
  return (await identity.send(new CreateAppInstanceUserCommand(of))).AppInstanceUserArn as string;
}

test('Two servers: a permission withdrawn on one server closes a messaging session on the other server', async () => {
  const userArn = await appUser('withdrawn');
  await iam.send(new CreateUserCommand({ UserName: 'ada' }));
  const PolicyDocument = policy(allow(['chime:Connect', 'chime:GetMessagingSessionEndpoint']));
  await iam.send(new PutUserPolicyCommand({ UserName: 'ada', PolicyName: 'p', PolicyDocument }));
  const keys = await newKey(iam, 'ada');
  const session = await connect(new ChimeSDKMessagingClient(on(there, keys)), userArn, { plain: true });
  await iam.send(new DeleteUserPolicyCommand({ UserName: 'ada', PolicyName: 'p' }));
  assert.equal(await session.stopped, 4401);
});

test('Two servers: a server without the database closes its sessions, and clients use the other server', async () => {
  const userArn = await appUser('moves');
  const session = await connect(new ChimeSDKMessagingClient(on(here)), userArn, { url: hostOf(there), plain: true });
  there.proxy.cut('everything');
  await session.reconnected();
  assert.ok(session.reconnects() > 0);
  session.stop();
  there.proxy.heal();
});
