import type { AccountId } from '#core/arn.ts';
import type { ChimeApi } from '#model/generated/chime.ts';
import { numberOf, statusOf } from '../chime-kit/phone-numbers.ts';
import { type NumberRecord, phoneNumbers } from '../chime-kit/tables/phone-numbers.ts';
import type { Work } from '../kit/events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { badRequest, userOrNotFound } from './stored-accounts.ts';
import { type UserRecord, users } from './tables/users.ts';

/** Phone numbers of users, and calls from meetings. Source: chime 2018-05-01; chime.md §4. */
export const userNumberOperations = {
  /**
   * Gives a number to a user. The user's PrimaryProvisionedNumber is this number.
   *
   * Source: Administration Guide of 2020: shared devices have numbers too. Assumed: the codes; a text without the number, because the model
   * marks it as sensitive.
   * @throws NotFoundException    the account, the user or the number does not exist
   * @throws BadRequestException  the number has another product, is not Unassigned, or the user has a number
   */
  AssociatePhoneNumberWithUser: {
    async handle(call, { E164PhoneNumber, ...input }) {
      const { tx, accountId, now } = call;
      const { user } = await userOrNotFound(call, input);
      const number = numberOf(E164PhoneNumber);
      const record = number === undefined ? undefined : await tx.of(phoneNumbers).get(accountId, number);
      if (record === undefined) throw new AwsError('NotFoundException', 'Could not find the phone number.');
      const isFree = record.productType === 'BusinessCalling' && statusOf(record, now) === 'Unassigned';
      if (!isFree || user.document.PrimaryProvisionedNumber !== undefined) throw badRequest();
      await tx.of(phoneNumbers).put({
        ...record,
        ...{ state: 'Assigned', updatedAt: now, associationName: 'UserId', associatedTo: user.userId, associatedAt: now },
        chimeAccountId: user.chimeAccountId,
      });
      await putNumber(call, user, record.number);
      return {};
    },
  },

  /** Takes the number from a user. @throws NotFoundException  the account or the user does not exist, or the user has no number */
  DisassociatePhoneNumberFromUser: {
    async handle(call, input) {
      const { tx, accountId, now } = call;
      const { user } = await userOrNotFound(call, input);
      const number = user.document.PrimaryProvisionedNumber;
      const record = number === undefined ? undefined : await tx.of(phoneNumbers).get(accountId, number);
      if (record === undefined) throw new AwsError('NotFoundException', `User '${user.userId}' has no phone number.`);
      await tx.of(phoneNumbers).put(unassigned(record, now));
      await putNumber(call, user, undefined);
      return {};
    },
  },

  /**
   * Refuses to call a telephone from a meeting, because this server has no carrier.
   *
   * Source: Chime API reference, CreateMeetingDialOut: the caller's number must belong to the customer. Assumed: (1) Forbidden in both cases,
   * because clients repeat a request after 503. (2) The meeting and the token are not checked: the pattern of JoinToken in this model has no
   * join token of this server.
   * @throws ForbiddenException  always
   */
  CreateMeetingDialOut: {
    async handle({ tx, accountId }, { FromPhoneNumber }) {
      const number = numberOf(FromPhoneNumber);
      const record = number === undefined ? undefined : await tx.of(phoneNumbers).get(accountId, number);
      throw new AwsError(
        'ForbiddenException',
        record === undefined ? 'FromPhoneNumber does not belong to this account.' : 'This server has no carrier for telephone calls.',
      );
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

function unassigned(record: NumberRecord, now: NumberRecord['updatedAt']): NumberRecord {
  const { associationName: _name, associatedTo: _to, associatedAt: _at, chimeAccountId: _account, ...rest } = record;
  return { ...rest, state: 'Unassigned', updatedAt: now };
}

async function putNumber({ tx }: Pick<Work, 'tx'>, user: UserRecord, number: string | undefined): Promise<void> {
  const { PrimaryProvisionedNumber: _before, ...document } = user.document;
  await tx.of(users).put({ ...user, document: { ...document, ...(number !== undefined && { PrimaryProvisionedNumber: number }) } });
}

/** Takes the number from a user that is deleted. */
export async function releaseNumberOf({ tx, now }: Pick<Work, 'tx' | 'now'>, { accountId, document }: UserRecord): Promise<void> {
  const number = document.PrimaryProvisionedNumber;
  const record = number === undefined ? undefined : await tx.of(phoneNumbers).get(accountId, number);
  if (record !== undefined) await tx.of(phoneNumbers).put(unassigned(record, now));
}

/** Takes the numbers from at most `limit` users of a Chime account that is deleted. Returns their number. */
export async function releaseNumbers(
  { tx, now }: Pick<Work, 'tx' | 'now'>,
  accountId: AccountId,
  chimeAccountId: string,
  limit: number,
): Promise<number> {
  const found = await tx.of(phoneNumbers).associated(accountId, 'AccountId', chimeAccountId, limit);
  for (const record of found) await tx.of(phoneNumbers).put(unassigned(record, now));
  return found.length;
}
