/** Configuration rules about the root user and the password policy. */
import { counted } from '#core/counted.ts';
import type { PasswordPolicyRecord } from '#store/identity/identity.ts';
import type { ConfigurationRule, RuleReading } from '../../kit/configuration-rule.ts';
import { accountResource, evidence, ruleResult } from '../../kit/rule-results.ts';
import { accountRecord } from './read-principals.ts';

function rootKeyCount({ store, accountId }: RuleReading): Promise<number> {
  return store.transaction((tx) => tx.identity.count(accountId, 'root-access-key'));
}

/** Source: AWS Config Developer Guide, "iam-root-access-key-check". */
const ROOT_KEYS: ConfigurationRule = {
  name: 'iam-root-access-key-check',
  description: 'The root user has no access keys.',
  parameters: {},
  requirements: ['COMP-6'],
  async evaluate(reading) {
    const count = await rootKeyCount(reading);
    const annotation = count === 0 ? 'The root user has no access keys.' : `The root user has ${counted(count, 'access key')}.`;
    return [
      ruleResult(accountResource(reading), count === 0, annotation, [summaryEvidence('AccountAccessKeysPresent', count > 0 ? 1 : 0)]),
    ];
  },
};

/**
 * A root user has no password here, so access keys are its only credentials.
 * Source: AWS Config Developer Guide, "root-account-mfa-enabled": the rule returns NOT_APPLICABLE if root user credentials are not present.
 */
const ROOT_MFA: ConfigurationRule = {
  name: 'root-account-mfa-enabled',
  description: 'The root user has an MFA device, if it has credentials.',
  parameters: {},
  requirements: ['COMP-6'],
  async evaluate(reading) {
    if ((await rootKeyCount(reading)) === 0) return [];
    const isEnabled = ((await accountRecord(reading))?.mfaSerialNumbers ?? []).length > 0;
    const annotation = `The root user has access keys and ${isEnabled ? 'an MFA device' : 'no MFA device'}.`;
    return [
      ruleResult(accountResource(reading), isEnabled, annotation, [
        summaryEvidence('AccountAccessKeysPresent', 1),
        summaryEvidence('AccountMFAEnabled', isEnabled ? 1 : 0),
      ]),
    ];
  },
};

function summaryEvidence(member: string, value: number) {
  return evidence('iam:GetAccountSummary', {}, `SummaryMap.${member}`, value);
}

/** Required minimum password length. Source, also of the next values: AWS Config Developer Guide, "iam-password-policy", default values. */
const MINIMUM_LENGTH = 14;
const REUSE_PREVENTION = 24;
const MAX_AGE_DAYS = 90;

/** Parameters of the rule, the members of GetAccountPasswordPolicy, and whether a policy conforms. */
// biome-ignore format: a table
const PASSWORD_DEMANDS: readonly (readonly [parameter: string, value: string, member: string, of: (policy: PasswordPolicyRecord) => boolean | number | undefined, conforms: (policy: PasswordPolicyRecord) => boolean])[] = [
  ['RequireUppercaseCharacters', 'true',                   'RequireUppercaseCharacters', (policy) => policy.requireUppercase, (policy) => policy.requireUppercase],
  ['RequireLowercaseCharacters', 'true',                   'RequireLowercaseCharacters', (policy) => policy.requireLowercase, (policy) => policy.requireLowercase],
  ['RequireSymbols',             'true',                   'RequireSymbols',             (policy) => policy.requireSymbols,   (policy) => policy.requireSymbols],
  ['RequireNumbers',             'true',                   'RequireNumbers',             (policy) => policy.requireNumbers,   (policy) => policy.requireNumbers],
  ['MinimumPasswordLength',      String(MINIMUM_LENGTH),   'MinimumPasswordLength',      (policy) => policy.minimumLength,    (policy) => policy.minimumLength >= MINIMUM_LENGTH],
  ['PasswordReusePrevention',    String(REUSE_PREVENTION), 'PasswordReusePrevention',    (policy) => policy.reusePrevention,  (policy) => (policy.reusePrevention ?? 0) >= REUSE_PREVENTION],
  ['MaxPasswordAge',             String(MAX_AGE_DAYS),     'MaxPasswordAge',             (policy) => policy.maxAgeDays,       (policy) => (policy.maxAgeDays ?? Number.POSITIVE_INFINITY) <= MAX_AGE_DAYS],
];

/** Source: AWS Config Developer Guide, "iam-password-policy". */
const PASSWORD_POLICY: ConfigurationRule = {
  name: 'iam-password-policy',
  description: 'The password policy of the account has the required strength.',
  parameters: Object.fromEntries(PASSWORD_DEMANDS),
  requirements: ['COMP-4', 'COMP-6'],
  async evaluate(reading) {
    const action = 'iam:GetAccountPasswordPolicy';
    const policy = (await accountRecord(reading))?.passwordPolicy;
    if (policy === undefined) {
      const missing = evidence(action, {}, 'Error.Code', 'NoSuchEntity');
      return [ruleResult(accountResource(reading), false, 'The account has no password policy.', [missing])];
    }
    const violated = PASSWORD_DEMANDS.filter(([, , , , conforms]) => !conforms(policy)).map(([parameter]) => parameter);
    const annotation =
      violated.length === 0 ? 'The password policy has the required strength.' : `The password policy is too weak: ${violated.join(', ')}`;
    const shown = PASSWORD_DEMANDS.map(([, , member, of]) => evidence(action, {}, `PasswordPolicy.${member}`, of(policy)));
    return [ruleResult(accountResource(reading), violated.length === 0, annotation, shown)];
  },
};

export const ACCOUNT_RULES: readonly ConfigurationRule[] = [ROOT_KEYS, ROOT_MFA, PASSWORD_POLICY];
