import { loadModel } from '#model/load.ts';
import type { Member, OperationModel, ServiceModel } from '#model/model.ts';
import { SDK_SERVICES } from '../kit/clients.ts';
import type { Keys } from '../kit/keys.ts';
import { inputFor, operationsOf } from '../sdk/every-operation.ts';
import type { Recorder } from './recorder.ts';

/**
 * Calls every operation that the clients have, in ways that require no existing resources:
 *
 * - without a signature, and with a wrong secret
 * - as a user without permissions
 * - with a valid input, and with each constraint of its members violated once
 */
export async function callEveryOperation(recorder: Recorder, guest: Keys): Promise<void> {
  for (const service of SDK_SERVICES) {
    const model = loadModel(service);
    for (const operation of operationsOf(service)) {
      const input = inputFor(service, operation, recorder.accountId) as Record<string, unknown>;
      await recorder.call(service, operation.name, input, 'unsigned');
      await recorder.call(service, operation.name, input, 'forged');
      await recorder.call(service, operation.name, input, guest);
      await recorder.call(service, operation.name, input);
      for (const violated of violations(model, operation, input)) await recorder.call(service, operation.name, violated);
    }
  }
}

/** Returns inputs that each violate one constraint of one member. There are at most two inputs for each member. */
function violations(model: ServiceModel, operation: OperationModel, input: Readonly<Record<string, unknown>>): readonly object[] {
  const shape = model.shapes[operation.input ?? ''];
  const found: object[] = [];
  for (const name of shape?.required ?? []) {
    const { [name]: _, ...rest } = input;
    found.push(rest);
  }
  for (const [name, member] of Object.entries(shape?.members ?? {})) {
    const wrong = wrongValue(model, member);
    if (wrong !== undefined && input[name] !== undefined) found.push({ ...input, [name]: wrong });
  }
  return found;
}

function wrongValue(model: ServiceModel, member: Member): unknown {
  const shape = model.shapes[member.shape];
  if (shape === undefined || member.location === 'uri') return undefined;
  switch (shape.type) {
    case 'string':
      if (shape.enum !== undefined) return 'no-such-value';
      if (shape.pattern !== undefined) return '\u0001';
      return shape.max !== undefined && shape.max <= 4096 ? 'x'.repeat(shape.max + 1) : undefined;
    case 'integer':
    case 'long':
      return shape.min !== undefined ? shape.min - 1 : shape.max !== undefined ? shape.max + 1 : undefined;
    case 'list':
      return shape.min !== undefined && shape.min > 0 ? [] : undefined;
    default:
      return undefined;
  }
}
