import { omitUndefined } from '#core/omit-undefined.ts';
import { type Page as KitPage, paging } from '../kit/page.ts';
import { AwsError } from './errors.ts';

/** Pagination members of a list request. */
export interface PageRequest {
  readonly MaxItems?: number;
  readonly Marker?: string;
}

/** Pagination members of a list response. */
interface PageRest {
  readonly IsTruncated: boolean;
  readonly Marker?: string;
}

/** One page of a list. */
export type Page<Item> = KitPage<Item, PageRest>;

/**
 * Functions that return pages of lists in the format of IAM. An invalid marker is a ValidationError.
 *
 * A page of large items has fewer items than requested, and may be empty.
 *
 * Source: IAM API reference, ListUsers: MaxItems defaults to 100, Marker is returned only with IsTruncated. ListPolicies, MaxItems: "IAM
 * might return fewer than the MaxItems number of results, even when there are more results available."
 */
export const { pageOf, pageOfStored, afterKey, sizeOf, restAfter } = paging<PageRequest, PageRest>({
  defaultSize: 100,
  sizeOf: ({ MaxItems }) => MaxItems,
  tokenOf: ({ Marker }) => Marker,
  rest: (Marker) => omitUndefined({ IsTruncated: Marker !== undefined, Marker }),
  invalidToken: () => new AwsError('ValidationError', 'Invalid Marker.'),
});
