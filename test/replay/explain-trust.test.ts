/** ExplainDecision shows trust policies as GetRole returned them at the time of the decision. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  GetRoleCommand,
  GetUserCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { startAccount } from '../kit/account.ts';
import { errorOf } from '../kit/outcome.ts';
import { allow, policy, trust } from '../kit/policy.ts';
import { belfry } from '../kit/process.ts';

type Output = AccessanalyzerApi['ExplainDecision']['output'];

const account = await startAccount();
const { server, admin, keys, userArn, rootArn } = account;
const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;
const NAMES = ['kept', 'renamed', 'deleted-later', 'deleted'];
let deletedId = '';
let shownThen = '';
let requestId = '';

async function shown(): Promise<string> {
  const { Role } = await admin.send(new GetRoleCommand({ RoleName: 'closed' }));
  return decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '');
}

async function deleteUser(UserName: string, AccessKeyId: string): Promise<void> {
  await admin.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  await admin.send(new DeleteUserCommand({ UserName }));
}

before(async () => {
  const keyOf = new Map<string, string>();
  for (const name of NAMES) keyOf.set(name, (await account.user(name)).accessKeyId);
  const caller = await account.user('caller', allow('sts:AssumeRole'));
  const trusted = await account.role('trusted', trust(rootArn));
  const closed = await account.role('closed', [...NAMES.map((name) => trust(userArn(name))), trust(trusted)]);
  deletedId = (await admin.send(new GetUserCommand({ UserName: 'deleted' }))).User?.UserId ?? '';
  await deleteUser('deleted', keyOf.get('deleted') ?? '');
  shownThen = await shown();
  requestId = (await errorOf(account.assume(caller, closed))).$metadata?.requestId ?? '';
  await admin.send(new UpdateUserCommand({ UserName: 'renamed', NewUserName: 'other-name' }));
  await deleteUser('deleted-later', keyOf.get('deleted-later') ?? '');
  assert.notEqual(await shown(), shownThen);
  await admin.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'closed', PolicyDocument: policy(trust(rootArn)) }));
});

async function trustDocument() {
  const caller = { endpoint: server.endpoint, region: 'us-east-1', credentials: keys };
  const { body } = await callOwn(caller, 'accessanalyzer', operation, { requestId });
  const { documents = [] } = body as unknown as Output;
  return documents.find(({ policyId }) => policyId === account.roleArn('closed'));
}

test('ExplainDecision: a trust policy has the ARNs of that time, as GetRole returned them', async () => {
  const document = (await trustDocument())?.document ?? '';
  assert.equal(document, shownThen);
  for (const name of ['kept', 'renamed', 'deleted-later']) assert.ok(document.includes(`"${userArn(name)}"`), name);
  assert.ok(document.includes(`"${account.roleArn('trusted')}"`));
});

test('ExplainDecision: a user that was deleted before the decision has its unique ID, and is listed as deleted', async () => {
  const document = await trustDocument();
  assert.match(deletedId, /^AIDA/);
  assert.ok(document?.document.includes(`"${deletedId}"`));
  assert.deepEqual(document?.deletedPrincipals, [deletedId]);
});

test('belfry explain: names the deleted principals of a trust policy', async () => {
  const environment = {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_ENDPOINT_URL: server.endpoint,
  };
  const { stdout } = await belfry(['explain', requestId], environment);
  assert.ok(stdout.includes(`Deleted principals in the trust policy of ${account.roleArn('closed')}: ${deletedId}\n`), stdout);
});
