/** ExplainDecision shows trust policies as GetRole returned them at the time of the decision, on both engines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
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
import { testPostgres } from '../store/test-postgres.ts';

type Output = AccessanalyzerApi['ExplainDecision']['output'];

const NAMES = ['kept', 'renamed', 'deleted-later', 'deleted'];
const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;
const postgres = await testPostgres();

/** Sends a request that a trust policy denies, and then renames and deletes the principals of the policy. */
async function deniedByTrust(environment: Readonly<Record<string, string>>) {
  const account = await startAccount(environment);
  const { server, admin, keys, userArn, roleArn, rootArn } = account;
  const shown = async () => {
    const { Role } = await admin.send(new GetRoleCommand({ RoleName: 'closed' }));
    return decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '');
  };
  const keyOf = new Map<string, string>();
  for (const name of NAMES) keyOf.set(name, (await account.user(name)).accessKeyId);
  const deleteUser = async (UserName: string) => {
    await admin.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: keyOf.get(UserName) }));
    await admin.send(new DeleteUserCommand({ UserName }));
  };
  const caller = await account.user('caller', allow('sts:AssumeRole'));
  const trusted = await account.role('trusted', trust(rootArn));
  const closed = await account.role('closed', [...NAMES.map((name) => trust(userArn(name))), trust(trusted)]);
  const deletedId = (await admin.send(new GetUserCommand({ UserName: 'deleted' }))).User?.UserId ?? '';
  await deleteUser('deleted');
  const shownThen = await shown();
  const requestId = (await errorOf(account.assume(caller, closed))).$metadata?.requestId ?? '';
  await admin.send(new UpdateUserCommand({ UserName: 'renamed', NewUserName: 'other-name' }));
  await deleteUser('deleted-later');
  assert.notEqual(await shown(), shownThen);
  await admin.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'closed', PolicyDocument: policy(trust(rootArn)) }));
  const { body } = await callOwn({ endpoint: server.endpoint, region: 'us-east-1', credentials: keys }, 'accessanalyzer', operation, {
    requestId,
  });
  const { documents = [] } = body as unknown as Output;
  const document = documents.find(({ policyId }) => policyId === roleArn('closed'));
  return { server, keys, userArn, roleArn, requestId, deletedId, shownThen, document };
}

for (const [engine, environment] of [
  ['SQLite', {}],
  ['PostgreSQL', { BELFRY_DATABASE: postgres.url }],
] as const) {
  const { server, keys, userArn, roleArn, requestId, deletedId, shownThen, document } = await deniedByTrust(environment);

  test(`ExplainDecision: a trust policy has the ARNs of that time, as GetRole returned them, on ${engine}`, () => {
    assert.equal(document?.document, shownThen);
    for (const name of ['kept', 'renamed', 'deleted-later']) assert.ok(shownThen.includes(`"${userArn(name)}"`), name);
    assert.ok(shownThen.includes(`"${roleArn('trusted')}"`));
  });

  test(`ExplainDecision: a user that was deleted before the decision has its unique ID, and is listed as deleted, on ${engine}`, () => {
    assert.match(deletedId, /^AIDA/);
    assert.ok(document?.document.includes(`"${deletedId}"`));
    assert.deepEqual(document?.deletedPrincipals, [deletedId]);
  });

  test(`belfry explain: names the deleted principals of a trust policy, on ${engine}`, async () => {
    const { stdout } = await belfry(['explain', requestId], {
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_ENDPOINT_URL: server.endpoint,
    });
    assert.ok(stdout.includes(`Deleted principals in the trust policy of ${roleArn('closed')}: ${deletedId}\n`), stdout);
  });
}
after(postgres.stop);
