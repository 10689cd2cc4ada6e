import assert from 'node:assert/strict';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { assertAnsweredMeanwhile, type Figure, startOtherCaller, type Workload } from './workload.ts';
import { type Credentials, type HostileRequest, hostileRequests, sendHostile } from './worst-analysis-requests.ts';

/** Permissions of the hostile client: only analyses and simulations. */
const READ_ONLY = JSON.stringify({
  Version: '2012-10-17',
  Statement: {
    Effect: 'Allow',
    Action: ['iam:Simulate*', 'iam:GetContextKeys*', 'access-analyzer:Validate*', 'access-analyzer:Check*'],
    Resource: '*',
  },
});

/** Long analyses, which run on threads of their own. The server must answer other callers during each. */
const LONG: readonly string[] = ['SimulateCustomPolicy, context entries', 'ValidatePolicy, 130 KB of patterns of resources'];

/** HTTP statuses that a request may receive: success, invalid, denied, conflict, too large, too complex, throttled. */
const STATUSES: ReadonlySet<number> = new Set([200, 400, 403, 409, 413, 422, 429]);

export const worstAnalyses: Workload = {
  name: 'worst analyses',

  async run({ seconds, seed }) {
    const server = await startTestServer();
    const credentials = await readOnlyUser(server);
    const other = await startOtherCaller(server.client());
    const until = Date.now() + seconds * 1000;
    const requests = hostileRequests(seed);
    let longestMs = 0;
    let slowest = '';
    let sent = 0;
    const attack = async (request: HostileRequest): Promise<number> => {
      const { longestMs: delay, calls } = await other.during(() => answered(server, credentials, request));
      sent += 1;
      if (delay > longestMs) [longestMs, slowest] = [delay, request.name];
      return calls;
    };
    for (const request of requests.filter(({ name }) => LONG.includes(name)))
      await assertAnsweredMeanwhile(request.name, () => attack(request));
    for (let i = 0; i < requests.length && Date.now() < until; i++) await attack(requests[i] as HostileRequest);
    // Skipped in short runs, because the throttling takes some seconds to observe.
    if (seconds >= 5) await throttled(server, credentials, requests.find(({ name }) => name === LONG[0]) as HostileRequest);
    other.stop();
    await server.stop();
    const figures: Figure[] = [
      { what: `longest delay of another caller (${slowest})`, value: longestMs, unit: 'ms' },
      { what: 'hostile requests sent', value: sent, unit: 'count' },
    ];
    return figures;
  },
};

async function readOnlyUser(server: TestServer): Promise<Credentials> {
  const iam = new IAMClient(server.client());
  await iam.send(new CreateUserCommand({ UserName: 'hostile' }));
  await iam.send(new PutUserPolicyCommand({ UserName: 'hostile', PolicyName: 'read', PolicyDocument: READ_ONLY }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'hostile' }));
  iam.destroy();
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

async function answered(server: TestServer, credentials: Credentials, request: HostileRequest): Promise<void> {
  const { status, body } = await sendHostile(server, credentials, request);
  const expected = STATUSES.has(status) || (status === 500 && body.includes('<Code>PolicyEvaluation</Code>'));
  assert.ok(expected, `${request.name}: ${status} ${body.slice(0, 200)}`);
}

/** Sends 12 analyses of one account at the same time. Checks that the server throttles some of them, but not all. */
async function throttled(server: TestServer, credentials: Credentials, request: HostileRequest): Promise<void> {
  const all = await Promise.all(Array.from({ length: 12 }, () => sendHostile(server, credentials, request)));
  const refused = all.filter(({ body }) => body.includes('<Code>Throttling</Code>')).length;
  assert.ok(refused >= 1 && refused < all.length, `${refused} of ${all.length} were throttled`);
}
