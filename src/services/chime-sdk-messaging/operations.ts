import { type OperationTable, operationTable } from '../table.ts';

/** Every operation of Chime SDK Messaging. */
export function messagingOperations(): OperationTable<'chime-sdk-messaging'> {
  return operationTable('chime-sdk-messaging', {});
}
