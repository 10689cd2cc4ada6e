import { type OperationTable, operationTable } from '../table.ts';

/** Every operation of Chime SDK Media Pipelines. */
export function mediaPipelinesOperations(): OperationTable<'chime-sdk-media-pipelines'> {
  return operationTable('chime-sdk-media-pipelines', {});
}
