import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { configurationOperations } from './configurations.ts';
import type { PipelineDeps } from './deps.ts';
import { pipelineOperations } from './pipelines.ts';
import { poolOperations } from './pools.ts';
import { pipelineTagOperations } from './tags.ts';

/** Returns the operations of Chime SDK Media Pipelines. `tools/parity/reasons.ts` says why some are refused. */
export function mediaPipelinesOperations(deps: PipelineDeps): OperationTable<'chime-sdk-media-pipelines'> {
  return operationTable('chime-sdk-media-pipelines', {
    ...configurationOperations(deps),
    ...poolOperations(deps),
    ...pipelineOperations,
    ...pipelineTagOperations,
  });
}
