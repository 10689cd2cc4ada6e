/**
 * Background work that reads the registered users of accounts in their directories. It ends the sessions of people who are disabled or absent there,
 * or in no licensed group, and updates licenses and names. It reads outside of transactions.
 */
import { type Instant, instant } from '#core/instant.ts';
import { isMailAddress } from '#core/mail-address.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { License } from '#model/generated/chime.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { CHIME_REGION, type ChimeAppInstanceUser, ensureChimeUsers } from '../chime-kit/chime-app-instance.ts';
import { recordServiceEvent } from '../chime-kit/service-events.ts';
import type { DirectorySettings, FoundPerson, SoughtPerson } from '../kit/directories.ts';
import type { Work } from '../kit/events.ts';
import type { TaskParts, TaskSteps, Transact } from '../kit/service.ts';
import { CHIME_DIRECTORY, type DirectoryRecord, directoriesOf, settingsOf } from './directory-kind.ts';
import { bindEntry, followEntry, userOfEntry } from './directory-people.ts';
import { bestLicense } from './provisioned-users.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { type DirectorySyncRecord, directorySyncs } from './tables/directory-syncs.ts';
import { GROUPS_AT_ONCE, LICENSED_GROUPS_MAX, type LicensedGroupRecord, licensedGroups } from './tables/licensed-groups.ts';
import { USERS_MAX, type UserRecord, users } from './tables/users.ts';
import { domainOf, isName } from './texts.ts';

/** Accounts whose directories a server reads at the same time. */
const TURNS_AT_ONCE = 4;
/** Users of a turn. The server reads all of them before it changes one. */
const TURN_USERS = 200;
/** Time in which no other server takes the turn of an account. It is longer than a turn takes. */
const TAKEN_MS = 60_000;

/** Account whose users a server reads. */
interface Turn {
  readonly sync: DirectorySyncRecord;
  readonly turnId: string;
  readonly providerId: string;
  readonly directoryId: string;
  readonly directory: DirectoryRecord;
  readonly users: readonly UserRecord[];
}

type SyncParts = Pick<TaskParts, 'vault' | 'readPeople' | 'directorySyncSeconds'>;

/**
 * Creates the steps. Each one reads some users of the accounts that have waited longest. A directory that cannot be read changes no user.
 *
 * Specific to Belfry: AWS does not document how it synchronizes directories. Source of the effect: Administration Guide, "Managing user access"; chime.md
 * §2, rows 9 and 12. Assumed: a person who was deleted is suspended, because a directory that is wrongly configured shows no people.
 */
export function directorySync({ vault, readPeople, directorySyncSeconds }: SyncParts): TaskSteps {
  const everyMs = directorySyncSeconds * 1000;

  async function takeDue({ tx, now, newId }: Work): Promise<readonly Turn[]> {
    const turns: Turn[] = [];
    for (const sync of await tx.of(directorySyncs).due(now, TURNS_AT_ONCE)) {
      const account = await tx.of(accounts).get(sync.accountId, sync.chimeAccountId);
      const { providerId, directoryId } = account?.document ?? {};
      const directory =
        directoryId === undefined
          ? undefined
          : await tx.resources.get(CHIME_DIRECTORY, { ...directoriesOf(sync.accountId), id: directoryId });
      if (account === undefined || providerId === undefined || directory === undefined) {
        await tx.of(directorySyncs).remove(sync.chimeAccountId);
        continue;
      }
      // A deleted account can be restored for 90 days.
      if (account.disabledAt !== undefined) {
        await tx.of(directorySyncs).put({ ...sync, dueAt: instant(now + everyMs) });
        continue;
      }
      const turnId = newId();
      const read = await tx.of(users).registered(sync.chimeAccountId, TURN_USERS, sync.afterUserId);
      await tx.of(directorySyncs).put({ ...sync, turnId, dueAt: instant(now + TAKEN_MS) });
      turns.push({ sync, turnId, providerId, directoryId: directory.id, directory, users: read });
    }
    return turns;
  }

  async function read(directory: DirectoryRecord, people: readonly SoughtPerson[]): Promise<ReadonlyMap<string, FoundPerson> | string> {
    let settings: DirectorySettings;
    try {
      settings = settingsOf(vault, directory);
    } catch {
      // The other accounts must still be synchronized.
      return SEALED;
    }
    return await readPeople(settings, people);
  }

  async function run(transact: Transact, turn: Turn): Promise<void> {
    const members = turn.users.filter(({ isMember }) => isMember);
    const people = members.map(({ email, document }) => ({ email, entryId: document.directoryEntryId }));
    const found = people.length === 0 && turn.sync.afterUserId !== undefined ? NO_PEOPLE : await read(turn.directory, people);
    if (typeof found === 'string') {
      await transact((work) => storeProblem(work, turn, found, everyMs));
      return;
    }
    for (let at = 0; at < members.length; at += USERS_MAX) {
      const isOurs = await transact((work) => applySome(work, turn, members.slice(at, at + USERS_MAX), found));
      if (!isOurs) return;
    }
    await transact((work) => storeEnd(work, turn, everyMs));
  }

  return () => async (transact) => {
    const turns = await transact(takeDue);
    await Promise.all(turns.map((turn) => run(transact, turn)));
    return turns.length > 0 ? 'more' : 'done';
  };
}

