import { AwsError } from '#core/aws-error.ts';
import { actionName } from '#model/action-prefix.ts';
import type { ServiceName } from '#model/model.ts';
import type { Operation } from './operation.ts';

/** An operation that the model has and Belfry has not built: its permission is asked for like any other, then it is refused. */
export interface NotYet extends Operation<unknown, never> {
  readonly notYet: true;
}

/**
 * Stands in the table for an operation that is not built, so that what is missing is data: it is counted in `docs/parity.md`.
 *
 * @throws NotYetImplementedException always, as a 4xx, which no client tries again.
 */
export function notYet(service: ServiceName, operation: string): NotYet {
  return {
    notYet: true,
    access: () => ({ action: actionName(service, operation), resources: ['*'] }),
    async handle() {
      throw new AwsError('NotYetImplementedException', `${operation} is not implemented yet by Belfry.`);
    },
  };
}

/** Whether an operation of a table only holds the place. */
export function isNotYet(operation: object): operation is NotYet {
  return 'notYet' in operation;
}
