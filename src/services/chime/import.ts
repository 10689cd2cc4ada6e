/** Import of users and rooms by the operator. Each line is applied once: a repeated import changes nothing. */
import { type AccountId, arn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import { isMailAddress } from '#core/mail-address.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { License, RoomMembershipRole, UserType } from '#model/generated/chime.ts';
import type { Tx } from '#store/store.ts';
import type { ChimeImport, ChimeImported, ChimeImportRow, ImportWork } from '../chime-kit/chime-import.ts';
import type { ChimeQuotas } from '../chime-kit/quotas.ts';
import type { Work } from '../kit/events.ts';
import { queueMail } from '../kit/mail.ts';
import { isManaged, MANAGED_MESSAGE, supportsLicense } from './account-types.ts';
import type { ChimeDeps } from './deps.ts';
import { invitationMail } from './invitations.ts';
import { newPin } from './personal-pin.ts';
import { knownUserId } from './registration.ts';
import { addMembers } from './room-memberships.ts';
import type { RoomWork } from './room-work.ts';
import { createRoom } from './rooms.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { domains } from './tables/domains.ts';
import { rooms } from './tables/rooms.ts';
import { type UserRecord, users } from './tables/users.ts';
import { domainOf, isName, normalizedEmail } from './texts.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LICENSES: readonly string[] = ['Basic', 'Plus', 'Pro', 'ProTrial'] satisfies readonly License[];
const USER_TYPES: readonly string[] = ['PrivateUser', 'SharedDevice'] satisfies readonly UserType[];
const ROLES: readonly string[] = ['Administrator', 'Member'] satisfies readonly RoomMembershipRole[];
/** Longest field of a problem that the report repeats. */
const SHOWN_MAX = 100;

/** Creates the import. */
export function chimeImport(deps: Pick<ChimeDeps, 'invitationTokens' | 'invitationUrl' | 'quotas'>): ChimeImport {
  return async (tx, id) => {
    const account = await importAccount(tx, id);
    const { accountId, chimeAccountId } = account;
    return {
      ...{ accountId, chimeAccountId },
      importLine: (work, kind, row) =>
        kind === 'users' ? importUser(work, deps, account, row) : importRoomLine(work, deps.quotas, account, row),
    };
  };
}

/** Returns the account of an import. @throws Error  the account does not exist or is disabled */
async function importAccount(tx: Tx, chimeAccountId: string): Promise<AccountRecord> {
  const account = await tx.of(accounts).find(chimeAccountId);
  if (account === undefined || account.disabledAt !== undefined) throw new Error(`account '${shown(chimeAccountId)}' does not exist`);
  return account;
}

/**
 * Adds a user with a pending invitation and a new personal PIN, and mails both. The user registers by accepting it. An address that is in the
 * account already is `unchanged`.
 *
 * The user keeps the ID of the file, so that scripts with IDs still work. Passwords and PINs are not in the file of `aws chime list-users`.
 * Assumed: the PIN is generated before the registration, because the mail contains it.
 * Writes: a mail.
 */
async function importUser(
  work: ImportWork,
  deps: Pick<ChimeDeps, 'invitationTokens' | 'invitationUrl'>,
  account: AccountRecord,
  row: ChimeImportRow,
): Promise<ChimeImported> {
  const { chimeAccountId, accountId, document } = account;
  if (isManaged(account)) return { problem: MANAGED_MESSAGE };
  const { email: PrimaryEmail = '', display_name: name = '', license = '', user_type: userType = '', user_id: userId = '' } = row;
  if (row.status === 'Suspended') return 'skipped';
  if (!isMailAddress(PrimaryEmail)) return { problem: `email '${shown(PrimaryEmail)}' is not the address of a mailbox` };
  if (name !== '' && !isName(name)) return { problem: `display_name '${shown(name)}' is invalid; it must have 1 to 256 characters` };
  if (license !== '' && !LICENSES.includes(license)) return { problem: wrong('license', license, LICENSES) };
  if (userType !== '' && !USER_TYPES.includes(userType)) return { problem: wrong('user_type', userType, USER_TYPES) };
  if (userId !== '' && !UUID.test(userId)) return { problem: `user_id '${shown(userId)}' is invalid; it must be a UUID in lower case` };
  const licenseType = license === '' ? document.DefaultLicense : (license as License);
  if (!supportsLicense(account, licenseType)) return { problem: `the account does not support the license '${licenseType}'` };

  const email = normalizedEmail(PrimaryEmail);
  const repository = work.tx.of(users);
  if ((await repository.getByEmail(chimeAccountId, email)) !== undefined) return 'unchanged';
  const owner = await work.tx.of(domains).owner(domainOf(email));
  if (owner !== undefined && owner.chimeAccountId !== chimeAccountId)
    return { problem: `another account has claimed the domain of '${email}'` };
  if ((await repository.memberWithEmail(email)) !== undefined) return { problem: `'${email}' is a user of another account` };
  const id = await userIdOf(work, accountId, email, userId);
  if (id === undefined) return { problem: `user_id '${userId}' belongs to another user` };
  const user: UserRecord = {
    ...{ chimeAccountId, accountId, email, userId: id, isMember: false, licenseType },
    registrationStatus: 'Unregistered',
    invitationStatus: 'Pending',
    invitedAt: work.now,
    userType: userType === '' ? 'PrivateUser' : (userType as UserType),
    personalPin: await newPin(work),
    document: omitUndefined({ PrimaryEmail, DisplayName: name === '' ? undefined : name }),
  };
  if ((await repository.add([user])) === 'exists') throw new Error('an imported user is in the account already');
  const mail = invitationMail(deps, account, user);
  await queueMail(work, { ...mail, text: `${mail.text}\nYour new personal meeting PIN is ${user.personalPin}.\n` });
  return 'added';
}

/** Returns the ID of a new user: that of the person in other accounts, that of the file, or a new one. Undefined if another user has it. */
async function userIdOf(work: Work, accountId: AccountId, email: string, wanted: string): Promise<string | undefined> {
  const known = await knownUserId(work, accountId, email);
  if (known !== undefined) return known;
  if (wanted === '') return work.newId();
  const holders = await work.tx.of(users).profilesById(accountId, [wanted]);
  return holders.every((holder) => holder.email === email) ? wanted : undefined;
}

/**
 * Adds a room, and the member that the line names. A room with the same name is the same room, and a member that is in it already is
 * `unchanged`.
 *
 * Assumed: the operator acts as the root user of the AWS account, whose ARN becomes `CreatedBy` and `InvitedBy`.
 * Writes: an outgoing event for bots, as CreateRoomMembership does.
 */
async function importRoomLine(work: Work, quotas: ChimeQuotas, account: AccountRecord, row: ChimeImportRow): Promise<ChimeImported> {
  const { chimeAccountId, accountId, accountType } = account;
  const { room: name = '', email: address = '', role = '' } = row;
  if (accountType === 'Team') return { problem: 'a Team account has no rooms' };
  if (!isName(name)) return { problem: `room '${shown(name)}' is invalid; a name must have 1 to 256 characters` };
  if (role !== '' && !ROLES.includes(role)) return { problem: wrong('role', role, ROLES) };
  if (address === '' && role !== '') return { problem: 'a role needs an email' };
  const call: RoomWork = { ...work, accountId, principal: { arn: arn('iam', '', accountId, 'root') } };
  const named = await work.tx.of(rooms).withName(chimeAccountId, name, 2);
  if (named.length > 1) return { problem: `the account has several rooms with the name '${shown(name)}'` };
  let memberId: string | undefined;
  if (address !== '') {
    if (!isMailAddress(address)) return { problem: `email '${shown(address)}' is not the address of a mailbox` };
    const user = await work.tx.of(users).getByEmail(chimeAccountId, normalizedEmail(address));
    if (user === undefined) return { problem: `'${address}' is not a user of the account` };
    if (!user.isMember || user.registrationStatus !== 'Registered')
      return { problem: `'${address}' is not registered; import the file again after the registration` };
    memberId = user.userId;
  }
  try {
    const roomId = named[0]?.roomId ?? (await createRoom(call, account, name, quotas));
    if (memberId === undefined) return named.length === 0 ? 'added' : 'unchanged';
    const room = (await work.tx.of(rooms).get(chimeAccountId, roomId)) as (typeof named)[number];
    const [problem] = await addMembers(call, room, [{ memberId, role: role === '' ? undefined : (role as RoomMembershipRole) }], quotas);
    if (problem === undefined) return 'added';
    return problem.code === 'Conflict' ? 'unchanged' : { problem: `'${address}' cannot join: ${problem.message}` };
  } catch (error) {
    if (error instanceof AwsError) return { problem: error.message };
    throw error;
  }
}

function wrong(column: string, value: string, valid: readonly string[]): string {
  return `${column} '${shown(value)}' is invalid (valid: ${valid.join(', ')})`;
}

/** Returns a part of a text without control characters, for a line of the report. */
function shown(text: string): string {
  return text.slice(0, SHOWN_MAX).replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '?');
}
