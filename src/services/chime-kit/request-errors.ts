/** Errors that Amazon Chime and Chime SDK Voice return with one message for many causes. */
import { AwsError } from '#core/aws-error.ts';

/**
 * Returns the error for a request that contradicts the type or the state of its subject. Source: chime.md §7: the service returns this message
 * with every BadRequest. Only operations that AWS does not have give a reason instead.
 */
export function badRequest(reason = BAD_REQUEST): AwsError {
  return new AwsError('BadRequestException', reason);
}

export const BAD_REQUEST = 'Service received a bad request';

/** Returns the error for something that exists already. */
export function conflict(): AwsError {
  return new AwsError('ConflictException', CONFLICT);
}

/** Source: CloudTrail example of the Administration Guide. */
export const CONFLICT = 'Request could not be completed due to a conflict';

/** Returns the error for a quota. */
export function limitExceeded(): AwsError {
  return new AwsError('ResourceLimitExceededException', LIMIT_EXCEEDED);
}

/** Source: chime 2018-05-01: the sentence of the exception. Assumed: it is the message. */
export const LIMIT_EXCEEDED = 'The request exceeds the resource limit.';
