import { requireLinkedRole } from '../iam/service-linked-roles.ts';
import { type NotYet, notYet } from '../kit/not-yet.ts';
import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { configurationOperations } from './configurations.ts';
import { pipelineTagOperations } from './tags.ts';

/** Every operation of Chime SDK Media Pipelines. */
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
 * A pipeline of a meeting, which is not built; yet where the account lacks the role that it needs, that is the answer.
 *
 * Requirement SLR-18. Source: Chime SDK Developer Guide, "Understanding media pipeline creation": the role is made first.
 * Assumed: a media insights pipeline needs only the role its configuration names.
 */
function withoutLinkedRoleForbidden(operation: string): NotYet {
  const place = notYet('chime-sdk-media-pipelines', operation);
  return {
    ...place,
    async handle(call, input) {
      await requireLinkedRole(call, 'mediapipelines.chime.amazonaws.com');
      return await place.handle(call, input);
    },
  };
}
