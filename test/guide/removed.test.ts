/**
 * Operations that AWS removed from the classic Chime service in 2025. The AWS CLI (2.9) and boto3 (1.26) of Debian 12 still have most of
 * them. For all other operations, the test signs the requests itself.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { startAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { allow, deny } from '../kit/policy.ts';
import { bytesOf, errorCodeOf, exchange, type Plain, signedHeaders } from '../kit/raw.ts';
import { everyEvent, type LookedUp } from '../kit/trail.ts';

const account = await startAccount();
const { accountId, server } = account;
const { host } = new URL(server.endpoint);
const REMOVED = Object.values(loadModel('chime').removed);
const GATE = `Account Id ${accountId} is not authorized to call deprecated Amazon Chime SDK API on the "chime" endpoint, use one of the "*-chime*" endpoints instead.`;

const stranger = await account.user('stranger');
const denied = await account.user('denied', allow('chime:*'), deny('chime:*'));
const narrow = await account.user('narrow', allow('chime:*', `arn:aws:chime:*:${accountId}:*`));
const lister = await account.user('lister', allow('chime:List*'));

/** Response to one request. */
interface Outcome {
  readonly requestId: string;
  /** Status, error code and body without the ID of the request. Example: `403 ForbiddenException {"Code":…}`. */
  readonly answer: string;
}

/** Returns a request of an operation, as clients send it. The body is arbitrary, because the server ignores it. */
function requestFor({ http }: OperationModel): Plain {
  const target = `/_chime${http.uri.replaceAll(/\{[^}]*\}/g, 'x')}`;
  const bodied = http.method === 'POST' || http.method === 'PUT';
  return { method: http.method, target, ...(bodied && { body: '{"ClientRequestToken":"never-recorded"}' }) };
}

async function send(operation: OperationModel, credentials?: Keys): Promise<Outcome> {
  const plain = requestFor(operation);
  const headers = credentials ? signedHeaders(server.endpoint, plain, { credentials, signingName: 'chime' }) : { host };
  const reply = await exchange(server.endpoint, bytesOf(plain, headers));
  const requestId = reply.headers['x-amzn-requestid'] as string;
  const body = reply.body.toString('utf8').replace(`"RequestId":"${requestId}"`, '"RequestId":"that of the header"');
  return { requestId, answer: `${reply.status} ${errorCodeOf(reply)} ${body}` };
}

const forbidden = (message: string) =>
  `403 ForbiddenException ${JSON.stringify({ Code: 'Forbidden', Message: message, RequestId: 'that of the header', Resource: null })}`;
const unauthorized = (user: string, name: string, reason: string) =>
  forbidden(`User: ${account.userArn(user)} is not authorized to perform: chime:${name} on resource: * ${reason}`);

/** Sends a request for each of the 129 removed operations. */
async function sendAll(credentials?: Keys): Promise<readonly (Outcome & { readonly operation: OperationModel })[]> {
  const sent = [];
  for (const operation of REMOVED) sent.push({ operation, ...(await send(operation, credentials)) });
  assert.equal(sent.length, 129);
  return sent;
}

type Sent = Awaited<ReturnType<typeof sendAll>>;
let byAdministrator: Sent;
let byStranger: Sent;
before(async () => {
  byAdministrator = await sendAll(server.credentials);
  byStranger = await sendAll(stranger);
});

test('CHM-7: each of the 129 removed operations is refused with the account ID and the new endpoints', () => {
  assert.deepEqual(
    byAdministrator.filter(({ answer }) => answer !== forbidden(GATE)),
    [],
  );
});

test('CHM-7, TS-9: without permission, each removed operation is denied by policy', () => {
  const wrong = byStranger.filter(
    ({ operation: { name }, answer }) =>
      answer !== unauthorized('stranger', name, `because no identity-based policy allows the chime:${name} action`),
  );
  assert.deepEqual(wrong, []);
});

test('Errors: those of each of the 62 operations have the code, the message, the ID of the request and no resource', async () => {
  const operations = Object.values(loadModel('chime').operations).filter(({ own }) => own !== true);
  assert.equal(operations.length, 62);
  const wrong: string[] = [];
  for (const operation of operations) {
    const { answer } = await send(operation, stranger);
    const reason = `because no identity-based policy allows the chime:${operation.name} action`;
    // A body that lacks a required member is refused before the decision of the policies.
    const isInvalid = answer.startsWith('400 ValidationException {"Code":"Validation","Message":"');
    if (answer !== unauthorized('stranger', operation.name, reason) && !isInvalid) wrong.push(answer);
  }
  assert.deepEqual(wrong, []);
});