const SEALED = 'No operator key of this server opens the password of the directory.';
const NO_PEOPLE: ReadonlyMap<string, FoundPerson> = new Map();

/** Returns the synchronization and the account of a turn. Returns undefined if another server has the turn, or the account another provider. */
async function stillOurs({ tx }: Work, { sync, turnId, providerId }: Turn) {
  const stored = await tx.of(directorySyncs).get(sync.chimeAccountId);
  const account = await tx.of(accounts).get(sync.accountId, sync.chimeAccountId);
  if (stored?.turnId !== turnId || account?.document.providerId !== providerId) return undefined;
  return { stored, account };
}

/** Stores why a directory cannot be read. The run begins again later. The trail has the first of equal problems. */
async function storeProblem(work: Work, turn: Turn, problem: string, everyMs: number): Promise<void> {
  const ours = await stillOurs(work, turn);
  if (ours === undefined) return;
  await work.tx.of(directorySyncs).put({ ...betweenRuns(ours.stored, work.now, everyMs), problem });
  if (ours.stored.problem !== problem) await record(work, turn, { outcome: 'Failure', errorMessage: problem });
}

/** Ends a turn: the next one reads the next users, or begins a run after the interval. */
async function storeEnd(work: Work, turn: Turn, everyMs: number): Promise<void> {
  const ours = await stillOurs(work, turn);
  if (ours === undefined) return;
  const last = turn.users.length < TURN_USERS ? undefined : turn.users.at(-1);
  const next: DirectorySyncRecord =
    last === undefined
      ? omitProblem({ ...betweenRuns(ours.stored, work.now, everyMs), syncedAt: work.now })
      : { ...ours.stored, dueAt: work.now, afterUserId: last.userId };
  await work.tx.of(directorySyncs).put(next);
}

function betweenRuns(sync: DirectorySyncRecord, now: Instant, everyMs: number): DirectorySyncRecord {
  const { turnId: _turn, afterUserId: _after, ...kept } = sync;
  return { ...kept, dueAt: instant(now + everyMs) };
}

function omitProblem({ problem: _problem, ...sync }: DirectorySyncRecord): DirectorySyncRecord {
  return sync;
}

/**
 * Applies what the directory says about users, at most 50. Users that changed since the turn began and are no longer registered do not change.
 * Resolves to false if the turn is over.
 *
 * Emits: ChimeUserSuspended.
 */
async function applySome(work: Work, turn: Turn, read: readonly UserRecord[], found: ReadonlyMap<string, FoundPerson>): Promise<boolean> {
  const { tx, now } = work;
  const ours = await stillOurs(work, turn);
  if (ours === undefined) return false;
  const { accountId, chimeAccountId } = ours.account;
  const groups = new Map((await tx.of(licensedGroups).list(chimeAccountId, LICENSED_GROUPS_MAX)).map((group) => [group.groupName, group]));
  const ids = read.map(({ userId }) => userId);
  const current = new Map((await tx.of(users).getSome(chimeAccountId, ids)).map((user) => [user.userId, user]));
  const suspended: string[] = [];
  const updated: string[] = [];
  const renamed: ChimeAppInstanceUser[] = [];
  const reported = new Set<string>();
  for (const { userId, email } of read) {
    const before = current.get(userId);
    if (before?.registrationStatus !== 'Registered' || !before.isMember || before.email !== email) continue;
    const person = found.get(email);
    const { user, isAdmitted } = person === undefined ? absent(before) : await withEntry(work, ours.account, before, person);
    const next = person === undefined || !isAdmitted ? undefined : updatedUser(user, person, groups, reported);
    if (next === undefined) {
      await tx.of(users).put({ ...user, registrationStatus: 'Suspended' });
      suspended.push(userId);
      continue;
    }
    const name = next.document.DisplayName ?? next.document.PrimaryEmail;
    if (user.email !== email) updated.push(userId);
    if (next.licenseType === user.licenseType && name === user.document.DisplayName) continue;
    await tx.of(users).put(next);
    if (user.email === email) updated.push(userId);
    if (name !== user.document.DisplayName) renamed.push({ userId, name });
  }
  await report(
    work,
    ours.account,
    [...reported].filter((name) => groups.get(name)?.reportedAt === undefined),
  );
  if (renamed.length > 0) await ensureChimeUsers({ tx, now }, accountId, renamed);
  if (suspended.length > 0)
    await work.emit<ChimeAccountEvent>({ type: 'ChimeUserSuspended', accountId, chimeAccountId, userIds: suspended });
  if (suspended.length > 0 || updated.length > 0)
    await record(work, turn, { outcome: 'Success', suspendedUserIds: suspended, updatedUserIds: updated });
  return true;
}

