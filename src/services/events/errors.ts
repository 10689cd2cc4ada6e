import type { AwsError as AnyError } from '#core/aws-error.ts';
import { serviceError } from '../kit/service-error.ts';

/** Error with a code of the model of EventBridge, or a common code. */
export const AwsError = serviceError<'events'>();
/** Error with any code. */
export type AwsError = AnyError;

/** Returns the error for an invalid request. The response has the code `ValidationException`. */
export function invalid(message: string): AnyError {
  return new AwsError('ValidationError', message);
}

/** Returns the error for a parameter with an invalid value. */
export function invalidParameter(name: string, reason: string): AnyError {
  return invalid(`Parameter ${name} is not valid. Reason: ${reason}`);
}

/**
 * Returns the error for an ARN that an operation does not accept.
 *
 * Source: moto, tests of PutTargets; users' reports of PutTargets with the ARN of a Glue job.
 */
export function invalidArn(arn: string): AnyError {
  return invalidParameter(arn, 'Provided Arn is not in correct format.');
}

/** Returns the error for an unknown bus. Source: LocalStack, snapshots of its tests on AWS. */
export function noBus(busName: string): AnyError {
  return new AwsError('ResourceNotFoundException', `Event bus ${busName} does not exist.`);
}

/** Returns the error for an unknown rule. Source: LocalStack, snapshots of its tests on AWS. */
export function noRule(ruleName: string, busName: string): AnyError {
  return new AwsError('ResourceNotFoundException', `Rule ${ruleName} does not exist on EventBus ${busName}.`);
}

/** Returns the error for a reached quota. Source: LocalStack, snapshots of its tests on AWS. */
export function limitExceeded(): AnyError {
  return new AwsError('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
}

/**
 * Refuses a KMS key, because this server has none. Nothing is encrypted with a key of the customer.
 *
 * Assumed: the message.
 */
export function refuseKey(key: string | undefined): void {
  if (key !== undefined && key !== '') throw invalid('Parameter KmsKeyIdentifier is not valid. Reason: Belfry has no KMS keys.');
}
