/**
 * Trail records of STS calls in the event history.
 *
 * Source of the expected records: IAM User Guide, "Logging IAM and AWS STS API calls with AWS CloudTrail", samples of STS. Two tests name a
 * recording of AWS as an additional source.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloudTrailClient, type LookupAttributeKey } from '@aws-sdk/client-cloudtrail';
import { GetUserCommand } from '@aws-sdk/client-iam';
import { GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { otherAccount } from '../kit/account.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { recordsOf } from '../kit/trail.ts';
import { startFederation } from './federation.ts';

const federation = await startFederation();
const { accountId, oidcArn, samlArn, server } = federation;
const STS = ['sts:AssumeRole', 'sts:AssumeRoleWithSAML', 'sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity'];
const trusting = (Principal: object) => [{ Effect: 'Allow', Principal, Action: STS }];
const ALL = allow('*');
const ada = await federation.user('ada', ALL);

interface Recorded {
  readonly eventVersion: string;
  readonly eventName: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly userIdentity: Readonly<Record<string, unknown>>;
  readonly requestParameters: Readonly<Record<string, unknown>> | null;
  readonly responseElements: { readonly credentials: { readonly accessKeyId: string; readonly expiration: string } } | null;
  readonly resources?: readonly { readonly ARN: string; readonly type: string; readonly accountId: string }[];
  readonly readOnly: boolean;
  readonly recipientAccountId: string;
  readonly sharedEventID?: string;
  readonly eventID: string;
  readonly requestID: string;
}

const history = (attribute: LookupAttributeKey, value: string, keys?: Keys): Promise<readonly Recorded[]> =>
  recordsOf(new CloudTrailClient(server.client(keys)), value, attribute);

/** Returns the record of the request that issued a session's key. */
async function makerOf({ accessKeyId }: Keys, keys?: Keys): Promise<Recorded> {
  const [found, ...others] = await history('ResourceName', accessKeyId, keys);
  assert.ok(found);
  assert.deepEqual(others, []);
  return found;
}

const other = await otherAccount(server, 'other');
const role = await federation.role('role', trusting({ AWS: [accountId, other.accountId], Federated: [oidcArn, samlArn] }), ALL);
const TOKEN = {
  'https://aws.amazon.com/tags': { principal_tags: { Team: ['blue'] }, transitive_tag_keys: ['Team'] },
  'https://aws.amazon.com/source_identity': 'ada',
};
const ATTRIBUTES = { RoleSessionName: ['ada'], SourceIdentity: ['ada'], 'PrincipalTag:Team': ['blue'], TransitiveTagKeys: ['Team'] };
const tagged = await federation.withToken(role, TOKEN);

