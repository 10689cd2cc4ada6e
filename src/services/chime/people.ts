/** People that become users: the links in mails, and what a person does with them. */
import { NO_ACCOUNT } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { queueMail } from '../kit/mail.ts';
import { isManaged } from './account-types.ts';
import { endCredentials } from './end-credentials.ts';
import type { InvitationFacts, InvitationTokens } from './invitation-tokens.ts';
import { invitationEnd } from './invitations.ts';
import { signInOf } from './person-sessions.ts';
import { type RegisteringWork, registerUser } from './registration.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { domains } from './tables/domains.ts';
import { type PersonRecord, people, personSessions } from './tables/people.ts';
import { type UserRecord, users } from './tables/users.ts';
import { domainOf, normalizedEmail, requireName } from './texts.ts';

/** Invitation that a person can accept now. */
export interface OpenInvitation {
  readonly account: AccountRecord;
  readonly user: UserRecord;
  /** Person with this address, if they have a password already. */
  readonly person: PersonRecord | undefined;
}

/**
 * Returns the invitation of a token. Returns undefined for a token that the server did not issue, and if the invitation was accepted, was
 * withdrawn, was replaced by a later one or has expired.
 */
export async function openInvitation(
  tx: Tx,
  tokens: Pick<InvitationTokens, 'verify'>,
  token: string,
  now: Instant,
): Promise<OpenInvitation | undefined> {
  const facts = tokens.verify(token);
  return facts === undefined ? undefined : await invitationOf(tx, facts, now);
}

async function invitationOf(
  tx: Tx,
  { accountId, chimeAccountId, userId, invitedAt }: InvitationFacts,
  now: Instant,
): Promise<OpenInvitation | undefined> {
  if (invitationEnd(invitedAt) <= now) return undefined;
  const account = await tx.of(accounts).get(accountId, chimeAccountId);
  const user = await tx.of(users).get(chimeAccountId, userId);
  if (account === undefined || account.disabledAt !== undefined || user === undefined) return undefined;
  if (user.accountId !== accountId || user.invitedAt !== invitedAt || user.registrationStatus !== 'Unregistered') return undefined;
  // A directory or an OpenID provider selects the users of its account.
  if (isManaged(account)) return undefined;
  return { account, user, person: await tx.of(people).get(user.email) };
}

/** Name and password that a person chose. */
export interface NewPerson {
  readonly emailAddress: string;
  readonly displayName: string;
  readonly passwordHash: string;
}

/**
 * Registers the user of an invitation. `chosen` has the password of a person that has none yet.
 *
 * @throws BadRequestException, ForbiddenException, ConflictException  see `registerUser`
 * Emits: ChimeUserRegistered.
 */
export async function acceptInvitation(
  work: RegisteringWork,
  { account, user, person }: OpenInvitation,
  chosen?: NewPerson,
): Promise<UserRecord> {
  const { accountId, chimeAccountId } = account;
  const displayName = chosen?.displayName ?? person?.displayName;
  const registered = await registerUser(work, { accountId, chimeAccountId, emailAddress: user.document.PrimaryEmail, displayName });
  if (chosen !== undefined) await setPassword(work, chosen, person);
  return registered;
}

/** Stores the name and the password of a person. Ends the sessions that the person has. */
export async function setPassword(
  { tx, now, newId }: Pick<RegisteringWork, 'tx' | 'now' | 'newId'>,
  { emailAddress, displayName, passwordHash }: NewPerson,
  before: PersonRecord | undefined,
): Promise<void> {
  const email = normalizedEmail(emailAddress);
  const changedAt = instant(Math.max(now, (before?.changedAt ?? 0) + 1));
  await tx.of(people).put({ email, personId: before?.personId ?? newId(), displayName, passwordHash, changedAt });
  if (before !== undefined) await endCredentials(tx, await tx.of(personSessions).removeOf([email]));
}

/** Time in which the link of a confirmation can be used: 24 hours. Assumed. */
const CONFIRMATION_MS = DAY_MS;

