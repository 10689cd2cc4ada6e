/**
 * The operations that AWS removed from `chime` and that another service of Chime has today. They run the operations of these services, the
 * successors, with the inputs, outputs, permissions and error codes of the classic service (Decision 0036).
 */
import { loadLegacyModel } from '#model/load.ts';
import type { ServiceName } from '#model/services.ts';
import { serviceOfTaggedArn } from '#wire/tagged-resource.ts';
import { isNotYet, isRefused } from '../../kit/not-yet.ts';
import type { Access, Operation } from '../../kit/operation.ts';
import { adapterOf } from './adapters.ts';
import { classicError } from './successor-errors.ts';

type AnyOperation = Operation<unknown, unknown>;
type Table = Readonly<Record<string, AnyOperation>>;

/** Services that have the operations today. */
export const SUCCESSORS: readonly ServiceName[] = [...new Set(Object.values(loadLegacyModel().successors ?? {}).flat())];

/**
 * Returns the removed operations that have a successor, by name. `tableOf` returns the operations of a successor.
 *
 * An operation requires the permissions of its successor in the profile `classic`: first its own action on `*`. A call shows with `legacy`
 * that its operation was removed. An operation whose successor is not implemented or refused is not implemented or refused either.
 */
export function legacyOperations(tableOf: (service: ServiceName) => Table): Table {
  const operations: Record<string, AnyOperation> = Object.create(null);
  for (const [name, services] of Object.entries(loadLegacyModel().successors ?? {})) {
    operations[name] = legacyOperation(name, services, tableOf);
  }
  return operations;
}

function legacyOperation(name: string, services: readonly ServiceName[], tableOf: (service: ServiceName) => Table): AnyOperation {
  const adapt = adapterOf(name);
  const [first] = services as readonly [ServiceName, ...ServiceName[]];
  const successorOf = (input: unknown): Table => tableOf(services.length === 1 ? first : taggedService(services, input));
  const operation: AnyOperation = {
    access: (input, caller) => {
      try {
        const access = (successorOf(input)[name] as AnyOperation).access(input, { ...caller, legacy: true });
        return isList(access) ? access : [access];
      } catch (thrown) {
        throw classicError(thrown);
      }
    },
    async handle(call, input) {
      const successor = successorOf(input);
      const context = { ...call, legacy: true as const };
      try {
        const adapted = await adapt(input as Readonly<Record<string, unknown>>, context, successor);
        return await (successor[name] as AnyOperation).handle(context, adapted);
      } catch (thrown) {
        throw classicError(thrown);
      }
    },
  };
  const own = tableOf(first)[name] as AnyOperation;
  return {
    ...operation,
    ...(isNotYet(own) && { notYet: true as const }),
    ...(isRefused(own) && { refused: true as const }),
  };
}

/** Returns the service that has the tags of the resource in an input. Unknown ARNs are those of meetings, which are then not found. */
function taggedService(services: readonly ServiceName[], input: unknown): ServiceName {
  const service = serviceOfTaggedArn(String((input as { readonly ResourceARN?: unknown }).ResourceARN));
  return service !== undefined && services.includes(service) ? service : 'chime-sdk-meetings';
}

function isList(access: Access | readonly Access[]): access is readonly Access[] {
  return Array.isArray(access);
}
