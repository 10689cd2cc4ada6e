/**
 * Effect of an OpenID provider on the users of an account: a user that the provider has provisioned is registered while it is active and in a
 * licensed group, and otherwise suspended.
 */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { License } from '#model/generated/chime.ts';
import type { Tx } from '#store/store.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { type ChimeAppInstanceUser, ensureChimeUsers } from '../chime-kit/chime-app-instance.ts';
import { QUOTAS_MAX } from '../chime-kit/quotas.ts';
import type { Work } from '../kit/events.ts';
import { endCredentials, endCredentialsOfAccount } from './end-credentials.ts';
import { knownUserId, storeRegistered } from './registration.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { apiKeys } from './tables/api-keys.ts';
import { personSessions } from './tables/people.ts';
import { roomMemberships } from './tables/room-memberships.ts';
import { type ScimUserRecord, scimUsers } from './tables/scim.ts';
import { type UserRecord, users } from './tables/users.ts';
import { domainOf, NAME_MAX } from './texts.ts';
import { releaseNumberOf } from './user-numbers.ts';

/** Licenses of groups, the best one first. Source: Administration Guide, "Managing user permissions": a member of both groups has Pro. */
const BEST_FIRST: readonly License[] = ['Pro', 'Plus', 'Basic'];

/** Returns the license of a user with several licensed groups. Returns undefined without one. */
export function bestLicense(licenses: readonly License[]): License | undefined {
  return BEST_FIRST.find((license) => licenses.includes(license));
}

/** Returns the license that a provisioned user has now. Returns undefined for a user that cannot sign in. */
export async function licenseOf(tx: Tx, { chimeAccountId, scimId, isActive }: ScimUserRecord): Promise<License | undefined> {
  if (!isActive) return undefined;
  return bestLicense((await tx.of(scimUsers).licensesOf(chimeAccountId, [scimId])).get(scimId) ?? []);
}

/**
 * Returns whether the reports of the OpenID provider of an account admit a person now. Returns 'not-provisioned' if the account has no key for SCIM,
 * and the provider has never reported the person: then the claims of the sign-in decide.
 */
export async function admissionOf(
  tx: Tx,
  { chimeAccountId }: AccountRecord,
  email: string,
): Promise<'admitted' | 'refused' | 'not-provisioned'> {
  const provisioned = await tx.of(scimUsers).withEmail(chimeAccountId, email);
  if (provisioned !== undefined) return (await licenseOf(tx, provisioned)) === undefined ? 'refused' : 'admitted';
  return (await tx.of(apiKeys).count(chimeAccountId)) > 0 ? 'refused' : 'not-provisioned';
}

/**
 * Applies the reports of a provider to at most 50 users of an account that are due. Resolves to 'more' if others may be due.
 *
 * A sign-in and each request of a session compute the license again (`signInOf`), so they do not depend on this function.
 * Emits: ChimeUserRegistered, ChimeUserSuspended, ChimeUserUnsuspended.
 */
export async function applyDue(work: Work, account: AccountRecord): Promise<'more' | 'done'> {
  const due = await work.tx.of(scimUsers).due(account.chimeAccountId);
  if (due.length === 0) return 'done';
  await applySome(work, account, due);
  return 'more';
}

/** Applies the reports of a provider to the user with an address, who signs in. Emits: as `applyDue`. */
export async function applyUser(work: Work, account: AccountRecord, email: string): Promise<void> {
  const provisioned = await work.tx.of(scimUsers).withEmail(account.chimeAccountId, email);
  if (provisioned !== undefined) await applySome(work, account, [provisioned]);
}

