import { createHash } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tx } from '#store/store.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { ensureChimeUsers } from '../chime-kit/chime-app-instance.ts';
import { subscription } from '../kit/events.ts';
import { isManaged } from './account-types.ts';
import { endCredentials } from './end-credentials.ts';
import { peopleRoleOf } from './people-role.ts';
import { admissionOf } from './provisioned-users.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { GROUPS_AT_ONCE, licensedGroups } from './tables/licensed-groups.ts';
import { type PersonRecord, people, personSessions } from './tables/people.ts';
import { type UserRecord, users } from './tables/users.ts';

/** Lifetime of a session: 12 hours, as a console session. Assumed. */
const SESSION_MS = 12 * HOUR_MS;
/** Most sessions of a person. A further one ends the oldest. Assumed. */
const SESSIONS_MAX = 20;
const SECRET_BYTES = 32;
const SECRET_LENGTH = 43;

/** Person with the account in which they are a user. */
export interface SignedIn {
  /** Address of the person in lower case. */
  readonly email: string;
  /** Absent for a person without a password of this server. */
  readonly person?: PersonRecord | undefined;
  /** Absent for a person without an account. */
  readonly membership?: { readonly account: AccountRecord; readonly user: UserRecord } | undefined;
}

/** Provider that signed in a person. */
export interface SignedInBy {
  /** `providerId` of the account. */
  readonly providerId: string;
  /** Licensed groups that admitted the person. Absent if no claim of the provider decided. */
  readonly groupIds?: readonly string[] | undefined;
}

/**
 * Returns a person with their account. Returns 'refused' if the person cannot be signed in: the user is suspended in an Enterprise account, or
 * the account has another provider than the one that signs in the person. `by` is absent for a password of this server. A user that the provider
 * has provisioned must be active and in a licensed group. For others, one of the groups of the sign-in must still be licensed.
 *
 * A user that was removed from a Team account is not a member, and can sign in. Source: Chime API reference, BatchSuspendUser.
 */
export async function signInOf(tx: Tx, email: string, by?: SignedInBy): Promise<SignedIn | 'refused'> {
  const person = await tx.of(people).get(email);
  const user = await tx.of(users).memberWithEmail(email);
  const account = user === undefined ? undefined : await tx.of(accounts).get(user.accountId, user.chimeAccountId);
  if (user === undefined || account === undefined || account.disabledAt !== undefined)
    return person === undefined || by !== undefined ? 'refused' : { email, person };
  const own = isManaged(account) ? (account.document.providerId ?? '') : undefined;
  if (user.registrationStatus !== 'Registered' || own !== by?.providerId) return 'refused';
  if (isManaged(account) && !(await isAdmitted(tx, account, email, by))) return 'refused';
  return { email, person, membership: { account, user } };
}

async function isAdmitted(tx: Tx, account: AccountRecord, email: string, by: SignedInBy | undefined): Promise<boolean> {
  const admission = await admissionOf(tx, account, email);
  if (admission !== 'not-provisioned') return admission === 'admitted';
  return (await tx.of(licensedGroups).withIds(account.chimeAccountId, by?.groupIds ?? [])).length > 0;
}

/** Returns the user with an address in the account in which the user is, also if the user is suspended. */
export function memberOf(tx: Tx, email: string): Promise<UserRecord | undefined> {
  return tx.of(users).memberWithEmail(email);
}

/** Session that a sign-in begins. `secret` is for the cookie only. The store has its digest. */
export interface BegunSession {
  readonly secret: string;
  readonly expiresAt: Instant;
}

/** Parts of a transaction that begins a session. */
export interface BeginningWork {
  readonly tx: Tx;
  readonly now: Instant;
  readonly random: (bytes: number) => Uint8Array;
}

/** Begins a session of a person that `signInOf` did not refuse with the same provider. */
export async function beginSession(
  { tx, now, random }: BeginningWork,
  email: string,
  by?: SignedInBy,
  lifetimeMs = SESSION_MS,
): Promise<BegunSession> {
  const secret = Buffer.from(random(SECRET_BYTES)).toString('base64url');
  const expiresAt = instant(Math.floor((now + lifetimeMs) / 1000) * 1000);
  await endCredentials(tx, await tx.of(personSessions).keepNewest(email, SESSIONS_MAX - 1));
  await tx.of(personSessions).add(
    omitUndefined({
      digest: digestOf(secret),
      email,
      createdAt: now,
      expiresAt,
      ...by,
      ...(by?.groupIds !== undefined && { groupIds: by.groupIds.slice(0, GROUPS_AT_ONCE) }),
    }),
  );
  return { secret, expiresAt };
}

