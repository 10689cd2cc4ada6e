/**
 * Kinds of messaging resources that have no table of their own, and functions for ARNs of resources in an app instance.
 */
import type { ChimeSdkMessagingApi, Processor, StreamingConfiguration } from '#model/generated/chime-sdk-messaging.ts';
import type { ResourceKey, ResourceKind, StoredDocument } from '#store/resources.ts';
import {
  APP_INSTANCE,
  type AppInstanceDocument,
  appInstanceArn,
  appInstanceKey,
  inAppInstance,
  parseAppInstanceArn,
  type Where,
} from '../chime-kit/app-instances.ts';
import { pageOf } from '../chime-kit/page.ts';
import { renamedMembers } from '../kit/renamed-members.ts';
import type { Conventions, Kind } from '../kit/resource-kind.ts';
import { TAG_RULES } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';

/** Kind of a resource of this service. */
type MessagingKind<Document> = Kind<Document, ChimeSdkMessagingApi>;

/** Processors of the messages of a channel. */
export interface ChannelFlowDocument {
  readonly Name: string;
  readonly Processors: readonly Processor[];
}

/**
 * Rules that all kinds in this file share.
 *
 * Source: chime-sdk-messaging 2021-05-15: the operations on flows and app instances that use these rules have no
 * NotFoundException in the model. Assumed: (1) These operations return ForbiddenException instead. (2) The wording of
 * the error messages.
 */
const CONVENTIONS: Conventions = {
  service: 'chime-sdk-messaging',
  tagRules: TAG_RULES.chime,
  notFound: (title, arn) => new AwsError('ForbiddenException', `${title} '${arn}' does not exist.`),
  limitExceeded: (title, most) => new AwsError('ResourceLimitExceededException', `The app instance has the maximum of ${most} ${title}.`),
  page: pageOf,
};

/** App instances, which Chime SDK Identity owns. */
export const APP_INSTANCES: MessagingKind<AppInstanceDocument> = {
  ...APP_INSTANCE,
  conventions: CONVENTIONS,
  title: 'App instance',
  identifiers: ['AppInstanceArn'],
  locate: appInstanceKey,
  arn: { member: 'AppInstanceArn', of: (key) => appInstanceArn(key, key.id) },
};

const withNewNames = renamedMembers({ name: 'Name', processors: 'Processors' });

/** Channel flows. In the stored key, `id` is the UUID in the ARN, and `parent` is the ID of the app instance. */
export const CHANNEL_FLOW: MessagingKind<ChannelFlowDocument> = {
  name: 'channel-flow',
  upgrade: (stored: StoredDocument) => withNewNames(stored) as unknown as ChannelFlowDocument,
  conventions: CONVENTIONS,
  title: 'Channel flow',
  identifiers: ['ChannelFlowArn'],
  parent: APP_INSTANCES,
  locate: channelFlowKey,
  arn: {
    member: 'ChannelFlowArn',
    of: (key) => inAppInstanceArn({ ...key, appInstanceId: key.parent }, 'channel-flow', key.id),
    pattern: (_, { AppInstanceArn }) => `${AppInstanceArn}/channel-flow/*`,
  },
};

/** Streams of the messaging data of an app instance. The ID of the record is the ID of the app instance. */
export const STREAMING: ResourceKind<readonly StreamingConfiguration[]> = { name: 'messaging-streaming-configurations' };

/**
 * Returns the ARN of a resource in an app instance. For the type `channel`:
 * `arn:aws:chime:us-east-1:111122223333:app-instance/<id>/channel/<id>`.
 */
export function inAppInstanceArn(where: Where & { readonly appInstanceId: string }, type: string, id: string): string {
  return `${appInstanceArn(where, where.appInstanceId)}/${type}/${id}`;
}

/** IDs in the ARN of a resource in an app instance. */
export interface Named {
  readonly appInstanceId: string;
  readonly id: string;
}

/**
 * Returns the IDs in an ARN, if it is an ARN of the type `type` in the caller's account and region; otherwise
 * undefined.
 */
export function namedBy(caller: Where, type: 'channel' | 'channel-flow', arn: string): Named | undefined {
  const parts = parseAppInstanceArn(arn);
  if (parts === undefined || parts.accountId !== caller.accountId || parts.region !== caller.region) return undefined;
  const [actualType, id, more] = parts.rest;
  return actualType === type && id && more === undefined ? { appInstanceId: parts.appInstanceId, id } : undefined;
}

function channelFlowKey(where: Where, flowArn: string): ResourceKey | undefined {
  const named = namedBy(where, 'channel-flow', flowArn);
  return named && { ...inAppInstance(where, named.appInstanceId), id: named.id };
}
