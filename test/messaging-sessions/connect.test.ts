import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChimeSDKIdentityClient, CreateAppInstanceCommand, CreateAppInstanceUserCommand } from '@aws-sdk/client-chime-sdk-identity';
import { ChimeSDKMessagingClient, GetMessagingSessionEndpointCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { startTestServer } from '../server.ts';
import { connect, trust } from './client.ts';

const server = await startTestServer();
trust(server.caFile);
const identity = new ChimeSDKIdentityClient(server.client());
const messaging = new ChimeSDKMessagingClient(server.client());
const { AppInstanceArn } = await identity.send(new CreateAppInstanceCommand({ Name: 'chat', ClientRequestToken: 'token' }));
const { AppInstanceUserArn: ada = '' } = await identity.send(
  new CreateAppInstanceUserCommand({ AppInstanceArn, AppInstanceUserId: 'ada', Name: 'Ada', ClientRequestToken: 'token-a' }),
);

test('first', async () => {
  console.log(await messaging.send(new GetMessagingSessionEndpointCommand({})));
  const client = await connect(messaging, ada);
  console.log(client.received);
  client.stop();
});
