import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type {
  PhoneNumberAssociationName,
  PhoneNumberCapabilities,
  PhoneNumberProductType,
  PhoneNumberType,
} from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import { numberParameters, paddedNumbers } from './number-lists.ts';

/** Members of a phone number that no query needs. */
export interface NumberDocument {
  readonly Country: string;
  readonly Type: PhoneNumberType;
  readonly Capabilities: PhoneNumberCapabilities;
  /** Products for which the number can be used. */
  readonly products: readonly PhoneNumberProductType[];
  readonly CallingName?: string;
  /** Time of the last change of `CallingName`. */
  readonly callingNameSetAt?: Instant;
  readonly Name?: string;
}

/** State of a number. Its status also depends on the time: see `statusOf`. */
export type NumberState = 'Unassigned' | 'Assigned' | 'ReleaseInProgress';

/** Phone numbers of AWS accounts. */
export const PHONE_NUMBER = table('phone_number', {
  columns: {
    /** AWS account that ordered the number. */
    accountId: textOf<AccountId>(),
    /** E.164 with a plus sign. */
    number: text,
    orderId: text,
    productType: textOf<PhoneNumberProductType>(),
    state: textOf<NumberState>(),
    createdAt: instant,
    /** Time at which the order ends, and the number can be used. */
    acquiredAt: instant,
    updatedAt: instant,
    /** Time of DeletePhoneNumber. Present in the deletion queue only. */
    deletedAt: optional(instant),
    /** Time at which the number leaves the deletion queue for good. */
    releasedAt: optional(instant),
    /** Kind of the resource in `associatedTo`. `AccountId` is never here: see `chimeAccountId`. */
    associationName: optional(textOf<PhoneNumberAssociationName>()),
    associatedTo: optional(text),
    associatedAt: optional(instant),
    /** Chime account of the user in `associatedTo`. */
    chimeAccountId: optional(text),
    document: json<NumberDocument>(),
  },
  key: ['accountId', 'number'],
  indexes: [
    { columns: ['number'], unique: true },
    ['accountId', 'state', 'number', 'acquiredAt', 'releasedAt'],
    ['accountId', 'productType', 'number'],
    ['accountId', 'state', 'productType', 'number', 'acquiredAt', 'releasedAt'],
    ['accountId', 'acquiredAt'],
    { columns: ['accountId', 'associationName', 'associatedTo', 'number'], where: 'associated_to IS NOT NULL' },
    { columns: ['accountId', 'chimeAccountId', 'number'], where: 'chime_account_id IS NOT NULL' },
    { columns: ['accountId', 'releasedAt'], where: 'released_at_ms IS NOT NULL' },
    { columns: ['releasedAt'], where: 'released_at_ms IS NOT NULL' },
  ],
});
export type NumberRecord = Row<typeof PHONE_NUMBER>;

/** Filter of a list. */
export interface NumberFilter {
  readonly state?: NumberState;
  readonly productType?: PhoneNumberProductType;
}

/** Most numbers that `acquiring` and `overdue` return. Numbers are in these states for a short time. */
export const PASSING_MAX = 5_000;

/**
 * Phone numbers by the AWS account that has them. In the whole server, one account at most has a number.
 *
 *     stored: (1111, +12065550100, Unassigned), (1111, +12065550101, Assigned), (2222, +12065550102, Unassigned)
 *     list('1111', { state: 'Unassigned' }, now, 9) → +12065550100
 */
export interface PhoneNumbers {
  /** Adds numbers. Returns how many were added: a number that any account has is not added. */
  add(numbers: readonly NumberRecord[]): Promise<number>;
  get(accountId: AccountId, number: string): Promise<NumberRecord | undefined>;
  /** Returns a number, whichever account has it. Operations of a caller use `get`. */
  ofAnyAccount(number: string): Promise<NumberRecord | undefined>;
  /** Returns at most `NUMBERS_MAX` numbers of an account, in no order. */
  getSome(accountId: AccountId, numbers: readonly string[]): Promise<readonly NumberRecord[]>;
  /** Replaces all members that can change. */
  put(record: NumberRecord): Promise<'changed' | 'absent'>;
  remove(accountId: AccountId, number: string): Promise<'removed' | 'absent'>;
  /**
   * Lists numbers in ascending order, starting after the number `after`. With `state`, omits numbers whose order is not final at `now`, and
   * numbers that have left the deletion queue at `now`.
   */
  list(accountId: AccountId, filter: NumberFilter, now: Instant, limit: number, after?: string): Promise<readonly NumberRecord[]>;
  /** Lists the numbers of a resource in ascending order, starting after the number `after`. */
  associated(
    accountId: AccountId,
    name: PhoneNumberAssociationName,
    value: string,
    limit: number,
    after?: string,
  ): Promise<readonly NumberRecord[]>;
  /** Returns numbers whose order is not final at `now`, at most `PASSING_MAX`, in no order. */
  acquiring(accountId: AccountId, now: Instant): Promise<readonly NumberRecord[]>;
  /** Returns numbers that have left the deletion queue at `now`, at most `PASSING_MAX`, in no order. */
  overdue(accountId: AccountId, now: Instant): Promise<readonly NumberRecord[]>;
  /** Returns numbers of all accounts that have left the deletion queue at `now`, the longest ago first. */
  released(now: Instant, limit: number): Promise<readonly NumberRecord[]>;
}

