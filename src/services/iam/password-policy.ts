/**
 * Password policy of an account, and the default rules for accounts without one.
 *
 * Source: IAM User Guide, "Set an account password policy for IAM users".
 */

import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi, PasswordPolicy } from '#model/generated/iam.ts';
import type { PasswordPolicyRecord } from '#store/identity/identity.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { ownAccount, saveAccount } from './account.ts';
import { AwsError } from './errors.ts';

/** Operations on the password policy of an account. */
export const passwordPolicyOperations = {
  /** Replaces the whole policy. Absent members get their default values. Source: IAM API reference, UpdateAccountPasswordPolicy. */
  UpdateAccountPasswordPolicy: {
    async handle(call, input) {
      const passwordPolicy: PasswordPolicyRecord = omitUndefined({
        minimumLength: input.MinimumPasswordLength ?? 6,
        requireSymbols: input.RequireSymbols ?? false,
        requireNumbers: input.RequireNumbers ?? false,
        requireUppercase: input.RequireUppercaseCharacters ?? false,
        requireLowercase: input.RequireLowercaseCharacters ?? false,
        allowUsersToChangePassword: input.AllowUsersToChangePassword ?? false,
        maxAgeDays: input.MaxPasswordAge,
        reusePrevention: input.PasswordReusePrevention,
        hardExpiry: input.HardExpiry,
      });
      await saveAccount(call, { ...(await ownAccount(call)), passwordPolicy });
      return {};
    },
  },

  GetAccountPasswordPolicy: {
    async handle(call) {
      const { passwordPolicy } = await ownAccount(call);
      if (passwordPolicy === undefined) throw noPolicy(call.accountId);
      return { PasswordPolicy: toPasswordPolicy(passwordPolicy) };
    },
  },

  DeleteAccountPasswordPolicy: {
    async handle(call) {
      const { passwordPolicy, ...account } = await ownAccount(call);
      if (passwordPolicy === undefined) throw noPolicy(call.accountId);
      await saveAccount(call, account);
      return {};
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

/** Returns the error for an account without a password policy. Source: message of the real service as quoted in public reports. */
function noPolicy(accountId: string): AwsError {
  return new AwsError('NoSuchEntityException', `The Password Policy with domain name ${accountId} cannot be found.`);
}

function toPasswordPolicy(policy: PasswordPolicyRecord): PasswordPolicy {
  return omitUndefined({
    MinimumPasswordLength: policy.minimumLength,
    RequireSymbols: policy.requireSymbols,
    RequireNumbers: policy.requireNumbers,
    RequireUppercaseCharacters: policy.requireUppercase,
    RequireLowercaseCharacters: policy.requireLowercase,
    AllowUsersToChangePassword: policy.allowUsersToChangePassword,
    ExpirePasswords: policy.maxAgeDays !== undefined,
    MaxPasswordAge: policy.maxAgeDays,
    PasswordReusePrevention: policy.reusePrevention,
    HardExpiry: policy.hardExpiry,
  });
}

/**
 * Message for a password that violates the password policy. Source: the real service as quoted in public reports;
 * Ansible's module iam matches this message.
 */
export const NOT_CONFORMING = 'Password does not conform to the account password policy.';

const SYMBOLS = /[!@#$%^&*()_+\-=[\]{}|']/;
const UPPER = /[A-Z]/;
const LOWER = /[a-z]/;
const DIGIT = /[0-9]/;

/**
 * Checks a password against the policy of its account, or against the default rules.
 *
 * @throws PasswordPolicyViolationException  the password does not conform
 *
 * Source: IAM User Guide, "Default password policy": 8 to 128 characters, three of four character types, not the name or email address of
 * the account.
 * Assumed: the messages about a single requirement. They have the same form as
 * `Password should have at least one uppercase letter`.
 */
export function ensureAllowed(
  password: string,
  policy: PasswordPolicyRecord | undefined,
  account: { readonly name: string; readonly email?: string },
): void {
  const minimum = policy?.minimumLength ?? 8;
  if (password.length < minimum) throw violation(`Password should have a minimum length of ${minimum}`);
  if (policy === undefined) {
    const kinds = [UPPER, LOWER, DIGIT, SYMBOLS].filter((kind) => kind.test(password)).length;
    if (kinds < 3 || password === account.name || password === account.email) throw violation(NOT_CONFORMING);
    return;
  }
  // biome-ignore format: a table
  const demands = [
    [policy.requireUppercase, UPPER,   'uppercase letter'],
    [policy.requireLowercase, LOWER,   'lowercase letter'],
    [policy.requireNumbers,   DIGIT,   'number'],
    [policy.requireSymbols,   SYMBOLS, 'symbol'],
  ] as const;
  for (const [demanded, kind, what] of demands) {
    if (demanded && !kind.test(password)) throw violation(`Password should have at least one ${what}`);
  }
}

/** Returns the error for a password that does not conform to the password policy. */
export function violation(message: string): AwsError {
  return new AwsError('PasswordPolicyViolationException', message);
}
