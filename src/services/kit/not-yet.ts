import { AwsError } from '#core/aws-error.ts';
import type { DeclaredOperation } from './operation.ts';

/** An operation that Belfry does not implement. The server authorizes the request, then returns an error. */
export interface NotYet<Input = unknown> extends DeclaredOperation<Input, never> {
  readonly notYet: true;
}

/**
 * Returns the error of an operation that is not implemented. The status of the error is 4xx, so clients do not retry
 * the request.
 */
export function notYetImplemented(operation: string): AwsError {
  return new AwsError('NotYetImplementedException', `${operation} is not implemented yet by Belfry.`);
}

/**
 * Returns the declaration of an operation that is not implemented. `docs/parity.md` counts these operations.
 *
 * @throws NotYetImplementedException always
 */
export function notYet(operation: string): NotYet {
  return {
    notYet: true,
    async handle() {
      throw notYetImplemented(operation);
    },
  };
}

/** Reports whether an operation of a table is not implemented. */
export function isNotYet(operation: object): operation is NotYet {
  return 'notYet' in operation;
}
