import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql, SqlValue } from '#store/sql.ts';
import { instant, json, optional, type Row, table, text } from '#store/table.ts';
import { inDomain } from './users.ts';

/** People with a password. A person can be a user of at most one account. A person without an account can sign in too. */
export const CHIME_PERSON = table('chime_person', {
  columns: {
    /** Address in the form of `normalizedEmail`. */
    email: text,
    /** UUID in lower case. */
    personId: text,
    displayName: text,
    /** Result of `hashPassword`. */
    passwordHash: text,
    /** Time of the last change of the password. */
    changedAt: instant,
  },
  key: ['email'],
});
export type PersonRecord = Row<typeof CHIME_PERSON>;

/** Credentials of a session: the key of the identity record that they need. */
export interface SessionCredentials {
  readonly accountId: AccountId;
  readonly signInId: string;
}

/** Sessions of people in browsers. */
export const CHIME_SESSION = table('chime_session', {
  columns: {
    /** SHA-256 of the secret that the cookie contains, in base64url. */
    digest: text,
    email: text,
    createdAt: instant,
    expiresAt: instant,
    /** Credentials of an AWS account that the session has. Absent without credentials. */
    credentials: optional(json<SessionCredentials>()),
    /** Directory or OpenID configuration that signed in the person: `providerId` of its account. Absent after a password of this server. */
    providerId: optional(text),
    /** IDs of the licensed groups that admitted the person. Absent if no claim of a provider decided. */
    groupIds: optional(json<readonly string[]>()),
  },
  key: ['digest'],
  indexes: [['email', 'createdAt', 'digest'], { columns: ['expiresAt'] }],
});
export type SessionRecord = Row<typeof CHIME_SESSION>;

/** Session that was deleted, or whose credentials end. */
export type EndedSession = Pick<SessionRecord, 'digest' | 'credentials'>;

/** Maximum addresses that `removeOf` accepts. */
export const PEOPLE_MAX = 50;

/** People, by address. */
export interface People {
  get(email: string): Promise<PersonRecord | undefined>;
  /** Stores a person, or replaces the person with this address. */
  put(person: PersonRecord): Promise<void>;
}

/**
 * Sessions of people. A function that deletes sessions returns them, so that the caller ends their credentials.
 *
 *     stored: (d1, ada, created at 1), (d2, ada, created at 2), (d3, bob, created at 3)
 *     keepNewest('ada', 1) → deletes d1
 */
export interface PersonSessions {
  add(session: SessionRecord): Promise<void>;
  /** Returns a session, also if it has expired. */
  get(digest: string): Promise<SessionRecord | undefined>;
  /** Stores the credentials of a session, or that it has none. */
  setCredentials(digest: string, credentials: SessionCredentials | undefined): Promise<void>;
  /** Returns the sessions of people that have credentials. Accepts at most `PEOPLE_MAX` addresses. */
  withCredentials(emails: readonly string[]): Promise<readonly EndedSession[]>;
  /** Returns the sessions of members of a Chime account that have credentials. */
  credentialsOfAccount(chimeAccountId: string): Promise<readonly EndedSession[]>;
  remove(digest: string): Promise<readonly EndedSession[]>;
  /** Deletes the sessions of people, at most `PEOPLE_MAX`. */
  removeOf(emails: readonly string[]): Promise<readonly EndedSession[]>;
  /** Deletes the sessions of members of an account whose address is in a domain. */
  removeOfDomain(chimeAccountId: string, domain: string): Promise<readonly EndedSession[]>;
  /** Deletes the sessions of a person, except the `count` newest ones. */
  keepNewest(email: string, count: number): Promise<readonly EndedSession[]>;
  /** Deletes at most `limit` sessions that have expired at `now`. */
  removeExpired(now: Instant, limit: number): Promise<readonly EndedSession[]>;
}

const EMAILS = Array.from({ length: PEOPLE_MAX }, (_, i) => `$${i + 1}`).join(', ');
const ENDED = 'RETURNING digest, credentials';
const SET_CREDENTIALS = 'UPDATE chime_session SET credentials = $2 WHERE digest = $1';
const WITH_CREDENTIALS = `SELECT digest, credentials FROM chime_session WHERE email IN (${EMAILS}) AND credentials IS NOT NULL`;
const CREDENTIALS_OF_ACCOUNT = `
  SELECT s.digest, s.credentials FROM chime_user u JOIN chime_session s ON s.email = u.email
  WHERE u.chime_account_id = $1 AND u.is_member = 1 AND s.credentials IS NOT NULL`;
const REMOVE = `DELETE FROM chime_session WHERE digest = $1 ${ENDED}`;
const REMOVE_OF = `DELETE FROM chime_session WHERE email IN (${EMAILS}) ${ENDED}`;
const REMOVE_OF_DOMAIN = `
  DELETE FROM chime_session WHERE email IN (
    SELECT email FROM chime_user WHERE chime_account_id = $1 AND is_member = 1 AND email LIKE $2 ESCAPE '!') ${ENDED}`;
const KEEP_NEWEST = `
  DELETE FROM chime_session WHERE email = $1 AND digest NOT IN (
    SELECT digest FROM chime_session WHERE email = $1 ORDER BY created_at_ms DESC, digest DESC LIMIT $2) ${ENDED}`;
const REMOVE_EXPIRED = `
  DELETE FROM chime_session WHERE digest IN (SELECT digest FROM chime_session WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)
  ${ENDED}`;

/** Creates the repository of one transaction. */
export function people(sql: Sql): People {
  return {
    get: (email) => CHIME_PERSON.get(sql, email),
    put: (person) => CHIME_PERSON.put(sql, person),
  };
}

/** Creates the repository of one transaction. */
export function personSessions(sql: Sql): PersonSessions {
  type Ended = { readonly digest: string; readonly credentials: string | null };
  async function ended(text: string, values: readonly SqlValue[]): Promise<readonly EndedSession[]> {
    const rows = await sql.rows<Ended>(text, values);
    return rows.map(({ digest, credentials }) => ({
      digest,
      ...(credentials !== null && { credentials: JSON.parse(credentials) as SessionCredentials }),
    }));
  }
  function listOf(emails: readonly string[]): readonly string[] {
    if (emails.length > PEOPLE_MAX) throw new Error(`${emails.length} addresses for ${PEOPLE_MAX} parameters`);
    return Array.from({ length: PEOPLE_MAX }, (_, i) => emails[i] ?? (emails.at(-1) as string));
  }
  return {
    add: (session) => CHIME_SESSION.insert(sql, session),
    get: (digest) => CHIME_SESSION.get(sql, digest),
    async setCredentials(digest, credentials) {
      await sql.run(SET_CREDENTIALS, [digest, credentials === undefined ? null : JSON.stringify(credentials)]);
    },
    withCredentials: async (emails) => (emails.length === 0 ? [] : await ended(WITH_CREDENTIALS, listOf(emails))),
    credentialsOfAccount: (chimeAccountId) => ended(CREDENTIALS_OF_ACCOUNT, [chimeAccountId]),
    remove: (digest) => ended(REMOVE, [digest]),
    removeOf: async (emails) => (emails.length === 0 ? [] : await ended(REMOVE_OF, listOf(emails))),
    removeOfDomain: (chimeAccountId, domain) => ended(REMOVE_OF_DOMAIN, [chimeAccountId, inDomain(domain)]),
    keepNewest: (email, count) => ended(KEEP_NEWEST, [email, count]),
    removeExpired: (now, limit) => ended(REMOVE_EXPIRED, [now, limit]),
  };
}
