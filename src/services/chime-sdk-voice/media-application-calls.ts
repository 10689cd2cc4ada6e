import { refused } from '../kit/not-yet.ts';
import { onResource } from '../kit/resource-access.ts';
import { find, findOrThrow } from '../kit/resource-kind.ts';
import { AwsError } from './errors.ts';
import { SIP_MEDIA_APPLICATION } from './kinds.ts';

/**
 * Calls of SIP media applications. No application can make or answer a call, because this server carries no media. No
 * request succeeds.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateSipMediaApplicationCall, UpdateSipMediaApplicationCall: the error codes.
 * Assumed: the wording of the messages.
 */
export const mediaApplicationCallOperations = {
  /**
   * Assumed: an unknown application is BadRequestException, because the operation has no NotFoundException in the model.
   * @throws BadRequestException  the application does not exist
   * @throws ForbiddenException   otherwise
   */
  CreateSipMediaApplicationCall: refused<{ readonly SipMediaApplicationId: string }>({
    access: onResource(SIP_MEDIA_APPLICATION),
    async handle(call, input) {
      if ((await find(call.tx, call, SIP_MEDIA_APPLICATION, input)) === undefined)
        throw new AwsError('BadRequestException', `Could not find SipMediaApplication with Id '${input.SipMediaApplicationId}'`);
      throw new AwsError('ForbiddenException', 'This server carries no media of calls, so a SIP media application cannot make a call.');
    },
  }),

  /** @throws NotFoundException  the application does not exist · otherwise the call */
  UpdateSipMediaApplicationCall: refused<{ readonly SipMediaApplicationId: string; readonly TransactionId: string }>({
    access: onResource(SIP_MEDIA_APPLICATION),
    async handle(call, input) {
      await findOrThrow(call, SIP_MEDIA_APPLICATION, input);
      throw new AwsError('NotFoundException', `The SIP media application has no call with the transaction ID '${input.TransactionId}'.`);
    },
  }),
};
