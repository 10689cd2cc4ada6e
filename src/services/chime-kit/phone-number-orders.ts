/** Orders of phone numbers. Amazon Chime and Chime SDK Voice share them. */
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { PhoneNumberOrder, PhoneNumberProductType } from '#model/generated/chime.ts';
import type { Call } from '../kit/operation.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { type NotFound, type NumberCall, numberOf } from './phone-numbers.ts';
import { badRequest } from './request-errors.ts';
import { NUMBERS_MAX } from './tables/number-lists.ts';
import { type InventoryRecord, phoneInventory, productsOf } from './tables/phone-inventory.ts';
import { type OrderPlace, type OrderRecord, phoneNumberOrders } from './tables/phone-number-orders.ts';
import { type NumberRecord, phoneNumbers } from './tables/phone-numbers.ts';

/** Time from an order to its final status. Source: the recorded responses of CreatePhoneNumberOrder and GetPhoneNumberOrder. */
export const ORDER_MS = 10_000;

/** New order. `Name` is the name of the ordered numbers. */
export interface NewOrder {
  readonly ProductType: PhoneNumberProductType;
  readonly E164PhoneNumbers: readonly string[];
  readonly Name?: string;
}

/**
 * Orders numbers of the inventory. The numbers belong to the AWS account at once, and can be used when the order is final.
 *
 * Source: chime.md §4. Assumed: (1) A number that is unknown, has another owner, or cannot be used for the product is Failed. (2) At most
 * `NUMBERS_MAX` numbers. (3) A number that is twice in the list counts once.
 * @throws BadRequestException  there are no numbers, or too many
 */
export async function createOrder(
  { tx, accountId, now, newId }: NumberCall & Pick<Call, 'newId'>,
  { ProductType, E164PhoneNumbers, Name }: NewOrder,
): Promise<OrderRecord> {
  const ordered = [...new Set(E164PhoneNumbers.map((each) => numberOf(each) ?? each))];
  if (ordered.length === 0 || ordered.length > NUMBERS_MAX) throw badRequest();
  const orderId = newId();
  const listed = await tx.of(phoneInventory).getSome(ordered);
  const acquired = new Map<string, InventoryRecord>();
  for (const record of listed) if (record.isFree && productsOf(record).includes(ProductType)) acquired.set(record.number, record);
  const added = [...acquired.values()].map(
    (record): NumberRecord => ({
      ...{ accountId, orderId, number: record.number, productType: ProductType, state: 'Unassigned' },
      ...{ createdAt: now, updatedAt: now, acquiredAt: finalAt(now) },
      document: omitUndefined({
        Country: record.country,
        Type: record.type,
        Capabilities: record.capabilities,
        products: productsOf(record),
        Name: Name || undefined,
      }),
    }),
  );
  if (added.length > 0) {
    const [taken, stored] = [await tx.of(phoneInventory).take([...acquired.keys()]), await tx.of(phoneNumbers).add(added)];
    // The transaction is serializable, so the numbers are still free. The unique index of `phone_number` is the second guard.
    if (taken !== added.length || stored !== added.length) throw new Error('a free number has an owner');
  }
  const order: OrderRecord = {
    ...{ accountId, orderId, createdAt: now, productType: ProductType },
    document: { numbers: ordered.map((number) => ({ number, isAcquired: acquired.has(number) })) },
  };
  await tx.of(phoneNumberOrders).add(order);
  return order;
}

function finalAt(createdAt: Instant): Instant {
  return instant(createdAt + ORDER_MS);
}

/** Returns an order of the caller's AWS account. Throws the result of `notFound` if there is none. The case of an ID does not matter. */
export async function orderOrNotFound({ tx, accountId }: NumberCall, id: string, notFound: NotFound): Promise<OrderRecord> {
  const order = await tx.of(phoneNumberOrders).get(accountId, id.toLowerCase());
  if (order === undefined) throw notFound(id);
  return order;
}

/** Returns an order in the shape of the model of Amazon Chime. Assumed: UpdatedTimestamp is the time of the final status. */
export function toOrder({ orderId, createdAt, productType, document: { numbers } }: OrderRecord, now: Instant): PhoneNumberOrder {
  const isFinal = finalAt(createdAt) <= now;
  const acquired = numbers.filter(({ isAcquired }) => isAcquired).length;
  const outcome = acquired === numbers.length ? 'Successful' : acquired === 0 ? 'Failed' : 'Partial';
  return {
    PhoneNumberOrderId: orderId,
    ProductType: productType,
    Status: isFinal ? outcome : 'Processing',
    OrderedPhoneNumbers: numbers.map(({ number, isAcquired }) => ({
      E164PhoneNumber: number,
      Status: isFinal ? (isAcquired ? 'Acquired' : 'Failed') : 'Processing',
    })),
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: isFinal ? finalAt(createdAt) : createdAt,
  };
}

/** Lists orders in the order of their creation. @throws BadRequestException  the token is invalid */
export function listOrders({ tx, accountId }: NumberCall, request: PageRequest): Promise<Page<OrderRecord>> {
  return pageOf(
    `ListPhoneNumberOrders ${accountId}`,
    request,
    (limit, after) => tx.of(phoneNumberOrders).list(accountId, limit, after === undefined ? undefined : placeIn(after)),
    ({ createdAt, orderId }) => `${createdAt} ${orderId}`,
  );
}

function placeIn(key: string): OrderPlace {
  const [, createdAt, orderId = ''] = /^(\d{1,15}) ([\w-]{1,36})$/.exec(key) ?? [];
  if (createdAt === undefined) throw badRequest();
  return { createdAt: instant(Number(createdAt)), orderId };
}