/**
 * Returns the person of a session. Returns undefined for an unknown or expired session, and for a person that can no longer sign in.
 *
 * Each request reads the store, so a session that was ended is invalid on every server at once.
 */
export async function openSession(tx: Tx, secret: string, now: Instant): Promise<SignedIn | undefined> {
  if (secret.length !== SECRET_LENGTH) return undefined;
  const session = await tx.of(personSessions).get(digestOf(secret));
  if (session === undefined || session.expiresAt <= now) return undefined;
  const { providerId, groupIds } = session;
  const signedIn = await signInOf(tx, session.email, providerId === undefined ? undefined : { providerId, groupIds });
  return signedIn === 'refused' ? undefined : signedIn;
}

/** Ends a session and its credentials. An unknown secret changes nothing. */
export async function endSession(tx: Tx, secret: string): Promise<void> {
  if (secret.length === SECRET_LENGTH) await endCredentials(tx, await tx.of(personSessions).remove(digestOf(secret)));
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Ends the sessions of users that an administrator signs out or suspends. Users that were removed from a Team account keep theirs. */
export const endSessions = subscription<ChimeAccountEvent>()(
  ['ChimeUserSignedOut', 'ChimeUserSuspended'],
  async ({ tx }, { chimeAccountId, userIds }) => {
    const found = await tx.of(users).getSome(chimeAccountId, userIds);
    await endCredentials(tx, await tx.of(personSessions).removeOf(found.map(({ email }) => email)));
  },
);

/** Ends the credentials of users that were removed from a Team account. Their sessions go on. */
export const withdrawCredentials = subscription<ChimeAccountEvent>()(['ChimeUserRemoved'], async ({ tx }, { chimeAccountId, userIds }) => {
  const found = await tx.of(users).getSome(chimeAccountId, userIds);
  const withdrawn = await tx.of(personSessions).withCredentials(found.map(({ email }) => email));
  await endCredentials(tx, withdrawn);
  for (const { digest } of withdrawn) await tx.of(personSessions).setCredentials(digest, undefined);
});

/** Sign-in whose credentials the server is about to issue. */
export interface CredentialSignIn {
  /** Issuer that the AWS account had when its administrator chose the role. */
  readonly issuer: string;
  readonly roleArn: string;
  readonly accountId: AccountId;
  readonly userId: string;
  readonly signInId: string;
}

/**
 * Allows credentials for a session, until the session ends. Returns undefined if the session is invalid, and 'none' if the person is not a user
 * of an account, or the administrator of the AWS account has not selected a role.
 */
export async function beginCredentials(work: BeginningWork, secret: string): Promise<CredentialSignIn | 'none' | undefined> {
  const { tx, now } = work;
  const signedIn = await openSession(tx, secret, now);
  if (signedIn === undefined) return undefined;
  const { membership } = signedIn;
  const chosen = membership && (await peopleRoleOf(tx, membership.account.accountId));
  if (membership === undefined || chosen === undefined) return 'none';
  const { accountId, userId, document } = membership.user;
  await ensureChimeUsers({ tx, now }, accountId, [{ userId, name: document.DisplayName ?? document.PrimaryEmail }]);
  const signInId = await signInIdOf(work, digestOf(secret), accountId, userId);
  return { issuer: chosen.IssuerUrl, roleArn: chosen.RoleArn, accountId, userId, signInId };
}

/** Returns the ID under which the credentials of a session are valid. After their end it is a new one, so that earlier credentials stay invalid. */
async function signInIdOf({ tx, now, random }: BeginningWork, digest: string, accountId: AccountId, userId: string): Promise<string> {
  const { credentials } = (await tx.of(personSessions).get(digest)) ?? {};
  if (credentials?.accountId === accountId) {
    const valid = await tx.identity.get(accountId, 'person-sign-in', credentials.signInId);
    if (valid?.userId === userId) return credentials.signInId;
  }
  const signInId = Buffer.from(random(SECRET_BYTES)).toString('base64url');
  await tx.of(personSessions).setCredentials(digest, { accountId, signInId });
  await tx.identity.add(accountId, 'person-sign-in', signInId, { accountId, userId, createdAt: now });
  return signInId;
}
