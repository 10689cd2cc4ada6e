import type { AccountId } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeAccountEvent } from '../chime-kit/account-events.ts';
import { ensureChimeUsers } from '../chime-kit/chime-app-instance.ts';
import type { Work } from '../kit/events.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { newPin } from './personal-pin.ts';
import { accountOrNotFound, conflict } from './stored-accounts.ts';
import type { AccountRecord } from './tables/accounts.ts';
import { domains } from './tables/domains.ts';
import { type UserRecord, users } from './tables/users.ts';
import { domainOf, normalizedEmail, requireName } from './texts.ts';

/** Transaction that can generate a PIN. */
export type RegisteringWork = Work & Pick<Call, 'random'>;

/** Person that registers. The caller has verified that the address is theirs. */
export interface Registration {
  /** AWS account that owns the Chime account. */
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
  readonly emailAddress: string;
  /** Full name. Default: the local part of the address. */
  readonly displayName?: string | undefined;
}

/**
 * Registers a person as a user of an account: accepts their invitation, or adds a user if the account has claimed the domain of the address.
 * The user gets a personal PIN.
 *
 * A person that was invited again after a removal keeps their user ID, their PIN and the time of their first registration.
 * The caller proves the address before, for example with `InvitationTokens`. It also compares `invitedAt` of the token with that of the user.
 *
 * Source: Administration Guide, "Inviting and suspending users", "Claiming a domain". Assumed: the errors.
 * @throws BadRequestException  the address or the name is invalid
 * @throws NotFoundException    the account does not exist
 * @throws ForbiddenException   the person is not invited, and the account has not claimed the domain · another account has
 *   claimed it · the user is suspended
 * @throws ConflictException    the person is registered already, in this account or in another one
 * Emits: ChimeUserRegistered.
 */
export async function registerUser(work: RegisteringWork, registration: Registration): Promise<UserRecord> {
  const email = normalizedEmail(registration.emailAddress);
  const displayName = registration.displayName ?? registration.emailAddress.split('@')[0] ?? '';
  requireName(displayName);
  const account = await accountOrNotFound({ tx: work.tx, accountId: registration.accountId }, registration.chimeAccountId);
  const before = await work.tx.of(users).getByEmail(account.chimeAccountId, email);
  await requireNotClaimedElsewhere(work, account, email);
  if (before?.registrationStatus === 'Suspended' && !isReleased(account, before))
    throw new AwsError('ForbiddenException', 'The user is suspended.');
  if (before === undefined && !isClaimed(account, email))
    throw new AwsError('ForbiddenException', 'The address is not invited to this account.');
  if ((await work.tx.of(users).memberWithEmail(email)) !== undefined) throw conflict();

  const user = await registeredUser(work, account, before, { email, emailAddress: registration.emailAddress, displayName });
  await storeRegistered(work, user, before !== undefined);
  return user;
}

/** @throws ForbiddenException  another account has claimed the domain of the address. Assumed: the code. */
async function requireNotClaimedElsewhere({ tx }: Pick<Work, 'tx'>, { chimeAccountId }: AccountRecord, email: string): Promise<void> {
  const owner = await tx.of(domains).owner(domainOf(email));
  if (owner !== undefined && owner.chimeAccountId !== chimeAccountId)
    throw new AwsError('ForbiddenException', 'Another account has claimed the domain of the address.');
}

function isClaimed({ document: { Domains = [] } }: AccountRecord, email: string): boolean {
  return Domains.includes(domainOf(email));
}

/**
 * Reports whether a user that the account released with a domain can register again, because the account has the domain again. Source:
 * Help Center, article 514. Assumed: so can a user that was removed while the account was a Team account, and one whose invitation the release ended.
 */
function isReleased(account: AccountRecord, { isMember, registeredAt, invitationStatus, email }: UserRecord): boolean {
  return !isMember && (registeredAt !== undefined || invitationStatus === undefined) && isClaimed(account, email);
}

interface Person {
  readonly email: string;
  readonly emailAddress: string;
  readonly displayName: string;
}

async function registeredUser(
  work: RegisteringWork,
  { accountId, chimeAccountId, document: { DefaultLicense } }: AccountRecord,
  before: UserRecord | undefined,
  { email, emailAddress, displayName }: Person,
): Promise<UserRecord> {
  return omitUndefined({
    chimeAccountId,
    accountId,
    email,
    userId: before?.userId ?? (await knownUserId(work, accountId, email)) ?? work.newId(),
    isMember: true,
    registrationStatus: 'Registered' as const,
    invitationStatus: before === undefined ? undefined : ('Accepted' as const),
    invitedAt: before?.invitedAt,
    registeredAt: before?.registeredAt ?? work.now,
    userType: before?.userType ?? ('PrivateUser' as const),
    licenseType: before?.licenseType ?? DefaultLicense,
    personalPin: before?.personalPin ?? (await newPin(work)),
    document: { PrimaryEmail: emailAddress, ...before?.document, DisplayName: displayName },
  });
}

/**
 * Returns the user ID of a person that was registered in another Chime account of the AWS account. Assumed: they keep it. The ID of a user with
 * another address belongs to another person.
 */
export async function knownUserId({ tx }: Pick<Work, 'tx'>, accountId: AccountId, email: string): Promise<string | undefined> {
  const userId = (await tx.of(users).profiles(accountId, [email])).find(({ registeredAt }) => registeredAt !== undefined)?.userId;
  const holders = userId === undefined ? [] : await tx.of(users).profilesById(accountId, [userId]);
  return holders.every((holder) => holder.email === email) ? userId : undefined;
}

/** Stores a user that has registered, and their app instance user. Emits: ChimeUserRegistered. */
export async function storeRegistered(work: Work, user: UserRecord, isKnown: boolean): Promise<void> {
  const { tx, emit } = work;
  if (isKnown) await tx.of(users).put(user);
  else if ((await tx.of(users).add([user])) === 'exists') throw conflict();
  const { accountId, chimeAccountId, userId, userType, document } = user;
  await ensureChimeUsers(work, accountId, [{ userId, name: document.DisplayName ?? document.PrimaryEmail }]);
  await emit<ChimeAccountEvent>({
    type: 'ChimeUserRegistered',
    accountId,
    chimeAccountId,
    user: { userId, userType, emailAddress: document.PrimaryEmail, displayName: document.DisplayName },
  });
}
