/**
 * Configuration rules, with the unmodified clients of the AWS SDK: calls break each rule and comply with it again, and the evidence of each
 * result is what an auditor reads. The test sets the clock of the core, because some rules are about ages.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { ChimeClient, CreateAccountCommand, PutRetentionSettingsCommand } from '@aws-sdk/client-chime';
import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as iam from '@aws-sdk/client-iam';
import * as organizations from '@aws-sdk/client-organizations';
import * as s3 from '@aws-sdk/client-s3';
import { newSessionTokens } from '#access/session-token.ts';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { deliveryTargets } from '#delivery/tables/delivery-targets.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { systemClock } from '#server/core/clock.ts';
import { evaluateRules, loadRules } from '#server/core/configuration-rules.ts';
import { SERVER_RULES } from '#server/core/server-rules.ts';
import { openContents } from '#server/object-contents.ts';
import { readSettings } from '#server/settings.ts';
import { accounts } from '#services/chime/tables/accounts.ts';
import { sign } from '#sigv4/sign.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import { startTestCore } from '../kit/core.ts';
import { listenForCore } from '../kit/core-listener.ts';
import { newFolder } from '../kit/folder.ts';
import { newMfaDevice } from '../kit/mfa.ts';
import { allow, policy, type Statement, trust } from '../kit/policy.ts';
import { auditor } from './evidence.ts';

type Api = AccessanalyzerApi;
type Result = Api['ListConfigurationRuleResults']['output']['results'][number];
type Rule = Api['ListConfigurationRules']['output']['rules'][number];

const DAY_MS = 86_400_000;
let offset = 0;
const now = () => instant(Date.now() + offset);
const settings = readSettings([], { BELFRY_DATA: newFolder('rules'), BELFRY_DATABASE: 'file::memory:' });
const contents = openContents(settings, async () => '');
const core = await startTestCore({
  settings,
  clock: { ...systemClock, wall: now },
  ...(contents !== undefined && { contents }),
});
const accountId = core.accountId as AccountId;
const endpoint = await listenForCore(core, now);
/** Clients correct their clock by the response to the first attempt. */
const sdk = { endpoint, region: 'us-east-1', credentials: core.credentials, maxAttempts: 2 };
const users = new iam.IAMClient(sdk);
const trails = new cloudtrail.CloudTrailClient(sdk);
const buckets = new s3.S3Client({ ...sdk, forcePathStyle: true });
const chime = new ChimeClient(sdk);
const org = new organizations.OrganizationsClient(sdk);
const read = auditor(sdk);
await core.store.transaction((tx) =>
  tx.of(deliveryTargets).add({ bucket: 'audit-logs', location: { kind: 'folder', path: '/unused' }, createdAt: instant(0) }),
);

async function own<Name extends 'ListConfigurationRules' | 'ListConfigurationRuleResults'>(
  name: Name,
  input: object,
): Promise<Api[Name]['output']> {
  const { http } = loadModel('accessanalyzer').operations[name] as OperationModel;
  const body = JSON.stringify(input);
  const plain = { host: new URL(endpoint).host, 'content-type': 'application/json' };
  const headers = sign(
    { method: http.method, target: http.uri, headers: plain, body },
    { credentials: core.credentials, region: 'us-east-1', signingName: 'access-analyzer', now: now() },
  );
  const response = await fetch(`${endpoint}${http.uri}`, { method: http.method, headers, body });
  const output = await response.json();
  assert.equal(response.status, 200, JSON.stringify(output));
  return output as Api[Name]['output'];
}

const ruleNamed = async (ruleName: string): Promise<Rule | undefined> =>
  (await own('ListConfigurationRules', {})).rules.find(({ name }) => name === ruleName);

/** Returns the result whose annotation has a string, and compares all its evidence with the outputs of the calls. */
async function resultAbout(ruleName: string, about: string): Promise<Result | undefined> {
  const { results } = await own('ListConfigurationRuleResults', { ruleName, maxResults: 1000 });
  const found = results.filter(({ annotation }) => annotation.includes(about));
  assert.ok(found.length <= 1, `${about}: ${JSON.stringify(found)}`);
  const [result] = found;
  for (const one of result?.evidence ?? []) assert.equal(await read(one), one.value, JSON.stringify(one));
  return result;
}

