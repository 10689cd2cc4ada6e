import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChimeSDKIdentityClient, CreateAppInstanceCommand, CreateAppInstanceUserCommand } from '@aws-sdk/client-chime-sdk-identity';
import { ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging';
import { trustAuthority } from '../kit/chat.ts';
import { freePort } from '../kit/free-port.ts';
import { startServerProcess } from '../kit/process.ts';
import { startTestServer } from '../kit/server.ts';
import { connect } from './client.ts';

test('Messaging sessions: the client reconnects after a restart of the server', async () => {
  const ports = { BELFRY_HTTP: `127.0.0.1:${await freePort()}`, BELFRY_HTTPS: `127.0.0.1:${await freePort()}` };
  const first = await startServerProcess(ports);
  trustAuthority(`${first.dataFolder}/tls/ca.pem`);
  const client = { endpoint: first.endpoint, region: 'us-east-1', credentials: first.credentials };
  const identity = new ChimeSDKIdentityClient(client);
  const { AppInstanceArn } = await identity.send(new CreateAppInstanceCommand({ Name: 'chat', ClientRequestToken: 'chat' }));
  const of = { AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Ada', ClientRequestToken: 'ada' };
  const { AppInstanceUserArn = '' } = await identity.send(new CreateAppInstanceUserCommand(of));
  const session = await connect(new ChimeSDKMessagingClient(client), AppInstanceUserArn);

  assert.equal(await first.stop(), 0);
  await startTestServer(ports, first.dataFolder);
  await session.reconnected();
  assert.ok(session.reconnects() > 0);
  session.stop();
});
