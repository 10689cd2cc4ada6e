/** Calls that break and satisfy the configuration rules about IAM. */
import assert from 'node:assert/strict';
import * as iam from '@aws-sdk/client-iam';
import { newMfaDevice } from '../kit/mfa.ts';
import { allow, policy, type Statement, trust } from '../kit/policy.ts';
import { accountId, type Case, later, rootIam, sdk, users } from './rules-core.ts';

/** Cases of the rules about IAM. Some cases need the calls of earlier ones. */
export const IAM_CASES: Case[] = [];
const cases = IAM_CASES;
const PASSWORD = 'Correct-Horse-7';
const OTHER_PASSWORD = 'Battery-Staple-8';
const created = (UserName: string) => users.send(new iam.CreateUserCommand({ UserName }));
const createdWithPassword = async (UserName: string) => {
  await created(UserName);
  await users.send(new iam.CreateLoginProfileCommand({ UserName, Password: PASSWORD }));
};
const EVERYTHING = policy(allow('*'));
const SOMETHING = policy(allow('chime:*'));

let rootKey: string | undefined;
const createRootKey = async () => {
  rootKey = (await rootIam().send(new iam.CreateAccessKeyCommand({}))).AccessKey?.AccessKeyId;
};
const deleteRootKey = () => rootIam().send(new iam.DeleteAccessKeyCommand({ AccessKeyId: rootKey }));
cases.push({
  rule: 'iam-root-access-key-check',
  about: 'root user',
  violate: createRootKey,
  comply: deleteRootKey,
});
cases.push({
  rule: 'root-account-mfa-enabled',
  how: 'a root user without credentials is not in the scope of the rule',
  about: 'root user',
  violate: createRootKey,
  comply: deleteRootKey,
  disappears: true,
});

let devices = 0;
let rootDevice: string | undefined;
const enableRootDevice = async () => {
  rootDevice = (await newMfaDevice(rootIam(), accountId, `root-${++devices}`)).SerialNumber;
};
cases.push({
  rule: 'root-account-mfa-enabled',
  about: 'root user',
  prepare: async () => {
    await createRootKey();
    await enableRootDevice();
  },
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
    how: Object.entries(weak).flat().join(' '),
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
  prepare: async () => {
    await createdWithPassword('idle-password');
    await later(2);
    await createdWithPassword('old,password');
  },
  violate: () => later(89),
  comply: () => users.send(new iam.DeleteLoginProfileCommand({ UserName: 'idle-password' })),
  disappears: true,
});

cases.push({
  rule: 'iam-user-password-rotated',
  about: "'old,password'",
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
      how: 'without policies',
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
