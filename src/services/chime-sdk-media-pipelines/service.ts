import type { PipelineLimits } from '../chime-kit/voice-limits.ts';
import { service } from '../kit/service.ts';
import { CONFIGURATION, POOL } from './kinds.ts';

/** Parts of the server that Chime SDK media pipelines need. */
export interface PipelineParts {
  readonly pipelineLimits: PipelineLimits;
}

/** Chime SDK media pipelines: the configurations of media insights, and pools of video streams. */
export const mediaPipelines = service<PipelineParts>({
  name: 'chime-sdk-media-pipelines',
  operations: async ({ pipelineLimits }) => (await import('./operations.ts')).mediaPipelinesOperations({ limits: pipelineLimits }),
  kinds: [CONFIGURATION, POOL],
});
