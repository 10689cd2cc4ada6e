/** Search in the inventory of phone numbers. Amazon Chime and Chime SDK Voice share it. */
import type { PhoneNumberCountry, PhoneNumberProductType, PhoneNumberType } from '#model/generated/chime.ts';
import { keyOfToken, type PageRequest, tokenOf } from './page.ts';
import type { NumberCall } from './phone-numbers.ts';
import { badRequest } from './request-errors.ts';
import { type InventoryRecord, type InventorySelection, phoneInventory } from './tables/phone-inventory.ts';

/** Request of SearchAvailablePhoneNumbers. */
export interface SearchRequest extends PageRequest {
  readonly AreaCode?: string;
  readonly City?: string;
  readonly Country?: string;
  readonly State?: string;
  readonly TollFreePrefix?: string;
  readonly PhoneNumberType?: PhoneNumberType;
}

/** Default page size. Source: the recorded response of SearchAvailablePhoneNumbers, by its length. */
const PAGE_RESULTS = 100;
/** Numbers that a search with several filters reads for one page, and numbers of one statement. A page with few matches ends early. */
const SCANNED = { most: 1_000, atOnce: 250 } as const;
/** Country with an own set of filters, and the default. Source: Chime API reference, SearchAvailablePhoneNumbers. Assumed: the default. */
const US = 'US';

/**
 * Finds numbers that no AWS account has, in ascending order. A page can have fewer numbers than requested although more follow.
 *
 * Source: Chime API reference, SearchAvailablePhoneNumbers: in the US, at least one of AreaCode, State, City with State, and TollFreePrefix;
 * in other countries, PhoneNumberType, which is the only filter there. Assumed: the case of City and State does not matter.
 * @throws BadRequestException  the filters do not fit the country · the token is invalid
 */
export async function searchNumbers(
  { tx }: NumberCall,
  request: SearchRequest,
): Promise<{ E164PhoneNumbers: string[]; NextToken?: string }> {
  const { selection, matches } = selectionOf(request);
  const { NextToken, MaxResults = PAGE_RESULTS } = request;
  const { AreaCode = '', City = '', Country = US, State = '', TollFreePrefix = '', PhoneNumberType = '' } = request;
  const scope = `SearchAvailablePhoneNumbers ${[Country, AreaCode, State, City, TollFreePrefix, PhoneNumberType].join('|')}`;
  const found: string[] = [];
  let after = NextToken === undefined ? undefined : keyOfToken(scope, NextToken);
  for (let read = 0; read < SCANNED.most; ) {
    const limit = Math.min(MaxResults + 1 - found.length, SCANNED.atOnce);
    const batch = await tx.of(phoneInventory).free(selection, limit, after);
    for (const record of batch) {
      if (found.length === MaxResults) return { E164PhoneNumbers: found, NextToken: tokenOf(scope, after as string) };
      if (matches(record)) found.push(record.number);
      after = record.number;
    }
    if (batch.length < limit) return { E164PhoneNumbers: found };
    read += batch.length;
  }
  return { E164PhoneNumbers: found, NextToken: tokenOf(scope, after as string) };
}

/** Returns the filter with an index, and a function that checks all filters. */
function selectionOf(request: SearchRequest): {
  readonly selection: InventorySelection;
  readonly matches: (record: InventoryRecord) => boolean;
} {
  const { AreaCode, TollFreePrefix, PhoneNumberType, Country: country = US } = request;
  const [state, city] = [request.State?.toUpperCase(), request.City?.toLowerCase()];
  if (country !== US) {
    const hasOther = [AreaCode, state, city, TollFreePrefix].some((each) => each !== undefined);
    if (PhoneNumberType === undefined || hasOther) throw badRequest();
    return { selection: { country, type: PhoneNumberType }, matches: () => true };
  }
  if (city !== undefined && state === undefined) throw badRequest();
  const matches = (record: InventoryRecord) =>
    (AreaCode === undefined || record.areaCode === AreaCode) &&
    (TollFreePrefix === undefined || (record.type === 'TollFree' && record.areaCode === TollFreePrefix)) &&
    (state === undefined || record.state === state) &&
    (city === undefined || record.city === city) &&
    (PhoneNumberType === undefined || record.type === PhoneNumberType);
  const areaCode = TollFreePrefix ?? AreaCode;
  if (areaCode !== undefined) return { selection: { country, areaCode }, matches };
  if (state === undefined) throw badRequest();
  return { selection: { country, state, ...(city !== undefined && { city }) }, matches };
}

/**
 * Returns the countries of the inventory for a product, with the types of their numbers. Assumed: countries whose numbers are all taken are
 * listed too.
 */
export async function supportedCountries({ tx }: NumberCall, product: PhoneNumberProductType): Promise<readonly PhoneNumberCountry[]> {
  const pairs = await tx.of(phoneInventory).countries(product);
  return [...Map.groupBy(pairs, ({ country }) => country)].map(([CountryCode, those]) => ({
    CountryCode,
    SupportedPhoneNumberTypes: those.map(({ type }) => type),
  }));
}
