import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { ACCOUNT, type As, START } from '../kit/fixture.ts';
import { ARN, AS_MEMBER, addOrganization, BUCKET, ELSEWHERE, MEMBER, ORGANIZATION_ID, openTrails, REQUEST, TRUSTED } from './fixture.ts';

const SHARED = { ...REQUEST, IsOrganizationTrail: true };
const ADMIN_TRAIL = ARN.replace('audit', 'by-admin');
const STRANGER = '555566667777' as AccountId;

/** Opens the operations in an organization with an organization trail and another trail of the management account. */
async function openOrganization() {
  const opened = await openTrails();
  await addOrganization(opened.store);
  await opened.run('CreateTrail', { ...SHARED, IsMultiRegionTrail: true });
  await opened.run('CreateTrail', { ...REQUEST, Name: 'own' });
  return opened;
}

// biome-ignore format: a table
const REFUSED: readonly [title: string, organization: Parameters<typeof addOrganization>[1], as: As, code: string][] = [
  ['an account without organization', { serviceAccess: TRUSTED },                                   { accountId: STRANGER }, 'OrganizationsNotInUseException'],
  ['a member account',                {},                                                           AS_MEMBER,               'NotOrganizationMasterAccountException'],
  ['consolidated billing',            { featureSet: 'CONSOLIDATED_BILLING', serviceAccess: TRUSTED }, {},                    'OrganizationNotInAllFeaturesModeException'],
  ['no trusted access',               {},                                                           {},                      'CloudTrailAccessNotEnabledException'],
  ['trusted access of another service', { serviceAccess: { 'sso.amazonaws.com': START } },          {},                      'CloudTrailAccessNotEnabledException'],
];

for (const [title, organization, as, code] of REFUSED) {
  test(`CreateTrail: an organization trail with ${title} is ${code}, also by UpdateTrail`, async () => {
    const { run, store } = await openTrails();
    await addOrganization(store, organization);
    await assert.rejects(run('CreateTrail', SHARED, as), { code });
    await run('CreateTrail', REQUEST, as);
    await assert.rejects(run('UpdateTrail', { Name: 'audit', IsOrganizationTrail: true }, as), { code });
    assert.equal((await run('GetTrail', { Name: 'audit' }, as)).Trail?.IsOrganizationTrail, false);
  });
}

test('CreateTrail: an organization trail needs a bucket for the account and the organization', async () => {
  const { checked } = await openOrganization();
  const keys = [`AWSLogs/${ACCOUNT}/CloudTrail/`, `AWSLogs/${ORGANIZATION_ID}/${ACCOUNT}/CloudTrail/`];
  assert.deepEqual(checked[0], { bucket: BUCKET, keys, trailArn: ARN, accountId: ACCOUNT });
});

test('Organization trails: a member sees them as shadow trails, and no other trail of the management account', async () => {
  const { run } = await openOrganization();
  for (const as of [AS_MEMBER, { ...AS_MEMBER, ...ELSEWHERE }]) {
    const { trailList = [] } = await run('DescribeTrails', {}, as);
    assert.deepEqual(
      trailList.map(({ TrailARN }) => TrailARN),
      [ARN],
    );
    assert.deepEqual(await run('DescribeTrails', { includeShadowTrails: false }, as), { trailList: [] });
    assert.deepEqual((await run('ListTrails', {}, as)).Trails, [{ TrailARN: ARN, Name: 'audit', HomeRegion: 'us-east-1' }]);
    assert.equal((await run('GetTrail', { Name: ARN }, as)).Trail?.IsOrganizationTrail, true);
    assert.equal((await run('GetTrailStatus', { Name: ARN }, as)).IsLogging, false);
    assert.equal((await run('GetEventSelectors', { TrailName: ARN }, as)).TrailARN, ARN);
  }
  for (const Name of ['audit', ARN.replace('audit', 'own')]) {
    await assert.rejects(run('GetTrail', { Name }, AS_MEMBER), { code: 'TrailNotFoundException' });
  }
  await assert.rejects(run('GetTrail', { Name: ARN }, { accountId: STRANGER }), { code: 'TrailNotFoundException' });
});

const TagsList = [{ Key: 'a', Value: 'b' }];
// biome-ignore format: a table
const CHANGES = [
  ['UpdateTrail',           { Name: ARN, S3KeyPrefix: 'p' }],
  ['StartLogging',          { Name: ARN }],
  ['StopLogging',           { Name: ARN }],
  ['DeleteTrail',           { Name: ARN }],
  ['PutEventSelectors',     { TrailName: ARN, EventSelectors: [{}] }],
  ['PutInsightSelectors',   { TrailName: ARN, InsightSelectors: [] }],
  ['PutEventConfiguration', { TrailName: ARN }],
  ['AddTags',               { ResourceId: ARN, TagsList }],
  ['RemoveTags',            { ResourceId: ARN, TagsList }],
] as const;

