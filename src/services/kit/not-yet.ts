import { AwsError } from '#core/aws-error.ts';
import { actionName, type ServiceName } from '#model/services.ts';
import type { Operation } from './operation.ts';

/** An operation that Belfry has not built. It is authorized like any other, then refused. */
export interface NotYet<Input = unknown> extends Operation<Input, never> {
  readonly notYet: true;
}

/** The error of an operation that is not built. It is a 4xx, which no client retries. */
export function notYetImplemented(operation: string): AwsError {
  return new AwsError('NotYetImplementedException', `${operation} is not implemented yet by Belfry.`);
}

/**
 * Stands in the table for an operation that is not built, so that what is missing is data: it is counted in `docs/parity.md`.
 *
 * @throws NotYetImplementedException always
 */
export function notYet(service: ServiceName, operation: string): NotYet {
  return {
    notYet: true,
    access: () => ({ action: actionName(service, operation), resources: ['*'] }),
    async handle() {
      throw notYetImplemented(operation);
    },
  };
}

/** Whether an operation of a table only holds the place. */
export function isNotYet(operation: object): operation is NotYet {
  return 'notYet' in operation;
}
