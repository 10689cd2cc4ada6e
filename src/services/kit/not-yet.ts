import { AwsError } from '#core/aws-error.ts';
import type { DeclaredOperation } from './operation.ts';

/** An operation that Belfry does not implement. It is authorized like any other, then returns an error. */
export interface NotYet<Input = unknown> extends DeclaredOperation<Input, never> {
  readonly notYet: true;
}

/** Returns the error of an operation that is not implemented. It is a 4xx error, so clients do not retry it. */
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
