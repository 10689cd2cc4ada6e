/**
 * An IAM user's sign-in: account, name, password, and a code if the user has an MFA device.
 *
 * Every failure returns the same error after the same delay, whichever of account, name, password or code was wrong.
 * After five failures in a row for a name, the next attempt must wait, longer after each failure. Attempts with unknown
 * names must wait in the same way. One source (client address) may fail a limited number of times, for all names
 * together. The store counts the failures of names and of sources, so the limits hold on all servers together. A server
 * tries one password for a name at a time.
 *
 * Source: IAM User Guide, "How IAM users sign in to your AWS account". Requirement AUTHN-5. Assumed: the error codes
 * and the limits.
 */

import { CHANGE_PASSWORD_ONLY } from '#access/sign-in.ts';
import { type AccountId, isAccountId, NO_ACCOUNT } from '#core/arn.ts';
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import type { Answer } from '#core/exchange.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Principal } from '#core/principal.ts';
import { sourceOf } from '#core/source-address.ts';
import { isPassword } from '#services/iam/password-hash.ts';
import type { PasswordPolicyRecord, UserRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import { type Attempted, attemptTurns, type SignInAttempts, signInAttempts, type Tried } from './attempts.ts';
import { bodyOf, CONSOLE_PATH, fromOwnPage, jsonAnswer, readStrings, refusal, setCookie } from './http.ts';
import { recordSignIn, type SignInParts } from './parts.ts';
import type { PageRequest } from './site.ts';

/** Lifetime of a console session: 12 hours. Source: IAM User Guide: a console session of an IAM user lasts 12 hours. */
const SESSION_MS = 12 * HOUR_MS;
interface Credentials {
  readonly account: string;
  readonly userName: string;
  readonly password: string;
  readonly mfaCode?: string;
}

type Verdict =
  | { readonly outcome: 'wrong' }
  | { readonly outcome: 'mfa-required' }
  | { readonly outcome: 'expired' }
  | { readonly outcome: 'too-soon'; readonly at: Instant }
  | { readonly outcome: 'right'; readonly answer: Answer };

/**
 * Returns the handler of sign-in requests. The handler remembers the names and sources that have an attempt in
 * progress.
 */
export function passwordSignIn(parts: SignInParts): (received: PageRequest) => Promise<Answer> {
  const { attempted, countFailure, countSource } = signInAttempts(parts);
  const turns = attemptTurns();

  return async (received) => {
    if (!fromOwnPage(received)) return refusal(403, 'CrossSite', 'The request must come from a page of this server.');
    const given = readCredentials(bodyOf(received, 'application/json'));
    if (given === undefined) {
      return refusal(
        400,
        'InvalidRequest',
        'The body must be a JSON object with the strings account, userName and password, and mfaCode if the user has an MFA device.',
      );
    }
    const accountId = accountNamed(parts, given.account);
    const name = `${accountId ?? given.account}\n${given.userName.toLowerCase()}`;
    const tried = { name, source: sourceOf(received.sourceIp) };
    return (await turns(tried, () => signIn(received, given, accountId, tried))) ?? tooSoon(1);
  };

  async function signIn(received: PageRequest, given: Credentials, accountId: AccountId | undefined, tried: Tried): Promise<Answer> {
    const { store, gate } = parts;
    const before = await store.transaction((tx) => attempted(tx, accountId, given.userName, tried));
    if (parts.now() < before.nextAt) {
      await store.transaction((tx) => recordFailure(parts, tx, received, accountId, before.user));
      return tooSoon(Math.ceil((before.nextAt - parts.now()) / 1000));
    }
    const kept = before.user?.loginProfile?.passwordHash;
    const compared = gate(() => isPassword(kept, given.password));
    if (compared === undefined) return refusal(503, 'ServiceUnavailable', 'The service is unavailable. Please retry.');
    const isRight = await compared;
    const verdict = await store.transaction(async (tx): Promise<Verdict> => {
      const now = await attempted(tx, accountId, given.userName, tried);
      const { user, nextAt } = now;
      // Reads the user and the counts again. During the comparison the password may have changed, and other attempts or
      // servers may have counted failures.
      const still = user !== undefined && user.userId === before.user?.userId && user.loginProfile?.passwordHash === kept;
      if (parts.now() < nextAt) return { outcome: 'too-soon', at: nextAt };
      if (accountId === undefined || user === undefined || !isRight || !still) {
        await countFailure(tx, now);
        await recordFailure(parts, tx, received, accountId, user);
        return { outcome: 'wrong' };
      }
      return await withPassword(parts, countSource, tx, received, given, accountId, { ...now, user });
    });
    switch (verdict.outcome) {
      case 'wrong':
        return refusal(401, 'AuthenticationFailed', 'Your authentication information is incorrect. Please try again.');
      case 'mfa-required':
        return refusal(401, 'MfaRequired', 'A code of your MFA device is required.');
      case 'expired':
        return refusal(403, 'PasswordExpired', 'Your password has expired. Only an administrator can set a new one.');
      case 'too-soon':
        return tooSoon(Math.max(1, Math.ceil((verdict.at - parts.now()) / 1000)));
      case 'right':
        return verdict.answer;
    }
  }
}

/**
 * Completes a sign-in with the right password: checks the MFA code and the age of the password, and creates the
 * session.
 */
async function withPassword(
  parts: SignInParts,
  countSource: SignInAttempts['countSource'],
  tx: Tx,
  received: PageRequest,
  given: Credentials,
  accountId: AccountId,
  { user, home, subject, source }: Attempted & { readonly user: UserRecord },
): Promise<Verdict> {
  const now = parts.now();
  const principal = userPrincipal(user);
  const devices = user.mfaSerialNumbers ?? [];
  if (devices.length > 0 && given.mfaCode === undefined) {
    await recordSignIn(parts, tx, { received, eventName: 'CheckMfa', outcome: 'Success', accountId, principal, mfaUsed: true });
    return { outcome: 'mfa-required' };
  }
  const mfaIdentifier = devices.length > 0 ? await deviceOf(parts, tx, principal, devices, given.mfaCode as string, now) : undefined;
  if (devices.length > 0 && mfaIdentifier === undefined) {
    await countSource(tx, source);
    await recordFailure(parts, tx, received, accountId, user, true);
    return { outcome: 'wrong' };
  }
  const { passwordPolicy } = (await tx.identity.get(accountId, 'account', accountId)) ?? {};
  const age = ageOf(user, passwordPolicy, now);
  if (age === 'expired') {
    await recordFailure(parts, tx, received, accountId, user, devices.length > 0);
    return { outcome: 'expired' };
  }
  const session = {
    issuedAt: now,
    expiresAt: instant(Math.floor((now + SESSION_MS) / 1000) * 1000),
    mfaAuthenticated: devices.length > 0,
    tags: {},
    transitiveTagKeys: [],
    chained: false,
    ...(age === 'to-change' && { sessionPolicy: CHANGE_PASSWORD_ONLY }),
  };
  const begun = parts.signIns.begin({ kind: 'user', accountId, session, userId: user.userId }, parts.random);
  if (begun === 'too-large') return { outcome: 'wrong' };
  await tx.attempts.clear(home, subject);
  await tx.identity.put(accountId, 'user', user.userName.toLowerCase(), { ...user, passwordLastUsedAt: now });
  await recordSignIn(parts, tx, {
    received,
    eventName: 'ConsoleLogin',
    outcome: 'Success',
    accountId,
    principal,
    mfaUsed: session.mfaAuthenticated,
    loginTo: CONSOLE_PATH,
    ...omitUndefined({ mfaIdentifier }),
  });
  const { signIn, cookie } = begun;
  const content = { principalArn: user.arn, accountId, expiration: isoSeconds(signIn.credentials.expiration) };
  return {
    outcome: 'right',
    answer: jsonAnswer(
      200,
      { ...content, passwordChangeRequired: age === 'to-change' },
      ...setCookie(received, cookie, signIn.credentials.expiration, now),
    ),
  };
}

/**
 * Returns the ARN of the device for which a code is valid. Returns `undefined` if there is none. A wrong code counts as a failure of each
 * of these devices.
 */
async function deviceOf(
  parts: SignInParts,
  tx: Tx,
  principal: Principal,
  devices: readonly string[],
  code: string,
  now: Instant,
): Promise<string | undefined> {
  const bearer = { tx, principal, accountId: principal.accountId, now };
  const wrong = [];
  for (const serialNumber of devices) {
    const shown = await parts.verifyMfa(bearer, serialNumber, code);
    if (shown.right) return serialNumber;
    wrong.push(shown);
  }
  for (const { count } of wrong) await count(tx);
  return undefined;
}

/** Returns the ID of the account with this ID or alias, or undefined if there is no such account. */
function accountNamed({ snapshot }: SignInParts, account: string): AccountId | undefined {
  if (isAccountId(account)) return snapshot.account(account)?.accountId;
  return snapshot.accountByAlias(account)?.accountId;
}

async function recordFailure(
  parts: SignInParts,
  tx: Tx,
  received: PageRequest,
  accountId: AccountId | undefined,
  user: UserRecord | undefined,
  mfaUsed = false,
): Promise<void> {
  await recordSignIn(parts, tx, {
    received,
    eventName: 'ConsoleLogin',
    outcome: 'Failure',
    accountId: accountId ?? NO_ACCOUNT,
    ...(user === undefined ? { typedName: true } : { principal: userPrincipal(user) }),
    errorMessage: user === undefined ? 'No username found in supplied account' : 'Failed authentication',
    mfaUsed,
    loginTo: CONSOLE_PATH,
  });
}

function userPrincipal({ accountId, arn, userId, userName }: UserRecord): Principal {
  return { type: 'IAMUser', accountId, arn, principalId: userId, userName };
}

/**
 * Returns the state of a password by its age: `expired` if only an administrator can change the password.
 *
 * Source: IAM User Guide, "Set an account password policy".
 */
function ageOf(user: UserRecord, policy: PasswordPolicyRecord | undefined, now: Instant): 'good' | 'to-change' | 'expired' {
  const { changedAt = now, resetRequired = false } = user.loginProfile ?? {};
  const over = policy?.maxAgeDays !== undefined && changedAt + policy.maxAgeDays * DAY_MS <= now;
  if (over && policy.hardExpiry) return 'expired';
  return over || resetRequired ? 'to-change' : 'good';
}

function tooSoon(seconds: number): Answer {
  return refusal(429, 'TooManyAttempts', 'Too many attempts. Please wait, then try again.', 'retry-after', String(seconds));
}

/**
 * Parses account, name, password and MFA code. Returns undefined if one of them is invalid.
 *
 * Source: IAM API reference, CreateLoginProfile: names up to 64 characters, passwords up to 128; CreateAccountAlias: up to 63.
 */
function readCredentials(body: string | undefined): Credentials | undefined {
  const strings = body === undefined ? undefined : readStrings(body, 4_096);
  const field = (name: string, max: number): string | undefined => {
    const value = strings?.get(name);
    return value === undefined || value === '' || value.length > max ? undefined : value;
  };
  const [account, userName, password] = [field('account', 63), field('userName', 64), field('password', 128)];
  const mfaCode = strings?.get('mfaCode');
  if (account === undefined || userName === undefined || password === undefined) return undefined;
  if (mfaCode !== undefined && !/^[0-9]{6}$/.test(mfaCode)) return undefined;
  return { account, userName, password, ...(mfaCode !== undefined && { mfaCode }) };
}
