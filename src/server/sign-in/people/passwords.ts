/** Passwords of people of Amazon Chime: their rules, and their comparison with the limits of the sign-in to the console. */
import { NO_ACCOUNT } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { sourceOf } from '#core/source-address.ts';
import { hashPassword, isPassword, SALT_BYTES } from '#services/iam/password-hash.ts';
import { type AttemptRule, nextAttemptAt } from '#store/attempts.ts';
import type { Tx } from '#store/store.ts';
import type { ChimeUserRecord, PersonRecord } from '../../core/services.ts';
import { attemptTurns, signInAttempts, UNKNOWN_NAMES_MAX } from '../attempts.ts';
import type { SignInParts } from '../parts.ts';
import type { PageRequest } from '../site.ts';
import { isCommonPassword } from './common-passwords.ts';
import { PASSWORD_LENGTH } from './password-length.ts';

/** Result of a comparison. `seconds` is the time after which the next attempt is possible. */
export type Checked<Value> =
  | { readonly outcome: 'right'; readonly value: Value }
  | { readonly outcome: 'wrong' }
  | { readonly outcome: 'busy' }
  | { readonly outcome: 'too-soon'; readonly seconds: number };

export interface PersonPasswords {
  /**
   * Compares a password with that of the person with an address. Calls `onRight` in the transaction that clears the failures.
   *
   * An unknown person takes the same time as a wrong password, and its attempts are limited in the same way.
   */
  check<Value>(
    received: PageRequest,
    email: string,
    password: string,
    onRight: (tx: Tx, person: PersonRecord) => Promise<Value>,
  ): Promise<Checked<Value>>;
  /**
   * Compares a password elsewhere, with the limits of `check`. `verify` resolves to undefined for a wrong password, and returns undefined if too many
   * comparisons run. If it rejects, the attempt does not count.
   *
   * Before the comparison `verify` calls `isAdmitted` with the address under which failures of the person count, so that all addresses of a person
   * have one count. If it resolves to false, `verify` must not compare.
   */
  checkElsewhere<Verified, Value>(
    received: PageRequest,
    email: string,
    verify: (isAdmitted: (address: string) => Promise<boolean>) => Promise<Verified | undefined> | undefined,
    onRight: (tx: Tx, verified: Verified) => Promise<Value>,
  ): Promise<Checked<Value>>;
  /** Hashes a new password. Resolves to undefined if too many hashes wait. */
  hash(password: string): Promise<string | undefined>;
  /** Returns the seconds that a source must wait, because it sent too many wrong tokens or passwords. 0 means that it need not wait. */
  waitOf(tx: Tx, received: PageRequest): Promise<number>;
  /** Counts a wrong token or another failure of a source. */
  countSource(tx: Tx, received: PageRequest): Promise<void>;
  /** Reports whether a mail to an address is possible now, and counts it. The first three have no delay between them. */
  admitMail(tx: Tx, email: string): Promise<boolean>;
}

/** Delay between two mails with links to one address. Assumed: the numbers. */
const MAIL_RULE: AttemptRule = { free: 3, firstMs: 60_000, maxMs: 6 * HOUR_MS };
/** Prefix of the subjects under which mails are counted. */
const MAIL = 'mail ';

/** Reads of the store. */
export interface PersonReads {
  /** Returns the person with an address who has a password of this server. */
  find(tx: Tx, email: string): Promise<PersonRecord | undefined>;
  /** Returns the user with an address in the account in which the user is. */
  memberOf(tx: Tx, email: string): Promise<Pick<ChimeUserRecord, 'userId'> | undefined>;
}