for (const [operation, input] of CHANGES) {
  test(`${operation}: a member account is NotOrganizationMasterAccountException, and an administrator may do it`, async () => {
    const { run } = await openOrganization();
    const before = await run('GetTrail', { Name: ARN });
    await assert.rejects(run(operation, input as never, AS_MEMBER), { code: 'NotOrganizationMasterAccountException' });
    assert.deepEqual(await run('GetTrail', { Name: ARN }), before);
    await run('RegisterOrganizationDelegatedAdmin', { MemberAccountId: MEMBER });
    await run(operation, input as never, AS_MEMBER);
    await run('DeregisterOrganizationDelegatedAdmin', { DelegatedAdminAccountId: MEMBER });
    if (operation === 'DeleteTrail') return;
    await assert.rejects(run(operation, input as never, AS_MEMBER), { code: 'NotOrganizationMasterAccountException' });
  });
}

test('CreateTrail: an organization trail of an administrator belongs to the management account', async () => {
  const { run, requiredAccess } = await openOrganization();
  const input = { ...SHARED, Name: 'by-admin' };
  const own = `arn:aws:cloudtrail:us-east-1:${MEMBER}:trail/by-admin`;
  assert.deepEqual((await requiredAccess('CreateTrail', input, AS_MEMBER))[0]?.resources, [own]);
  await run('RegisterOrganizationDelegatedAdmin', { MemberAccountId: MEMBER });
  assert.deepEqual((await requiredAccess('CreateTrail', input, AS_MEMBER))[0]?.resources, [ADMIN_TRAIL]);
  assert.equal((await run('CreateTrail', input, AS_MEMBER)).TrailARN, ADMIN_TRAIL);
  assert.equal((await run('GetTrail', { Name: 'by-admin' })).Trail?.TrailARN, ADMIN_TRAIL);
  await assert.rejects(run('CreateTrail', input, AS_MEMBER), { code: 'TrailAlreadyExistsException' });
});

test('UpdateTrail: an administrator cannot turn its own trail into an organization trail', async () => {
  const { run } = await openOrganization();
  await run('RegisterOrganizationDelegatedAdmin', { MemberAccountId: MEMBER });
  await run('CreateTrail', REQUEST, AS_MEMBER);
  const code = 'NotOrganizationMasterAccountException';
  await assert.rejects(run('UpdateTrail', { Name: 'audit', IsOrganizationTrail: true }, AS_MEMBER), { code });
});

test('UpdateTrail: an organization trail that becomes a trail of the account disappears from the members', async () => {
  const { run } = await openOrganization();
  await run('UpdateTrail', { Name: ARN, IsOrganizationTrail: false });
  assert.deepEqual(await run('DescribeTrails', {}, AS_MEMBER), { trailList: [] });
  await assert.rejects(run('GetTrail', { Name: ARN }, AS_MEMBER), { code: 'TrailNotFoundException' });
});

const MEMBERS = ['600000000001', '600000000002', '600000000003', '600000000004'] as AccountId[];

// biome-ignore format: a table
const REGISTRATIONS: readonly [title: string, memberId: string, as: As, organization: Parameters<typeof addOrganization>[1], code: string][] = [
  ['an account without organization', ACCOUNT,  { accountId: STRANGER }, { serviceAccess: TRUSTED }, 'OrganizationsNotInUseException'],
  ['a member account',                ACCOUNT,  AS_MEMBER,               { serviceAccess: TRUSTED }, 'NotOrganizationManagementAccountException'],
  ['no trusted access',               ACCOUNT,  {},                      {},                         'CloudTrailAccessNotEnabledException'],
  ['the management account',          ACCOUNT,  {},                      { serviceAccess: TRUSTED }, 'CannotDelegateManagementAccountException'],
  ['an unknown account',              STRANGER, {},                      { serviceAccess: TRUSTED }, 'AccountNotFoundException'],
  ['a registered account',            MEMBER,   {},                      { serviceAccess: TRUSTED, trailAdministrators: { [MEMBER]: START } }, 'AccountRegisteredException'],
  ['a fourth account',                MEMBER,   {},                      { serviceAccess: TRUSTED, trailAdministrators: Object.fromEntries(MEMBERS.slice(1).map((id) => [id, START])) }, 'DelegatedAdminAccountLimitExceededException'],
];

for (const [title, MemberAccountId, as, organization, code] of REGISTRATIONS) {
  test(`RegisterOrganizationDelegatedAdmin: ${title} is ${code}`, async () => {
    const { run, store } = await openTrails();
    await addOrganization(store, organization, [MEMBER, ...MEMBERS]);
    await assert.rejects(run('RegisterOrganizationDelegatedAdmin', { MemberAccountId }, as), { code });
  });
}

test('DeregisterOrganizationDelegatedAdmin: a member that is not registered is AccountNotRegisteredException', async () => {
  const { run } = await openOrganization();
  const deregister = (DelegatedAdminAccountId: string) => run('DeregisterOrganizationDelegatedAdmin', { DelegatedAdminAccountId });
  await assert.rejects(deregister(MEMBER), { code: 'AccountNotRegisteredException' });
  await assert.rejects(deregister(STRANGER), { code: 'AccountNotFoundException' });
});
