import type { CreateMediaPipelineKinesisVideoStreamPoolRequest } from '#model/generated/chime-sdk-media-pipelines.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { emitChimeEvent } from '../chime-kit/bus-events.ts';
import type { Call } from '../kit/operation.ts';
import { type Change, resource } from '../kit/resource.ts';
import type { PipelineDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { POOL, type PoolDocument, poolArn } from './kinds.ts';
import { requireTagCount } from './tags.ts';

type CreateChange = Change<PoolDocument, CreateMediaPipelineKinesisVideoStreamPoolRequest>;

/**
 * Pools of Kinesis video streams, to which media stream pipelines write. This server stores the configuration of a pool.
 * A pool has no streams, because no pipeline writes to it.
 *
 * Source: chime-sdk-media-pipelines 2021-07-15, CreateMediaPipelineKinesisVideoStreamPool …
 * UpdateMediaPipelineKinesisVideoStreamPool. Chime SDK Developer Guide, "Example code for Kinesis Video Streams pools": the
 * form of `PoolId`.
 * Assumed: (1) A pool is active immediately, because it needs no streams. (2) Its size is the number of its streams. (3) A
 * name in use is the reason for the ConflictException of the Create operation. (4) Without `DataRetentionInHours`, the
 * response also omits it.
 * Emits: BusEvent, with the state of the pool.
 */
export function poolOperations({ limits }: PipelineDeps) {
  return resource(POOL, {
    limit: { most: limits.pools, per: 'region', title: 'Kinesis video stream pools in this region' },
    computed: { PoolStatus: () => 'ACTIVE', PoolSize: () => 0 },
    create: {
      operation: 'CreateMediaPipelineKinesisVideoStreamPool',
      id: (_, { PoolName }) => PoolName,
      document: ({ newId }, { PoolName, StreamConfiguration }) => ({
        PoolId: `ChimeMediaPipelines-${PoolName}-${newId()}`,
        StreamConfiguration,
      }),
      guard: ['tags', (_, { input }: CreateChange) => requireTagCount(input.Tags), 'exists', 'limit'],
      conflict: ({ PoolName }) =>
        new AwsError('ConflictException', `A Kinesis video stream pool with the name '${PoolName}' already exists.`),
      after: (call, record) => announce(call, record, 'Active'),
    },
    read: { operation: 'GetMediaPipelineKinesisVideoStreamPool' },
    update: {
      operation: 'UpdateMediaPipelineKinesisVideoStreamPool',
      document: (_, input, { document }) => ({
        ...document,
        StreamConfiguration: { ...document.StreamConfiguration, ...input.StreamConfiguration },
      }),
      guard: [(call, { before }) => announce(call, before as ResourceRecord<PoolDocument>, 'Updated')],
    },
    delete: {
      operation: 'DeleteMediaPipelineKinesisVideoStreamPool',
      after: (call, record) => announce(call, record, 'Deleted'),
    },
    list: { operation: 'ListMediaPipelineKinesisVideoStreamPools' },
  });
}

/**
 * Emits the event of a pool whose state changed.
 *
 * Source: Chime SDK Developer Guide, "Understanding Kinesis Video Streams pool events". Assumed: `mediaRegion` is the region of the streams.
 */
async function announce(
  call: Call,
  { id, document }: ResourceRecord<PoolDocument>,
  state: 'Active' | 'Updated' | 'Deleted',
): Promise<void> {
  await emitChimeEvent(call, call, 'streamPool', {
    eventType: `chime:MediaPipelineKinesisVideoStreamPool${state}`,
    timestamp: call.now,
    mediaRegion: document.StreamConfiguration.Region,
    poolArn: poolArn(call, id),
  });
}