/** Returns a client of the root user. */
function rootIam(): iam.IAMClient {
  const issuedAt = now();
  const session = { issuedAt, expiresAt: instant(issuedAt + 3_600_000), mfaAuthenticated: true, tags: {}, transitiveTagKeys: [] };
  const tokens = newSessionTokens(() => [new Uint8Array(32).fill(7)]);
  const issued = tokens.issue({ kind: 'root', accountId, session: { ...session, chained: false } }, randomBytes);
  assert.ok(issued.outcome === 'issued');
  const { accessKeyId, secretAccessKey, sessionToken } = issued.credentials;
  return new iam.IAMClient({ ...sdk, credentials: { accessKeyId, secretAccessKey, sessionToken } });
}

/** How calls break a rule, and comply with it again. */
interface Case {
  readonly rule: string;
  /** String in the annotation of the result. */
  readonly about: string;
  /** Calls before, after which the rule has no noncompliant result about the resource. */
  readonly prepare?: () => Promise<unknown>;
  readonly violate: () => Promise<unknown>;
  readonly comply: () => Promise<unknown>;
  /** Whether the result disappears when the account complies, because the resource is then not in the scope of the rule. */
  readonly disappears?: true;
}

const cases: Case[] = [];
const PASSWORD = 'Correct-Horse-7';
const OTHER_PASSWORD = 'Battery-Staple-8';
const created = (UserName: string) => users.send(new iam.CreateUserCommand({ UserName }));
const createdWithPassword = async (UserName: string) => {
  await created(UserName);
  await users.send(new iam.CreateLoginProfileCommand({ UserName, Password: PASSWORD }));
};
const later = async (days: number) => void (offset += days * DAY_MS);
const EVERYTHING = policy(allow('*'));
const SOMETHING = policy(allow('chime:*'));

let rootKey: string | undefined;
cases.push({
  rule: 'iam-root-access-key-check',
  about: 'root user',
  async violate() {
    rootKey = (await rootIam().send(new iam.CreateAccessKeyCommand({}))).AccessKey?.AccessKeyId;
  },
  comply: () => rootIam().send(new iam.DeleteAccessKeyCommand({ AccessKeyId: rootKey })),
});

let rootDevice: string | undefined;
const enableRootDevice = async () => {
  rootDevice = (await newMfaDevice(rootIam(), accountId, `root-${offset}`)).SerialNumber;
};
cases.push({
  rule: 'root-account-mfa-enabled',
  about: 'root user',
  prepare: enableRootDevice,
  violate: () => rootIam().send(new iam.DeactivateMFADeviceCommand({ SerialNumber: rootDevice })),
  comply: async () => {
    await users.send(new iam.DeleteVirtualMFADeviceCommand({ SerialNumber: rootDevice }));
    await enableRootDevice();
  },
});

const STRONG = {
  ...{ RequireUppercaseCharacters: true, RequireLowercaseCharacters: true, RequireSymbols: true, RequireNumbers: true },
  ...{ MinimumPasswordLength: 14, PasswordReusePrevention: 24, MaxPasswordAge: 90 },
};
const setPolicy = (input: object) => users.send(new iam.UpdateAccountPasswordPolicyCommand({ ...STRONG, ...input }));
for (const weak of [
  { RequireUppercaseCharacters: false },
  { RequireLowercaseCharacters: false },
  { RequireSymbols: false },
  { RequireNumbers: false },
  { MinimumPasswordLength: 13 },
  { PasswordReusePrevention: 23 },
  { PasswordReusePrevention: undefined },
  { MaxPasswordAge: 91 },
  { MaxPasswordAge: undefined },
]) {
  cases.push({
    rule: 'iam-password-policy',
    about: 'password policy',
    prepare: () => setPolicy({}),
    violate: () => setPolicy(weak),
    comply: () => setPolicy({}),
  });
}
cases.push({
  rule: 'iam-password-policy',
  about: 'password policy',
  violate: () => users.send(new iam.DeleteAccountPasswordPolicyCommand({})),
  comply: () => setPolicy({}),
});

cases.push({
  rule: 'mfa-enabled-for-iam-console-access',
  about: "'console'",
  violate: () => createdWithPassword('console'),
  comply: () => newMfaDevice(users, 'console'),
});
cases.push({
  rule: 'mfa-enabled-for-iam-console-access',
  about: "'no-console'",
  violate: () => createdWithPassword('no-console'),
  comply: () => users.send(new iam.DeleteLoginProfileCommand({ UserName: 'no-console' })),
  disappears: true,
});

