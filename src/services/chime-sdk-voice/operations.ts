import { type OperationTable, operationTable } from '../table.ts';

/** Every operation of Chime SDK Voice. */
export function voiceOperations(): OperationTable<'chime-sdk-voice'> {
  return operationTable('chime-sdk-voice', {});
}
