/** ExplainDecision names every caller that a proposed statement allows: the Principal of a statement can name more than the caller of the request. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { GetRoleCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetBucketLocationCommand, S3Client } from '@aws-sdk/client-s3';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { otherAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { errorOf } from '../kit/outcome.ts';
import { allow, policy, trust } from '../kit/policy.ts';
import { issueSession } from '../kit/session.ts';
import { startFederation } from '../sts/federation.ts';

type Grant = NonNullable<AccessanalyzerApi['ExplainDecision']['output']['change']>['grants'][number];

const federation = await startFederation();
const { server, accountId, keys, admin, rootArn, roleArn, userArn, oidcArn, samlArn } = federation;
after(() => server.stop());
const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;
const BUCKET = 'bucket-of-other';
const s3 = (as: Keys) => new S3Client({ ...server.client(as), forcePathStyle: true });

/** Returns the last statement that the explanation of a denied request proposes. */
async function grantFor(denied: Promise<unknown>): Promise<Grant> {
  const requestId = (await errorOf(denied)).$metadata?.requestId ?? '';
  const caller = { endpoint: server.endpoint, region: 'us-east-1', credentials: keys };
  const { status, body } = await callOwn(caller, 'accessanalyzer', operation, { requestId });
  assert.equal(status, 200, JSON.stringify(body));
  const { change } = body as unknown as AccessanalyzerApi['ExplainDecision']['output'];
  return change?.grants.at(-1) ?? assert.fail(JSON.stringify(body));
}

/** Adds a statement to the trust policy of a role. */
async function addTrust(RoleName: string, { statement }: Grant): Promise<void> {
  const { Role } = await admin.send(new GetRoleCommand({ RoleName }));
  const { Statement } = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')) as { readonly Statement: readonly object[] };
  const PolicyDocument = policy(...(Statement as Readonly<Record<string, unknown>>[]), JSON.parse(statement));
  await admin.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
}

const other = await otherAccount(server, 'other');
await s3(other.keys).send(new CreateBucketCommand({ Bucket: BUCKET }));
const closed = await federation.role('closed', trust(rootArn, 'sts:TagSession'));
const reader = await federation.role('reader', trust(rootArn), allow(['s3:*', 'sts:*']));
const session = (name: string) => federation.assume(keys, reader, { RoleSessionName: name });
const location = (as: Keys) => s3(as).send(new GetBucketLocationCommand({ Bucket: BUCKET }));

test('ExplainDecision: a statement for an OpenID provider allows every user of the provider', async () => {
  const as = async (sub: string) => federation.assumeWithToken(closed, await federation.oidc.token({ sub }));
  const grant = await grantFor(as('user-1'));
  assert.equal(grant.alsoAllows, `Every user of ${oidcArn} can use the role ${closed}, and has its permissions.`);
  await addTrust('closed', grant);
  await as('user-2');
});

test('ExplainDecision: a statement for a SAML provider allows every user of the provider', async () => {
  const as = (nameId: string) =>
    federation.assumeWithAssertion(closed, federation.idp.assertion(federation.offering(closed, { nameId } as object)));
  const grant = await grantFor(as('ada'));
  assert.equal(grant.alsoAllows, `Every user of ${samlArn} can use the role ${closed}, and has its permissions.`);
});

test('ExplainDecision: a statement for the role of a session allows every session of the role', async () => {
  const grant = await grantFor(federation.assume(await session('one'), closed));
  assert.equal(grant.alsoAllows, `Every session of ${reader} can use the role ${closed}, and has its permissions.`);
  await addTrust('closed', grant);
  await federation.assume(await session('two'), closed);
  const ofBucket = await grantFor(location(await session('one')));
  const what = `s3:GetBucketLocation on arn:aws:s3:::${BUCKET}`;
  assert.equal(ofBucket.alsoAllows, `Every session of ${reader} can perform ${what} from every address and at every time.`);
});

test('ExplainDecision: a statement for the root user allows every principal of the account whose policies allow the action', async () => {
  const { alsoAllows } = await grantFor(location(issueSession(server, 'root', 3_600)));
  assert.equal(
    alsoAllows,
    `Every principal of the account ${accountId} can perform s3:GetBucketLocation on arn:aws:s3:::${BUCKET} from every address and at every time, if its own policies allow it.`,
  );
});

test('ExplainDecision: a statement for a user allows the user', async () => {
  const grant = await grantFor(federation.assume(await federation.user('ann', allow('sts:AssumeRole')), roleArn('closed')));
  assert.equal(grant.alsoAllows, `${userArn('ann')} can use the role ${closed}, and has its permissions.`);
});
