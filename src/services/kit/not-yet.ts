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

/**
 * An operation that no request can complete, because it needs something that this server does not have, such as the audio
 * of calls. The server authorizes the request and checks the resources that it names. Then it returns an error of the model.
 */
export interface Refused<Input = unknown> extends NotYet<Input> {
  readonly refused: true;
}

/** Returns the declaration of an operation that no request can complete. `docs/parity.md` lists these operations with a reason. */
export function refused<Input>(operation: DeclaredOperation<Input, never>): Refused<Input> {
  return { ...operation, notYet: true, refused: true };
}

/** Reports whether an operation of a table is not implemented. Includes the operations that the server refuses. */
export function isNotYet(operation: object): operation is NotYet {
  return 'notYet' in operation;
}

/** Reports whether no request can complete an operation of a table. */
export function isRefused(operation: object): operation is Refused {
  return 'refused' in operation;
}