const keyOf = async (UserName: string) => (await users.send(new iam.CreateAccessKeyCommand({ UserName }))).AccessKey;
let keys: (iam.AccessKey | undefined)[] = [];
cases.push({
  rule: 'access-keys-rotated',
  about: "'rotating'",
  prepare: async () => {
    await created('rotating');
    keys = [await keyOf('rotating')];
    await later(89);
  },
  violate: () => later(2),
  comply: async () => {
    await users.send(new iam.DeleteAccessKeyCommand({ UserName: 'rotating', AccessKeyId: keys[0]?.AccessKeyId }));
    await keyOf('rotating');
  },
});
cases.push({
  rule: 'access-keys-rotated',
  about: "'stopping'",
  prepare: async () => {
    await created('stopping');
    keys = [await keyOf('stopping'), await keyOf('stopping')];
  },
  violate: () => later(91),
  comply: async () => {
    for (const key of keys)
      await users.send(new iam.UpdateAccessKeyCommand({ UserName: 'stopping', AccessKeyId: key?.AccessKeyId, Status: 'Inactive' }));
  },
  disappears: true,
});

cases.push({
  rule: 'iam-user-unused-credentials-check',
  about: "'idle-key'",
  prepare: async () => {
    await created('idle-key');
    const key = await keyOf('idle-key');
    keys = [key];
    await later(89);
  },
  violate: () => later(2),
  async comply() {
    // A denied request is a use too.
    const credentials = { accessKeyId: keys[0]?.AccessKeyId ?? '', secretAccessKey: keys[0]?.SecretAccessKey ?? '' };
    await assert.rejects(new iam.IAMClient({ ...sdk, credentials }).send(new iam.ListUsersCommand({})), { name: 'AccessDenied' });
  },
});
cases.push({
  rule: 'iam-user-unused-credentials-check',
  about: "'idle-password'",
  prepare: () => createdWithPassword('idle-password'),
  violate: () => later(91),
  comply: () => users.send(new iam.DeleteLoginProfileCommand({ UserName: 'idle-password' })),
  disappears: true,
});

cases.push({
  rule: 'iam-user-password-rotated',
  about: "'old,password'",
  prepare: () => createdWithPassword('old,password').then(() => later(89)),
  violate: () => later(2),
  async comply() {
    await users.send(new iam.UpdateLoginProfileCommand({ UserName: 'old,password', Password: OTHER_PASSWORD }));
    // A credential report is current for four hours.
    await later(1);
  },
});

const managedArn = `arn:aws:iam::${accountId}:policy/managed`;
const setManaged = (PolicyDocument: string) =>
  users.send(new iam.CreatePolicyVersionCommand({ PolicyArn: managedArn, PolicyDocument, SetAsDefault: true }));
cases.push({
  rule: 'iam-policy-no-statements-with-admin-access',
  about: "'managed'",
  prepare: () => users.send(new iam.CreatePolicyCommand({ PolicyName: 'managed', PolicyDocument: SOMETHING })),
  violate: () => setManaged(EVERYTHING),
  comply: () => users.send(new iam.SetDefaultPolicyVersionCommand({ PolicyArn: managedArn, VersionId: 'v1' })),
});

for (const [kind, create, put, remove] of [
  [
    'user',
    () => created('holder'),
    (PolicyDocument: string) => new iam.PutUserPolicyCommand({ UserName: 'holder', PolicyName: 'own', PolicyDocument }),
    () => new iam.DeleteUserPolicyCommand({ UserName: 'holder', PolicyName: 'own' }),
  ],
  [
    'group',
    () => users.send(new iam.CreateGroupCommand({ GroupName: 'holder' })),
    (PolicyDocument: string) => new iam.PutGroupPolicyCommand({ GroupName: 'holder', PolicyName: 'own', PolicyDocument }),
    () => new iam.DeleteGroupPolicyCommand({ GroupName: 'holder', PolicyName: 'own' }),
  ],
  [
    'role',
    () => users.send(new iam.CreateRoleCommand({ RoleName: 'holder', AssumeRolePolicyDocument: policy(trust(accountId)) })),
    (PolicyDocument: string) => new iam.PutRolePolicyCommand({ RoleName: 'holder', PolicyName: 'own', PolicyDocument }),
    () => new iam.DeleteRolePolicyCommand({ RoleName: 'holder', PolicyName: 'own' }),
  ],
] as const) {
  const rule = 'iam-inline-policy-no-statements-with-admin-access';
  const set = (text: string) => users.send(put(text) as iam.PutUserPolicyCommand);
  cases.push(
    {
      rule,
      about: `${kind} 'holder'`,
      prepare: () => create().then(() => set(SOMETHING)),
      violate: () => set(EVERYTHING),
      comply: () => set(SOMETHING),
    },
    {
      rule,
      about: `${kind} 'holder'`,
      violate: () => set(EVERYTHING),
      comply: () => users.send(remove() as iam.DeleteUserPolicyCommand),
      disappears: true,
    },
  );
}

