import { AwsError } from '#core/aws-error.ts';
import type { DeclaredOperation } from './operation.ts';

/**
 * Declaration of an operation that AWS removed from the service `chime`. The server authorizes the request. Then it
 * returns an error that refers the client to the endpoints of the Chime SDK. The operation does not read its input.
 *
 * @throws ForbiddenException always
 *
 * Source: requirement CHM-7, the response to an account that was never enabled for these operations.
 * Assumed: (1) the ten operations without a successor return the same response. (2) AWS authorizes the request before
 * it returns this error.
 */
export const REMOVED: DeclaredOperation<unknown, never> = {
  async handle({ accountId }) {
    throw new AwsError(
      'ForbiddenException',
      `Account Id ${accountId} is not authorized to call deprecated Amazon Chime SDK API on the "chime" endpoint, use one of the "*-chime*" endpoints instead.`,
    );
  },
};