// biome-ignore format: a table
const CALLS: readonly (readonly [title: string, keys: Keys, operation: string, expected: string])[] = [
  // caller                                       keys      operation         response
  ['a user with a denying statement',             denied,   'CreateMeeting',  unauthorized('denied', 'CreateMeeting', 'with an explicit deny in an identity-based policy')],
  ['a user with a statement on ARNs',             narrow,   'GetMeeting',     unauthorized('narrow', 'GetMeeting', 'because no identity-based policy allows the chime:GetMeeting action')],
  ['a user who may list',                         lister,   'ListMeetings',   forbidden(GATE)],
  ['a user who may list',                         lister,   'DeleteMeeting',  unauthorized('lister', 'DeleteMeeting', 'because no identity-based policy allows the chime:DeleteMeeting action')],
];

for (const [title, keys, name, expected] of CALLS) {
  test(`CHM-7, CHM-1: ${name} requires its own action on *: ${title}`, async () => {
    const { answer } = await send(loadModel('chime').removed[name] as OperationModel, keys);
    assert.equal(answer, expected);
  });
}

test('CHM-7: an unsigned request for a removed operation is MissingAuthenticationToken', async () => {
  const sent = await sendAll();
  assert.deepEqual(
    sent.filter(({ answer }) => !answer.startsWith('403 MissingAuthenticationTokenException ')),
    [],
  );
});

test('CHM-7, LOG-1: each call is recorded once under its name, with its error and without parameters', async () => {
  const recorded = new Map<string, (LookedUp & { readonly document: { readonly requestParameters?: unknown } })[]>();
  for (const event of await everyEvent(new CloudTrailClient(server.client())))
    recorded.set(event.document.requestID, [...(recorded.get(event.document.requestID) ?? []), event]);
  const sent = [...byAdministrator, ...byStranger];
  const found = sent.map(({ requestId }) =>
    recorded.get(requestId)?.map(({ eventName, errorCode, document: { readOnly, requestParameters, errorMessage } }) => ({
      eventName,
      errorCode,
      readOnly,
      requestParameters,
      errorMessage,
    })),
  );
  assert.deepEqual(
    found,
    sent.map(({ operation: { name, readOnly }, answer }) => [
      {
        eventName: name,
        errorCode: 'ForbiddenException',
        readOnly,
        requestParameters: null,
        errorMessage: JSON.parse(answer.slice(answer.indexOf('{'))).Message,
      },
    ]),
  );
  assert.equal(JSON.stringify([...recorded.values()]).includes('never-recorded'), false);
});

const CLIENT_ENVIRONMENT = {
  PATH: process.env['PATH'],
  AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  ENDPOINT: server.endpoint,
};
const CLI = ['/usr/bin/aws', '/usr/local/bin/aws'].find((file) => existsSync(file)) as string;

/** Runs a CLI command with an endpoint without `/_<service>`. Returns the error message, or an empty string. */
async function aws(...command: readonly string[]): Promise<string> {
  const args = ['--endpoint-url', server.endpoint, '--no-cli-pager', ...command];
  return promisify(execFile)(CLI, args, { env: CLIENT_ENVIRONMENT }).then(
    () => '',
    ({ stderr }: { readonly stderr: string }) => stderr.trim(),
  );
}

test('CHM-7: AWS CLI: chime create-meeting is removed, and chime-sdk-meetings create-meeting works', async () => {
  const meeting = ['create-meeting', '--client-request-token', 'one', '--media-region', 'us-east-1', '--external-meeting-id', 'weekly'];
  const outcomes = await Promise.all([
    aws('chime', ...meeting),
    aws('chime', 'list-meetings'),
    aws('chime', 'delete-voice-connector', '--voice-connector-id', 'a'),
    aws('chime-sdk-meetings', ...meeting),
  ]);
  const gateError = (name: string) => `An error occurred (ForbiddenException) when calling the ${name} operation: ${GATE}`;
  assert.deepEqual(outcomes, [gateError('CreateMeeting'), gateError('ListMeetings'), gateError('DeleteVoiceConnector'), '']);
});

test('CHM-7: boto3: only requests under /_chime reach removed operations, others reach the SDK service', async () => {
  const script = fileURLToPath(new URL('removed.py', import.meta.url));
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-W', 'ignore', script], { env: CLIENT_ENVIRONMENT });
  const gateError = (name: string) => `403 An error occurred (ForbiddenException) when calling the ${name} operation: ${GATE}`;
  assert.deepEqual(JSON.parse(stdout), {
    CreateMeeting: gateError('CreateMeeting'),
    ListMeetings: gateError('ListMeetings'),
    DeleteVoiceConnector: gateError('DeleteVoiceConnector'),
    ListAppInstances: gateError('ListAppInstances'),
    'CreateMeeting without a base path': 'ok',
  });
});
