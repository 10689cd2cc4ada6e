import { omitUndefined } from '#core/omit-undefined.ts';
import { paging } from '../kit/page.ts';
import { invalidToken } from './errors.ts';

interface PageRequest {
  readonly limit?: number;
  readonly nextToken?: string;
}

/** Pages of lists. Source: logs 2014-03-28, DescribeLogGroups, limit: at most 50, which is the default. */
export const { pageOf, pageOfStored, afterKey, sizeOf, restAfter } = paging<PageRequest, { readonly nextToken?: string }>({
  defaultSize: 50,
  sizeOf: ({ limit }) => limit,
  tokenOf: ({ nextToken }) => nextToken,
  rest: (nextToken) => omitUndefined({ nextToken }),
  invalidToken,
});