const attachment = { UserName: 'direct', PolicyArn: managedArn };
cases.push({
  rule: 'iam-user-no-policies-check',
  about: "'direct'",
  prepare: () => created('direct'),
  violate: () => users.send(new iam.AttachUserPolicyCommand(attachment)),
  comply: () => users.send(new iam.DetachUserPolicyCommand(attachment)),
});
cases.push({
  rule: 'iam-user-no-policies-check',
  about: "'direct'",
  violate: () => users.send(new iam.PutUserPolicyCommand({ UserName: 'direct', PolicyName: 'own', PolicyDocument: SOMETHING })),
  comply: () => users.send(new iam.DeleteUserPolicyCommand({ UserName: 'direct', PolicyName: 'own' })),
});

cases.push({
  rule: 'iam-group-has-users-check',
  about: "'empty'",
  violate: () => users.send(new iam.CreateGroupCommand({ GroupName: 'empty' })),
  comply: () => users.send(new iam.AddUserToGroupCommand({ GroupName: 'empty', UserName: 'direct' })),
});

const trusted = { RoleName: 'trusting', AssumeRolePolicyDocument: policy(trust(accountId)) };
const setTrust = (statement: Statement) =>
  users.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName: 'trusting', PolicyDocument: policy(statement) }));
const limited = { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-0123456789' } } };
cases.push({
  rule: 'iam-role-trust-not-public',
  about: "'trusting'",
  prepare: () => users.send(new iam.CreateRoleCommand(trusted)),
  violate: () => setTrust(trust('*')),
  comply: () => setTrust(trust('*', 'sts:AssumeRole', limited)),
});

const trail = { Name: 'audit', S3BucketName: 'audit-logs' };
const updated = (input: object) => trails.send(new cloudtrail.UpdateTrailCommand({ Name: 'audit', ...input }));
cases.push({
  rule: 'cloudtrail-enabled',
  about: 'rail',
  prepare: async () => {
    await trails.send(new cloudtrail.CreateTrailCommand(trail));
    await trails.send(new cloudtrail.StartLoggingCommand({ Name: 'audit' }));
  },
  violate: () => trails.send(new cloudtrail.StopLoggingCommand({ Name: 'audit' })),
  comply: () => trails.send(new cloudtrail.StartLoggingCommand({ Name: 'audit' })),
});
cases.push({
  rule: 'multi-region-cloudtrail-enabled',
  about: 'rail',
  prepare: () => updated({ IsMultiRegionTrail: true }),
  violate: () => updated({ IsMultiRegionTrail: false }),
  comply: () => updated({ IsMultiRegionTrail: true }),
});
cases.push({
  rule: 'cloud-trail-log-file-validation-enabled',
  about: "'audit'",
  prepare: () => updated({ EnableLogFileValidation: true }),
  violate: () => updated({ EnableLogFileValidation: false }),
  comply: () => updated({ EnableLogFileValidation: true }),
});
cases.push({
  rule: 'cloudtrail-enabled',
  about: 'rail',
  violate: () => trails.send(new cloudtrail.DeleteTrailCommand({ Name: 'audit' })),
  comply: async () => {
    await trails.send(new cloudtrail.CreateTrailCommand(trail));
    await trails.send(new cloudtrail.StartLoggingCommand({ Name: 'audit' }));
  },
});

/** The operator sets the retention, because AWS has no such call. */
const retention = (days: number) => core.store.transaction((tx) => tx.of(trailRetention).set(accountId, days));
cases.push({ rule: 'event-history-retention-check', about: 'event history', violate: () => retention(89), comply: () => retention(90) });

const setBucketPolicy = (Action: string, more: object = {}) =>
  buckets.send(
    new s3.PutBucketPolicyCommand({
      Bucket: 'shared',
      Policy: policy({ ...allow(Action, 'arn:aws:s3:::shared/*'), Principal: '*', ...more }),
    }),
  );
for (const [rule, action, other] of [
  ['s3-bucket-public-read-prohibited', 's3:GetObject', 's3:PutObject'],
  ['s3-bucket-public-write-prohibited', 's3:PutObject', 's3:GetObject'],
  ['s3-bucket-public-read-prohibited', 's3:G*', 's3:DeleteObject'],
  ['s3-bucket-public-write-prohibited', 's3:*', 's3:GetObject'],
] as const) {
  cases.push({
    rule,
    about: "'shared'",
    prepare: () => buckets.send(new s3.CreateBucketCommand({ Bucket: 'shared' })).catch(() => undefined),
    violate: () => setBucketPolicy(action),
    comply: () => setBucketPolicy(other),
  });
  cases.push({
    rule,
    about: "'shared'",
    violate: () => setBucketPolicy(action, { Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } } }),
    comply: () => setBucketPolicy(action, { Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } }),
  });
  cases.push({
    rule,
    about: "'shared'",
    violate: () => setBucketPolicy(action),
    comply: () => buckets.send(new s3.DeleteBucketPolicyCommand({ Bucket: 'shared' })),
  });
}

