import type { PipelineLimits } from '../chime-kit/voice-limits.ts';

/** Dependencies of the operations of media pipelines. */
export interface PipelineDeps {
  readonly limits: PipelineLimits;
}
