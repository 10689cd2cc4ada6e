/** Import of phone numbers into the inventory. */
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { PhoneNumberCapabilities } from '#model/generated/chime.ts';
import type { Tx } from '#store/store.ts';
import { IMPORT_COLUMNS, type ImportRow } from './inventory-columns.ts';
import { type InventoryRecord, phoneInventory } from './tables/phone-inventory.ts';

/** Longest field. */
const FIELD_MAX = 200;
const PRODUCTS = ['BusinessCalling', 'VoiceConnector', 'SipMediaApplicationDialIn'];
const CAPABILITIES = ['InboundCall', 'OutboundCall', 'InboundSMS', 'OutboundSMS', 'InboundMMS', 'OutboundMMS'] as const;
/** Source: chime 2018-05-01, TollFreePrefix. */
const TOLL_FREE = /^8(?:00|33|44|55|66|77|88)$/;

/** Effect of an import on one line. `problem` says why it is not imported. */
export type Imported = 'added' | 'changed' | 'unchanged' | { readonly problem: string };

/**
 * Adds a number to the inventory, or changes a free number. With `isPreview`, returns the same result and changes nothing. The same line
 * again is `unchanged`.
 */
export async function importNumber(tx: Tx, now: Instant, row: ImportRow, isPreview: boolean): Promise<Imported> {
  const read = toInventory(row, now);
  if (typeof read === 'string') return { problem: read };
  const inventory = tx.of(phoneInventory);
  const before = await inventory.get(read.number);
  const record = before === undefined ? read : { ...read, isFree: before.isFree, importedAt: before.importedAt };
  if (before !== undefined && isSame(before, record)) return 'unchanged';
  if (before?.isFree === false) return { problem: `number '${read.number}' belongs to an account, so its data cannot change` };
  if (!isPreview) await inventory.put(record);
  return before === undefined ? 'added' : 'changed';
}

function isSame(one: InventoryRecord, other: InventoryRecord): boolean {
  const textOf = (record: InventoryRecord) => JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
  return textOf(one) === textOf(other);
}

/** Returns the record of a line, or its problem. Source of the rules on products: Chime API reference, PhoneNumberProductType. */
function toInventory(row: ImportRow, now: Instant): InventoryRecord | string {
  const long = IMPORT_COLUMNS.find((column) => (row[column] ?? '').length > FIELD_MAX);
  if (long !== undefined) return `'${long}' is longer than ${FIELD_MAX} characters`;
  const { number = '', country = '', type = '', products = '', capabilities = '' } = row;
  if (!/^\+[1-9]\d{6,14}$/.test(number)) return `number '${number}' is invalid; it must be in E.164 format, such as +12065550100`;
  if (!/^[A-Z]{2}$/.test(country)) return `country '${country}' is invalid; it must be a code of two letters, such as US`;
  if (type !== 'Local' && type !== 'TollFree') return `type '${type}' is invalid (types: Local, TollFree)`;
  const wanted = wordsOf(products);
  const unknown = wanted.find((each) => !PRODUCTS.includes(each));
  if (wanted.length === 0 || unknown !== undefined) return `products '${products}' are invalid (products: ${PRODUCTS.join(', ')})`;
  if (type === 'TollFree' && wanted.includes('BusinessCalling')) return 'a toll-free number cannot have the product BusinessCalling';
  if (country !== 'US' && wanted.some((each) => each !== 'SipMediaApplicationDialIn'))
    return 'a number outside of the US can only have the product SipMediaApplicationDialIn';
  const able = wordsOf(capabilities);
  if (able.some((each) => !(CAPABILITIES as readonly string[]).includes(each)))
    return `capabilities '${capabilities}' are invalid (capabilities: ${CAPABILITIES.join(', ')})`;
  const place = country === 'US' ? placeInUs(row, type) : placeElsewhere(row);
  if (typeof place === 'string') return place;
  return {
    ...{ number, country, type, isFree: true, importedAt: now },
    isBusinessCalling: wanted.includes('BusinessCalling'),
    isVoiceConnector: wanted.includes('VoiceConnector'),
    isSipDialIn: wanted.includes('SipMediaApplicationDialIn'),
    // A line without capabilities has all.
    capabilities: Object.fromEntries(
      CAPABILITIES.map((each) => [each, able.length === 0 || able.includes(each)]),
    ) as PhoneNumberCapabilities,
    ...place,
  };
}

type Place = Pick<InventoryRecord, 'areaCode' | 'state' | 'city'>;

function placeInUs(row: ImportRow, type: 'Local' | 'TollFree'): Place | string {
  const { number = '' } = row;
  const [state, city] = [textOf(row.state)?.toUpperCase(), textOf(row.city)?.toLowerCase()];
  const [, areaCode] = /^\+1([2-9]\d\d)\d{7}$/.exec(number) ?? [];
  if (areaCode === undefined) return `number '${number}' is not a number of the US; it must have 10 digits after +1`;
  const named = textOf(row.area_code);
  if (named !== undefined && named !== areaCode) return `area_code '${named}' is not that of number '${number}'`;
  if ((type === 'TollFree') !== TOLL_FREE.test(areaCode)) return `type '${type}' is not that of the area code '${areaCode}'`;
  if (type === 'TollFree' && (state ?? city) !== undefined) return 'a toll-free number has no state and no city';
  if (state !== undefined && !/^[A-Z]{2}$/.test(state)) return `state '${state}' is invalid; it must be a code of two letters, such as WA`;
  if (city !== undefined && state === undefined) return 'a city needs its state';
  return omitUndefined({ areaCode, state, city });
}

function placeElsewhere({ area_code, state, city }: ImportRow): Place | string {
  const hasPlace = [area_code, state, city].some((each) => textOf(each) !== undefined);
  return hasPlace ? 'only numbers of the US have area_code, state and city' : {};
}

function textOf(field: string | undefined): string | undefined {
  return field === '' ? undefined : field;
}

function wordsOf(field: string): readonly string[] {
  return field.split(' ').filter((each) => each !== '');
}
