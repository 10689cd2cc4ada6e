import { arn } from '#core/arn.ts';
import type { ChimeSdkMediaPipelinesApi, KinesisVideoStreamConfiguration } from '#model/generated/chime-sdk-media-pipelines.ts';
import {
  type ConfigurationDocument,
  configurationArn,
  configurationKey,
  STORED_CONFIGURATION,
} from '../chime-kit/insights-configurations.ts';
import { pageOf } from '../chime-kit/page.ts';
import { type Conventions, type Kind, placeIn, type Where } from '../kit/resource-kind.ts';
import { TAG_RULES } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';

/** Rules that all kinds in this file share. Assumed: the wording of the error messages. */
const CONVENTIONS: Conventions = {
  service: 'chime-sdk-media-pipelines',
  tagRules: TAG_RULES.chime,
  notFound: (title, identifier) => new AwsError('NotFoundException', `${title} '${identifier}' not found`),
  limitExceeded: (title, most) => new AwsError('ResourceLimitExceededException', `The account has the maximum of ${most} ${title}.`),
  page: pageOf,
};

/**
 * Media insights pipeline configurations. The ID is the name. Requests use the name or the ARN.
 *
 * Source: Chime SDK Developer Guide, "Pausing and resuming call analytics pipelines": configurations are identified by
 * name or ARN.
 * Assumed: names are case-sensitive.
 */
export const CONFIGURATION: Kind<ConfigurationDocument, ChimeSdkMediaPipelinesApi> = {
  ...STORED_CONFIGURATION,
  conventions: CONVENTIONS,
  title: 'Media insights pipeline configuration',
  identifiers: ['Identifier'],
  locate: configurationKey,
  idMember: 'MediaInsightsPipelineConfigurationName',
  arn: {
    member: 'MediaInsightsPipelineConfigurationArn',
    of: (key) => configurationArn(key, key.id),
    ofIdentifier: (where, identifier) => (identifier.startsWith('arn:') ? identifier : configurationArn(where, identifier)),
  },
};

export interface PoolDocument {
  /** Beginning of the names of the pool's streams. It also distinguishes pools that had the same name at different times. */
  readonly PoolId: string;
  readonly StreamConfiguration: KinesisVideoStreamConfiguration;
}

const POOL_TYPE = 'media-pipeline-kinesis-video-stream-pool';

/** Returns `arn:aws:chime:us-east-1:111122223333:media-pipeline-kinesis-video-stream-pool/<name>`. */
export function poolArn({ region, accountId }: Where, name: string): string {
  return arn('chime', region, accountId, `${POOL_TYPE}/${name}`);
}

/**
 * Pools of Kinesis video streams. The ID is the name. Requests use the name or the ARN.
 *
 * Source: Chime SDK API reference, GetMediaPipelineKinesisVideoStreamPool, Identifier.
 * Assumed: names are case-sensitive.
 */
export const POOL: Kind<PoolDocument, ChimeSdkMediaPipelinesApi> = {
  name: POOL_TYPE,
  conventions: CONVENTIONS,
  title: 'Kinesis video stream pool',
  identifiers: ['Identifier'],
  locate(where, identifier) {
    const prefix = poolArn(where, '');
    return { ...placeIn(where), id: identifier.startsWith(prefix) ? identifier.slice(prefix.length) : identifier };
  },
  idMember: 'PoolName',
  arn: {
    member: 'PoolArn',
    of: (key) => poolArn(key, key.id),
    ofIdentifier: (where, identifier) => (identifier.startsWith('arn:') ? identifier : poolArn(where, identifier)),
  },
};