/** Applies the reports of a provider to at most 50 users. */
async function applySome(work: Work, account: AccountRecord, due: readonly ScimUserRecord[]): Promise<void> {
  const { accountId, chimeAccountId } = account;
  const repository = work.tx.of(scimUsers);
  const ids = due.map(({ scimId }) => scimId);
  const licenses = await repository.licensesOf(chimeAccountId, ids);
  const found = await work.tx.of(users).withEmails(
    chimeAccountId,
    due.map(({ email }) => email),
  );
  const byEmail = new Map(found.map((user) => [user.email, user]));
  const changes = { ChimeUserSuspended: [] as string[], ChimeUserUnsuspended: [] as string[] };
  const renamed: ChimeAppInstanceUser[] = [];
  for (const each of due) {
    const license = each.isActive ? bestLicense(licenses.get(each.scimId) ?? []) : undefined;
    const user = byEmail.get(each.email);
    const change = await applyOne(work, account, { provisioned: each, user, license });
    if (change !== undefined) changes[change.type].push(change.userId);
    const name = displayNameOf(each.document);
    if (license !== undefined && user?.isMember === true && user.document.DisplayName !== name) renamed.push({ userId: user.userId, name });
  }
  if (renamed.length > 0) await ensureChimeUsers(work, accountId, renamed);
  await repository.setDone(chimeAccountId, ids);
  for (const type of ['ChimeUserSuspended', 'ChimeUserUnsuspended'] as const) {
    const userIds = changes[type];
    if (userIds.length > 0) await work.emit<ChimeAccountEvent>({ type, accountId, chimeAccountId, userIds });
  }
}

/**
 * Applies the reports of a request. If they concern more users than one request applies, the credentials of all members of the account end, so
 * that no user keeps them until the sweep. Users that can still sign in get new ones with their session.
 */
export async function applyReports(work: Work, account: AccountRecord): Promise<void> {
  if ((await applyDue(work, account)) === 'done') return;
  const left = await work.tx.of(scimUsers).due(account.chimeAccountId);
  if (left.length > 0) await endCredentialsOfAccount(work.tx, account.chimeAccountId);
}

interface Applied {
  readonly provisioned: ScimUserRecord;
  /** User of the account with this address. */
  readonly user: UserRecord | undefined;
  readonly license: License | undefined;
}

type Change = { readonly type: 'ChimeUserSuspended' | 'ChimeUserUnsuspended'; readonly userId: string };

async function applyOne(work: Work, account: AccountRecord, { provisioned, user, license }: Applied): Promise<Change | undefined> {
  const repository = work.tx.of(users);
  if (license === undefined) {
    if (user?.registrationStatus !== 'Registered') return undefined;
    await repository.put({ ...user, registrationStatus: 'Suspended' });
    return { type: 'ChimeUserSuspended', userId: user.userId };
  }
  if (user?.isMember === true) {
    const next: UserRecord = { ...user, registrationStatus: 'Registered', licenseType: license, document: documentOf(provisioned, user) };
    if (JSON.stringify(next) !== JSON.stringify(user)) await repository.put(next);
    return user.registrationStatus === 'Registered' ? undefined : { type: 'ChimeUserUnsuspended', userId: user.userId };
  }
  // The domain may have been released, or the person may be a user of another account.
  if (!(account.document.Domains ?? []).includes(domainOf(provisioned.email))) return undefined;
  if ((await repository.memberWithEmail(provisioned.email)) !== undefined) return undefined;
  const joining = { email: provisioned.email, user, license, document: documentOf(provisioned, user) };
  await storeRegistered(work, await joiningUser(work, account, joining), user !== undefined);
  return undefined;
}

/** User that joins an account. `user` is in its list already. */
export interface Joining {
  readonly email: string;
  readonly user: UserRecord | undefined;
  readonly license: License;
  readonly document: UserRecord['document'];
}

/** Returns a user as registered. As after CreateUser, the user has no PIN before the first sign-in. */
export async function joiningUser(
  work: Work,
  { accountId, chimeAccountId }: AccountRecord,
  { email, user, license, document }: Joining,
): Promise<UserRecord> {
  return omitUndefined({
    chimeAccountId,
    accountId,
    email,
    userId: user?.userId ?? (await knownUserId(work, accountId, email)) ?? work.newId(),
    isMember: true,
    registrationStatus: 'Registered' as const,
    invitationStatus: user === undefined ? undefined : ('Accepted' as const),
    invitedAt: user?.invitedAt,
    registeredAt: user?.registeredAt ?? work.now,
    userType: user?.userType ?? ('PrivateUser' as const),
    licenseType: license,
    personalPin: user?.personalPin,
    document,
  });
}