// biome-ignore format: a table
const ISSUED: readonly [operation: string, issue: () => Promise<Keys>, readOnly: boolean, parameters: object, response: object, resources: readonly string[]][] = [
  // operation                   call                                                                        read-only  request parameters                                                                             response elements                                                                      resources
  ['AssumeRole',                 () => federation.assume(ada, role),                                                true,      { roleArn: role, roleSessionName: 'me' },                                                      { assumedRoleUser: 'me' },                                                              [role]         ],
  ['AssumeRole',                 () => federation.assume(tagged, role, { Tags: [{ Key: 'Desk', Value: '1' }] }),    true,      { roleArn: role, roleSessionName: 'me', tags: [{ key: 'Desk', value: '1' }], sourceIdentity: 'ada', incomingTransitiveTags: { Team: 'blue' } }, { assumedRoleUser: 'me', sourceIdentity: 'ada', packedPolicySize: 3 }, [role] ],
  ['AssumeRoleWithWebIdentity',  () => federation.withToken(role, TOKEN),                                           true,      { roleArn: role, roleSessionName: 'web', sourceIdentity: 'ada', principalTags: { Team: 'blue' }, transitiveTagKeys: ['Team'] }, { assumedRoleUser: 'web', sourceIdentity: 'ada', packedPolicySize: 2, subjectFromWebIdentityToken: 'user-1', provider: oidcArn, audience: 'client-1' }, [role, oidcArn]],
  ['AssumeRoleWithSAML',         () => federation.withAssertion(role, { nameId: 'ada', attributes: ATTRIBUTES }),   true,      { roleArn: role, principalArn: samlArn, roleSessionName: 'ada', sourceIdentity: 'ada', principalTags: { Team: 'blue' }, transitiveTagKeys: ['Team'] }, { assumedRoleUser: 'ada', sourceIdentity: 'ada', packedPolicySize: 2, subject: 'ada', subjectType: 'persistent', issuer: 'https://idp.example/saml', audience: 'https://signin.aws.amazon.com/saml' }, [role, samlArn]],
  ['GetSessionToken',            async () => keysOf((await federation.sts(ada).send(new GetSessionTokenCommand({ DurationSeconds: 900 }))).Credentials), true, { durationSeconds: 900 },                                                       {},                                                                                     []             ],
  ['GetFederationToken',         async () => keysOf((await federation.sts(ada).send(new GetFederationTokenCommand({ Name: 'fed' }))).Credentials), false, { name: 'fed' },                                                                          { federatedUser: { federatedUserId: `${accountId}:fed`, arn: `arn:aws:sts::${accountId}:federated-user/fed` } , packedPolicySize: 0 }, []],
];

