import type { PhoneNumberCapabilities, PhoneNumberProductType, PhoneNumberType } from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { flag, instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import { numberParameters, paddedNumbers } from './number-lists.ts';

/** Phone numbers that the operator imported. AWS accounts order the free ones. */
export const PHONE_INVENTORY = table('phone_inventory', {
  columns: {
    /** E.164 with a plus sign. */
    number: text,
    /** ISO 3166-1 alpha-2. */
    country: text,
    type: textOf<PhoneNumberType>(),
    isBusinessCalling: flag,
    isVoiceConnector: flag,
    isSipDialIn: flag,
    capabilities: json<PhoneNumberCapabilities>(),
    /** Three digits. In a toll-free number, the toll-free prefix. Only in the US. */
    areaCode: optional(text),
    /** Upper case. */
    state: optional(text),
    /** Lower case. */
    city: optional(text),
    /** Whether no AWS account has the number. */
    isFree: flag,
    importedAt: instant,
  },
  key: ['number'],
  indexes: [
    { columns: ['country', 'areaCode', 'number'], where: 'is_free = 1' },
    { columns: ['country', 'state', 'number'], where: 'is_free = 1' },
    { columns: ['country', 'state', 'city', 'number'], where: 'is_free = 1' },
    { columns: ['country', 'type', 'number'], where: 'is_free = 1' },
    { columns: ['country', 'type'], where: 'is_business_calling = 1' },
    { columns: ['country', 'type'], where: 'is_voice_connector = 1' },
    { columns: ['country', 'type'], where: 'is_sip_dial_in = 1' },
  ],
});
export type InventoryRecord = Row<typeof PHONE_INVENTORY>;

/** Country and type of some numbers. */
export type CountryAndType = Pick<InventoryRecord, 'country' | 'type'>;

/** Selection of free numbers. Each alternative has an index. */
export type InventorySelection = { readonly country: string } & (
  | { readonly areaCode: string }
  | { readonly state: string; readonly city?: string }
  | { readonly type: PhoneNumberType }
);

/**
 * Inventory of phone numbers of the whole server.
 *
 *     stored: (+12065550100, free), (+12065550101, free), (+12065550102)
 *     free({ country: 'US', areaCode: '206' }, 9) → +12065550100, +12065550101
 */
export interface PhoneInventory {
  get(number: string): Promise<InventoryRecord | undefined>;
  /** Returns the records of at most `NUMBERS_MAX` numbers, in no order. */
  getSome(numbers: readonly string[]): Promise<readonly InventoryRecord[]>;
  put(record: InventoryRecord): Promise<void>;
  remove(number: string): Promise<'removed' | 'absent'>;
  /** Lists all numbers in ascending order, starting after the number `after`. */
  list(limit: number, after?: string): Promise<readonly InventoryRecord[]>;
  /** Lists free numbers in ascending order, starting after the number `after`. */
  free(selection: InventorySelection, limit: number, after?: string): Promise<readonly InventoryRecord[]>;
  /** Returns each country with each type of its numbers for a product once, free or not. Reads a row for each pair. */
  countries(product: PhoneNumberProductType): Promise<readonly CountryAndType[]>;
  /** Takes free numbers out of the search, at most `NUMBERS_MAX`. Returns how many were free. */
  take(numbers: readonly string[]): Promise<number>;
  /** Makes a number free again. */
  release(number: string): Promise<void>;
}

const { names } = PHONE_INVENTORY;
const SELECT_SOME = `SELECT ${names} FROM phone_inventory WHERE number IN (${numberParameters(1)})`;
const FREE = `SELECT ${names} FROM phone_inventory WHERE is_free = 1 AND number > $1`;
const WITH_AREA_CODE = `${FREE} AND country = $3 AND area_code = $4 ORDER BY number LIMIT $2`;
const IN_STATE = `${FREE} AND country = $3 AND state = $4 ORDER BY number LIMIT $2`;
const IN_CITY = `${FREE} AND country = $3 AND state = $4 AND city = $5 ORDER BY number LIMIT $2`;
const WITH_TYPE = `${FREE} AND country = $3 AND type = $4 ORDER BY number LIMIT $2`;
const NEXT_BUSINESS_CALLING = `
  SELECT ${names} FROM phone_inventory WHERE is_business_calling = 1 AND (country, type) > ($1, $2) ORDER BY country, type LIMIT 1`;
const NEXT_VOICE_CONNECTOR = `
  SELECT ${names} FROM phone_inventory WHERE is_voice_connector = 1 AND (country, type) > ($1, $2) ORDER BY country, type LIMIT 1`;
const NEXT_SIP_DIAL_IN = `
  SELECT ${names} FROM phone_inventory WHERE is_sip_dial_in = 1 AND (country, type) > ($1, $2) ORDER BY country, type LIMIT 1`;
const TAKE = `UPDATE phone_inventory SET is_free = 0 WHERE is_free = 1 AND number IN (${numberParameters(1)})`;
const RELEASE = 'UPDATE phone_inventory SET is_free = 1 WHERE number = $1';

const NEXT: Readonly<Record<PhoneNumberProductType, string>> = {
  BusinessCalling: NEXT_BUSINESS_CALLING,
  VoiceConnector: NEXT_VOICE_CONNECTOR,
  SipMediaApplicationDialIn: NEXT_SIP_DIAL_IN,
};

/** Creates the repository of one transaction. */
export function phoneInventory(sql: Sql): PhoneInventory {
  return {
    get: (number) => PHONE_INVENTORY.get(sql, number),
    getSome: (numbers) => PHONE_INVENTORY.rows(sql, SELECT_SOME, paddedNumbers(numbers)),
    put: (record) => PHONE_INVENTORY.put(sql, record),
    remove: (number) => PHONE_INVENTORY.remove(sql, number),
    list: (limit, after = '') => PHONE_INVENTORY.page(sql, [], [after], limit),
    free(selection, limit, after = '') {
      const page = [after, limit, selection.country];
      if ('areaCode' in selection) return PHONE_INVENTORY.rows(sql, WITH_AREA_CODE, [...page, selection.areaCode]);
      if ('type' in selection) return PHONE_INVENTORY.rows(sql, WITH_TYPE, [...page, selection.type]);
      const { state, city } = selection;
      return city === undefined
        ? PHONE_INVENTORY.rows(sql, IN_STATE, [...page, state])
        : PHONE_INVENTORY.rows(sql, IN_CITY, [...page, state, city]);
    },
    async countries(product) {
      const found: CountryAndType[] = [];
      for (;;) {
        const { country = '', type = '' } = found.at(-1) ?? {};
        const next = await PHONE_INVENTORY.row(sql, NEXT[product], [country, type]);
        if (next === undefined) return found;
        found.push({ country: next.country, type: next.type });
      }
    },
    take: (numbers) => sql.run(TAKE, paddedNumbers(numbers)),
    async release(number) {
      await sql.run(RELEASE, [number]);
    },
  };
}

/** Returns the products for which a number can be ordered. */
export function productsOf(record: InventoryRecord): readonly PhoneNumberProductType[] {
  const { isBusinessCalling, isVoiceConnector, isSipDialIn } = record;
  return [
    ...(isBusinessCalling ? (['BusinessCalling'] as const) : []),
    ...(isVoiceConnector ? (['VoiceConnector'] as const) : []),
    ...(isSipDialIn ? (['SipMediaApplicationDialIn'] as const) : []),
  ];
}
