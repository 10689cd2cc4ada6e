/** Buckets for call detail records, as the settings of an AWS account name them. */
import type { Call } from '../kit/operation.ts';
import type { OwnedBuckets } from '../kit/owned-buckets.ts';
import { badRequest } from './request-errors.ts';

/**
 * Checks that buckets belong to the caller's AWS account. Absent ones are skipped.
 *
 * Assumed: the rule and the code. Without the rule, the delivery of each record would fail later.
 * @throws BadRequestException  a bucket does not exist in this AWS account
 */
export async function requireOwnBuckets(
  { tx, accountId }: Pick<Call, 'tx' | 'accountId'>,
  { owns }: Pick<OwnedBuckets, 'owns'>,
  ...buckets: readonly (string | undefined)[]
): Promise<void> {
  for (const bucket of buckets) if (bucket !== undefined && !(await owns(tx, accountId, bucket))) throw badRequest();
}
