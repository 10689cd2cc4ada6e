import type { Apis } from '#model/generated/apis.ts';
import { loadModel } from '#model/load.ts';
import { actionName, type ServiceName } from '#model/services.ts';
import { notYet } from './not-yet.ts';
import type { Access, DeclaredAccess, DeclaredOperation, Operation } from './operation.ts';
import { REMOVED } from './removed.ts';

/** All operations of a service. */
export type OperationTable<Service extends keyof Apis> = {
  readonly [Name in keyof Apis[Service]]: Apis[Service][Name] extends { readonly input: infer Input; readonly output: infer Output }
    ? Operation<Input, Output>
    : never;
};

/** Declarations of some operations of a service. */
export type DeclaredOperations<Service extends keyof Apis> = {
  readonly [Name in keyof Apis[Service]]?: Apis[Service][Name] extends { readonly input: infer Input; readonly output: infer Output }
    ? DeclaredOperation<Input, Output>
    : never;
};

/**
 * Declared names that are not operations in the model of the service. The compiler rejects such names, even if the
 * declarations come from other tables through spread syntax.
 */
type Unknown<Service extends keyof Apis, Declared> = { readonly [Name in Exclude<keyof Declared, keyof Apis[Service]>]: never };

/**
 * Returns the table of a service, with every operation of its model. An `access` that does not name an action requires
 * the operation's own action. Operations that `declared` omits are `notYet`. Operations that AWS removed from the
 * service are `REMOVED`. The table has no prototype, so a lookup by a name from a request finds only operations.
 *
 * @throws Error  a declared operation is not in the model
 */
export function operationTable<Service extends keyof Apis, Declared extends DeclaredOperations<Service>>(
  service: Service,
  declared: Declared & Unknown<Service, Declared>,
): OperationTable<Service> {
  const operations = declared as Readonly<Record<string, DeclaredOperation<unknown, unknown> | undefined>>;
  const model = loadModel(service);
  const unknown = Object.keys(operations).filter((name) => !(name in model.operations));
  if (unknown.length > 0) throw new Error(`unknown operations of ${service}: ${unknown.join(', ')}`);

  const table: Record<string, object> = Object.create(null);
  for (const name of Object.keys(model.operations)) {
    table[name] = completeOperation(service, name, operations[name] ?? notYet(name));
  }
  for (const name of Object.keys(model.removed)) table[name] = completeOperation(service, name, REMOVED);
  return table as OperationTable<Service>;
}

/** Returns a declared operation with the operation's own action in each `access` that omits an action. */
function completeOperation<Input, Output>(
  service: ServiceName,
  name: string,
  operation: DeclaredOperation<Input, Output>,
): Operation<Input, Output> {
  const action = actionName(service, name);
  const complete = (access: DeclaredAccess): Access => (access.action === undefined ? { ...access, action } : (access as Access));
  const { access: declared } = operation;
  if (declared === undefined) return { ...operation, access: () => ({ action, resources: ['*'] }) };
  return {
    ...operation,
    access(input, caller) {
      const access = declared(input, caller);
      return isList(access) ? access.map(complete) : complete(access);
    },
  };
}

function isList(access: DeclaredAccess | readonly DeclaredAccess[]): access is readonly DeclaredAccess[] {
  return Array.isArray(access);
}