let chimeAccount = '';
const setRetention = (room: object, conversation: object) =>
  chime.send(
    new PutRetentionSettingsCommand({
      AccountId: chimeAccount,
      RetentionSettings: { RoomRetentionSettings: room, ConversationRetentionSettings: conversation },
    }),
  );
cases.push({
  rule: 'chime-retention-settings-enabled',
  about: "'Example'",
  async violate() {
    chimeAccount = (await chime.send(new CreateAccountCommand({ Name: 'Example' }))).Account?.AccountId ?? '';
    await core.store.transaction(async (tx) => {
      const account = await tx.of(accounts).get(accountId, chimeAccount);
      assert.ok(account !== undefined);
      await tx.of(accounts).put({ ...account, accountType: 'EnterpriseLWA' });
    });
  },
  comply: () => setRetention({ RetentionDays: 30 }, { RetentionDays: 60 }),
});
cases.push({
  rule: 'chime-retention-settings-enabled',
  about: "'Example'",
  violate: () => setRetention({ RetentionDays: 30 }, {}),
  comply: () => setRetention({ RetentionDays: 30 }, { RetentionDays: 1 }),
});

const SERVICE_CONTROL_POLICY = 'SERVICE_CONTROL_POLICY';
let scp: string | undefined;
let root = '';
const scpAt = (TargetId: string) => ({ PolicyId: scp, TargetId });
cases.push({
  rule: 'organizations-service-control-policy-attached',
  about: 'ervice control policy',
  async violate() {
    await org.send(new organizations.CreateOrganizationCommand({ FeatureSet: 'ALL' }));
    root = (await org.send(new organizations.ListRootsCommand({}))).Roots?.[0]?.Id ?? '';
  },
  async comply() {
    await org.send(new organizations.EnablePolicyTypeCommand({ RootId: root, PolicyType: SERVICE_CONTROL_POLICY }));
    const input = { Name: 'limits', Description: '', Content: EVERYTHING, Type: SERVICE_CONTROL_POLICY } as const;
    scp = (await org.send(new organizations.CreatePolicyCommand(input))).Policy?.PolicySummary?.Id;
    await org.send(new organizations.AttachPolicyCommand(scpAt(root)));
  },
});
cases.push({
  rule: 'organizations-service-control-policy-attached',
  about: 'ervice control policy',
  violate: () => org.send(new organizations.DetachPolicyCommand(scpAt(root))),
  async comply() {
    const unit = await org.send(new organizations.CreateOrganizationalUnitCommand({ ParentId: root, Name: 'unit' }));
    await org.send(new organizations.AttachPolicyCommand(scpAt(unit.OrganizationalUnit?.Id ?? '')));
  },
});

for (const { rule, about, prepare, violate, comply, disappears } of cases) {
  test(`${rule}: calls make ${about} noncompliant and compliant again`, async () => {
    await prepare?.();
    const before = await resultAbout(rule, about);
    assert.notEqual(before?.compliance, 'NON_COMPLIANT', before?.annotation);

    await violate();
    const violated = await resultAbout(rule, about);
    assert.equal(violated?.compliance, 'NON_COMPLIANT', violated?.annotation);
    const evaluated = await ruleNamed(rule);
    assert.equal(evaluated?.compliance, 'NON_COMPLIANT');

    await comply();
    const after = await resultAbout(rule, about);
    assert.equal(after?.compliance, disappears === true ? undefined : 'COMPLIANT', after?.annotation);
    assert.equal((await ruleNamed(rule))?.nonCompliantCount, evaluated.nonCompliantCount - 1);
  });
}

