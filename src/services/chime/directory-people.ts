/**
 * Entries of LDAP directories that belong to users. An entry keeps its ID when the address of the person changes, so that the person keeps their
 * user (Decision 0045).
 */
import type { ResourceKind, ResourcePlace } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import type { Work } from '../kit/events.ts';
import { changeAddress } from './provisioned-users.ts';
import type { AccountRecord } from './tables/accounts.ts';
import { type UserRecord, users } from './tables/users.ts';

/** User of an entry. The user has the ID of the entry too (`directoryEntryId`), so that a change of one of them can be noticed. */
export interface DirectoryPersonDocument {
  readonly UserId: string;
}

/** Entries by ID. The parent is the Chime account. They have no region. */
export const DIRECTORY_PERSON: ResourceKind<DirectoryPersonDocument> = { name: 'chime-directory-person' };

type Owner = Pick<AccountRecord, 'accountId' | 'chimeAccountId'>;

/** Returns the place of the entries of a Chime account. */
export function directoryPeopleOf({ accountId, chimeAccountId }: Owner): ResourcePlace {
  return { accountId, region: '', parent: chimeAccountId };
}

/** Entry of a person in the directory of the account. */
export interface DirectoryEntry {
  /** ID of the entry. Absent if the directory shows none. */
  readonly entryId?: string | undefined;
  /** Other entry that the user with the address had, and that the directory no longer has. */
  readonly goneEntryId?: string | undefined;
}

/** Entry of a person, with the address that the directory shows. `email` is in lower case. */
export interface EntryOfPerson extends DirectoryEntry {
  readonly email: string;
  readonly address: string;
}

/** Returns the entry of the user with an address in an account. `email` is in lower case. */
export async function entryOfAddress(tx: Tx, chimeAccountId: string, email: string): Promise<string | undefined> {
  return (await tx.of(users).getByEmail(chimeAccountId, email))?.document.directoryEntryId;
}

/**
 * Gives the user of an entry the address of the entry, if it has changed. The sessions of the user end. The caller has checked the domain.
 *
 * Resolves to 'taken' if the address belongs to another user: one that is registered or whose entry may still exist, or any if the user of the entry
 * would need it. Another person must not become this user.
 */
export async function followEntry(
  work: Pick<Work, 'tx' | 'now'>,
  account: Owner,
  { entryId, goneEntryId, email, address }: EntryOfPerson,
): Promise<'free' | 'taken'> {
  const { chimeAccountId } = account;
  const repository = work.tx.of(users);
  const holder = await repository.getByEmail(chimeAccountId, email);
  const holderEntryId = holder?.document.directoryEntryId;
  if (holderEntryId !== undefined && holderEntryId === entryId) return 'free';
  const user = entryId === undefined ? undefined : await userOfEntry(work.tx, account, entryId);
  if (user === undefined) {
    if (holder === undefined || holderEntryId === undefined) return 'free';
    const isRegistered = holder.isMember && holder.registrationStatus === 'Registered';
    return isRegistered || holderEntryId !== goneEntryId ? 'taken' : 'free';
  }
  if (holder !== undefined || (await repository.memberWithEmail(email)) !== undefined) return 'taken';
  await changeAddress(work, { chimeAccountId, email: user.email }, address);
  return 'free';
}

/** Returns the user of an entry. */
export async function userOfEntry(tx: Tx, account: Owner, entryId: string): Promise<UserRecord | undefined> {
  const bound = await tx.resources.get(DIRECTORY_PERSON, { ...directoryPeopleOf(account), id: entryId });
  const user = bound && (await tx.of(users).get(account.chimeAccountId, bound.document.UserId));
  return user?.document.directoryEntryId === entryId ? user : undefined;
}

/** Stores the entry of a user. Returns the user with it. */
export async function bindEntry(
  { tx, now }: Pick<Work, 'tx' | 'now'>,
  account: Owner,
  user: UserRecord,
  entryId: string,
): Promise<UserRecord> {
  if (user.document.directoryEntryId === entryId) return user;
  const bound: UserRecord = { ...user, document: { ...user.document, directoryEntryId: entryId } };
  await tx.of(users).put(bound);
  const record = {
    ...directoryPeopleOf(account),
    id: entryId,
    createdAt: now,
    updatedAt: now,
    tags: [],
    document: { UserId: user.userId },
  };
  if ((await tx.resources.put(DIRECTORY_PERSON, record)) === 'absent') await tx.resources.add(DIRECTORY_PERSON, record);
  return bound;
}

/** Deletes at most `limit` entries of an account. Resolves to their number. */
export async function removeEntries({ tx }: Pick<Work, 'tx'>, account: Owner, limit: number): Promise<number> {
  const found = await tx.resources.list(DIRECTORY_PERSON, directoryPeopleOf(account), limit);
  for (const each of found) await tx.resources.remove(DIRECTORY_PERSON, each);
  return found.length;
}
