import { AwsError } from '#core/aws-error.ts';

/**
 * Codes of the classic service for errors that only its successors have. The classic service has the other codes of its successors too.
 *
 * Source: errors of the removed operations in chime 2018-05-01. Assumed: which code replaces which.
 */
const CLASSIC_CODES: ReadonlyMap<string, string> = new Map([
  ['LimitExceededException', 'ResourceLimitExceededException'],
  ['ThrottlingException', 'ThrottledClientException'],
  ['UnauthorizedException', 'UnauthorizedClientException'],
  ['ResourceNotFoundException', 'NotFoundException'],
  ['TooManyTagsException', 'BadRequestException'],
  ['GoneException', 'NotFoundException'],
]);

/** Returns the error of the classic service for what a successor threw. Returns everything that has no other code as it is. */
export function classicError(thrown: unknown): unknown {
  if (!(thrown instanceof AwsError)) return thrown;
  const code = CLASSIC_CODES.get(thrown.code);
  return code === undefined ? thrown : new AwsError(code, thrown.message);
}
