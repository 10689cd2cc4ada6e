/** Lists of the phone numbers of an AWS account, with their filters. */
import type { PhoneNumberAssociationName, PhoneNumberProductType } from '#model/generated/chime.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { type NumberCall, statusOf } from './phone-numbers.ts';
import { badRequest } from './request-errors.ts';
import { type NumberRecord, phoneNumbers } from './tables/phone-numbers.ts';

/** Request of ListPhoneNumbers. */
export interface NumberListRequest extends PageRequest {
  readonly Status?: string;
  readonly ProductType?: PhoneNumberProductType;
  readonly FilterName?: PhoneNumberAssociationName;
  readonly FilterValue?: string;
}

/** Reads up to `limit` numbers in ascending order, starting after the number `after`. */
type ReadNumbers = (limit: number, after: string | undefined) => Promise<readonly NumberRecord[]>;

/** Statuses that the model has, and that no number of this server has. Source: chime-sdk-voice 2022-08-03, PhoneNumberStatus. */
const UNUSED: ReadonlySet<string> = new Set([
  'AcquireFailed',
  'ReleaseFailed',
  'DeleteFailed',
  'Cancelled',
  'PortinCancelRequested',
  'PortinInProgress',
]);

/**
 * Lists numbers in ascending order, also those in the deletion queue. Each combination of filters reads only the rows of its page.
 *
 * Assumed: the order; all filters together select a number that matches each of them.
 * @throws BadRequestException  only one of FilterName and FilterValue is present · the status is unknown · the token is invalid. Assumed: the
 *   code.
 */
export function listNumbers(call: NumberCall, request: NumberListRequest): Promise<Page<NumberRecord>> {
  const { Status = '', ProductType = '', FilterName = '', FilterValue = '' } = request;
  const scope = `ListPhoneNumbers ${call.accountId} ${Status} ${ProductType} ${FilterName} ${FilterValue}`;
  return pageOf(scope, request, readerOf(call, request), ({ number }) => number);
}

function readerOf({ tx, accountId, now }: NumberCall, { Status, ProductType, FilterName, FilterValue }: NumberListRequest): ReadNumbers {
  if ((FilterName === undefined) !== (FilterValue === undefined)) throw badRequest();
  const repository = tx.of(phoneNumbers);
  const ofProduct = ProductType === undefined ? {} : { productType: ProductType };
  if (FilterName !== undefined && FilterValue !== undefined) {
    // All numbers of one resource have the same status and the same product, so these filters select all or none.
    const read: ReadNumbers = (limit, after) => repository.associated(accountId, FilterName, FilterValue, limit, after);
    const matches = (each: NumberRecord) =>
      (Status === undefined || statusOf(each, now) === Status) && (ProductType === undefined || each.productType === ProductType);
    return async (limit, after) => {
      const found = await read(limit, after);
      return found.every(matches) ? found : [];
    };
  }
  switch (Status) {
    case undefined:
      return (limit, after) => repository.list(accountId, ofProduct, now, limit, after);
    case 'Unassigned':
    case 'Assigned':
    case 'ReleaseInProgress':
      return (limit, after) => repository.list(accountId, { state: Status, ...ofProduct }, now, limit, after);
    case 'AcquireInProgress':
      return pageIn(() => repository.acquiring(accountId, now), ProductType);
    case 'DeleteInProgress':
      return pageIn(() => repository.overdue(accountId, now), ProductType);
    default:
      if (!UNUSED.has(Status)) throw badRequest();
      return async () => [];
  }
}

/** Returns a reader of the pages of a short list. */
function pageIn(read: () => Promise<readonly NumberRecord[]>, productType: PhoneNumberProductType | undefined): ReadNumbers {
  return async (limit, after = '') =>
    (await read())
      .filter((each) => each.number > after && (productType === undefined || each.productType === productType))
      .sort((a, b) => (a.number < b.number ? -1 : 1))
      .slice(0, limit);
}
