/**
 * An IAM user's sign-in: account, name, password, and a code where the user has an MFA device.
 *
 * Whoever is wrong hears the same after the same time, whether account, name, password or code was. After five wrong attempts in a
 * row for a user the next waits, longer each time; names that are nobody's wait alike. One attempt a user is looked at at a time.
 *
 * Source: IAM User Guide, "How IAM users sign in to your AWS account". Requirement AUTHN-5. Assumed: the codes, and the numbers of the limit.
 */

import { CHANGE_PASSWORD_ONLY } from '#access/sign-in.ts';
import { type AccountId, isAccountId, NO_ACCOUNT } from '#core/arn.ts';
import type { Answer, Received } from '#core/exchange.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import { isPassword } from '#services/iam/password-hash.ts';
import { type AttemptRecord, type AttemptRule, nextAttemptAt } from '#store/attempts.ts';
import type { PasswordPolicyRecord, UserRecord } from '#store/identity.ts';
import type { Tx } from '#store/store.ts';
import { bodyOf, CONSOLE_PATH, fromOwnPage, jsonAnswer, refusal, setCookie } from './http.ts';
import { random, recordSignIn, type SignInParts } from './parts.ts';

/** Source: IAM User Guide: a console session of an IAM user lasts 12 hours. */
const SESSION_MS = 12 * 3_600_000;
const RULE: AttemptRule = { free: 5, firstMs: 1_000, maxMs: 15 * 60_000 };
/** Names that are nobody's, remembered for their wrong attempts. */
const STRANGERS_MAX = 10_000;

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

