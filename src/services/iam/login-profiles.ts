/**
 * Passwords of users for the console sign-in.
 */

import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi, LoginProfile } from '#model/generated/iam.ts';
import { nextAttemptAt } from '#store/attempts.ts';
import type { LoginProfileRecord, PasswordPolicyRecord, UserRecord } from '#store/identity/identity.ts';
import { type Call, LastingRefusal, type ServiceOperations } from '../kit/operation.ts';
import { ownAccount } from './account.ts';
import { entity } from './entities.ts';
import { AwsError } from './errors.ts';
import { nameKey } from './names.ts';
import { PASSWORD_RULE } from './password-attempts.ts';
import { hashPassword, isPassword, isSameHash, SALT_BYTES, saltOf } from './password-hash.ts';
import { ensureAllowed, NOT_CONFORMING, violation } from './password-policy.ts';
import { onUserOrSelf, userOrSelf } from './resources.ts';

/** Number of earlier passwords to store: the maximum of PasswordReusePrevention. Source: IAM API reference, PasswordReusePrevention. */
const EARLIER_KEPT = 24;

/** Operations on passwords of users. */
export const loginProfileOperations = {
  CreateLoginProfile: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const user = await namedUser(call, input.UserName);
      const password = input.Password;
      if (password === undefined) throw new AwsError('ValidationError', 'Must specify password when creating a login profile.');
      if (user.loginProfile !== undefined) {
        throw new AwsError('EntityAlreadyExistsException', `Login Profile for user ${user.userName} already exists.`);
      }
      const account = await ownAccount(call);
      ensureAllowed(password, account.passwordPolicy, account);
      const loginProfile: LoginProfileRecord = {
        passwordHash: call.offload('password', () => hashPassword(password, call.random(SALT_BYTES))),
        createdAt: call.now,
        changedAt: call.now,
        resetRequired: input.PasswordResetRequired ?? false,
      };
      await saveUser(call, { ...user, loginProfile });
      return { LoginProfile: toLoginProfile(user, loginProfile) };
    },
  },

  GetLoginProfile: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const user = await namedUser(call, input.UserName);
      return { LoginProfile: toLoginProfile(user, profileOf(user)) };
    },
  },

  UpdateLoginProfile: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const user = await namedUser(call, input.UserName);
      const profile = profileOf(user);
      const account = await ownAccount(call);
      const changed = input.Password === undefined ? profile : withPassword(call, profile, input.Password, account.passwordPolicy, account);
      await saveUser(call, { ...user, loginProfile: { ...changed, resetRequired: input.PasswordResetRequired ?? profile.resetRequired } });
      return {};
    },
  },

  /**
   * Deletes the password of a user.
   *
   * @throws NoSuchEntityException  the user does not exist, or has no login profile
   * Source: localstack/localstack, tests/aws/services/iam, `test_login_profile_errors`, recorded on AWS on 2026-02-11. Earlier
   * reports by users quote `Cannot find Login Profile for User u`.
   */
  DeleteLoginProfile: {
    access: (input, caller) => onUserOrSelf(caller, input.UserName),
    async handle(call, input) {
      const user = await namedUser(call, input.UserName);
      profileOf(user);
      const { loginProfile: _, ...rest } = user;
      await saveUser(call, rest);
      return {};
    },
  },

  /**
   * Changes the caller's own password.
   *
   * Counts wrong old passwords and delays further attempts. Otherwise an attacker with a stolen access key could guess
   * the password here. The sign-in counts wrong passwords separately, so that failed sign-ins by other people do not
   * prevent a user from changing the password.
   *
   * @throws InvalidUserTypeException          the caller is not an IAM user
   * @throws NoSuchEntityException             the user has no password
   * @throws Throttling                        too many wrong passwords in a row. Assumed: the limit
   * @throws AccessDenied                      the old password is wrong
   * @throws PasswordPolicyViolationException  the new password does not conform
   *
   * Assumed: (1) a wrong old password is AccessDenied; (2) the wording of the messages.
   */
  ChangePassword: {
    access: (_, caller) => {
      if (caller.principal.type !== 'IAMUser') throw notAUser();
      return onUserOrSelf(caller, undefined);
    },
    async handle(call, input) {
      if (call.principal.type !== 'IAMUser') throw notAUser();
      const user = await entity(call, 'user', call.principal.userName);
      const profile = profileOf(user);
      const subject = `change-password ${user.userId}`;
      const failures = await call.tx.attempts.of(call.accountId, subject);
      if (failures !== undefined && call.now < nextAttemptAt(PASSWORD_RULE, failures)) throw new AwsError('Throttling', 'Rate exceeded');
      const isOld = call.offload(`old ${profile.passwordHash}`, () => isPassword(profile.passwordHash, input.OldPassword));
      if (!isOld) {
        throw new LastingRefusal('AccessDenied', 'The old password is not correct.', (tx) =>
          tx.attempts.fail(call.accountId, subject, call.now),
        );
      }
      if (failures !== undefined) await call.tx.attempts.clear(call.accountId, subject);
      const account = await ownAccount(call);
      const changed = withPassword(call, profile, input.NewPassword, account.passwordPolicy, account);
      await saveUser(call, { ...user, loginProfile: { ...changed, resetRequired: false } });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

function notAUser(): AwsError {
  return new AwsError('InvalidUserTypeException', 'Only an IAM user can change its password.');
}

/**
 * Returns the named user or, without a name, the caller.
 *
 * @throws ValidationError        the caller is the root user, whose password IAM does not manage
 * @throws NoSuchEntityException  the user does not exist
 */
function namedUser(call: Call, userName: string | undefined): Promise<UserRecord> {
  const name = userOrSelf(call, userName);
  if (name === undefined) throw new AwsError('ValidationError', 'Must specify userName when calling with non-User credentials');
  return entity(call, 'user', name);
}

function profileOf(user: UserRecord): LoginProfileRecord {
  if (user.loginProfile === undefined)
    throw new AwsError('NoSuchEntityException', `Login Profile for User ${user.userName} cannot be found.`);
  return user.loginProfile;
}

/**
 * Returns a login profile with a new password.
 *
 * @throws PasswordPolicyViolationException  the password does not conform to the account's policy, or was used before
 */
function withPassword(
  call: Call,
  profile: LoginProfileRecord,
  password: string,
  policy: PasswordPolicyRecord | undefined,
  account: { readonly name: string; readonly email?: string },
): LoginProfileRecord {
  ensureAllowed(password, policy, account);
  const salt = saltOf(profile.passwordHash);
  const passwordHash = call.offload(`new ${salt}`, () => hashPassword(password, salt));
  const used = [profile.passwordHash, ...(profile.earlierHashes ?? [])];
  const forbidden = used.slice(0, policy?.reusePrevention ?? 0);
  if (forbidden.some((hash) => isSameHash(hash, passwordHash))) throw violation(NOT_CONFORMING);
  return { ...profile, passwordHash, earlierHashes: used.slice(0, EARLIER_KEPT), changedAt: call.now };
}

async function saveUser(call: Call, user: UserRecord): Promise<void> {
  await call.tx.identity.put(call.accountId, 'user', nameKey(user.userName), user);
}

function toLoginProfile(user: UserRecord, profile: LoginProfileRecord): LoginProfile {
  return omitUndefined({ UserName: user.userName, CreateDate: profile.createdAt, PasswordResetRequired: profile.resetRequired });
}