/** Address that a person has confirmed, with what the person can do there. */
export interface OpenConfirmation {
  readonly email: string;
  /** Person with this address, if they have a password already. */
  readonly person: PersonRecord | undefined;
  /** Account that the person joins, because it has claimed the domain of the address. */
  readonly joins: AccountRecord | undefined;
}

/**
 * Returns what a person can do who has access to the mailbox of an address: join the account that has claimed the domain, choose a new
 * password, or both. Returns undefined if they can do neither.
 *
 * Source: Administration Guide, "Claiming a domain"; chime.md §2, row 4. A directory or an OpenID provider signs in its users itself.
 */
async function possibleWith(tx: Tx, email: string): Promise<OpenConfirmation | undefined> {
  const person = await tx.of(people).get(email);
  const member = await tx.of(users).memberWithEmail(email);
  if (member !== undefined) {
    // Without a password, the person was a user of an OpenID provider or of a directory, which the account no longer has.
    const canSignIn = (await signInOf(tx, email)) !== 'refused';
    return canSignIn ? { email, person, joins: undefined } : undefined;
  }
  const claim = await tx.of(domains).owner(domainOf(email));
  const account = claim === undefined ? undefined : await tx.of(accounts).get(claim.accountId, claim.chimeAccountId);
  if (account !== undefined && (account.disabledAt !== undefined || isManaged(account))) return undefined;
  return person === undefined && account === undefined ? undefined : { email, person, joins: account };
}

/**
 * Mails a link with which a person chooses a password. Sends no mail if the person can neither register nor sign in. The caller limits the
 * number of mails, and does not tell whether one was sent.
 *
 * @throws BadRequestException  the address is invalid
 */
export async function requestConfirmation(
  work: Pick<RegisteringWork, 'tx' | 'now' | 'newId'>,
  { tokens, linkUrl }: { readonly tokens: Pick<InvitationTokens, 'issueConfirmation'>; readonly linkUrl: (token: string) => string },
  emailAddress: string,
): Promise<'sent' | 'none'> {
  const email = normalizedEmail(emailAddress);
  const possible = await possibleWith(work.tx, email);
  if (possible === undefined) return 'none';
  const { person, joins } = possible;
  const accountId = joins?.accountId ?? (await work.tx.of(users).memberWithEmail(email))?.accountId ?? NO_ACCOUNT;
  const token = tokens.issueConfirmation({ email, issuedAt: work.now, changedAt: person?.changedAt ?? instant(0) });
  await queueMail(work, {
    accountId,
    reference: 'chime-confirmation',
    to: emailAddress,
    subject: 'Choose a password for Amazon Chime',
    text: `To choose a password for ${emailAddress}, open this page:\n${linkUrl(token)}\n\nIf you did not request this, ignore this mail.\n`,
  });
  return 'sent';
}

/** Returns the confirmation of a token. Returns undefined for a token that is unknown, was used or has expired. */
export async function openConfirmation(
  tx: Tx,
  tokens: Pick<InvitationTokens, 'verifyConfirmation'>,
  token: string,
  now: Instant,
): Promise<OpenConfirmation | undefined> {
  const facts = tokens.verifyConfirmation(token);
  if (facts === undefined || facts.issuedAt + CONFIRMATION_MS <= now) return undefined;
  const possible = await possibleWith(tx, facts.email);
  return (possible?.person?.changedAt ?? 0) === facts.changedAt ? possible : undefined;
}

/**
 * Stores the password that a person chose, and registers the person as a user if their account has claimed the domain.
 *
 * @throws BadRequestException, ForbiddenException, ConflictException  see `registerUser`
 * Emits: ChimeUserRegistered.
 */
export async function confirm(
  work: RegisteringWork,
  { joins, person }: OpenConfirmation,
  chosen: NewPerson,
): Promise<UserRecord | undefined> {
  const { emailAddress, displayName } = chosen;
  requireName(displayName);
  const registered =
    joins === undefined
      ? undefined
      : await registerUser(work, { accountId: joins.accountId, chimeAccountId: joins.chimeAccountId, emailAddress, displayName });
  await setPassword(work, chosen, person);
  return registered;
}
