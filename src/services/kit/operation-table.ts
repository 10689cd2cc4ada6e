import type { Apis } from '#model/generated/apis.ts';
import { loadModel } from '#model/load.ts';
import { notYet } from './not-yet.ts';
import type { Operation } from './operation.ts';
import { removed } from './removed.ts';

/** `ServiceOperations` of a service that is given by name. */
export type OperationTable<Service extends keyof Apis> = {
  readonly [Name in keyof Apis[Service]]: Apis[Service][Name] extends { readonly input: infer Input; readonly output: infer Output }
    ? Operation<Input, Output>
    : never;
};

/**
 * The table of a service, with every operation of its model: the built ones as given, `notYet` for the rest, and each that takes a role
 * asking for iam:PassRole; besides them what the service had once, as `removed`. It has no prototype, so a name from a request finds an operation or nothing.
 */
export function operationTable<Service extends keyof Apis>(
  service: Service,
  built: Partial<OperationTable<Service>>,
): OperationTable<Service> {
  const given = built as Readonly<Record<string, Operation<unknown, unknown> | undefined>>;
  const model = loadModel(service);
  const unknown = Object.keys(given).filter((name) => !(name in model.operations));
  if (unknown.length > 0) throw new Error(`${service} has no operation ${unknown.join(', ')}`);

  const table: Record<string, object> = Object.create(null);
  for (const name of Object.keys(model.operations)) table[name] = given[name] ?? notYet(service, name);
  for (const name of Object.keys(model.removed)) table[name] = removed(service, name);
  return table as OperationTable<Service>;
}
