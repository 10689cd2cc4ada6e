import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
  SimulateCustomPolicyCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam';
import { hostileRequests, sendHostile, slowPolicy } from '../hostile/worst-analysis-requests.ts';
import { allow, deny, policy, type Statement } from '../kit/policy.ts';
import { generator } from '../kit/random.ts';
import { startTestServer } from '../kit/server.ts';

const server = await startTestServer();
const iam = new IAMClient(server.client());
const requests = hostileRequests(1);

// biome-ignore format: a table
const TOO_COMPLEX: readonly (readonly [request: string, status: number, error: RegExp])[] = [
  ['SimulateCustomPolicy, context entries',            500, /<Code>PolicyEvaluation<\/Code><Message>The policies are too complex to be evaluated\./],
  ['CheckAccessNotGranted, 100 actions and resources', 422, /The policies are too complex to be analyzed\./],
  ['ValidatePolicy, 130 KB of patterns of resources',  400, /The policy is too complex to be validated\./],
];

for (const [name, status, error] of TOO_COMPLEX) {
  test(`${name}: above the limit of steps, the status is ${status}`, async () => {
    const request = requests.find((one) => one.name === name);
    assert.ok(request !== undefined);
    const answer = await sendHostile(server, server.credentials, request);
    assert.equal(answer.status, status);
    assert.match(answer.body, error);
  });
}

test('SimulateCustomPolicy: pages end at the limit of steps, and list each action with each resource once', async () => {
  const ActionNames = Array.from({ length: 15 }, (_, i) => `s3:Get${i}`);
  const ResourceArns = Array.from({ length: 30 }, (_, i) => `arn:aws:s3:::${i}`);
  const pairs: string[] = [];
  let pages = 0;
  let Marker: string | undefined;
  do {
    const page = await iam.send(
      new SimulateCustomPolicyCommand({
        PolicyInputList: [slowPolicy(20_000, generator(1), 2)],
        ActionNames,
        ResourceArns,
        ContextEntries: [{ ContextKeyName: 'aws:UserAgent', ContextKeyType: 'string', ContextKeyValues: ['a'.repeat(2_000)] }],
        MaxItems: 1_000,
        ...(Marker === undefined ? {} : { Marker }),
      }),
    );
    pairs.push(...(page.EvaluationResults ?? []).map(({ EvalActionName, EvalResourceName }) => `${EvalActionName} ${EvalResourceName}`));
    assert.equal(page.IsTruncated, page.Marker !== undefined);
    Marker = page.Marker;
    pages += 1;
  } while (Marker !== undefined);
  assert.ok(pages > 1, `${pages} pages`);
  assert.deepEqual(
    pairs,
    ActionNames.flatMap((action) => ResourceArns.map((resource) => `${action} ${resource}`)),
  );
});

test('SimulatePrincipalPolicy: a long simulation uses the policies in force when the call is authorized', async () => {
  const UserName = 'ada';
  const { User } = await iam.send(new CreateUserCommand({ UserName }));
  const put = (PolicyName: string, statement: Statement) =>
    iam.send(new PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument: policy(statement) }));
  const simulate = async () => {
    const { EvaluationResults } = await iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: User?.Arn ?? '',
        ActionNames: ['s3:GetObject'],
        // This policy takes so many steps that a separate thread runs the simulation.
        PolicyInputList: [slowPolicy(20_000, generator(1), 2)],
      }),
    );
    return EvaluationResults?.[0]?.EvalDecision;
  };
  assert.equal(await simulate(), 'implicitDeny');
  await put('allow', allow('s3:*'));
  assert.equal(await simulate(), 'allowed');
  await put('deny', deny('s3:Get*'));
  assert.equal(await simulate(), 'explicitDeny');
});

test('SimulateCustomPolicy: an invalid policy among long ones is InvalidInput, with its index in the list', async () => {
  const PolicyInputList = [slowPolicy(20_000, generator(1), 2), '{"Version":"2012-10-17"}'];
  await assert.rejects(iam.send(new SimulateCustomPolicyCommand({ PolicyInputList, ActionNames: ['s3:GetObject'] })), {
    name: 'InvalidInputException',
    message: /^PolicyInputList\.2 is not a valid policy \(line 1, column/,
  });
});

test('SimulateCustomPolicy: a context value of more than 2,048 characters is InvalidInput', async () => {
  const simulate = (length: number) =>
    iam.send(
      new SimulateCustomPolicyCommand({
        PolicyInputList: [slowPolicy(1_000, generator(1), 5)],
        ActionNames: ['s3:GetObject'],
        ContextEntries: [{ ContextKeyName: 'aws:UserAgent', ContextKeyType: 'string', ContextKeyValues: ['a'.repeat(length)] }],
      }),
    );
  assert.equal((await simulate(2_048)).EvaluationResults?.length, 1);
  await assert.rejects(simulate(2_049), { name: 'InvalidInputException' });
});

test('ValidatePolicy: an account with too many long analyses is throttled', async () => {
  const request = requests.find(({ name }) => name === 'ValidatePolicy, 130 KB of patterns of resources');
  assert.ok(request !== undefined);
  const answers = await Promise.all(Array.from({ length: 16 }, () => sendHostile(server, server.credentials, request)));
  const throttled = answers.filter(({ status }) => status === 429);
  assert.ok(throttled.length > 0 && throttled.length < answers.length, `${throttled.length} of ${answers.length}`);
  for (const { status, body } of answers) assert.ok(status === 400 || body === '{"message":"Rate exceeded"}', `${status} ${body}`);
});
