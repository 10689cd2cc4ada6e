/** Lists of findings, with filters and orders. */
import type { FindingStatus, SortCriteria } from '#model/generated/accessanalyzer.ts';
import type { Call } from '../../kit/operation.ts';
import { invalidField } from '../kit/errors.ts';
import { type PageRequest, pageSize, placeIn, tokenAt } from '../kit/pages.ts';
import type { AnalyzerRecord, Filter } from '../tables/analyzers.ts';
import { type FindingRange, type FindingRecord, findings, ORDERS, type Order } from '../tables/findings.ts';
import { matches, onlyValue, validateFilter } from './filters.ts';

/**
 * Maximum number of findings that one page reads to find those that the filter selects. After these, the page ends early and has a token. Then it
 * has fewer results than requested, and can be empty.
 */
export const READ_MAX = 2_000;
const READ_AT_ONCE = 200;

/** Input of a list of findings. */
interface ListRequest extends PageRequest {
  readonly filter?: Filter;
  readonly sort?: SortCriteria;
}

/**
 * Returns a page of the findings of an analyzer. Criteria for one status or one resource select rows of an index. Other criteria are compared with
 * each finding that the page reads.
 *
 * @throws ValidationException  the filter, the order, the token or the number of results is invalid
 */
export async function findingPage(
  { tx }: Pick<Call, 'tx'>,
  { analyzerId }: AnalyzerRecord,
  { filter = {}, sort = {}, ...request }: ListRequest,
): Promise<{ readonly page: readonly FindingRecord[]; readonly rest: { readonly nextToken?: string } }> {
  validateFilter(filter, 'list');
  const list = ['findings', analyzerId, filter, sort];
  const size = pageSize(request);
  const selected = selectionOf(filter, sort);
  const { member, tieMember } = ORDERS[selected.order];
  let after = placeOf(selected.order, placeIn(list, request));
  const page: FindingRecord[] = [];
  for (let read = 0; read < READ_MAX; ) {
    const batch = await tx.of(findings).list({ analyzerId, ...selected, after }, READ_AT_ONCE);
    read += batch.length;
    for (const finding of batch) {
      if (matches(filter, finding)) {
        // One more than requested shows that another page follows.
        if (page.length === size) return { page, rest: tokenAt(list, after) };
        page.push(finding);
      }
      after = [finding[member], finding[tieMember]];
    }
    if (batch.length < READ_AT_ONCE) return { page, rest: {} };
  }
  return { page, rest: tokenAt(list, after) };
}

const STATUSES: ReadonlySet<string> = new Set<FindingStatus>(['ACTIVE', 'ARCHIVED', 'RESOLVED']);

/**
 * Returns the range of a list. A list of one resource is in the order of its findings, and a list of one status can be in the order of changes.
 * Other orders have an index of all findings.
 */
function selectionOf(filter: Filter, { attributeName = 'updatedAt', orderBy }: SortCriteria): Omit<FindingRange, 'analyzerId' | 'after'> {
  const order = orderOf(attributeName);
  const descending = (orderBy ?? (attributeName === 'updatedAt' ? 'DESC' : 'ASC')) === 'DESC';
  const resource = onlyValue(filter, 'resource');
  if (resource !== undefined && order === 'resource') return { order, descending, resource };
  const status = onlyValue(filter, 'status');
  if (status !== undefined && STATUSES.has(status) && order === 'updatedAt') return { order, descending, status: status as FindingStatus };
  return { order, descending };
}

/**
 * Returns the order for the name of an attribute.
 *
 * @throws ValidationException  the server has no index for the attribute
 * Assumed: the names, because the model does not list them; case does not matter; the default is the time of the last change, the newest first.
 */
function orderOf(attributeName: string): Order {
  const order = (Object.keys(ORDERS) as Order[]).find((each) => each.toLowerCase() === attributeName.toLowerCase());
  if (order !== undefined) return order;
  const names = Object.keys(ORDERS).join(', ');
  throw invalidField('sort', `Cannot sort by '${attributeName.slice(0, 128)}'. Findings can be sorted by ${names}.`);
}

function placeOf(order: Order, place: readonly (string | number)[] | undefined): FindingRange['after'] {
  if (place === undefined) return undefined;
  const [value, tie] = place;
  const isNumber = order === 'createdAt' || order === 'updatedAt';
  if (place.length !== 2 || typeof value !== (isNumber ? 'number' : 'string') || typeof tie !== 'string')
    throw invalidField('nextToken', 'Invalid nextToken.');
  return [value as string | number, tie];
}
