import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { ChimeApi, Invite } from '#model/generated/chime.ts';
import { subscription } from '../kit/events.ts';
import { type MailRefused, type NewMail, queueMails } from '../kit/mail.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import type { ChimeDeps } from './deps.ts';
import { accountOrNotFound, badRequest } from './stored-accounts.ts';
import type { AccountRecord } from './tables/accounts.ts';
import { domains } from './tables/domains.ts';
import { type UserRecord, users } from './tables/users.ts';
import { domainOf, normalizedEmail } from './texts.ts';

/** Prefix of the references of invitation mails. */
const REFERENCE = 'chime-invitation';

/** Time in which an invitation can be accepted: 30 days. Assumed. */
const INVITATION_MS = 30 * DAY_MS;

/** Returns the function that creates the addresses of the pages on which invited people register. */
export function invitationPage(publicUrl: () => string): (token: string) => string {
  return (token) => `${publicUrl()}/chime/invitation#${token}`;
}

/** Returns the end of an invitation. */
export function invitationEnd(invitedAt: Instant): Instant {
  return instant(invitedAt + INVITATION_MS);
}

/** Invitations to Team accounts. Source: chime 2018-05-01, InviteUsers; chime.md §2. */
export function invitationOperations(deps: ChimeDeps) {
  return {
    /**
     * Invites people to a Team account. Each new address gets a user that is not registered, and a mail.
     *
     * Source: Chime API reference, InviteUsers: Team accounts only; the recorded response. Assumed: (1) the code for another type. (2) An
     * address that is twice in the list is one invitation. (3) An address with a pending invitation gets another mail with the same link,
     * or with a new one if the invitation has expired. (4) A registered user
     * gets none: its invitation is `Accepted`, and its mail `NotSent`. (5) A user that was removed is pending again. (6) `Sent` means that the
     * mail is queued: `MailRefused` shows later in ListUsers. (7) An address that is in another account is invited too, so that the response
     * does not tell who is a user elsewhere. (8) A user that was suspended while the account was an Enterprise account stays suspended: its
     * invitation is `Failed`. (9) So is that of an address whose domain another account has claimed, and no user is added.
     * @throws BadRequestException  the list is empty, or an address is invalid · the account is not a Team account
     * @throws NotFoundException    the account does not exist
     */
    InviteUsers: {
      async handle(call, { AccountId, UserEmailList, UserType = 'PrivateUser' }) {
        if (UserEmailList.length === 0) throw badRequest();
        const listed = byEmail(UserEmailList);
        const account = await accountOrNotFound(call, AccountId);
        if (account.accountType !== 'Team') throw badRequest();

        const { chimeAccountId, accountId, document } = account;
        const elsewhere = await claimedElsewhere(call, account, [...listed.keys()]);
        const addresses = new Map([...listed].filter(([email]) => !elsewhere.has(email)));
        const repository = call.tx.of(users);
        const invited = new Map((await repository.withEmails(chimeAccountId, [...addresses.keys()])).map((user) => [user.email, user]));
        const unknown = [...addresses].filter(([email]) => !invited.has(email));
        const profiles = unknown.length === 0 ? [] : await repository.profiles(accountId, [...addresses.keys()]);
        const known = new Map(
          profiles.filter(({ registeredAt }) => registeredAt !== undefined).map(({ email, userId }) => [email, userId]),
        );
        const added = unknown.map(
          ([email, PrimaryEmail]): UserRecord => ({
            chimeAccountId,
            userId: known.get(email) ?? call.newId(),
            accountId,
            email,
            isMember: false,
            registrationStatus: 'Unregistered',
            invitationStatus: 'Pending',
            invitedAt: call.now,
            userType: UserType,
            licenseType: document.DefaultLicense,
            document: { PrimaryEmail },
          }),
        );
        if ((await repository.add(added)) === 'exists') throw new Error('an invited address is in the account already');

        const before = [...invited.values()];
        const pendingBefore = before.filter((user) => outcomeOf(user).Status === 'Pending');
        const again = pendingBefore.filter((user) => isOver(user, call.now));
        await repository.inviteAgain(
          chimeAccountId,
          again.map(({ userId }) => userId),
          { invitedAt: call.now, licenseType: document.DefaultLicense },
        );
        const renewed = new Set(again);
        const pending = pendingBefore.map((user): UserRecord => (renewed.has(user) ? { ...user, invitedAt: call.now } : user));
        await queueMails(
          call,
          [...added, ...pending].map((user) => invitationMail(deps, account, user)),
        );
        const toInvite = ([email, EmailAddress]: readonly [string, string]): Invite => ({
          InviteId: call.newId(),
          ...(elsewhere.has(email) ? FAILED : outcomeOf(invited.get(email))),
          EmailAddress,
        });
        return { Invites: [...listed].map(toInvite) };
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

/** Returns the mail for an invited user. The name of the account has no line break: see `requireName`. */
export function invitationMail(
  { invitationTokens, invitationUrl }: Pick<ChimeDeps, 'invitationTokens' | 'invitationUrl'>,
  account: AccountRecord,
  user: UserRecord,
): NewMail {
  const { accountId, chimeAccountId, userId, invitedAt = user.invitedAt ?? badInvitation() } = user;
  const token = invitationTokens.issue({ accountId, chimeAccountId, userId, invitedAt });
  return {
    accountId,
    reference: `${REFERENCE} ${chimeAccountId} ${userId}`,
    to: user.document.PrimaryEmail,
    subject: `Invitation to the Amazon Chime account ${account.name}`,
    text: `You are invited to the Amazon Chime account ${account.name}.\n\nTo accept, open this page and choose a password:\n${invitationUrl(token)}\n`,
  };
}

/** Returns the addresses of a list by their normalized form, in the order of their first occurrence. */
function byEmail(list: readonly string[]): ReadonlyMap<string, string> {
  const addresses = new Map<string, string>();
  for (const address of list) {
    const email = normalizedEmail(address);
    if (!addresses.has(email)) addresses.set(email, address);
  }
  return addresses;
}

const FAILED = { Status: 'Failed', EmailStatus: 'NotSent' } as const;

/** Returns those addresses whose domains another account has claimed. */
async function claimedElsewhere(
  { tx }: Pick<Call, 'tx'>,
  { chimeAccountId }: AccountRecord,
  emails: readonly string[],
): Promise<ReadonlySet<string>> {
  const owners = await tx.of(domains).owners([...new Set(emails.map(domainOf))]);
  const claimed = new Set(owners.filter((owner) => owner.chimeAccountId !== chimeAccountId).map(({ domain }) => domain));
  return new Set(emails.filter((email) => claimed.has(domainOf(email))));
}

/** Returns what an invitation does for an address whose user is `user` before the invitation. */
function outcomeOf(user: UserRecord | undefined): Pick<Invite, 'Status' | 'EmailStatus'> {
  if (user?.registrationStatus === 'Registered') return { Status: 'Accepted', EmailStatus: 'NotSent' };
  if (user?.isMember === true) return FAILED;
  return { Status: 'Pending', EmailStatus: 'Sent' };
}

/** Reports whether an invitation that is repeated needs a new time, because the links of earlier mails are not valid. */
function isOver({ registrationStatus, invitationStatus, invitedAt }: UserRecord, now: Instant): boolean {
  if (registrationStatus === 'Suspended' || invitationStatus === 'Failed') return true;
  return invitedAt === undefined || invitationEnd(invitedAt) <= now;
}

function badInvitation(): never {
  throw new Error('an invited user has no time of invitation');
}

/** Marks the invitation of a user whose mail was refused. A user that has registered in the meantime does not change. */
export const refusedInvitations = subscription<MailRefused>()(['MailRefused'], async ({ tx }, { accountId, reference }) => {
  const [prefix, chimeAccountId = '', userId = ''] = reference.split(' ');
  if (prefix !== REFERENCE) return;
  const user = await tx.of(users).get(chimeAccountId, userId);
  if (user?.accountId === accountId && user.invitationStatus === 'Pending') {
    await tx.of(users).put({ ...user, invitationStatus: 'Failed' });
  }
});
