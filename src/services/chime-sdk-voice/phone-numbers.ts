import { arn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkVoiceApi, PhoneNumber, PhoneNumberError, PhoneNumberOrder } from '#model/generated/chime-sdk-voice.ts';
import { listNumbers } from '../chime-kit/phone-number-lists.ts';
import { createOrder, listOrders, orderOrNotFound, toOrder } from '../chime-kit/phone-number-orders.ts';
import {
  changeNumber,
  changeNumbers,
  deletion,
  type NumberCall,
  numberOrNotFound,
  restoration,
  toPhoneNumber,
  updateOf,
} from '../chime-kit/phone-numbers.ts';
import { searchNumbers, supportedCountries } from '../chime-kit/phone-search.ts';
import type { OrderRecord } from '../chime-kit/tables/phone-number-orders.ts';
import type { NumberRecord } from '../chime-kit/tables/phone-numbers.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';

/** Default page size. Source: as in the other lists of this service. Assumed. */
const PAGE_RESULTS = 50;

/** Returns the error for an unknown number. Assumed: the text, without the ID, because the model marks it as sensitive. */
export function noNumber(): AwsError {
  return new AwsError('NotFoundException', 'Could not find the phone number.');
}

/**
 * Phone numbers and their orders. They belong to the AWS account, in all regions, and Amazon Chime has the same ones.
 *
 * Source: chime-sdk-voice 2022-08-03; chime.md §4. Assumed: (1) numbers and orders of Amazon Chime are listed too, with the product
 * BusinessCalling. (2) Pages of 50.
 */
export const phoneNumberOperations = {
  /** Finds free numbers of the inventory. @throws BadRequestException  the filters do not fit the country, or the token is invalid */
  SearchAvailablePhoneNumbers: { handle: searchNumbers },

  /** Lists the countries of the inventory, with the types of their numbers. */
  ListSupportedPhoneNumberCountries: {
    handle: async (call, { ProductType }) => ({ PhoneNumberCountries: await supportedCountries(call, ProductType) }),
  },

  /** Orders numbers. Requests see the final status after 10 seconds. @throws BadRequestException  there are no numbers, or more than 50 */
  CreatePhoneNumberOrder: {
    handle: async (call, input) => ({ PhoneNumberOrder: toVoiceOrder(await createOrder(call, input), call) }),
  },

  /** @throws NotFoundException  the order does not exist */
  GetPhoneNumberOrder: {
    async handle(call, { PhoneNumberOrderId }) {
      const notFound = (id: string) => new AwsError('NotFoundException', `Could not find PhoneNumberOrder with Id '${id}'`);
      return { PhoneNumberOrder: toVoiceOrder(await orderOrNotFound(call, PhoneNumberOrderId, notFound), call) };
    },
  },

  /** Lists orders in the order of their creation. @throws BadRequestException  the token is invalid */
  ListPhoneNumberOrders: {
    async handle(call, input) {
      const { items, rest } = await listOrders(call, { MaxResults: PAGE_RESULTS, ...input });
      return { PhoneNumberOrders: items.map((order) => toVoiceOrder(order, call)), ...rest };
    },
  },

  /** @throws NotFoundException  the AWS account does not have the number */
  GetPhoneNumber: {
    handle: async (call, { PhoneNumberId }) => ({
      PhoneNumber: toVoiceNumber(await numberOrNotFound(call, PhoneNumberId, noNumber), call),
    }),
  },

  /**
   * Lists numbers in ascending order.
   *
   * @throws BadRequestException  a filter has only a name or only a value · the status is unknown · the token is invalid
   */
  ListPhoneNumbers: {
    async handle(call, input) {
      const { items, rest } = await listNumbers(call, { MaxResults: PAGE_RESULTS, ...input });
      return { PhoneNumbers: items.map((record) => toVoiceNumber(record, call)), ...rest };
    },
  },

  /** Changes the product, the calling name or the name of a number: see `updateOf`. */
  UpdatePhoneNumber: {
    async handle(call, { PhoneNumberId, ...change }) {
      return { PhoneNumber: toVoiceNumber(await changeNumber(call, PhoneNumberId, noNumber, updateOf(change)), call) };
    },
  },

  /** Changes several numbers, in their order. @throws BadRequestException  there are no items, or more than 50 */
  BatchUpdatePhoneNumber: {
    handle: async (call, { UpdatePhoneNumberRequestItems }) => ({
      PhoneNumberErrors: await changeNumbers(call, {
        items: UpdatePhoneNumberRequestItems,
        idOf: ({ PhoneNumberId }) => PhoneNumberId,
        stepOf: (change) => updateOf(change),
        notFound: noNumber,
      }),
    }),
  },

  /** Puts a number into the deletion queue: see `deletion`. */
  DeletePhoneNumber: {
    async handle(call, { PhoneNumberId }) {
      await changeNumber(call, PhoneNumberId, noNumber, deletion);
      return {};
    },
  },

  /** Puts several numbers into the deletion queue. @throws BadRequestException  there are more than 50 */
  BatchDeletePhoneNumber: {
    handle: async (call, { PhoneNumberIds }): Promise<{ PhoneNumberErrors: readonly PhoneNumberError[] }> => ({
      PhoneNumberErrors: await changeNumbers(call, {
        items: PhoneNumberIds,
        idOf: (id) => id,
        stepOf: () => deletion,
        notFound: noNumber,
      }),
    }),
  },

  /** Takes a number out of the deletion queue. @throws NotFoundException  the number is not in the deletion queue */
  RestorePhoneNumber: {
    async handle(call, { PhoneNumberId }) {
      return { PhoneNumber: toVoiceNumber(await changeNumber(call, PhoneNumberId, noNumber, restoration), call) };
    },
  },
} satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;

/**
 * Returns a number in the shape of the model of Chime SDK Voice.
 *
 * Assumed: the ARN, as the service authorization reference has no type for numbers. Its region is the region of the request.
 */
function toVoiceNumber(record: NumberRecord, { now, region }: NumberCall & Pick<Call, 'region'>): PhoneNumber {
  const { accountId, number, orderId, document } = record;
  return {
    // Numbers of Amazon Chime have a product and associations that this model does not list.
    ...(toPhoneNumber(record, now) as PhoneNumber),
    PhoneNumberArn: arn('chime', region, accountId, `phone-number/${number}`),
    OrderId: orderId,
    ...omitUndefined({ Name: document.Name }),
  };
}

function toVoiceOrder(order: OrderRecord, { now }: NumberCall): PhoneNumberOrder {
  return { ...(toOrder(order, now) as PhoneNumberOrder), OrderType: 'New' };
}
