import type { AwsError as AnyError } from '#core/aws-error.ts';
import { serviceError } from '../kit/service-error.ts';

/** Error with a code of the model of CloudWatch Logs, or a common code. */
export const AwsError = serviceError<'logs'>();

/** Returns the error for an invalid parameter. */
export function invalidParameter(message: string): AnyError {
  return new AwsError('InvalidParameterException', message);
}

/** Source: events.md §5, recorded. */
export function invalidToken(): AnyError {
  return invalidParameter('The specified nextToken is invalid.');
}

/** Source: events.md §5, recorded. */
export function noSuchGroup(): AnyError {
  return new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
}

/** Source: moto's tests, recorded on AWS. */
export function noSuchStream(): AnyError {
  return new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
}

/** Source: public error reports for PutMetricFilter and PutResourcePolicy. */
export function limitExceeded(): AnyError {
  return new AwsError('LimitExceededException', 'Resource limit exceeded.');
}
