import { AwsError } from '#core/aws-error.ts';
import { actionName, type ServiceName } from '#model/services.ts';
import type { Operation } from './operation.ts';

/**
 * Stands in the table of the classic service for an operation it has no more: its permission is asked for like any other, then its caller is
 * told that it lives at another endpoint. Its input is not read.
 *
 * @throws ForbiddenException always
 *
 * Source: requirement CHM-7, the answer to an account that was never enabled for these operations.
 * Assumed: the same answer for the ten without a successor, and permission before the account's gate.
 */
export function removed(service: ServiceName, operation: string): Operation<unknown, never> {
  return {
    access: () => ({ action: actionName(service, operation), resources: ['*'] }),
    async handle({ accountId }) {
      throw new AwsError(
        'ForbiddenException',
        `Account Id ${accountId} is not authorized to call deprecated Amazon Chime SDK API on the "chime" endpoint, use one of the "*-chime*" endpoints instead.`,
      );
    },
  };
}
