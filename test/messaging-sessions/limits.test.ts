import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ChimeSDKIdentityClient, CreateAppInstanceCommand, CreateAppInstanceUserCommand } from '@aws-sdk/client-chime-sdk-identity';
import { WebSocket } from 'ws';
import { startTestServer } from '../kit/server.ts';
import { connectTarget } from '../kit/upgrade.ts';

const server = await startTestServer({ BELFRY_SESSIONS_PER_USER: '2', BELFRY_SESSIONS_PER_ACCOUNT: '3' });
const identity = new ChimeSDKIdentityClient(server.client());
const { AppInstanceArn = '' } = await identity.send(new CreateAppInstanceCommand({ Name: 'chat', ClientRequestToken: 'chat' }));
const [ada, bob] = await Promise.all(
  ['ada', 'bob'].map(async (id) => {
    const user = { AppInstanceArn, AppInstanceUserId: id, Name: id, ClientRequestToken: `create-${id}` };
    const { AppInstanceUserArn = '' } = await identity.send(new CreateAppInstanceUserCommand(user));
    return AppInstanceUserArn;
  }),
);

let last = 0;
/** Opens a session. Returns the socket, and the outcome: `open`, or the reason with which the server closed the socket. */
async function connect(userArn = ''): Promise<{ socket: WebSocket; outcome: string }> {
  const target = connectTarget(server.endpoint, { userArn, sessionId: `s${++last}` }, { keys: server.credentials });
  const socket = new WebSocket(`${server.endpoint.replace('http', 'ws')}${target}`);
  socket.on('error', () => {});
  const outcome = await Promise.race([
    once(socket, 'message').then(() => 'open'),
    once(socket, 'close').then(([code, reason]) => `${code} ${reason}`),
  ]);
  return { socket, outcome };
}

test('Connect: concurrent requests open at most the allowed number of sessions per user and per account', async () => {
  const ofUser = await Promise.all(Array.from({ length: 6 }, () => connect(ada)));
  const REFUSED = '4401 ResourceLimitExceededException';
  assert.deepEqual(ofUser.map(({ outcome }) => outcome).sort(), [...Array(4).fill(REFUSED), 'open', 'open']);
  const ofAccount = await Promise.all(Array.from({ length: 2 }, () => connect(bob)));
  assert.deepEqual(ofAccount.map(({ outcome }) => outcome).sort(), [REFUSED, 'open']);

  const [open] = ofUser.filter(({ outcome }) => outcome === 'open');
  open?.socket.close();
  await once(open?.socket as WebSocket, 'close');
  let again = await connect(ada);
  // Retries, because the server may still count the closed session when the client is notified of the close.
  while (again.outcome !== 'open') again = await connect(ada);
  for (const { socket } of [...ofUser, ...ofAccount, again]) socket.terminate();
});
