import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { services } from '#model/authorization.ts';
import type { IamApi } from '#model/generated/iam.ts';
import { grantedServices } from '#policy/analyse/granted-services.ts';
import { ANALYSIS_STEPS_MAX } from '#policy/analysis.ts';
import { lastUseRecorder } from '#trail/last-use.ts';
import { ACCOUNT, ALLOW_CHIME, type Iam, iamUser, openIam, ROLE_SESSION, ROOT, START, TRUST_ROOT } from './fixture.ts';

const granting = (document: string): ReadonlySet<string> =>
  new Set(grantedServices(document, services(), { stepsLeft: ANALYSIS_STEPS_MAX }));

const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonChimeReadOnly';
const ADA = `arn:aws:iam::${ACCOUNT}:user/ada`;

function policy(statement: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Resource: '*', ...statement }] });
}

// biome-ignore format: a table
const GRANTED: readonly (readonly [title: string, statement: object, granted: readonly string[], not: readonly string[]])[] = [
  ['an action',                       { Action: 'chime:CreateMeeting' },                     ['chime'],          ['iam', 'sts']],
  ['a service in another case',       { Action: 'CHIME:*' },                                 ['chime'],          ['iam']],
  ['a single *',                      { Action: '*' },                                       ['chime', 's3'],    []],
  ['a pattern in the service',        { Action: 'cloud*:Get*' },                             ['cloudtrail', 'cloudwatch'], ['chime']],
  ['NotAction with one action',       { NotAction: 'chime:CreateMeeting' },                  ['chime', 'iam'],   []],
  ['NotAction with one service',      { NotAction: 'chime:*' },                              ['iam'],            ['chime']],
  ['NotAction with *',                { NotAction: '*' },                                    [],                 ['chime', 'iam']],
  ['a denial',                        { Effect: 'Deny', Action: '*' },                       [],                 ['chime']],
];

for (const [title, statement, granted, not] of GRANTED) {
  test(`grantedServices: ${title} grants ${granted.join(', ') || 'nothing'}`, () => {
    const found = granting(policy(statement));
    for (const service of granted) assert.equal(found.has(service), true, service);
    for (const service of not) assert.equal(found.has(service), false, service);
  });
}

test('grantedServices: an invalid policy grants nothing', () => assert.equal(granting('{').size, 0));