/** Makes the sign-in; it remembers what is under way, and who nobody is. */
export function passwordSignIn(parts: SignInParts): (received: Received) => Promise<Answer> {
  const strangers = new Map<string, AttemptRecord>();
  const underWay = new Set<string>();

  return async (received) => {
    if (!fromOwnPage(received)) return refusal(403, 'CrossSite', 'Only a page of this server may sign in.');
    const given = readCredentials(bodyOf(received, 'application/json'));
    if (given === undefined) {
      return refusal(
        400,
        'InvalidRequest',
        'The body must be JSON with the texts account, userName, password and, with a device, mfaCode.',
      );
    }
    const accountId = accountNamed(given.account);
    const name = `${accountId ?? given.account}\n${given.userName.toLowerCase()}`;
    if (underWay.has(name)) return tooSoon(1);
    underWay.add(name);
    try {
      return await signIn(received, given, accountId, name);
    } finally {
      underWay.delete(name);
    }
  };

  async function signIn(received: Received, given: Credentials, accountId: AccountId | undefined, name: string): Promise<Answer> {
    const { store, gate } = parts;
    const before = await store.transaction((tx) => attempted(tx, accountId, given.userName, name));
    if (parts.now() < before.nextAt) {
      await store.transaction((tx) => recordFailure(tx, received, accountId, before.user));
      return tooSoon(Math.ceil((before.nextAt - parts.now()) / 1000));
    }
    const kept = before.user?.loginProfile?.passwordHash;
    const tried = gate(() => isPassword(kept, given.password));
    if (tried === undefined) return refusal(503, 'ServiceUnavailable', 'The service is unavailable. Please retry.');
    const isRight = await tried;
    const verdict = await store.transaction(async (tx): Promise<Verdict> => {
      const { user, nextAt } = await attempted(tx, accountId, given.userName, name);
      // What was found right may have been changed meanwhile; and another server may have counted attempts.
      const still = user !== undefined && user.userId === before.user?.userId && user.loginProfile?.passwordHash === kept;
      if (parts.now() < nextAt) return { outcome: 'too-soon', at: nextAt };
      if (accountId === undefined || user === undefined || !isRight || !still) {
        await countFailure(tx, accountId, user, name);
        await recordFailure(tx, received, accountId, user);
        return { outcome: 'wrong' };
      }
      return await withPassword(tx, received, given, accountId, user);
    });
    switch (verdict.outcome) {
      case 'wrong':
        return refusal(401, 'AuthenticationFailed', 'Your authentication information is incorrect. Please try again.');
      case 'mfa-required':
        return refusal(401, 'MfaRequired', 'The code of your MFA device is needed.');
      case 'expired':
        return refusal(403, 'PasswordExpired', 'Your password is expired, and only an administrator can set another.');
      case 'too-soon':
        return tooSoon(Math.max(1, Math.ceil((verdict.at - parts.now()) / 1000)));
      case 'right':
        return verdict.answer;
    }
  }

  /** What follows once the password is right. */
  async function withPassword(tx: Tx, received: Received, given: Credentials, accountId: AccountId, user: UserRecord): Promise<Verdict> {
    const now = parts.now();
    const principal = userPrincipal(user);
    const devices = user.mfaSerialNumbers ?? [];
    if (devices.length > 0 && given.mfaCode === undefined) {
      await recordSignIn(parts, tx, { received, eventName: 'CheckMfa', outcome: 'Success', accountId, principal, mfaUsed: true });
      return { outcome: 'mfa-required' };
    }
    if (devices.length > 0 && !(await isCodeOf(tx, principal, devices, given.mfaCode as string, now))) {
      await recordFailure(tx, received, accountId, user, true);
      return { outcome: 'wrong' };
    }
    const { passwordPolicy } = (await tx.identity.get(accountId, 'account', accountId)) ?? {};
    const age = ageOf(user, passwordPolicy, now);
    if (age === 'expired') {
      await recordFailure(tx, received, accountId, user, devices.length > 0);
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
    const begun = parts.signIns.begin({ kind: 'user', accountId, session, userId: user.userId }, random);
    if (begun === 'too-large') return { outcome: 'wrong' };
    await tx.attempts.clear(accountId, subjectOf(user));
    await tx.identity.put(accountId, 'user', user.userName.toLowerCase(), { ...user, passwordLastUsedAt: now });
    await recordSignIn(parts, tx, {
      received,
      eventName: 'ConsoleLogin',
      outcome: 'Success',
      accountId,
      principal,
      mfaUsed: session.mfaAuthenticated,
      loginTo: CONSOLE_PATH,
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

  /** Whether it is a code of one of the devices; where not, it was a wrong one of each. */
  async function isCodeOf(tx: Tx, principal: Principal, devices: readonly string[], code: string, now: Instant): Promise<boolean> {
    const bearer = { tx, principal, accountId: principal.accountId, now };
    const wrong = [];
    for (const serialNumber of devices) {
      const shown = await parts.verifyMfa(bearer, serialNumber, code);
      if (shown.right) return true;
      wrong.push(shown);
    }
    for (const { count } of wrong) await count(tx);
    return false;
  }

  /** An account id, or an account's alias. */
  function accountNamed(account: string): AccountId | undefined {
    if (isAccountId(account)) return parts.snapshot.account(account)?.accountId;
    return parts.snapshot.accounts().find(({ alias }) => alias === account)?.accountId;
  }

  /** The user, if there is one that can sign in, and when its next attempt is looked at. */
  async function attempted(
    tx: Tx,
    accountId: AccountId | undefined,
    userName: string,
    name: string,
  ): Promise<{ readonly user?: UserRecord; readonly nextAt: Instant }> {
    const user = accountId === undefined ? undefined : await tx.identity.get(accountId, 'user', userName.toLowerCase());
    const attempts = accountId === undefined || user === undefined ? strangers.get(name) : await tx.attempts.of(accountId, subjectOf(user));
    return { ...(user !== undefined && { user }), nextAt: attempts === undefined ? instant(0) : nextAttemptAt(RULE, attempts) };
  }

  async function countFailure(tx: Tx, accountId: AccountId | undefined, user: UserRecord | undefined, name: string): Promise<void> {
    const now = parts.now();
    if (accountId !== undefined && user !== undefined) {
      await tx.attempts.fail(accountId, subjectOf(user), now);
      return;
    }
    const failures = (strangers.get(name)?.failures ?? 0) + 1;
    strangers.delete(name);
    strangers.set(name, { failures, failedAt: now });
    if (strangers.size > STRANGERS_MAX) strangers.delete(strangers.keys().next().value as string);
  }

  async function recordFailure(
    tx: Tx,
    received: Received,
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
}

function userPrincipal({ accountId, arn, userId, userName }: UserRecord): Principal {
  return { type: 'IAMUser', accountId, arn, principalId: userId, userName };
}

function subjectOf({ userId }: UserRecord): string {
  return `password ${userId}`;
}

const DAY_MS = 24 * 3_600_000;

/** Source: IAM User Guide, "Set an account password policy": after its days a password is to be changed, or by an administrator only. */
function ageOf(user: UserRecord, policy: PasswordPolicyRecord | undefined, now: Instant): 'good' | 'to-change' | 'expired' {
  const { changedAt = now, resetRequired = false } = user.loginProfile ?? {};
  const over = policy?.maxAgeDays !== undefined && changedAt + policy.maxAgeDays * DAY_MS <= now;
  if (over && policy.hardExpiry) return 'expired';
  return over || resetRequired ? 'to-change' : 'good';
}

function tooSoon(seconds: number): Answer {
  return refusal(429, 'TooManyAttempts', 'Too many attempts. Please wait, then try again.', 'retry-after', String(seconds));
}

/** Source: IAM API reference, CreateLoginProfile: names up to 64 characters, passwords up to 128; CreateAccountAlias: up to 63. */
function readCredentials(body: string | undefined): Credentials | undefined {
  if (body === undefined || body.length > 4_096) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { account, userName, password, mfaCode } = (parsed ?? {}) as Readonly<Record<string, unknown>>;
  const isText = (value: unknown, max: number): value is string => typeof value === 'string' && value !== '' && value.length <= max;
  if (!isText(account, 63) || !isText(userName, 64) || !isText(password, 128)) return undefined;
  if (mfaCode !== undefined && !(typeof mfaCode === 'string' && /^[0-9]{6}$/.test(mfaCode))) return undefined;
  return { account, userName, password, ...(mfaCode !== undefined && { mfaCode }) };
}
