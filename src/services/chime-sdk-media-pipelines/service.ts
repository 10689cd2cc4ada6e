import { service } from '../kit/service.ts';
import { CONFIGURATION } from './kinds.ts';

/** Chime SDK media pipelines: the configurations of media insights. */
export const mediaPipelines = service<object>({
  name: 'chime-sdk-media-pipelines',
  operations: async () => (await import('./operations.ts')).mediaPipelinesOperations(),
  kinds: [CONFIGURATION],
});
