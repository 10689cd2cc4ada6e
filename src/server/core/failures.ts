/** Trail records of requests that failed, and the errors that their clients get. */
import { Unauthenticated } from '#access/authenticate.ts';
import { Denied } from '#access/denied.ts';
import { AwsError } from '#core/aws-error.ts';
import { LastingRefusal } from '#services/kit/operation.ts';
import type { Store } from '#store/store.ts';
import { StoreUnwritable } from '#store/unwritable.ts';
import type { Facts, Outcome, RequestRecords } from './request-records.ts';
import type { UnrecordedParts } from './unrecorded-reads.ts';

export interface FailureParts extends Pick<UnrecordedParts, 'gap' | 'report'> {
  readonly store: Pick<Store, 'transaction'>;
}

/**
 * Creates the function that records a request that failed. It returns the error for the client: the thrown AwsError, InternalFailure for a
 * bug of this server, or ServiceUnavailable if the failure could not be recorded.
 */
export function failureRecorder(
  { store, report, gap }: FailureParts,
  { isRecorded, accountOf, append }: RequestRecords,
): (facts: Facts, thrown: unknown) => Promise<AwsError> {
  return async (facts, thrown) => {
    const { requestId } = facts.request;
    const refuse = (outcome: Outcome): AwsError => {
      gap.count(accountOf(facts, outcome), 'refused');
      return unavailable();
    };
    if (thrown instanceof StoreUnwritable) return refuse({});
    const error = thrown instanceof AwsError ? thrown : internalFailure();
    if (error !== thrown) report(requestId, thrown);
    const outcome: Outcome = {
      error,
      denied: thrown instanceof Denied ? thrown : undefined,
      claimed: thrown instanceof Unauthenticated ? thrown.claimed : facts.claimed,
    };
    const lasting = thrown instanceof LastingRefusal ? thrown.lasting : undefined;
    // A request that is only counted, for a later summary record, needs no transaction.
    const recorded = isRecorded(facts, outcome);
    if (!recorded && lasting === undefined) return error;
    if (gap.isOpen()) return refuse(outcome);
    try {
      await store.transaction(async (tx) => {
        await lasting?.(tx);
        if (recorded) await append(tx, facts, outcome);
      });
      return error;
    } catch (failure) {
      if (failure instanceof StoreUnwritable) gap.open(failure);
      else report(requestId, failure);
      return refuse(outcome);
    }
  };
}

/** Returns the error for a request that the server cannot authorize or record at the moment. */
export function unavailable(): AwsError {
  return new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
}

function internalFailure(): AwsError {
  return new AwsError('InternalFailure', 'The request processing has failed because of an unknown error, exception or failure.');
}
