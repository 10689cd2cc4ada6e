import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type {
  AlexaForBusinessMetadata,
  InviteStatus,
  License,
  RegistrationStatus,
  UserSettings,
  UserType,
} from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { flag, instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Members of a user that no query needs. They have the names of the model. */
export interface UserDocument {
  /** Address as the caller wrote it. */
  readonly PrimaryEmail: string;
  readonly DisplayName?: string;
  readonly PrimaryProvisionedNumber?: string;
  readonly AlexaForBusinessMetadata?: AlexaForBusinessMetadata;
  readonly UserSettings?: UserSettings;
  /** ID of the entry of the person in the LDAP directory of the account (`directory-people.ts`). */
  readonly directoryEntryId?: string;
}

/** Users in the lists of Chime accounts. A person can be in the lists of several accounts, but is in one account at most. */
export const CHIME_USER = table('chime_user', {
  columns: {
    /** Chime account whose list has the user. */
    chimeAccountId: text,
    /** UUID in lower case. */
    userId: text,
    /** AWS account that owns the Chime account. */
    accountId: textOf<AccountId>(),
    /** Address in the form of `normalizedEmail`. */
    email: text,
    /** Whether the user is in the account. False for invited users, and for users that were removed from a Team account. */
    isMember: flag,
    registrationStatus: textOf<RegistrationStatus>(),
    /** Absent if the user was never invited, or if the account released the domain of the address before the user registered. */
    invitationStatus: optional(textOf<InviteStatus>()),
    invitedAt: optional(instant),
    registeredAt: optional(instant),
    /** Whether the user never registered. Derived from `registeredAt`. */
    isNew: flag,
    /** Position in the list: the registration, else the invitation. Derived from `registeredAt` and `invitedAt`. */
    listedAt: instant,
    userType: textOf<UserType>(),
    licenseType: textOf<License>(),
    /** Personal meeting PIN: 10 digits, unique in the server. */
    personalPin: optional(text),
    document: json<UserDocument>(),
  },
  key: ['chimeAccountId', 'userId'],
  indexes: [
    { columns: ['chimeAccountId', 'email'], unique: true },
    { columns: ['email'], unique: true, where: 'is_member = 1' },
    { columns: ['personalPin'], unique: true, where: 'personal_pin IS NOT NULL' },
    ['chimeAccountId', 'registrationStatus', 'userId'],
    ['accountId', 'email'],
    ['accountId', 'userId'],
    ['chimeAccountId', 'isNew', 'listedAt', 'userId'],
    ['chimeAccountId', 'userType', 'isNew', 'listedAt', 'userId'],
  ],
});
type UserRow = Row<typeof CHIME_USER>;
export type UserRecord = Omit<UserRow, 'isNew' | 'listedAt'>;

/** Position in the list of users. */
export type UserPlace = Pick<UserRow, 'isNew' | 'listedAt' | 'userId'>;

/** Maximum number of users that statements for several users accept. Source: chime 2018-05-01, UserIdList, UserEmailList. */
export const USERS_MAX = 50;

/** Members that `setSome` sets to the same values for several users. */
export type SharedState = Pick<UserRecord, 'isMember' | 'registrationStatus'> & Partial<Pick<UserRecord, 'licenseType'>>;

/** Members that an invitation sets. */
export type NewInvitation = Pick<UserRow, 'licenseType'> & Required<Pick<UserRow, 'invitedAt'>>;

/**
 * Users of Chime accounts. Pass only the ID of a Chime account that was found in the AWS account of the caller.
 *
 *     stored in account a: (u1, registered at 5), (u2, invited at 1), (u3, registered at 3)
 *     list('a', undefined, 9) → u3, u1, u2
 */
export interface Users {
  /**
   * Adds users. Returns 'exists' if one of them has an ID or an address of the account, the address of a member of another account, or the
   * PIN of another user. The others may have been added then.
   */
  add(users: readonly UserRecord[]): Promise<'added' | 'exists'>;
  get(chimeAccountId: string, userId: string): Promise<UserRecord | undefined>;
  /** Returns the users with the given IDs, at most `USERS_MAX`, in no order. */
  getSome(chimeAccountId: string, userIds: readonly string[]): Promise<readonly UserRecord[]>;
  getByEmail(chimeAccountId: string, email: string): Promise<UserRecord | undefined>;
  /** Returns the users of an account with the given addresses, at most `USERS_MAX`, in no order. */
  withEmails(chimeAccountId: string, emails: readonly string[]): Promise<readonly UserRecord[]>;
  /** Returns users with the given addresses in all Chime accounts of an AWS account, in no order. Accepts at most `USERS_MAX` addresses. */
  profiles(accountId: AccountId, emails: readonly string[]): Promise<readonly UserRecord[]>;
  /** Returns users with the given IDs in all Chime accounts of an AWS account, in no order. Accepts at most `USERS_MAX` IDs. */
  profilesById(accountId: AccountId, userIds: readonly string[]): Promise<readonly UserRecord[]>;
  /** Returns the user with this address in the account in which the user is, in any AWS account. */
  memberWithEmail(email: string): Promise<UserRecord | undefined>;
  hasPin(personalPin: string): Promise<boolean>;
  /** Replaces all members except the IDs. The address stays unique: the caller checks it with `memberWithEmail`. */
  put(user: UserRecord): Promise<'changed' | 'absent'>;
  /** Sets the same state for several users, at most `USERS_MAX`. */
  setSome(chimeAccountId: string, userIds: readonly string[], state: SharedState): Promise<void>;
  /** Makes invitations of several users pending again, at most `USERS_MAX`. Registered users must not be among them. */
  inviteAgain(chimeAccountId: string, userIds: readonly string[], invitation: NewInvitation): Promise<void>;
  /** Lists the users that registered in the order of their registration, then the others in the order of their invitation. */
  list(chimeAccountId: string, userType: UserType | undefined, limit: number, after?: UserPlace): Promise<readonly UserRecord[]>;
  /**
   * Returns how many members of an account registered on each day before a time, in no order. Days are numbers of days since 1970 in UTC.
   */
  registrations(chimeAccountId: string, before: Instant): Promise<readonly { readonly day: number; readonly count: number }[]>;
  /** Returns registered users in the order of IDs, starting after the ID `after`. */
  registered(chimeAccountId: string, limit: number, after?: string): Promise<readonly UserRecord[]>;
  /**
   * Ends the membership of the registered users whose address is in a domain, and the invitations of those who never registered, which then have no
   * status. They are all suspended, and can register again if the account has the domain again. Users that an administrator suspended do not change.
   */
  releaseOfDomain(chimeAccountId: string, domain: string): Promise<void>;
  /** Ends the membership of all users whose address is in a domain. */
  endOfDomain(chimeAccountId: string, domain: string): Promise<void>;
  /** Returns at most `limit` suspended users that are not members, whose address is in a domain. */
  endedOfDomain(chimeAccountId: string, domain: string, limit: number): Promise<readonly UserRecord[]>;
  /** Returns the IDs of those of the first `limit` users of an account that are in no other list of the AWS account. */
  inNoOtherList(chimeAccountId: string, limit: number): Promise<readonly string[]>;
  /** Deletes a user. */
  remove(chimeAccountId: string, userId: string): Promise<void>;
  /** Deletes the first `limit` users of an account. Returns their number. */
  removeSome(chimeAccountId: string, limit: number): Promise<number>;
}

const { names } = CHIME_USER;
const SELECT_SOME = `SELECT ${names} FROM chime_user WHERE chime_account_id = $1 AND user_id IN (${placeholders(2, USERS_MAX)})`;
const SELECT_BY_EMAIL = `SELECT ${names} FROM chime_user WHERE chime_account_id = $1 AND email = $2`;
// With `email IN (…)`, SQLite would use the primary key and read all users of the account. It reads the left side of a CROSS JOIN first.
const SELECT_WITH_EMAILS = `
  SELECT ${names
    .split(', ')
    .map((name) => `u.${name}`)
    .join(', ')}
  FROM (VALUES ${valuesFrom(2)}) AS wanted CROSS JOIN chime_user AS u
  WHERE u.chime_account_id = $1 AND u.email = wanted.column1`;
const SELECT_PROFILES = `SELECT ${names} FROM chime_user WHERE account_id = $1 AND email IN (${placeholders(2, USERS_MAX)})`;
const SELECT_PROFILES_BY_ID = `SELECT ${names} FROM chime_user WHERE account_id = $1 AND user_id IN (${placeholders(2, USERS_MAX)})`;
const SELECT_MEMBER = `SELECT ${names} FROM chime_user WHERE email = $1 AND is_member = 1`;
const SELECT_PIN = 'SELECT user_id FROM chime_user WHERE personal_pin IS NOT NULL AND personal_pin = $1';
const REGISTRATIONS = `
  SELECT registered_at_ms / 86400000 AS day, COUNT(*) AS count FROM chime_user
  WHERE chime_account_id = $1 AND registration_status = 'Registered' AND is_member = 1 AND registered_at_ms < $2
  GROUP BY registered_at_ms / 86400000`;
const SET_STATE = `
  UPDATE chime_user SET is_member = $2, registration_status = $3, license_type = COALESCE($4, license_type)
  WHERE chime_account_id = $1 AND user_id IN (${placeholders(5, USERS_MAX)})`;
const INVITE_AGAIN = `
  UPDATE chime_user SET is_member = 0, registration_status = 'Unregistered', invitation_status = 'Pending', license_type = $2,
  invited_at_ms = $3, listed_at_ms = CASE WHEN is_new = 1 THEN $3 ELSE listed_at_ms END
  WHERE chime_account_id = $1 AND user_id IN (${placeholders(4, USERS_MAX)})`;
const LIST = `
  SELECT ${names} FROM chime_user WHERE chime_account_id = $1 AND (is_new, listed_at_ms, user_id) > ($2, $3, $4)
  ORDER BY is_new, listed_at_ms, user_id LIMIT $5`;
const LIST_TYPE = `
  SELECT ${names} FROM chime_user WHERE chime_account_id = $1 AND user_type = $2 AND (is_new, listed_at_ms, user_id) > ($3, $4, $5)
  ORDER BY is_new, listed_at_ms, user_id LIMIT $6`;
// The inner query reads only columns of an index. Otherwise SQLite would use the primary key and read users in other states.
const REGISTERED = `
  SELECT ${names} FROM chime_user WHERE chime_account_id = $1 AND user_id IN (
    SELECT user_id FROM chime_user WHERE chime_account_id = $1 AND registration_status = 'Registered' AND user_id > $2
    ORDER BY user_id LIMIT $3)
  ORDER BY user_id`;
const SELECT_IN_NO_OTHER_LIST = `
  SELECT user_id FROM (SELECT account_id, user_id FROM chime_user WHERE chime_account_id = $1 ORDER BY user_id LIMIT $2) AS u
  WHERE NOT EXISTS (
    SELECT 1 FROM chime_user o WHERE o.account_id = u.account_id AND o.user_id = u.user_id AND o.chime_account_id <> $1)`;
const DELETE_SOME = `
  DELETE FROM chime_user WHERE chime_account_id = $1
  AND user_id IN (SELECT user_id FROM chime_user WHERE chime_account_id = $1 ORDER BY user_id LIMIT $2)`;
const RELEASE = `
  UPDATE chime_user SET is_member = 0, registration_status = 'Suspended',
  invitation_status = CASE WHEN registration_status = 'Unregistered' THEN NULL ELSE invitation_status END
  WHERE chime_account_id = $1 AND registration_status IN ('Registered', 'Unregistered') AND email LIKE $2 ESCAPE '!'`;
const END_OF_DOMAIN = `
  UPDATE chime_user SET is_member = 0, registration_status = 'Suspended' WHERE chime_account_id = $1 AND email LIKE $2 ESCAPE '!'`;
const ENDED_OF_DOMAIN = `
  SELECT ${names} FROM chime_user
  WHERE chime_account_id = $1 AND registration_status = 'Suspended' AND is_member = 0 AND email LIKE $2 ESCAPE '!'
  ORDER BY user_id LIMIT $3`;
const put = CHIME_USER.update(
  'email',
  'isMember',
  'registrationStatus',
  'invitationStatus',
  'invitedAt',
  'registeredAt',
  'isNew',
  'listedAt',
  'userType',
  'licenseType',
  'personalPin',
  'document',
);

/** Creates the repository of one transaction. */
export function users(sql: Sql): Users {
  return {
    add: async (added) => ((await CHIME_USER.addAll(sql, added.map(toRow))) === added.length ? 'added' : 'exists'),
    get: (chimeAccountId, userId) => CHIME_USER.get(sql, chimeAccountId, userId),
    getSome: (chimeAccountId, userIds) => CHIME_USER.rows(sql, SELECT_SOME, [chimeAccountId, ...padded(userIds)]),
    getByEmail: (chimeAccountId, email) => CHIME_USER.row(sql, SELECT_BY_EMAIL, [chimeAccountId, email]),
    withEmails: (chimeAccountId, emails) => CHIME_USER.rows(sql, SELECT_WITH_EMAILS, [chimeAccountId, ...distinctValues(emails)]),
    profiles: (accountId, emails) => CHIME_USER.rows(sql, SELECT_PROFILES, [accountId, ...padded(emails)]),
    profilesById: (accountId, userIds) => CHIME_USER.rows(sql, SELECT_PROFILES_BY_ID, [accountId, ...padded(userIds)]),
    memberWithEmail: (email) => CHIME_USER.row(sql, SELECT_MEMBER, [email]),
    hasPin: async (personalPin) => (await sql.row(SELECT_PIN, [personalPin])) !== undefined,
    put: (user) => put(sql, toRow(user)),
    async setSome(chimeAccountId, userIds, { isMember, registrationStatus, licenseType = null }) {
      if (userIds.length === 0) return;
      await sql.run(SET_STATE, [chimeAccountId, isMember ? 1 : 0, registrationStatus, licenseType, ...padded(userIds)]);
    },
    async inviteAgain(chimeAccountId, userIds, { invitedAt, licenseType }) {
      if (userIds.length > 0) await sql.run(INVITE_AGAIN, [chimeAccountId, licenseType, invitedAt, ...padded(userIds)]);
    },
    list(chimeAccountId, userType, limit, after) {
      const place = [after?.isNew === true ? 1 : 0, after?.listedAt ?? -1, after?.userId ?? ''];
      return userType === undefined
        ? CHIME_USER.rows(sql, LIST, [chimeAccountId, ...place, limit])
        : CHIME_USER.rows(sql, LIST_TYPE, [chimeAccountId, userType, ...place, limit]);
    },
    registered: (chimeAccountId, limit, after = '') => CHIME_USER.rows(sql, REGISTERED, [chimeAccountId, after, limit]),
    async registrations(chimeAccountId, before) {
      type Counted = { readonly day: number; readonly count: number };
      const counted = await sql.rows<Counted>(REGISTRATIONS, [chimeAccountId, before]);
      return counted.map(({ day, count }) => ({ day: Number(day), count: Number(count) }));
    },
    async releaseOfDomain(chimeAccountId, domain) {
      await sql.run(RELEASE, [chimeAccountId, inDomain(domain)]);
    },
    async endOfDomain(chimeAccountId, domain) {
      await sql.run(END_OF_DOMAIN, [chimeAccountId, inDomain(domain)]);
    },
    endedOfDomain: (chimeAccountId, domain, limit) => CHIME_USER.rows(sql, ENDED_OF_DOMAIN, [chimeAccountId, inDomain(domain), limit]),
    async inNoOtherList(chimeAccountId, limit) {
      const found = await sql.rows<{ readonly user_id: string }>(SELECT_IN_NO_OTHER_LIST, [chimeAccountId, limit]);
      return found.map((row) => row.user_id);
    },
    async remove(chimeAccountId, userId) {
      await CHIME_USER.remove(sql, chimeAccountId, userId);
    },
    removeSome: (chimeAccountId, limit) => sql.run(DELETE_SOME, [chimeAccountId, limit]),
  };
}

/** Returns the pattern of the addresses in a domain. The name of a domain contains no `%` and no `_`. */
export function inDomain(domain: string): string {
  return `%@${domain}`;
}

/** Returns a record with the members that are derived from it. */
function toRow(user: UserRecord): UserRow {
  return { ...user, ...placeOf(user) };
}

/** Returns the position of a user in the list of the account. A user that was neither registered nor invited is first. */
export function placeOf({ userId, registeredAt, invitedAt }: UserRecord): UserPlace {
  return { userId, isNew: registeredAt === undefined, listedAt: registeredAt ?? invitedAt ?? (0 as Instant) };
}

/** Returns values for a statement with `USERS_MAX` parameters. The last value is repeated, and `''` stands for an empty list. */
export function padded(values: readonly string[]): readonly string[] {
  if (values.length > USERS_MAX) throw new Error(`${values.length} values for ${USERS_MAX} parameters`);
  return Array.from({ length: USERS_MAX }, (_, i) => values[i] ?? values.at(-1) ?? '');
}

/** Returns `count` parameters of a statement, the first of which has the number `from`. */
export function placeholders(from: number, count: number): string {
  return Array.from({ length: count }, (_, i) => `$${from + i}`).join(', ');
}

/** Returns the rows of a VALUES list with `USERS_MAX` parameters: `($2), ($3), …`. */
export function valuesFrom(first: number): string {
  return Array.from({ length: USERS_MAX }, (_, i) => `($${first + i})`).join(', ');
}

/** Returns values for `valuesFrom`, each of them once. `''` fills the list, because nothing has it as its ID or address. */
export function distinctValues(values: readonly string[]): readonly string[] {
  const distinct = [...new Set(padded(values))];
  return [...distinct, ...Array<string>(USERS_MAX - distinct.length).fill('')];
}
