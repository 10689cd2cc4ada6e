/** Counts of failed sign-ins, by user name (known or unknown) and by source (client address). */
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { PASSWORD_RULE } from '#services/iam/password-attempts.ts';
import { nextAttemptAt } from '#store/attempts.ts';
import type { UserRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { SignInParts } from './parts.ts';

/**
 * Maximum number of unknown names per account whose failures the store counts. Above this number, the store deletes the
 * names with the oldest failures first.
 */
export const UNKNOWN_NAMES_MAX = 5_000;
/**
 * Maximum number of sources whose failures the store counts. Above this number, the store deletes the sources with the
 * fewest failures first.
 */
export const SOURCES_MAX = 5_000;
/** Time after which a source regains one attempt. */
const SOURCE_REGAINS_MS = 60_000;
/** Prefixes of the subjects. A subject is the key under which the store counts failures. */
const UNKNOWN_NAME = 'name ';
const SOURCE = 'source ';

/**
 * Account and user name that a sign-in request tries, as one string (`name`), and the client address of the request
 * (`source`).
 */
export interface Tried {
  readonly name: string;
  readonly source: string;
}

/** Counters of failed attempts that a sign-in attempt belongs to. */
export interface Counted {
  /** Account under which failed attempts for the name are counted. */
  readonly home: AccountId;
  /** Subject (key in the store) under which failed attempts for the name are counted. */
  readonly subject: string;
  /** Subject under which failed attempts from the source are counted. */
  readonly source: string;
  /** Time from which the server accepts the next attempt. */
  readonly nextAt: Instant;
}

/** User that a sign-in attempt names, and the counters of failed attempts. */
export interface Attempted extends Counted {
  /** User with the name, if the user exists. */
  readonly user?: UserRecord;
}

export interface SignInAttempts {
  /**
   * Returns the user and the time of the next attempt. The database statements are the same whether the account and the
   * user exist or not. So the response time does not reveal whether they exist.
   */
  attempted(tx: Tx, accountId: AccountId | undefined, userName: string, tried: Tried): Promise<Attempted>;
  /**
   * Returns the counters of an attempt of a person of Amazon Chime, who has the ID `personId` if the person exists. The database statements are
   * the same in both cases.
   */
  attemptedPerson(tx: Tx, personId: string | undefined, tried: Tried): Promise<Counted>;
  /** Returns the subject of a source, and the time from which the server accepts its next attempt. */
  attemptedSource(tx: Tx, address: string): Promise<Pick<Counted, 'source' | 'nextAt'>>;
  /** Counts a failed attempt, for the name and for the source. */
  countFailure(tx: Tx, attempted: Counted): Promise<void>;
  /**
   * Counts a failed attempt for the source and not for the name, for example after a wrong MFA code. The check of the
   * code counts wrong codes for each MFA device.
   */
  countSource(tx: Tx, source: string): Promise<void>;
}

/**
 * Returns the counts of failed sign-ins. They are in the store, so they apply to all servers.
 *
 * The store never deletes the count of an existing user to free space, so attempts with other names do not reset it.
 */
export function signInAttempts({ now, nameDigest, failuresPerSource }: SignInParts): SignInAttempts {
  /** Counts a failed attempt from a source. In the record, `failedAt` is the time at which the source has regained all attempts. */
  async function countSource(tx: Tx, source: string): Promise<void> {
    if (failuresPerSource === 0) return;
    const counted = await tx.attempts.of(NO_ACCOUNT, source);
    const freeAt = instant(Math.max(counted?.failedAt ?? 0, now()) + SOURCE_REGAINS_MS);
    await tx.attempts.set(NO_ACCOUNT, source, { failures: (counted?.failures ?? 0) + 1, failedAt: freeAt });
    if (counted === undefined) await tx.attempts.trim(NO_ACCOUNT, SOURCE, SOURCES_MAX);
  }

  async function sourceNextAt(tx: Tx, source: string): Promise<number> {
    if (failuresPerSource === 0) return 0;
    const counted = await tx.attempts.of(NO_ACCOUNT, source);
    return counted === undefined ? 0 : counted.failedAt - (failuresPerSource - 1) * SOURCE_REGAINS_MS;
  }

  /** Returns the counters of a name. `known` is the subject of a name that exists. */
  async function counted(tx: Tx, home: AccountId, known: string | undefined, tried: Tried): Promise<Counted> {
    const unknown = `${UNKNOWN_NAME}${nameDigest(tried.name)}`;
    const subject = known ?? unknown;
    const source = `${SOURCE}${tried.source}`;
    const failures = await tx.attempts.of(home, subject);
    const nameNextAt = failures === undefined ? 0 : nextAttemptAt(PASSWORD_RULE, failures);
    return { home, subject, source, nextAt: instant(Math.max(nameNextAt, await sourceNextAt(tx, source))) };
  }

  return {
    async attempted(tx, accountId, userName, tried) {
      const home = accountId ?? NO_ACCOUNT;
      const user = await tx.identity.get(home, 'user', userName.toLowerCase());
      const counters = await counted(tx, home, user === undefined ? undefined : `password ${user.userId}`, tried);
      return { ...(user !== undefined && { user }), ...counters };
    },
    attemptedPerson: (tx, personId, tried) => counted(tx, NO_ACCOUNT, personId === undefined ? undefined : `person ${personId}`, tried),
    async attemptedSource(tx, address) {
      const source = `${SOURCE}${address}`;
      return { source, nextAt: instant(await sourceNextAt(tx, source)) };
    },
    async countFailure(tx, { home, subject, source }) {
      const isFirst = (await tx.attempts.of(home, subject)) === undefined;
      await tx.attempts.fail(home, subject, now());
      if (isFirst) await tx.attempts.trim(home, UNKNOWN_NAME, UNKNOWN_NAMES_MAX);
      await countSource(tx, source);
    },
    countSource,
  };
}

/**
 * Maximum number of attempts of one client address that a server handles at once. It is half the length of the queue
 * for password comparisons.
 */
const UNDER_WAY_PER_SOURCE = 16;

/** Runs an attempt. Returns undefined if another attempt with the name is in progress, or too many attempts of the source are. */
export type AttemptTurns = <T>(tried: Tried, run: () => Promise<T>) => Promise<T> | undefined;

/** Creates the check that a server tries one password for a name at a time. */
export function attemptTurns(): AttemptTurns {
  const underWay = new Set<string>();
  const ofSources = new Map<string, number>();

  async function attempt<T>({ name, source }: Tried, run: () => Promise<T>): Promise<T> {
    underWay.add(name);
    ofSources.set(source, (ofSources.get(source) ?? 0) + 1);
    try {
      return await run();
    } finally {
      underWay.delete(name);
      const left = (ofSources.get(source) ?? 1) - 1;
      if (left === 0) ofSources.delete(source);
      else ofSources.set(source, left);
    }
  }
  return (tried, run) =>
    underWay.has(tried.name) || (ofSources.get(tried.source) ?? 0) >= UNDER_WAY_PER_SOURCE ? undefined : attempt(tried, run);
}
