/** Delegates: other AWS accounts that manage the users of an account. `delegated.ts` lists what they may do. Decision 0040. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, Delegate } from '#model/generated/chime.ts';
import { pageOf } from '../chime-kit/page.ts';
import { queueMail } from '../kit/mail.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { accountOrNotFound, badRequest, conflict, limitExceeded, notFound } from './stored-accounts.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { type DelegateRecord, delegates } from './tables/delegates.ts';
import { normalizedEmail } from './texts.ts';

/** Time in which an invitation can be accepted. Assumed. */
const INVITATION_MS = 7 * DAY_MS;
/** Most delegations and invitations of an account. Assumed. */
const DELEGATES_MAX = 20;
const TOKEN_BYTES = 32;

/**
 * Source: Service Authorization Reference, Amazon Chime, the descriptions of the actions: an invitation shares the management of an account with
 * another AWS account, which accepts it. Assumed: inputs, outputs and errors, as AWS publishes none; the token in the mail.
 */
export const delegateOperations = {
  /**
   * Invites another AWS account. The mail has a token, which only a caller of this AWS account can use. Whether the AWS account exists is not
   * checked, so that the response does not tell.
   *
   * @throws BadRequestException             the address is invalid, or the AWS account owns the account
   * @throws NotFoundException               the account does not exist
   * @throws ResourceLimitExceededException  the account has 20 delegations and invitations
   * @throws ConflictException               the AWS account is a delegate or is invited
   */
  InviteDelegate: {
    async handle(call, { AccountId, DelegateAwsAccountId, EmailAddress }) {
      const emailAddress = normalizedEmail(EmailAddress);
      const account = await accountOrNotFound(call, AccountId);
      const { accountId, chimeAccountId } = account;
      if (DelegateAwsAccountId === accountId) throw badRequest('The account belongs to this AWS account.');
      if ((await call.tx.of(delegates).all(chimeAccountId)).length >= DELEGATES_MAX) throw limitExceeded();
      const { token, digest } = newToken(call);
      const delegate: DelegateRecord = {
        ...{ chimeAccountId, accountId, emailAddress, digest, delegateId: call.newId() },
        ...{ delegateAccountId: DelegateAwsAccountId as AccountId, createdAt: call.now, invitedAt: call.now },
      };
      if ((await call.tx.of(delegates).add(delegate)) === 'exists') throw conflict();
      await sendInvitation(call, account, delegate, token);
      return { Delegate: toDelegate(delegate, call.now) };
    },
  },

  /**
   * Accepts an invitation. A repeated call with the same token returns the delegation. The trail of the owner gets a copy of the record.
   *
   * @throws NotFoundException    no invitation of the caller's AWS account has this ID and this token
   * @throws BadRequestException  the invitation has expired
   */
  AcceptDelegate: {
    async handle(call, { DelegateId, InvitationToken }) {
      const found = await call.tx.of(delegates).find(DelegateId);
      const isInvited = found?.delegateAccountId === call.accountId && hasDigest(found, InvitationToken);
      const account = isInvited ? await call.tx.of(accounts).get(found.accountId, found.chimeAccountId) : undefined;
      if (!isInvited || account === undefined || account.disabledAt !== undefined) throw notFound('Delegate', DelegateId);
      if (statusOf(found, call.now) === 'Expired') throw badRequest('The invitation has expired.');
      const delegate: DelegateRecord = { ...found, acceptedAt: found.acceptedAt ?? call.now };
      await call.tx.of(delegates).put(delegate);
      call.actsFor(account.accountId);
      return { Delegate: toDelegate(delegate, call.now) };
    },
  },

  /**
   * Sends another token, and ends the earlier one.
   *
   * @throws NotFoundException  the account or the invitation does not exist · ConflictException  the invitation was accepted
   */
  RenewDelegate: {
    async handle(call, { AccountId, DelegateId }) {
      const account = await accountOrNotFound(call, AccountId);
      const before = await call.tx.of(delegates).get(account.chimeAccountId, DelegateId);
      if (before === undefined) throw notFound('Delegate', DelegateId);
      if (before.acceptedAt !== undefined) throw conflict();
      const { token, digest } = newToken(call);
      const delegate: DelegateRecord = { ...before, digest, invitedAt: call.now };
      await call.tx.of(delegates).put(delegate);
      await sendInvitation(call, account, delegate, token);
      return { Delegate: toDelegate(delegate, call.now) };
    },
  },

  /** Ends a delegation or an invitation. Each call of a delegate reads the delegation, so it ends on all servers at once. @throws NotFoundException  the account or the delegation does not exist */
  DeleteDelegate: {
    async handle(call, { AccountId, DelegateId }) {
      const { chimeAccountId } = await accountOrNotFound(call, AccountId);
      if ((await call.tx.of(delegates).remove(chimeAccountId, DelegateId)) === 'absent') throw notFound('Delegate', DelegateId);
      return {};
    },
  },

  /** @throws NotFoundException  the account does not exist · BadRequestException  the token is invalid */
  ListDelegates: {
    async handle(call, input) {
      const { chimeAccountId } = await accountOrNotFound(call, input.AccountId);
      const all = await call.tx.of(delegates).all(chimeAccountId);
      const { items, rest } = await pageOf(
        `ListDelegates ${chimeAccountId}`,
        input,
        async (limit, after) => all.slice(after === undefined ? 0 : firstAfter(all, after)).slice(0, limit),
        keyOf,
      );
      return { Delegates: items.map((each) => toDelegate(each, call.now)), ...rest };
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

/** Key in page tokens. All times have 13 digits. */
function keyOf({ createdAt, delegateId }: DelegateRecord): string {
  return `${createdAt} ${delegateId}`;
}

function firstAfter(all: readonly DelegateRecord[], after: string): number {
  const index = all.findIndex((each) => keyOf(each) > after);
  return index === -1 ? all.length : index;
}

function newToken({ random }: Pick<Call, 'random'>): { readonly token: string; readonly digest: string } {
  const token = Buffer.from(random(TOKEN_BYTES)).toString('base64url');
  return { token, digest: digestOf(token).toString('base64url') };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function hasDigest({ digest }: DelegateRecord, token: string): boolean {
  return timingSafeEqual(Buffer.from(digest, 'base64url'), digestOf(token));
}

async function sendInvitation(call: Call, { name, accountId }: AccountRecord, delegate: DelegateRecord, token: string): Promise<void> {
  const { delegateId, delegateAccountId, emailAddress } = delegate;
  const text = [
    `AWS account ${accountId} invites AWS account ${delegateAccountId} to manage the users of the Amazon Chime account ${name}.`,
    `To accept within 7 days, an administrator of AWS account ${delegateAccountId} enters this command and then the token:`,
    `belfry chime accept-delegate --delegate-id ${delegateId} --invitation-token -`,
    `Token: ${token}`,
  ];
  await queueMail(call, {
    accountId,
    reference: `chime-delegate ${delegateId}`,
    to: emailAddress,
    subject: `Invitation to manage the Amazon Chime account ${name}`,
    text: `${text.join('\n\n')}\n`,
  });
}

function statusOf({ acceptedAt, invitedAt }: DelegateRecord, now: Instant): 'Active' | 'Pending' | 'Expired' {
  if (acceptedAt !== undefined) return 'Active';
  return invitedAt + INVITATION_MS > now ? 'Pending' : 'Expired';
}

function toDelegate(delegate: DelegateRecord, now: Instant): Delegate {
  const { delegateId, chimeAccountId, accountId, delegateAccountId, invitedAt, acceptedAt } = delegate;
  return omitUndefined({
    DelegateId: delegateId,
    AccountId: chimeAccountId,
    OwnerAwsAccountId: accountId,
    DelegateAwsAccountId: delegateAccountId,
    DelegateStatus: statusOf(delegate, now),
    InvitedTimestamp: invitedAt,
    ExpiresTimestamp: acceptedAt === undefined ? instant(invitedAt + INVITATION_MS) : undefined,
    AcceptedTimestamp: acceptedAt,
  });
}
