import { type OperationTable, operationTable } from '../table.ts';

/** Every operation of Chime SDK Identity. */
export function identityOperations(): OperationTable<'chime-sdk-identity'> {
  return operationTable('chime-sdk-identity', {});
}
