import type { ChimeSdkMediaPipelinesApi } from '#model/generated/chime-sdk-media-pipelines.ts';
import {
  type ConfigurationDocument,
  configurationArn,
  configurationKey,
  STORED_CONFIGURATION,
} from '../chime-kit/insights-configurations.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Kind } from '../kit/resource-kind.ts';
import { TAG_RULES } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';

/**
 * Media insights pipeline configurations. The ID is the name. Requests use the name or the ARN.
 *
 * Source: Chime SDK Developer Guide, "Pausing and resuming call analytics pipelines": configurations are identified by
 * name or ARN.
 * Assumed: (1) Names are case-sensitive. (2) The wording of the error messages.
 */
export const CONFIGURATION: Kind<ConfigurationDocument, ChimeSdkMediaPipelinesApi> = {
  ...STORED_CONFIGURATION,
  conventions: {
    service: 'chime-sdk-media-pipelines',
    tagRules: TAG_RULES.chime,
    notFound: (title, identifier) => new AwsError('NotFoundException', `${title} '${identifier}' not found`),
    limitExceeded: (title, most) => new AwsError('ResourceLimitExceededException', `The account has the maximum of ${most} ${title}.`),
    page: pageOf,
  },
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
