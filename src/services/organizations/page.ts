import { omitUndefined } from '#core/omit-undefined.ts';
import { type Page as KitPage, paging } from '../kit/page.ts';
import { invalidInput } from './refusals.ts';

/** Pagination members of a list request. */
interface PageRequest {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** Pagination member of a list response. */
interface PageRest {
  readonly NextToken?: string;
}

/** One page of a list. */
export type Page<Item> = KitPage<Item, PageRest>;

/**
 * Functions that return pages of lists in the format of Organizations. They throw InvalidInputException for an invalid
 * token.
 *
 * Source: organizations 2016-11-28: MaxResults is at most 20. Assumed: it defaults to 20.
 */
export const { pageOf, pageOfStored } = paging<PageRequest, PageRest>({
  defaultSize: 20,
  sizeOf: ({ MaxResults }) => MaxResults,
  tokenOf: ({ NextToken }) => NextToken,
  rest: (NextToken) => omitUndefined({ NextToken }),
  invalidToken: () => invalidInput('INVALID_NEXT_TOKEN', 'The provided value for NextToken is not valid.'),
});