/** Creates an account at the time `START`. One hour later, its user ada used Chime with an access key. */
async function withUse(): Promise<Iam & { readonly keyId: string }> {
  const iam = await openIam();
  const { run, store } = iam;
  const { User } = await run('CreateUser', { UserName: 'ada' });
  await run('CreateUser', { UserName: 'idle,Jr' });
  await run('CreateGroup', { GroupName: 'team' });
  await run('AddUserToGroup', { GroupName: 'team', UserName: 'ada' });
  await run('AttachGroupPolicy', { GroupName: 'team', PolicyArn: READ_ONLY });
  await run('PutUserPolicy', { UserName: 'ada', PolicyName: 'own', PolicyDocument: ALLOW_CHIME });
  await run('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: TRUST_ROOT });
  const { AccessKey } = await run('CreateAccessKey', { UserName: 'ada' });
  const note = lastUseRecorder();
  await store.transaction(async (tx) =>
    note(tx, {
      principal: { type: 'IAMUser', accountId: ACCOUNT, arn: ADA as never, principalId: User?.UserId ?? '', userName: 'ada' },
      accessKeyId: AccessKey.AccessKeyId,
      action: 'chime:CreateMeeting',
      region: 'eu-central-1',
      now: instant(START + HOUR_MS),
    }),
  );
  return { ...iam, keyId: AccessKey.AccessKeyId };
}

test('GetAccessKeyLastUsed: the response has service, region and time, or N/A for an unused key (COMP-1)', async () => {
  const { run, keyId } = await withUse();
  assert.deepEqual(await run('GetAccessKeyLastUsed', { AccessKeyId: keyId }), {
    UserName: 'ada',
    AccessKeyLastUsed: { LastUsedDate: START + HOUR_MS, ServiceName: 'chime', Region: 'eu-central-1' },
  });
  const { AccessKey } = await run('CreateAccessKey', { UserName: 'ada' });
  assert.deepEqual((await run('GetAccessKeyLastUsed', { AccessKeyId: AccessKey.AccessKeyId })).AccessKeyLastUsed, {
    ServiceName: 'N/A',
    Region: 'N/A',
  });
});

test('GetRole: RoleLastUsed is the last use of any session of the role', async () => {
  const { run, store } = await withUse();
  const { Role } = await run('GetRole', { RoleName: 'r' });
  const note = lastUseRecorder();
  const principal = { ...ROLE_SESSION, roleId: Role.RoleId } as typeof ROLE_SESSION;
  for (const [action, at] of [
    ['chime:A', 1],
    ['iam:B', 3],
    ['chime:C', 2],
  ] as const) {
    await store.transaction(async (tx) => note(tx, { principal, action, region: `r-${at}`, now: instant(START + at) }));
  }
  assert.deepEqual((await run('GetRole', { RoleName: 'r' })).Role.RoleLastUsed, { LastUsedDate: START + 3, Region: 'r-3' });
});

test("Credential report: the root user and each user have one line with AWS's columns (COMP-1)", async () => {
  const { run } = await withUse();
  await run('UpdateAccountPasswordPolicy', { MaxPasswordAge: 90 });
  await run('CreateLoginProfile', { UserName: 'ada', Password: 'Correct-Horse-7' });
  assert.equal((await run('GenerateCredentialReport', {})).State, 'STARTED');
  assert.equal((await run('GenerateCredentialReport', {}, { now: instant(START + 4 * HOUR_MS - 1) })).State, 'COMPLETE');
  const report = await run('GetCredentialReport', {});
  assert.deepEqual([report.ReportFormat, report.GeneratedTime], ['text/csv', START]);
  const lines = Buffer.from(report.Content ?? [])
    .toString()
    .split('\n');
  const created = '2026-11-22T00:00:00+00:00';
  assert.equal(lines.length, 4);
  assert.equal(
    lines[0],
    'user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated',
  );
  const none = 'false,N/A,N/A,N/A,N/A';
  const certificates = 'false,N/A,false,N/A';
  assert.equal(
    lines[1],
    `<root_account>,arn:aws:iam::${ACCOUNT}:root,${created},not_supported,no_information,not_supported,not_supported,false,${none},${none},${certificates}`,
  );
  assert.equal(
    lines[2],
    `ada,${ADA},${created},true,no_information,${created},2027-02-20T00:00:00+00:00,false,true,${created},2026-11-22T01:00:00+00:00,eu-central-1,chime,${none},${certificates}`,
  );
  assert.equal(
    lines[3],
    `"idle,Jr","arn:aws:iam::${ACCOUNT}:user/idle,Jr",${created},false,N/A,N/A,N/A,false,${none},${none},${certificates}`,
  );
});

test('GetCredentialReport: a missing report is NotPresent, and a report that is four hours old is Expired', async () => {
  const { run } = await openIam();
  await assert.rejects(run('GetCredentialReport', {}), { code: 'CredentialReportNotPresentException' });
  await run('GenerateCredentialReport', {});
  await assert.rejects(run('GetCredentialReport', {}, { now: instant(START + 4 * HOUR_MS) }), { code: 'CredentialReportExpiredException' });
  assert.equal((await run('GenerateCredentialReport', {}, { now: instant(START + 4 * HOUR_MS) })).State, 'STARTED');
});

// biome-ignore format: a table
const REPORTS: readonly (readonly [title: string, arn: string])[] = [
  ['a user',                    ADA],
  ['a group of that user',      `arn:aws:iam::${ACCOUNT}:group/team`],
  ['a policy of that group',    READ_ONLY],
];

for (const [title, Arn] of REPORTS) {
  test(`GetServiceLastAccessedDetails: a report on ${title} includes the use of Chime by ada (COMP-2)`, async () => {
    const { run } = await withUse();
    const { JobId = '' } = await run('GenerateServiceLastAccessedDetails', { Arn, Granularity: 'ACTION_LEVEL' });
    assert.equal(JobId.length, 36);
    const details = await run('GetServiceLastAccessedDetails', { JobId });
    assert.deepEqual([details.JobStatus, details.JobType, details.IsTruncated], ['COMPLETED', 'ACTION_LEVEL', false]);
    assert.deepEqual(
      details.ServicesLastAccessed.map((service) => service.ServiceNamespace),
      ['chime'],
    );
    const { TrackedActionsLastAccessed, ...chime } = details.ServicesLastAccessed[0] ?? ({} as never);
    assert.deepEqual(chime, {
      ServiceName: 'Amazon Chime',
      ServiceNamespace: 'chime',
      LastAuthenticated: START + HOUR_MS,
      LastAuthenticatedEntity: ADA,
      LastAuthenticatedRegion: 'eu-central-1',
      TotalAuthenticatedEntities: 1,
    });
    const used = TrackedActionsLastAccessed?.filter((action) => action.LastAccessedTime !== undefined).map((action) => action.ActionName);
    assert.deepEqual(used, ['CreateMeeting']);
    const { EntityDetailsList } = await run('GetServiceLastAccessedDetailsWithEntities', { JobId, ServiceNamespace: 'chime' });
    assert.deepEqual(
      EntityDetailsList.map((one) => [one.EntityInfo.Arn, one.EntityInfo.Type, one.LastAuthenticated]),
      [[ADA, 'USER', START + HOUR_MS]],
    );
  });
}

test('GetServiceLastAccessedDetails: a use that is more than 400 days old is omitted', async () => {
  const { run } = await withUse();
  const later = instant(START + HOUR_MS + 400 * 24 * HOUR_MS);
  const { JobId = '' } = await run('GenerateServiceLastAccessedDetails', { Arn: ADA }, { now: later });
  const { ServicesLastAccessed } = await run('GetServiceLastAccessedDetails', { JobId }, { now: later });
  assert.deepEqual(ServicesLastAccessed, [{ ServiceName: 'Amazon Chime', ServiceNamespace: 'chime', TotalAuthenticatedEntities: 0 }]);
});

test('GetServiceLastAccessedDetails: only the role session that created the job can read the job', async () => {
  const { run } = await withUse();
  const { JobId = '' } = await run('GenerateServiceLastAccessedDetails', { Arn: ADA }, { principal: ROLE_SESSION });
  await run('GetServiceLastAccessedDetails', { JobId }, { principal: ROLE_SESSION });
  const other = { ...ROLE_SESSION, principalId: 'AROAEXAMPLE:other' } as typeof ROLE_SESSION;
  for (const principal of [other, ROOT, iamUser('ada')]) {
    await assert.rejects(run('GetServiceLastAccessedDetails', { JobId }, { principal }), { code: 'NoSuchEntityException' });
  }
});

test("ListPoliciesGrantingServiceAccess: the response lists the user's inline and managed policies", async () => {
  const { run } = await withUse();
  assert.deepEqual(await run('ListPoliciesGrantingServiceAccess', { Arn: ADA, ServiceNamespaces: ['chime', 'iam'] }), {
    PoliciesGrantingServiceAccess: [
      {
        ServiceNamespace: 'chime',
        Policies: [
          { PolicyName: 'own', PolicyType: 'INLINE', EntityType: 'USER', EntityName: 'ada' },
          { PolicyName: 'AmazonChimeReadOnly', PolicyType: 'MANAGED', PolicyArn: READ_ONLY },
        ],
      },
      { ServiceNamespace: 'iam', Policies: [] },
    ],
    IsTruncated: false,
  });
});

type Row = { [Name in keyof IamApi]: readonly [title: string, name: Name, input: IamApi[Name]['input'], code: string] }[keyof IamApi];
// biome-ignore format: a table
const ROWS: readonly Row[] = [
  ['an ARN of another type',  'GenerateServiceLastAccessedDetails', { Arn: `arn:aws:iam::${ACCOUNT}:root` },                                  'InvalidInputException'],
  ['an unknown user',         'GenerateServiceLastAccessedDetails', { Arn: `arn:aws:iam::${ACCOUNT}:user/absent` },                           'NoSuchEntityException'],
  ["another account's user",  'GenerateServiceLastAccessedDetails', { Arn: 'arn:aws:iam::444455556666:user/ada' },                            'NoSuchEntityException'],
  ['an unknown policy',       'GenerateServiceLastAccessedDetails', { Arn: `arn:aws:iam::${ACCOUNT}:policy/none` },                           'NoSuchEntityException'],
  ['an unknown job',          'GetServiceLastAccessedDetails',      { JobId: 'x'.repeat(36) },                                               'NoSuchEntityException'],
  ['an unknown user',         'ListPoliciesGrantingServiceAccess',  { Arn: `arn:aws:iam::${ACCOUNT}:user/absent`, ServiceNamespaces: ['iam'] }, 'NoSuchEntityException'],
  ['an invalid action',       'SimulatePrincipalPolicy',            { PolicySourceArn: ADA, ActionNames: ['GetUser'] },                      'InvalidInputException'],
  ['an invalid policy',       'SimulateCustomPolicy',               { PolicyInputList: ['{'], ActionNames: ['iam:GetUser'] },                'InvalidInputException'],
  ['a ResourcePolicy only', 'SimulateCustomPolicy',             { PolicyInputList: [ALLOW_CHIME], ActionNames: ['iam:GetUser'], ResourcePolicy: TRUST_ROOT }, 'InvalidInputException'],
  ['a role as CallerArn',     'SimulateCustomPolicy',               { PolicyInputList: [ALLOW_CHIME], ActionNames: ['iam:GetUser'], CallerArn: `arn:aws:iam::${ACCOUNT}:role/r` }, 'InvalidInputException'],
  ['a session as CallerArn',  'SimulatePrincipalPolicy',            { PolicySourceArn: ADA, ActionNames: ['iam:GetUser'], CallerArn: `arn:aws:sts::${ACCOUNT}:assumed-role/r/s` }, 'InvalidInputException'],
  ['an invalid owner',        'SimulateCustomPolicy',               { PolicyInputList: [ALLOW_CHIME], ActionNames: ['iam:GetUser'], ResourceOwner: 'arn:aws:s3:::bucket' }, 'InvalidInputException'],
  ['an invalid policy',       'GetContextKeysForCustomPolicy',      { PolicyInputList: ['{'] },                                              'InvalidInputException'],
];

for (const [title, name, input, code] of ROWS) {
  test(`${name}: ${title} is ${code}`, async () => {
    const { run } = await withUse();
    await assert.rejects(run(name, input as never), { code });
  });
}

// Source: a recorded response of AWS to SimulatePrincipalPolicy for a missing role.
for (const kind of ['user', 'group', 'role']) {
  test(`SimulatePrincipalPolicy, GetContextKeysForPrincipalPolicy: a missing ${kind} is NoSuchEntity`, async () => {
    const { run } = await withUse();
    const PolicySourceArn = `arn:aws:iam::${ACCOUNT}:${kind}/absent`;
    const missing = { code: 'NoSuchEntityException', message: 'Unable to retrieve specified IAM entity.' };
    await assert.rejects(run('SimulatePrincipalPolicy', { PolicySourceArn, ActionNames: ['iam:GetUser'] }), missing);
    await assert.rejects(run('GetContextKeysForPrincipalPolicy', { PolicySourceArn }), missing);
  });
}

test('SimulatePrincipalPolicy: matched statements name the policies as the real service does', async () => {
  const { run } = await withUse();
  const matched = async (action: string) => {
    const { EvaluationResults } = await run('SimulatePrincipalPolicy', { PolicySourceArn: ADA, ActionNames: [action] });
    return EvaluationResults?.[0]?.MatchedStatements?.map(({ SourcePolicyId }) => SourcePolicyId);
  };
  assert.deepEqual(await matched('chime:CreateMeeting'), ['user_ada_own']);
  assert.deepEqual(await matched('chime:ListAccounts'), ['user_ada_own', 'AmazonChimeReadOnly']);
});

// Source: IAM API reference, SimulateCustomPolicy, ResourceOwner.
test('SimulateCustomPolicy: if the ARN of a resource has no account, ResourceOwner is the owner', async () => {
  const { run } = await openIam();
  const grant = { Effect: 'Allow', Principal: { AWS: ADA }, Action: 's3:GetObject', Resource: '*' };
  const decisionFor = async (ResourceOwner: string | undefined) => {
    const { EvaluationResults } = await run('SimulateCustomPolicy', {
      PolicyInputList: [policy({ Action: 'iam:*' })],
      ActionNames: ['s3:GetObject'],
      ResourceArns: ['arn:aws:s3:::bucket/key'],
      ResourcePolicy: JSON.stringify({ Version: '2012-10-17', Statement: grant }),
      CallerArn: ADA,
      ...omitUndefined({ ResourceOwner }),
    });
    return EvaluationResults?.[0]?.EvalDecision;
  };
  assert.equal(await decisionFor(undefined), 'allowed');
  assert.equal(await decisionFor(`arn:aws:iam::${ACCOUNT}:root`), 'allowed');
  // If the owner is another account, the caller's own policies must also allow the action.
  assert.equal(await decisionFor('arn:aws:iam::444455556666:root'), 'implicitDeny');
});

const INLINE_OWN = [{ InlinePolicyIdentifier: { PolicyName: 'own', AttachmentType: 'user', AttachmentName: 'ada' } }] as const;
const OWN_ONLY = policy({ Action: 'iam:GetUser', Resource: `arn:aws:iam::${ACCOUNT}:user/\${aws:username}` });

// biome-ignore format: a table
const SIMULATED: readonly (readonly [title: string, input: Partial<IamApi['SimulatePrincipalPolicy']['input']>, decision: string])[] = [
  // condition                                                            input                                                                                          decision
  ["an action that the user's own policy allows",                         { ActionNames: ['chime:CreateMeeting'] },                                                      'allowed'],
  ['an action that no policy allows',                                     { ActionNames: ['iam:GetUser'] },                                                              'implicitDeny'],
  ['an action that a policy in the request allows',                       { ActionNames: ['sts:GetSessionToken'], PolicyInputList: [policy({ Action: 'sts:*' })] },      'allowed'],
  ['an action that a policy in the request denies',                       { ActionNames: ['chime:CreateMeeting'], PolicyInputList: [policy({ Effect: 'Deny', Action: '*' })] }, 'explicitDeny'],
  ['an action outside a boundary in the request',                         { ActionNames: ['chime:CreateMeeting'], PermissionsBoundaryPolicyInputList: [policy({ Action: 'iam:*' })] }, 'implicitDeny'],
  ['an action of an excluded inline policy',                              { ActionNames: ['chime:CreateMeeting'], PolicyExclusionList: INLINE_OWN }, 'implicitDeny'],
  ['an action of excluded inline policies',                               { ActionNames: ['chime:CreateMeeting'], PolicyExclusionList: [{ PolicyType: 'inline' }] }, 'implicitDeny'],
  ['an action of excluded AWS managed policies',                          { ActionNames: ['chime:ListAccounts'], PolicyExclusionList: [{ PolicyType: 'aws-managed' }, { PolicyType: 'inline' }] }, 'implicitDeny'],
  ['an action of the group, own policy excluded',                         { ActionNames: ['chime:ListAccounts'], PolicyExclusionList: INLINE_OWN }, 'allowed'],
  ["the user's own name in a variable",                                   { ActionNames: ['iam:GetUser'], ResourceArns: [ADA], PolicyInputList: [OWN_ONLY] },            'allowed'],
  ['another name in a variable',                                          { ActionNames: ['iam:GetUser'], ResourceArns: [ADA], PolicyInputList: [OWN_ONLY], ContextEntries: [{ ContextKeyName: 'aws:username', ContextKeyValues: ['bob'], ContextKeyType: 'string' }] }, 'implicitDeny'],
];

for (const [title, input, decision] of SIMULATED) {
  test(`SimulatePrincipalPolicy: ${title} is ${decision} (EVAL-11)`, async () => {
    const { run } = await withUse();
    const { EvaluationResults } = await run('SimulatePrincipalPolicy', { PolicySourceArn: ADA, ActionNames: [], ...input });
    assert.deepEqual(
      EvaluationResults?.map((result) => result.EvalDecision),
      [decision],
    );
  });
}

test('SimulatePrincipalPolicy: the current boundary has a separate decision and can be excluded', async () => {
  const { run } = await withUse();
  await run('PutUserPermissionsBoundary', { UserName: 'ada', PermissionsBoundary: READ_ONLY });
  const ask = async (more: object) => {
    const { EvaluationResults } = await run('SimulatePrincipalPolicy', {
      PolicySourceArn: ADA,
      ActionNames: ['chime:CreateMeeting'],
      ...more,
    });
    return [EvaluationResults?.[0]?.EvalDecision, EvaluationResults?.[0]?.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary];
  };
  assert.deepEqual(await ask({}), ['implicitDeny', false]);
  assert.deepEqual(await ask({ PolicyExclusionList: [{ PolicyType: 'permission-boundary' }] }), ['allowed', undefined]);
});

test('SimulateCustomPolicy: every action is simulated on every resource, in pages', async () => {
  const { run } = await openIam();
  const input = { PolicyInputList: [ALLOW_CHIME], ActionNames: ['chime:A', 'iam:B'], ResourceArns: ['arn:aws:a:::x', 'arn:aws:a:::y'] };
  const found: unknown[] = [];
  let Marker: string | undefined;
  do {
    const page = await run('SimulateCustomPolicy', { ...input, MaxItems: 3, ...omitUndefined({ Marker }) });
    found.push(...(page.EvaluationResults ?? []).map((one) => [one.EvalActionName, one.EvalResourceName, one.EvalDecision]));
    Marker = page.Marker;
  } while (Marker !== undefined);
  assert.deepEqual(found, [
    ['chime:A', 'arn:aws:a:::x', 'allowed'],
    ['chime:A', 'arn:aws:a:::y', 'allowed'],
    ['iam:B', 'arn:aws:a:::x', 'implicitDeny'],
    ['iam:B', 'arn:aws:a:::y', 'implicitDeny'],
  ]);
});

test('SimulateCustomPolicy: for AssumeRole, the trust policy determines the decision', async () => {
  const { run } = await openIam();
  const simulateFor = async (CallerArn: string) => {
    const { EvaluationResults } = await run('SimulateCustomPolicy', {
      PolicyInputList: [policy({ Action: 'sts:AssumeRole' })],
      ActionNames: ['sts:AssumeRole'],
      ResourceArns: [`arn:aws:iam::${ACCOUNT}:role/r`],
      ResourcePolicy: TRUST_ROOT,
      CallerArn,
    });
    return EvaluationResults?.[0]?.EvalDecision;
  };
  assert.equal(await simulateFor(ADA), 'allowed');
  assert.equal(await simulateFor('arn:aws:iam::444455556666:user/eve'), 'implicitDeny');
});

test('SimulateCustomPolicy: if an SCP does not allow the action, AllowedByOrganizations is false', async () => {
  const { run } = await openIam();
  const { EvaluationResults } = await run('SimulateCustomPolicy', {
    PolicyInputList: [ALLOW_CHIME],
    OrderedOrganizationPolicyInputList: [{ ServiceControlPolicyInputList: [policy({ Action: 'iam:*' })] }],
    ActionNames: ['chime:A'],
  });
  assert.equal(EvaluationResults?.[0]?.OrganizationsDecisionDetail?.AllowedByOrganizations, false);
});

test("GetContextKeysForPrincipalPolicy: keys of the user's and the request's policies are listed once", async () => {
  const { run } = await withUse();
  const conditional = policy({ Action: 'iam:*', Condition: { Bool: { 'aws:SecureTransport': 'true' } } });
  assert.deepEqual(
    (await run('GetContextKeysForPrincipalPolicy', { PolicySourceArn: ADA, PolicyInputList: [conditional, OWN_ONLY, conditional] }))
      .ContextKeyNames,
    ['aws:SecureTransport', 'aws:username'],
  );
  assert.deepEqual((await run('GetContextKeysForCustomPolicy', { PolicyInputList: [conditional] })).ContextKeyNames, [
    'aws:SecureTransport',
  ]);
});
