import { requireLinkedRole } from '../iam/service-linked-roles.ts';
import { type NotYet, notYet } from '../kit/not-yet.ts';
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { configurationOperations } from './configurations.ts';
import { pipelineTagOperations } from './tags.ts';

/** Returns the operations of Chime SDK Media Pipelines. */
export function mediaPipelinesOperations(): OperationTable<'chime-sdk-media-pipelines'> {
  return operationTable('chime-sdk-media-pipelines', {
    ...configurationOperations,
    ...pipelineTagOperations,
    CreateMediaCapturePipeline: withoutLinkedRoleForbidden('CreateMediaCapturePipeline'),
    CreateMediaConcatenationPipeline: withoutLinkedRoleForbidden('CreateMediaConcatenationPipeline'),
    CreateMediaLiveConnectorPipeline: withoutLinkedRoleForbidden('CreateMediaLiveConnectorPipeline'),
    CreateMediaStreamPipeline: withoutLinkedRoleForbidden('CreateMediaStreamPipeline'),
  });
}

/**
 * Returns the declaration of an operation that creates a pipeline of a meeting. This server does not implement the
 * operation. If the account does not have the service-linked role, the error is ForbiddenException.
 *
 * Requirement SLR-18. Source: Chime SDK Developer Guide, "Understanding media pipeline creation": the role is created
 * first.
 * Assumed: a media insights pipeline requires only the role of its configuration.
 */
function withoutLinkedRoleForbidden(operation: string): NotYet {
  const place = notYet(operation);
  return {
    ...place,
    async handle(call, input) {
      await requireLinkedRole(call, 'mediapipelines.chime.amazonaws.com');
      return await place.handle(call, input);
    },
  };
}