test('Rules: every rule about an account has a case, and a complete declaration', async () => {
  const rules = await loadRules();
  const names = rules.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => !SERVER_RULES.some((rule) => rule.name === name)),
    [...new Set(cases.map(({ rule }) => rule))].sort(),
  );
  assert.deepEqual(names, [...new Set(names)].sort());
  for (const { name, description, requirements } of rules) {
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)+$/);
    assert.match(description, /^[A-Z].*\.$/);
    assert.ok(requirements.includes('COMP-6'));
  }
});

test('ListConfigurationRules: counts the results that ListConfigurationRuleResults lists, and every evidence is real', async () => {
  const { rules } = await own('ListConfigurationRules', {});
  assert.deepEqual(
    rules.map(({ name }) => name),
    (await loadRules()).map(({ name }) => name),
  );
  for (const { name: ruleName, compliance, compliantCount, nonCompliantCount } of rules) {
    const { results } = await own('ListConfigurationRuleResults', { ruleName, maxResults: 1000 });
    const bad = results.filter((result) => result.compliance === 'NON_COMPLIANT');
    assert.deepEqual([bad.length, results.length], [nonCompliantCount, compliantCount + nonCompliantCount], ruleName);
    assert.equal(compliance, results.length === 0 ? 'NOT_APPLICABLE' : bad.length === 0 ? 'COMPLIANT' : 'NON_COMPLIANT');
    for (const { annotation, evidence } of results) {
      assert.ok(annotation.length >= 1 && annotation.length <= 256);
      for (const one of evidence) assert.equal(await read(one), one.value, `${ruleName}: ${JSON.stringify(one)}`);
    }
  }
});

test('evaluateRules: has the results that ListConfigurationRuleResults lists', async () => {
  const server = { tlsFloor: 'TLSv1.2', eventHistoryDays: 90, readsWithoutTrail: false, internalHosts: [] };
  const evaluated = await evaluateRules({ store: core.store, accountId, region: 'us-east-1', now: now(), server });
  for (const { rule, results } of evaluated) {
    const listed = await own('ListConfigurationRuleResults', { ruleName: rule.name, maxResults: 1000 });
    assert.deepEqual(results, listed.results, rule.name);
  }
});

test('ListConfigurationRuleResults: pages together have all results, also of one compliance', async () => {
  const ruleName = 'iam-user-no-policies-check';
  for (const compliance of [undefined, 'COMPLIANT', 'NON_COMPLIANT']) {
    const filter = compliance === undefined ? {} : { compliance };
    const whole = (await own('ListConfigurationRuleResults', { ruleName, ...filter, maxResults: 1000 })).results;
    const paged: Result[] = [];
    let nextToken: string | undefined;
    do {
      const token: object = nextToken === undefined ? {} : { nextToken };
      const page = await own('ListConfigurationRuleResults', { ruleName, ...filter, maxResults: 2, ...token });
      assert.ok(page.results.length <= 2);
      paged.push(...page.results);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    assert.ok(whole.length > 0);
    assert.deepEqual(paged, whole);
    assert.ok(compliance === undefined || whole.every((result) => result.compliance === compliance));
  }
});

test('Rules about the server: each setting decides its rule', async () => {
  const facts = { tlsFloor: 'TLSv1.2', eventHistoryDays: 90, readsWithoutTrail: false, internalHosts: [] };
  // biome-ignore format: a table
  const rows: readonly (readonly [rule: string, changed: object])[] = [
    ['server-tls-version-check',      { tlsFloor: 'TLSv1.1' }],
    ['server-records-every-read',     { readsWithoutTrail: true }],
    ['server-no-internal-hosts',      { internalHosts: ['dc.corp.example'] }],
    ['event-history-retention-check', { eventHistoryDays: 89 }],
  ];
  await core.store.transaction((tx) => tx.of(trailRetention).unset(accountId));
  for (const [name, changed] of rows) {
    const rule = (await loadRules()).find((one) => one.name === name);
    const complianceWith = async (server: typeof facts) =>
      (await rule?.evaluate({ store: core.store, accountId, region: 'us-east-1', now: instant(0), server }))?.[0]?.compliance;
    assert.equal(await complianceWith(facts), 'COMPLIANT', name);
    assert.equal(await complianceWith({ ...facts, ...changed }), 'NON_COMPLIANT', name);
  }
});
