/** Counts of failed sign-ins, by name (known or unknown) and by source. */
import { type AccountId, NO_ACCOUNT } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { PASSWORD_RULE } from '#services/iam/password-attempts.ts';
import { nextAttemptAt } from '#store/attempts.ts';
import type { UserRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { SignInParts } from './parts.ts';

/**
 * Maximum number of unknown names per account whose failures the store counts. The store deletes the names with the oldest failures first.
 */
export const UNKNOWN_NAMES_MAX = 5_000;
/** Maximum number of sources whose failures the store counts. The store deletes the sources with the fewest failures first. */
export const SOURCES_MAX = 5_000;
/** Time after which a source regains one attempt. */
const SOURCE_REGAINS_MS = 60_000;
/** Prefixes of the subjects under which the store counts failures. */
const UNKNOWN_NAME = 'name ';
const SOURCE = 'source ';

/** Account and name that a request tries, as one string, and its source. */
export interface Tried {
  readonly name: string;
  readonly source: string;
}

/** Counters of an attempt. */
export interface Attempted {
  /** User with the name, if the user exists. */
  readonly user?: UserRecord;
  /** Account under which failed attempts for the name are counted. */
  readonly home: AccountId;
  /** Subject under which failed attempts for the name are counted. */
  readonly subject: string;
  /** Subject under which failed attempts from the source are counted. */
  readonly source: string;
  /** Time from which the server accepts the next attempt. */
  readonly nextAt: Instant;
}

export interface SignInAttempts {
  /**
   * Returns the user and the time of the next attempt. Known and unknown names and accounts run the same statements, so
   * the response time does not distinguish them.
   */
  attempted(tx: Tx, accountId: AccountId | undefined, userName: string, tried: Tried): Promise<Attempted>;
  /** Counts a failed attempt, for the name and for the source. */
  countFailure(tx: Tx, attempted: Attempted): Promise<void>;
  /** Counts a failed attempt for the source only, for example a wrong code. The device counts wrong codes itself. */
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

  return {
    async attempted(tx, accountId, userName, tried) {
      const home = accountId ?? NO_ACCOUNT;
      const user = await tx.identity.get(home, 'user', userName.toLowerCase());
      const unknown = `${UNKNOWN_NAME}${nameDigest(tried.name)}`;
      const subject = user === undefined ? unknown : `password ${user.userId}`;
      const source = `${SOURCE}${tried.source}`;
      const failures = await tx.attempts.of(home, subject);
      const nameNextAt = failures === undefined ? 0 : nextAttemptAt(PASSWORD_RULE, failures);
      const nextAt = instant(Math.max(nameNextAt, await sourceNextAt(tx, source)));
      return { ...(user !== undefined && { user }), home, subject, source, nextAt };
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
