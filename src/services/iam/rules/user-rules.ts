/** Configuration rules about the passwords, MFA devices and access keys of users. */
import { counted } from '#core/counted.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { ConfigurationRule, Evidence, RuleReading, RuleResult } from '../../kit/configuration-rule.ts';
import { evidence, jmesText, ruleResult } from '../../kit/rule-results.ts';
import { daysSince, isOld, MAX_AGE_DAYS } from '../credential-age.ts';
import { reportTime } from '../credential-report.ts';
import { type ActiveKey, activeKeys, summariesOf, userResource } from './read-principals.ts';

type User = IdentitySummaries['user'];
type Profile = NonNullable<User['loginProfile']>;

/** Yields the result of `evaluate` for each user. A user without a result is not in the scope of the rule. */
async function eachUser<More>(
  reading: RuleReading,
  more: (tx: Parameters<typeof activeKeys>[0], user: User) => Promise<More>,
  evaluate: (user: User, more: More) => RuleResult | undefined,
): Promise<readonly RuleResult[]> {
  const results: RuleResult[] = [];
  for await (const part of summariesOf(reading, 'user', more)) {
    for (const [user, read] of part) {
      const result = evaluate(user, read);
      if (result !== undefined) results.push(result);
    }
  }
  return results;
}

const nothing = async (): Promise<undefined> => undefined;

/** Source: AWS Config Developer Guide, "mfa-enabled-for-iam-console-access". */
const CONSOLE_MFA: ConfigurationRule = {
  name: 'mfa-enabled-for-iam-console-access',
  description: 'Every user with a password has an MFA device.',
  parameters: {},
  requirements: ['COMP-6'],
  evaluate: (reading) =>
    eachUser(reading, nothing, (user) => {
      if (user.loginProfile === undefined) return undefined;
      const UserName = user.userName;
      const devices = (user.mfaSerialNumbers ?? []).length;
      const annotation = `User '${UserName}' has a password and ${devices === 0 ? 'no MFA devices' : counted(devices, 'MFA device')}.`;
      return ruleResult(userResource(user), devices > 0, annotation, [
        evidence('iam:GetLoginProfile', { UserName }, 'LoginProfile.UserName', UserName),
        evidence('iam:ListMFADevices', { UserName }, 'length(MFADevices)', devices),
      ]);
    }),
};

/** Returns the calls that show when an active key was created. */
function keyEvidence({ userName: UserName }: User, { key }: ActiveKey): readonly Evidence[] {
  const ofKey = `AccessKeyMetadata[?AccessKeyId==${jmesText(key.accessKeyId)}]`;
  return [
    evidence('iam:ListAccessKeys', { UserName }, `${ofKey}.Status | [0]`, key.status),
    evidence('iam:ListAccessKeys', { UserName }, `${ofKey}.CreateDate | [0]`, isoSeconds(key.createdAt)),
  ];
}

/** Source: AWS Config Developer Guide, "access-keys-rotated". Users without an active key have no result. */
const KEY_AGE: ConfigurationRule = {
  name: 'access-keys-rotated',
  description: 'Every active access key of a user is at most 90 days old.',
  parameters: { maxAccessKeyAge: String(MAX_AGE_DAYS) },
  requirements: ['COMP-6'],
  evaluate: (reading) =>
    eachUser(reading, activeKeys, (user, keys) => {
      if (keys.length === 0) return undefined;
      const old = keys.filter(({ key }) => isOld(key.createdAt, reading.now));
      const oldest = old.map(({ key }) => `${key.accessKeyId} is ${counted(daysSince(key.createdAt, reading.now), 'day')} old`).join(', ');
      const annotation =
        old.length === 0 ? `The active access keys of user '${user.userName}' are recent.` : `User '${user.userName}': ${oldest}`;
      const shown = keys.flatMap((key) => keyEvidence(user, key));
      return ruleResult(userResource(user), old.length === 0, annotation, shown);
    }),
};

/** A credential, the time since which it is unused, and the calls that show it. */
interface Credential {
  readonly name: string;
  readonly since: Instant;
  readonly shown: readonly Evidence[];
}

const later = (a: Instant, b: Instant | undefined): Instant => (b !== undefined && b > a ? b : a);

/** Assumed: the days of a credential that was never used start with its creation. */
function credentialsOf(user: User, keys: readonly ActiveKey[]): readonly Credential[] {
  const { userName: UserName, passwordLastUsedAt: usedAt, loginProfile: profile } = user;
  const text = (at: Instant | undefined): string | undefined => at && isoSeconds(at);
  return [
    ...(profile === undefined
      ? []
      : [
          {
            name: 'the password',
            since: later(profile.createdAt, usedAt),
            shown: [
              evidence('iam:GetLoginProfile', { UserName }, 'LoginProfile.CreateDate', isoSeconds(profile.createdAt)),
              evidence('iam:GetUser', { UserName }, 'User.PasswordLastUsed', text(usedAt)),
            ],
          },
        ]),
    ...keys.map((active) => ({
      name: active.key.accessKeyId,
      since: later(active.key.createdAt, active.use?.at),
      shown: [
        ...keyEvidence(user, active),
        evidence(
          'iam:GetAccessKeyLastUsed',
          { AccessKeyId: active.key.accessKeyId },
          'AccessKeyLastUsed.LastUsedDate',
          text(active.use?.at),
        ),
      ],
    })),
  ];
}

/** Source: AWS Config Developer Guide, "iam-user-unused-credentials-check". Users without a password and active keys have no result. */
const UNUSED: ConfigurationRule = {
  name: 'iam-user-unused-credentials-check',
  description: 'Every password and active access key of a user was used within 90 days.',
  parameters: { maxCredentialUsageAge: String(MAX_AGE_DAYS) },
  requirements: ['COMP-6'],
  evaluate: (reading) =>
    eachUser(reading, activeKeys, (user, keys) => {
      const credentials = credentialsOf(user, keys);
      if (credentials.length === 0) return undefined;
      const unused = credentials.filter(({ since }) => isOld(since, reading.now));
      const names = unused.map(({ name, since }) => `${name} is unused for ${counted(daysSince(since, reading.now), 'day')}`).join(', ');
      const annotation =
        unused.length === 0
          ? `The password and the active access keys of user '${user.userName}' were used or created within ${MAX_AGE_DAYS} days.`
          : `User '${user.userName}': ${names}`;
      const shown = credentials.flatMap((credential) => credential.shown);
      return ruleResult(userResource(user), unused.length === 0, annotation, shown);
    }),
};

/** Has no managed rule in AWS Config. The credential report is the only output of IAM with the time of the change. */
const PASSWORD_AGE: ConfigurationRule = {
  name: 'iam-user-password-rotated',
  description: 'Every password of a user was changed within 90 days.',
  parameters: { maxPasswordAge: String(MAX_AGE_DAYS) },
  requirements: ['COMP-1', 'COMP-6'],
  evaluate: (reading) =>
    eachUser(reading, nothing, (user) => {
      if (user.loginProfile === undefined) return undefined;
      const { changedAt }: Profile = user.loginProfile;
      const member = `Content[?user==${jmesText(user.userName)}].password_last_changed | [0]`;
      const annotation = `The password of user '${user.userName}' was changed ${counted(daysSince(changedAt, reading.now), 'day')} ago.`;
      const shown = [evidence('iam:GetCredentialReport', {}, member, reportTime(changedAt))];
      return ruleResult(userResource(user), !isOld(changedAt, reading.now), annotation, shown);
    }),
};

export const USER_RULES: readonly ConfigurationRule[] = [CONSOLE_MFA, KEY_AGE, UNUSED, PASSWORD_AGE];
