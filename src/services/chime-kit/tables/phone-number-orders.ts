import type { AccountId } from '#core/arn.ts';
import type { PhoneNumberProductType } from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { instant, json, type Row, table, text, textOf } from '#store/table.ts';

/** Numbers of an order, and what becomes of them when the order is final. */
export interface OrderDocument {
  readonly numbers: readonly { readonly number: string; readonly isAcquired: boolean }[];
}

/** Orders of phone numbers. */
export const PHONE_NUMBER_ORDER = table('phone_number_order', {
  columns: {
    accountId: textOf<AccountId>(),
    /** UUID in lower case. */
    orderId: text,
    createdAt: instant,
    productType: textOf<PhoneNumberProductType>(),
    document: json<OrderDocument>(),
  },
  key: ['accountId', 'orderId'],
  indexes: [['accountId', 'createdAt', 'orderId']],
});
export type OrderRecord = Row<typeof PHONE_NUMBER_ORDER>;

/** Position in the list of orders. */
export type OrderPlace = Pick<OrderRecord, 'createdAt' | 'orderId'>;

/**
 * Orders by AWS account.
 *
 *     stored: (1111, a, created at 2), (1111, b, created at 1)
 *     list('1111', 9) → b, a
 */
export interface PhoneNumberOrders {
  add(order: OrderRecord): Promise<void>;
  get(accountId: AccountId, orderId: string): Promise<OrderRecord | undefined>;
  /** Lists orders in the order of their creation, starting after the position `after`. */
  list(accountId: AccountId, limit: number, after?: OrderPlace): Promise<readonly OrderRecord[]>;
}

const LIST = `
  SELECT ${PHONE_NUMBER_ORDER.names} FROM phone_number_order WHERE account_id = $1 AND (created_at_ms, order_id) > ($2, $3)
  ORDER BY created_at_ms, order_id LIMIT $4`;

/** Creates the repository of one transaction. */
export function phoneNumberOrders(sql: Sql): PhoneNumberOrders {
  return {
    add: (order) => PHONE_NUMBER_ORDER.insert(sql, order),
    get: (accountId, orderId) => PHONE_NUMBER_ORDER.get(sql, accountId, orderId),
    list: (accountId, limit, after) => PHONE_NUMBER_ORDER.rows(sql, LIST, [accountId, after?.createdAt ?? -1, after?.orderId ?? '', limit]),
  };
}
