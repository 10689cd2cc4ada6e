/** Kinds of resources of messaging without a table of their own, and ARNs in an app instance. */
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
} from '../chime/app-instances.ts';
import { pageOf } from '../chime/page.ts';
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
 * Source: chime-sdk-messaging 2021-05-15: regular operations on flows and app instances have no NotFoundException in the model.
 * Assumed: they return ForbiddenException instead; the messages.
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

/** The ID is the UUID in the ARN. The parent is the ID of the app instance. */
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

/** Streams of the messaging data of an app instance. The ID is that of the app instance. */
export const STREAMING: ResourceKind<readonly StreamingConfiguration[]> = { name: 'messaging-streaming-configurations' };

/** Returns `arn:aws:chime:us-east-1:111122223333:app-instance/<id>/channel/<id>`, or the ARN of another type in an app instance. */
export function inAppInstanceArn(where: Where & { readonly appInstanceId: string }, type: string, id: string): string {
  return `${appInstanceArn(where, where.appInstanceId)}/${type}/${id}`;
}

/** Parts of an ARN in an app instance. */
export interface Named {
  readonly appInstanceId: string;
  readonly id: string;
}

/** Returns the parts of an ARN of one type in the caller's account and region; undefined for every other ARN. */
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
