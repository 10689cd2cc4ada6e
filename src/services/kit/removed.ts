import { AwsError } from '#core/aws-error.ts';
import type { DeclaredOperation } from './operation.ts';

/**
 * Declaration of an operation that AWS removed from the classic service. It is authorized like any other, then returns an error that
 * refers to the other endpoints. It does not read its input.
 *
 * @throws ForbiddenException always
 *
 * Source: requirement CHM-7, the response to an account that was never enabled for these operations.
 * Assumed: the same response for the ten operations without a successor; authorization before this error.
 */
export const REMOVED: DeclaredOperation<unknown, never> = {
  async handle({ accountId }) {
    throw new AwsError(
      'ForbiddenException',
      `Account Id ${accountId} is not authorized to call deprecated Amazon Chime SDK API on the "chime" endpoint, use one of the "*-chime*" endpoints instead.`,
    );
  },
};