/** User with the entry of the directory, and whether the user may stay registered. */
interface Followed {
  readonly user: UserRecord;
  readonly isAdmitted: boolean;
}

/** Returns a user whose person is not in the directory. */
function absent(user: UserRecord): Followed {
  return { user, isAdmitted: false };
}

/**
 * Returns a user with the address and the entry of the directory. The address stays while it belongs to another user, who may get another one in
 * this run. The user is not admitted if the domain of the address is not one of the account, or if the entry is that of another user. This happens if the
 * entry of the user was deleted, and another person got the address.
 */
async function withEntry(
  work: Work,
  account: AccountRecord,
  user: UserRecord,
  { email: address, entryId }: FoundPerson,
): Promise<Followed> {
  if (entryId === undefined) return { user, isAdmitted: true };
  if (user.document.directoryEntryId !== entryId && (await userOfEntry(work.tx, account, entryId)) !== undefined) return absent(user);
  const email = address?.toLowerCase();
  const bound = await bindEntry(work, account, user, entryId);
  if (address === undefined || email === undefined || email === user.email) return { user: bound, isAdmitted: true };
  if (!isMailAddress(address) || !(account.document.Domains ?? []).includes(domainOf(email))) return absent(bound);
  await followEntry(work, account, { entryId, email, address });
  return { user: (await work.tx.of(users).get(account.chimeAccountId, user.userId)) ?? bound, isAdmitted: true };
}

/** Returns a user with the license and the name of the directory. Returns undefined for a person in no licensed group. */
function updatedUser(
  user: UserRecord,
  { displayName, groups: names }: FoundPerson,
  groups: ReadonlyMap<string, LicensedGroupRecord>,
  reported: Set<string>,
): UserRecord | undefined {
  const licenses: License[] = [];
  for (const name of names) {
    const group = groups.get(name);
    if (group === undefined) continue;
    reported.add(name);
    licenses.push(group.license);
  }
  const license = bestLicense(licenses);
  if (license === undefined) return undefined;
  const { PrimaryEmail } = user.document;
  // The same name as at a sign-in.
  const DisplayName = displayName !== undefined && isName(displayName) ? displayName : PrimaryEmail.slice(0, PrimaryEmail.lastIndexOf('@'));
  return { ...user, licenseType: license, document: { ...user.document, DisplayName } };
}

async function report({ tx, now }: Work, { chimeAccountId }: AccountRecord, names: readonly string[]): Promise<void> {
  for (let at = 0; at < names.length; at += GROUPS_AT_ONCE)
    await tx.of(licensedGroups).report(chimeAccountId, names.slice(at, at + GROUPS_AT_ONCE), now);
}

type Outcome =
  | { readonly outcome: 'Success'; readonly suspendedUserIds: readonly string[]; readonly updatedUserIds: readonly string[] }
  | { readonly outcome: 'Failure'; readonly errorMessage: string };

/**
 * Records a change of users, or a directory that cannot be read.
 *
 * Specific to Belfry: AWS documents no record of synchronizations.
 */
async function record(work: Work, { sync, directoryId }: Turn, outcome: Outcome): Promise<void> {
  const { accountId, chimeAccountId } = sync;
  const details = omitUndefined({ chimeAccountId, directoryId, ...outcome });
  await recordServiceEvent(work, { accountId, region: CHIME_REGION }, 'SynchronizeDirectory', details);
}
