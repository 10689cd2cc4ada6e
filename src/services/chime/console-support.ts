/** Tasks of the console on an AWS account: limits of telephony, and support requests. */
import type { ChimeApi } from '#model/generated/chime.ts';
import { queueMail } from '../kit/mail.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import type { ChimeDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { accountOrNotFound } from './stored-accounts.ts';
import { normalizedEmail, requireName } from './texts.ts';

/**
 * Limits that the operations on phone numbers have. Source: chime 2018-05-01, PhoneNumberMaxResults; Chime API reference, CreatePhoneNumberOrder
 * and BatchDeletePhoneNumber: 50. AWS does not publish those of GetTelephonyLimits.
 */
const TELEPHONY = { PhoneNumbersPerOrder: 50, PhoneNumbersPerBatch: 50, PhoneNumbersPerSearch: 500 } as const;

/** Source: Service Authorization Reference, Amazon Chime: the actions; chime.md §6. Assumed: inputs, outputs and errors, as AWS publishes none. */
export function consoleSupportOperations({ supportAddress }: Pick<ChimeDeps, 'supportAddress'>) {
  return {
    /** There is no carrier, so users can call no country. */
    GetTelephonyLimits: {
      handle: async () => ({ TelephonyLimits: { ...TELEPHONY, CallingRegions: 0 } }),
    },

    ListCallingRegions: {
      handle: async () => ({ CallingRegions: [] }),
    },

    /**
     * Sends a mail to the operator. The mail names the caller, so that a request cannot be in the name of another AWS account.
     *
     * @throws BadRequestException  the address is invalid, or the subject or the description has a control character
     * @throws NotFoundException    the account does not exist
     * @throws ForbiddenException   the operator has not set BELFRY_SUPPORT_ADDRESS
     */
    SubmitSupportRequest: {
      async handle(call, { Category, Subject, Description, Email, AccountId }) {
        const address = normalizedEmail(Email);
        requireName(Subject);
        const account = AccountId === undefined ? undefined : await accountOrNotFound(call, AccountId);
        if (supportAddress === undefined)
          throw new AwsError('ForbiddenException', 'The operator of this server does not accept support requests.');
        const id = call.newId();
        const facts = [
          `Category: ${Category}`,
          `AWS account: ${call.accountId}`,
          `Caller: ${call.principal.arn}`,
          ...(account === undefined ? [] : [`Account: ${account.chimeAccountId}`]),
          `Answer to: ${address}`,
        ];
        await queueMail(call, {
          accountId: call.accountId,
          reference: `chime-support ${id}`,
          to: supportAddress,
          subject: `Support request ${id}: ${Subject}`,
          text: `${facts.join('\n')}\n\n${Description.replaceAll('\r\n', '\n')}\n`,
        });
        return { SupportRequestId: id };
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}