for (const [operation, issue, readOnly, parameters, response, resources] of ISSUED) {
  const about = 'incomingTransitiveTags' in parameters ? ' from a session with tags' : '';
  test(`${operation}${about}: LookupEvents finds the record by the issued key, and the record has no secret`, async () => {
    const keys = await issue();
    const record = await makerOf(keys);
    assert.deepEqual([record.eventName, record.eventVersion, record.readOnly], [operation, '1.08', readOnly]);
    const { sAMLAssertionID, ...requested } = record.requestParameters ?? {};
    assert.equal(typeof sAMLAssertionID, operation === 'AssumeRoleWithSAML' ? 'string' : 'undefined');
    assert.deepEqual(requested, parameters);

    const { credentials, ...answered } = record.responseElements ?? assert.fail('no responseElements');
    // Source: DataDog/stratus-red-team, aws.persistence.sts-federation-token: the form of the date.
    assert.match(credentials.expiration, /^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d{2}:\d{2} [AP]M$/);
    assert.deepEqual({ ...credentials, expiration: '' }, { accessKeyId: keys.accessKeyId, expiration: '' });
    const {
      nameQualifier: _,
      assumedRoleUser,
      ...others
    } = answered as { nameQualifier?: string; assumedRoleUser?: Record<string, string> };
    const { assumedRoleUser: sessionName, ...expected } = response as { assumedRoleUser?: string };
    assert.deepEqual(others, expected);
    const sessionArn = `arn:aws:sts::${accountId}:assumed-role/role/${sessionName}`;
    assert.equal(assumedRoleUser?.['arn'], sessionName === undefined ? undefined : sessionArn);

    assert.deepEqual(
      (record.resources ?? []).map(({ ARN }) => ARN),
      resources,
    );
    const text = JSON.stringify(record);
    assert.ok(!text.includes(keys.secretAccessKey) && !text.includes(keys.sessionToken as string));
    assert.ok(!/HIDDEN|secretAccessKey|sessionToken|webIdentityToken|sAMLAssertion"/.test(text), text);
  });
}

test('Chained sessions: the access key IDs in the records identify the original user', async () => {
  const first = await federation.assume(ada, role);
  const second = await federation.assume(first, role);
  await outcomeOf(federation.iam(second).send(new GetUserCommand({ UserName: 'ada' })));
  const [used] = await history('AccessKeyId', second.accessKeyId);
  assert.equal(used?.eventName, 'GetUser');
  const keys = [second.accessKeyId];
  for (let key = second.accessKeyId; key.startsWith('ASIA'); keys.push(key)) {
    key = (await makerOf({ accessKeyId: key, secretAccessKey: '' })).userIdentity['accessKeyId'] as string;
  }
  assert.deepEqual(keys, [second.accessKeyId, first.accessKeyId, ada.accessKeyId]);
});

// biome-ignore format: a table
const TOKENS: readonly [operation: string, enter: (role: string) => Promise<Keys>, expected: (qualifier: string) => object][] = [
  ['AssumeRoleWithWebIdentity', (roleArn) => federation.withToken(roleArn),                         () => ({ type: 'WebIdentityUser', principalId: `${oidcArn}:client-1:user-1`, userName: 'user-1', identityProvider: oidcArn })],
  ['AssumeRoleWithSAML',        (roleArn) => federation.withAssertion(roleArn, { nameId: 'ada' }),   (qualifier) => ({ type: 'SAMLUser', principalId: `${qualifier}:ada`, userName: 'ada', identityProvider: qualifier })],
];

for (const [operation, enter, expected] of TOKENS) {
  test(`${operation}: the records of a success and of a failure name the same caller`, async () => {
    const closed = await federation.role(`closed-${operation}`, trusting({ AWS: accountId }));
    const { userIdentity } = await makerOf(await enter(role));
    const qualifier = String(userIdentity['identityProvider']);
    assert.deepEqual(userIdentity, expected(qualifier));
    assert.equal(await outcomeOf(enter(closed)), 'AccessDenied');
    const failed = (await history('EventName', operation)).find(({ errorCode }) => errorCode !== undefined);
    assert.deepEqual([failed?.errorCode, failed?.userIdentity], ['AccessDenied', userIdentity]);
  });
}

test("AssumeRole across accounts: the records share an ID, and the role owner's record hides the caller", async () => {
  const keys = await federation.assume(other.keys, role, { RoleSessionName: 'guest' });
  const callers = await makerOf(keys, other.keys);
  const owners = await makerOf(keys);
  const { eventID: callersId, userIdentity: caller, recipientAccountId: _, ...same } = callers;
  const { eventID: ownersId, userIdentity, recipientAccountId, ...others } = owners;
  assert.equal(caller['accountId'], other.accountId);
  assert.deepEqual(userIdentity, { type: 'AWSAccount', principalId: caller['principalId'], accountId: other.accountId });
  assert.deepEqual([callers.recipientAccountId, recipientAccountId], [other.accountId, accountId]);
  assert.deepEqual(others, same);
  assert.match(owners.sharedEventID ?? '', /^[0-9a-f-]{36}$/);
  assert.notEqual(callersId, ownersId);
  assert.deepEqual(owners.resources, [{ accountId, type: 'AWS::IAM::Role', ARN: role }]);
  assert.equal(JSON.stringify(owners).includes(other.keys.accessKeyId), false);
  assert.deepEqual(await history('AccessKeyId', other.keys.accessKeyId), []);
});

test('AssumeRole in one account: the record has no sharedEventID', async () => {
  assert.equal('sharedEventID' in (await makerOf(await federation.assume(ada, role))), false);
});

test("Denied AssumeRole: only the caller's account has a record, without parameters and resources", async () => {
  const closed = await federation.role('closed', trusting({ Service: 'ec2.amazonaws.com' }));
  assert.equal(await outcomeOf(federation.assume(other.keys, closed)), 'AccessDenied');
  const denied = (await history('AccessKeyId', other.keys.accessKeyId, other.keys)).find(({ errorCode }) => errorCode !== undefined);
  assert.deepEqual(
    [denied?.eventName, denied?.errorCode, denied?.requestParameters, denied?.resources],
    ['AssumeRole', 'AccessDenied', null, undefined],
  );
  assert.ok(denied?.errorMessage?.endsWith(`on resource: ${closed}`));
  assert.deepEqual(await history('ResourceName', closed), []);
});
