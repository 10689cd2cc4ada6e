import { AwsError, type CommonErrorCode } from '#core/aws-error.ts';
import type { ErrorCodes } from '#model/generated/apis.ts';

/** Constructor of errors with the codes of one service. */
export type ServiceErrorConstructor<Code extends string> = new (
  code: Code | CommonErrorCode,
  message: string,
  members?: Readonly<Record<string, unknown>>,
) => AwsError;

/**
 * Returns `AwsError` with a constructor that accepts only the error codes of a service's model and the codes that all
 * services share. `More` are codes that the service returns although its model omits them.
 *
 *     export const AwsError = serviceError<'iam'>();
 */
export function serviceError<Service extends keyof ErrorCodes, More extends string = never>(): ServiceErrorConstructor<
  ErrorCodes[Service] | More
> {
  return AwsError;
}