const { names } = PHONE_NUMBER;
const OWN = `SELECT ${names} FROM phone_number WHERE account_id = $1`;
const OF_ANY_ACCOUNT = `SELECT ${names} FROM phone_number WHERE number = $1`;
const SELECT_SOME = `${OWN} AND number IN (${numberParameters(2)})`;
// The inner queries read only columns of an index. Otherwise SQLite would use the primary key and read numbers that the filter omits.
const PAGE = 'SELECT number FROM phone_number WHERE account_id = $1 AND number > $2';
const LIST_PRODUCT = `${OWN} AND number IN (${PAGE} AND product_type = $4 ORDER BY number LIMIT $3) ORDER BY number`;
const IN_STATE = 'acquired_at_ms <= $4 AND (released_at_ms IS NULL OR released_at_ms > $4) AND state = $5';
const LIST_STATE = `${OWN} AND number IN (${PAGE} AND ${IN_STATE} ORDER BY number LIMIT $3) ORDER BY number`;
const LIST_STATE_PRODUCT = `${OWN} AND number IN (${PAGE} AND ${IN_STATE} AND product_type = $6 ORDER BY number LIMIT $3) ORDER BY number`;
const ASSOCIATED = `
  ${OWN} AND number IN (${PAGE} AND association_name = $4 AND associated_to IS NOT NULL AND associated_to = $5 ORDER BY number LIMIT $3)
  ORDER BY number`;
const OF_CHIME_ACCOUNT = `
  ${OWN} AND number IN (${PAGE} AND chime_account_id IS NOT NULL AND chime_account_id = $4 ORDER BY number LIMIT $3) ORDER BY number`;
const ACQUIRING = `${OWN} AND acquired_at_ms > $2 ORDER BY acquired_at_ms LIMIT $3`;
const OVERDUE = `${OWN} AND released_at_ms IS NOT NULL AND released_at_ms <= $2 ORDER BY released_at_ms LIMIT $3`;
const RELEASED = `
  SELECT ${names} FROM phone_number WHERE released_at_ms IS NOT NULL AND released_at_ms <= $1 ORDER BY released_at_ms LIMIT $2`;
const put = PHONE_NUMBER.update(
  'productType',
  'state',
  'updatedAt',
  'deletedAt',
  'releasedAt',
  'associationName',
  'associatedTo',
  'associatedAt',
  'chimeAccountId',
  'document',
);

/** Creates the repository of one transaction. */
export function phoneNumbers(sql: Sql): PhoneNumbers {
  return {
    add: (numbers) => PHONE_NUMBER.addAll(sql, numbers),
    get: (accountId, number) => PHONE_NUMBER.get(sql, accountId, number),
    ofAnyAccount: (number) => PHONE_NUMBER.row(sql, OF_ANY_ACCOUNT, [number]),
    getSome: (accountId, numbers) => PHONE_NUMBER.rows(sql, SELECT_SOME, [accountId, ...paddedNumbers(numbers)]),
    put: (record) => put(sql, record),
    remove: (accountId, number) => PHONE_NUMBER.remove(sql, accountId, number),
    list(accountId, { state, productType }, now, limit, after = '') {
      const page = [accountId, after, limit];
      if (state === undefined) {
        return productType === undefined
          ? PHONE_NUMBER.page(sql, [accountId], [after], limit)
          : PHONE_NUMBER.rows(sql, LIST_PRODUCT, [...page, productType]);
      }
      return productType === undefined
        ? PHONE_NUMBER.rows(sql, LIST_STATE, [...page, now, state])
        : PHONE_NUMBER.rows(sql, LIST_STATE_PRODUCT, [...page, now, state, productType]);
    },
    associated: (accountId, name, value, limit, after = '') =>
      name === 'AccountId'
        ? PHONE_NUMBER.rows(sql, OF_CHIME_ACCOUNT, [accountId, after, limit, value])
        : PHONE_NUMBER.rows(sql, ASSOCIATED, [accountId, after, limit, name, value]),
    acquiring: (accountId, now) => PHONE_NUMBER.rows(sql, ACQUIRING, [accountId, now, PASSING_MAX]),
    overdue: (accountId, now) => PHONE_NUMBER.rows(sql, OVERDUE, [accountId, now, PASSING_MAX]),
    released: (now, limit) => PHONE_NUMBER.rows(sql, RELEASED, [now, limit]),
  };
}