export function personPasswords(parts: SignInParts, { find, memberOf }: PersonReads): PersonPasswords {
  const attempts = signInAttempts(parts);
  const turns = attemptTurns();
  const secondsTo = (at: number): number => Math.max(0, Math.ceil((at - parts.now()) / 1000));

  return {
    async check(received, email, password, onRight) {
      const tried = { name: `chime\n${email}`, source: sourceOf(received.sourceIp) };
      const attempted = async (tx: Tx) => {
        const person = await find(tx, email);
        return { person, counted: await attempts.attemptedPerson(tx, person?.personId, tried) };
      };
      const run = async (): Promise<Checked<Awaited<ReturnType<typeof onRight>>>> => {
        const before = await parts.store.transaction(attempted);
        if (parts.now() < before.counted.nextAt) return { outcome: 'too-soon', seconds: Math.max(1, secondsTo(before.counted.nextAt)) };
        const kept = before.person?.passwordHash;
        const compared = parts.gate(() => isPassword(kept, password));
        if (compared === undefined) return { outcome: 'busy' };
        const isRight = await compared;
        return await parts.store.transaction(async (tx) => {
          // Reads the person and the counts again. During the comparison the password may have changed, and other attempts may have failed.
          const { person, counted } = await attempted(tx);
          if (parts.now() < counted.nextAt) return { outcome: 'too-soon', seconds: Math.max(1, secondsTo(counted.nextAt)) };
          if (person === undefined || !isRight || person.passwordHash !== kept) {
            await attempts.countFailure(tx, counted);
            return { outcome: 'wrong' };
          }
          await tx.attempts.clear(counted.home, counted.subject);
          return { outcome: 'right', value: await onRight(tx, person) };
        });
      };
      return (await turns(tried, run)) ?? { outcome: 'too-soon', seconds: 1 };
    },
    async checkElsewhere(received, email, verify, onRight) {
      const tried = { name: `chime\n${email}`, source: sourceOf(received.sourceIp) };
      // The count of a user is never deleted to free space, and that of an unknown name can be.
      const attemptedAs = async (tx: Tx, address: string) =>
        attempts.attemptedPerson(tx, (await memberOf(tx, address))?.userId, { ...tried, name: `chime\n${address}` });
      const run = async (): Promise<Checked<Awaited<ReturnType<typeof onRight>>>> => {
        const before = await parts.store.transaction((tx) => attemptedAs(tx, email));
        if (parts.now() < before.nextAt) return { outcome: 'too-soon', seconds: Math.max(1, secondsTo(before.nextAt)) };
        let counting = email;
        let waitsUntil: number | undefined;
        const verifying = verify(async (address) => {
          counting = address;
          const { nextAt } = await parts.store.transaction((tx) => attemptedAs(tx, address));
          if (parts.now() < nextAt) waitsUntil = nextAt;
          return waitsUntil === undefined;
        });
        if (verifying === undefined) return { outcome: 'busy' };
        const verified = await verifying;
        if (waitsUntil !== undefined) return { outcome: 'too-soon', seconds: Math.max(1, secondsTo(waitsUntil)) };
        const attempted = (tx: Tx) => attemptedAs(tx, counting);
        return await parts.store.transaction(async (tx) => {
          const counted = await attempted(tx);
          if (parts.now() < counted.nextAt) return { outcome: 'too-soon', seconds: Math.max(1, secondsTo(counted.nextAt)) };
          if (verified === undefined) {
            await attempts.countFailure(tx, counted);
            return { outcome: 'wrong' };
          }
          await tx.attempts.clear(counted.home, counted.subject);
          return { outcome: 'right', value: await onRight(tx, verified) };
        });
      };
      return (await turns(tried, run)) ?? { outcome: 'too-soon', seconds: 1 };
    },
    async hash(password) {
      return await parts.gate(() => hashPassword(password, parts.random(SALT_BYTES)));
    },
    async waitOf(tx, received) {
      return secondsTo((await attempts.attemptedSource(tx, sourceOf(received.sourceIp))).nextAt);
    },
    async countSource(tx, received) {
      await attempts.countSource(tx, (await attempts.attemptedSource(tx, sourceOf(received.sourceIp))).source);
    },
    async admitMail(tx, email) {
      const subject = `${MAIL}${parts.nameDigest(`chime\n${email}`)}`;
      const sent = await tx.attempts.of(NO_ACCOUNT, subject);
      if (sent !== undefined && parts.now() < nextAttemptAt(MAIL_RULE, sent)) return false;
      await tx.attempts.fail(NO_ACCOUNT, subject, parts.now());
      if (sent === undefined) await tx.attempts.trim(NO_ACCOUNT, MAIL, UNKNOWN_NAMES_MAX);
      return true;
    },
  };
}

/** Password that a person chooses, and the facts about the person that it must not be. */
export interface ChosenPassword {
  readonly password: string;
  readonly again: string;
  readonly displayName: string;
  readonly email: string;
  /** Name of the account that the person joins. */
  readonly accountName?: string | undefined;
}

/**
 * Returns why a chosen password is not valid, or undefined. Comparisons with names and common passwords ignore spaces, case and the different
 * forms that Unicode has for a character.
 *
 * Source: NIST SP 800-63B-4, section 3.1.1.2: each code point of Unicode counts as one character. Assumed: the form for comparisons.
 */
export async function passwordProblem({
  password,
  again,
  displayName,
  email,
  accountName = '',
}: ChosenPassword): Promise<string | undefined> {
  if (password !== again) return 'The two passwords differ.';
  const { length } = [...password.normalize('NFC')];
  if (length < PASSWORD_LENGTH.min || length > PASSWORD_LENGTH.max)
    return `A password has ${PASSWORD_LENGTH.min} to ${PASSWORD_LENGTH.max} characters.`;
  const lower = comparable(password);
  const localPart = email.slice(0, email.lastIndexOf('@'));
  if ([email, localPart].map(comparable).includes(lower)) return 'The password must not be your email address.';
  if ([displayName, accountName].map(comparable).includes(lower)) return 'The password must not be your name or that of the account.';
  return (await isCommonPassword(lower)) ? 'Many people use this password. Choose another one.' : undefined;
}

/** Returns a text in Unicode NFKC, without spaces and without case. Source: Unicode Standard Annex 15: NFKC also replaces wide and other variants. */
function comparable(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s/g, '');
}