function documentOf({ document }: ScimUserRecord, user: UserRecord | undefined): UserRecord['document'] {
  return { ...user?.document, PrimaryEmail: document.userName, DisplayName: displayNameOf(document) };
}

/** Returns the name that others see. Source of the last one: CreateUser. */
export function displayNameOf({ displayName, name = {}, userName }: ScimUserRecord['document']): string {
  const full = [name['givenName'], name['familyName']].filter((part) => part !== undefined).join(' ');
  if (displayName !== undefined) return displayName;
  return name['formatted'] ?? (full === '' ? userName.slice(0, userName.lastIndexOf('@')) : full.slice(0, NAME_MAX).toWellFormed());
}

/**
 * Gives the user of an account another address. Ends the sessions. The caller has checked that the address is free.
 *
 * Other accounts of the AWS account that list the person without being their account get the address too: another person can have the earlier one
 * later, and must not get the user ID.
 */
export async function changeAddress(
  { tx, now }: Pick<Work, 'tx' | 'now'>,
  { chimeAccountId, email }: Pick<ScimUserRecord, 'chimeAccountId' | 'email'>,
  address: string,
): Promise<void> {
  const repository = tx.of(users);
  const user = await repository.getByEmail(chimeAccountId, email);
  if (user === undefined) return;
  const after = address.toLowerCase();
  if (user.isMember) await endCredentials(tx, await tx.of(personSessions).removeOf([email]));
  for (const profile of await repository.profilesById(user.accountId, [user.userId])) {
    const isElsewhere = profile.chimeAccountId !== chimeAccountId;
    if (isElsewhere && profile.isMember) continue;
    if (isElsewhere && (await repository.getByEmail(profile.chimeAccountId, after)) !== undefined) {
      await releaseNumberOf({ tx, now }, profile);
      await repository.remove(profile.chimeAccountId, profile.userId);
    } else await repository.put({ ...profile, email: after, document: { ...profile.document, PrimaryEmail: address } });
  }
}

/**
 * Deletes the user of an account with an address, who leaves all rooms and loses the phone number.
 *
 * Source: Administration Guide, "Managing user access": a user that is deleted in the directory is deleted; chime.md §2, row 12.
 * Emits: ChimeUserSuspended, and ChimeUsersForgotten if no other account of the AWS account has the user.
 */
export async function removeUser(work: Work, { accountId, chimeAccountId }: AccountRecord, email: string): Promise<void> {
  const { tx } = work;
  const user = await tx.of(users).getByEmail(chimeAccountId, email);
  if (user === undefined) return;
  await work.emit<ChimeAccountEvent>({ type: 'ChimeUserSuspended', accountId, chimeAccountId, userIds: [user.userId] });
  await deleteUser(work, user);
}

/**
 * Deletes a user that has no sessions, who leaves all rooms and loses the phone number.
 *
 * Emits: ChimeUsersForgotten, if no other account of the AWS account has the user.
 */
export async function deleteUser(work: Work, user: UserRecord): Promise<void> {
  const { tx } = work;
  const { accountId, chimeAccountId, userId } = user;
  const profiles = await tx.of(users).profilesById(accountId, [userId]);
  if (profiles.length === 1) {
    await tx.of(roomMemberships).removeMember(accountId, userId, QUOTAS_MAX.memberships);
    await work.emit<ChimeAccountEvent>({ type: 'ChimeUsersForgotten', accountId, chimeAccountId, userIds: [userId] });
  }
  await releaseNumberOf(work, user);
  await tx.of(users).remove(chimeAccountId, userId);
}

/** Applies reports that concerned more users than one request applies. */
export async function sweepDueUsers(work: Work): Promise<'more' | 'done'> {
  const first = await work.tx.of(scimUsers).firstDue();
  if (first === undefined) return 'done';
  const account = await work.tx.of(accounts).get(first.accountId, first.chimeAccountId);
  if (account?.accountType === 'EnterpriseOIDC' && account.disabledAt === undefined) return await applyDue(work, account);
  await work.tx.of(scimUsers).setDone(first.chimeAccountId, [first.scimId]);
  return 'more';
}
