import type { AwsError } from '#core/aws-error.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi } from '#model/generated/chime.ts';
import { isCallingNameFixed, putCallingName } from '../chime-kit/calling-name.ts';
import { listNumbers } from '../chime-kit/phone-number-lists.ts';
import { createOrder, listOrders, orderOrNotFound, toOrder } from '../chime-kit/phone-number-orders.ts';
import {
  changeNumber,
  changeNumbers,
  deletion,
  numberOrNotFound,
  restoration,
  toPhoneNumber,
  updateOf,
} from '../chime-kit/phone-numbers.ts';
import { searchNumbers, supportedCountries } from '../chime-kit/phone-search.ts';
import { chimeSettingsOf } from '../chime-kit/settings.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { badRequest, notFound } from './stored-accounts.ts';

const noNumber = (id: string): AwsError => notFound('PhoneNumber', id);

/**
 * Phone numbers, their orders and their settings. They belong to the AWS account, and Chime SDK Voice has the same ones.
 *
 * Source: chime 2018-05-01; chime.md §4. Assumed: pages of 50.
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
    handle: async (call, input) => ({ PhoneNumberOrder: toOrder(await createOrder(call, input), call.now) }),
  },

  /** @throws NotFoundException  the order does not exist */
  GetPhoneNumberOrder: {
    async handle(call, { PhoneNumberOrderId }) {
      const order = await orderOrNotFound(call, PhoneNumberOrderId, (id) => notFound('PhoneNumberOrder', id));
      return { PhoneNumberOrder: toOrder(order, call.now) };
    },
  },

  /** Lists orders in the order of their creation. @throws BadRequestException  the token is invalid */
  ListPhoneNumberOrders: {
    async handle(call, input) {
      const { items, rest } = await listOrders(call, input);
      return { PhoneNumberOrders: items.map((order) => toOrder(order, call.now)), ...rest };
    },
  },

  /** @throws NotFoundException  the AWS account does not have the number */
  GetPhoneNumber: {
    async handle(call, { PhoneNumberId }) {
      return { PhoneNumber: toPhoneNumber(await numberOrNotFound(call, PhoneNumberId, noNumber), call.now) };
    },
  },

  /** Lists numbers in ascending order. @throws BadRequestException  a filter has only a name or only a value, or the token is invalid */
  ListPhoneNumbers: {
    async handle(call, input) {
      const { items, rest } = await listNumbers(call, input);
      return { PhoneNumbers: items.map((record) => toPhoneNumber(record, call.now)), ...rest };
    },
  },

  /** Changes the product or the calling name of a number: see `updateOf`. */
  UpdatePhoneNumber: {
    async handle(call, { PhoneNumberId, ...change }) {
      return { PhoneNumber: toPhoneNumber(await changeNumber(call, PhoneNumberId, noNumber, updateOf(change)), call.now) };
    },
  },

  /** Changes several numbers, in their order. @throws BadRequestException  there are no items, or more than 50 */
  BatchUpdatePhoneNumber: {
    async handle(call, { UpdatePhoneNumberRequestItems }) {
      const PhoneNumberErrors = await changeNumbers(call, {
        items: UpdatePhoneNumberRequestItems,
        idOf: ({ PhoneNumberId }) => PhoneNumberId,
        stepOf: (change) => updateOf(change),
        notFound: noNumber,
      });
      return { PhoneNumberErrors };
    },
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
    async handle(call, { PhoneNumberIds }) {
      const deletions = { items: PhoneNumberIds, idOf: (id: string) => id, stepOf: () => deletion, notFound: noNumber };
      return { PhoneNumberErrors: await changeNumbers(call, deletions) };
    },
  },

  /** Takes a number out of the deletion queue. @throws NotFoundException  the number is not in the deletion queue */
  RestorePhoneNumber: {
    async handle(call, { PhoneNumberId }) {
      return { PhoneNumber: toPhoneNumber(await changeNumber(call, PhoneNumberId, noNumber, restoration), call.now) };
    },
  },

  /** Returns the default calling name. Assumed: the settings are empty until the first update. */
  GetPhoneNumberSettings: {
    async handle(call) {
      const { CallingName, CallingNameUpdatedTimestamp } = await chimeSettingsOf(call);
      return omitUndefined({ CallingName, CallingNameUpdatedTimestamp });
    },
  },

  /**
   * Changes the default calling name.
   *
   * Source: Chime API reference, UpdatePhoneNumberSettings: once every seven days. Assumed: the code; the same name is a change too.
   * @throws BadRequestException  the last change was less than seven days ago
   */
  UpdatePhoneNumberSettings: {
    async handle(call, { CallingName }) {
      if (isCallingNameFixed(await chimeSettingsOf(call), call.now)) throw badRequest();
      await putCallingName(call, CallingName);
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;
