/** Kinds of resources of Chime SDK Identity, and the rules that they share. */

import type { ChimeSdkIdentityApi } from '#model/generated/chime-sdk-identity.ts';
import {
  APP_INSTANCE,
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  APP_INSTANCE_USER_ENDPOINT,
  type AppInstanceBotDocument,
  type AppInstanceDocument,
  type AppInstanceUserDocument,
  type AppInstanceUserEndpointDocument,
  appInstanceArn,
  appInstanceKey,
  inAppInstance,
  memberArn,
  memberKey,
} from '../chime-kit/app-instances.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Conventions, Kind } from '../kit/resource-kind.ts';
import { TAG_RULES } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';

/** Kind of a resource of this service. */
type IdentityKind<Document> = Kind<Document, ChimeSdkIdentityApi>;

/** Rules that all kinds in this file share. Assumed: the wording of the message about a reached limit. */
const CONVENTIONS: Conventions = {
  service: 'chime-sdk-identity',
  tagRules: TAG_RULES.chime,
  notFound: forbidden,
  limitExceeded: (title, most) => new AwsError('ResourceLimitExceededException', `The limit of ${most} ${title} is reached.`),
  page: pageOf,
};

/**
 * Returns the error for a resource that does not exist. A resource of another account or region has the same error, so
 * callers cannot find out whether it exists.
 *
 * Source: the message for users in aws/amazon-chime-sdk-js issue 1148; the code in aws/aws-sdk-net issue 1571.
 * Assumed: (1) Every operation without NotFoundException in its model returns this error. Only DescribeAppInstanceBot
 * has NotFoundException. (2) The message for other resources has the same wording as the message for users.
 */
export function forbidden(title: string): AwsError {
  return new AwsError('ForbiddenException', `An invalid ${title} ARN was supplied for the input parameter.`);
}

export const APP_INSTANCES: IdentityKind<AppInstanceDocument> = {
  ...APP_INSTANCE,
  conventions: CONVENTIONS,
  title: 'app instance',
  identifiers: ['AppInstanceArn'],
  locate: appInstanceKey,
  arn: { member: 'AppInstanceArn', of: (key) => appInstanceArn(key, key.id) },
};

export const USERS: IdentityKind<AppInstanceUserDocument> = {
  ...APP_INSTANCE_USER,
  conventions: CONVENTIONS,
  title: 'app instance user',
  identifiers: ['AppInstanceUserArn'],
  parent: APP_INSTANCES,
  locate: (where, userArn) => memberKey(where, userArn, 'user'),
  arn: {
    member: 'AppInstanceUserArn',
    of: (key) => memberArn('user', key),
    pattern: (_, { AppInstanceArn }) => `${AppInstanceArn}/user/*`,
  },
};

export const BOTS: IdentityKind<AppInstanceBotDocument> = {
  ...APP_INSTANCE_BOT,
  conventions: CONVENTIONS,
  title: 'app instance bot',
  identifiers: ['AppInstanceBotArn'],
  parent: APP_INSTANCES,
  locate: (where, botArn) => memberKey(where, botArn, 'bot'),
  arn: {
    member: 'AppInstanceBotArn',
    of: (key) => memberArn('bot', key),
    pattern: (_, { AppInstanceArn }) => `${AppInstanceArn}/bot/*`,
  },
};

export const ADMINS: IdentityKind<Readonly<Record<string, never>>> = {
  ...APP_INSTANCE_ADMIN,
  conventions: CONVENTIONS,
  title: 'administrator',
  identifiers: ['AppInstanceArn', 'AppInstanceAdminArn'],
  parent: APP_INSTANCES,
};

/** Endpoints of users. Permissions for an endpoint apply to the ARN of its user. */
export const ENDPOINTS: IdentityKind<AppInstanceUserEndpointDocument> = {
  ...APP_INSTANCE_USER_ENDPOINT,
  conventions: CONVENTIONS,
  title: 'app instance user endpoint',
  identifiers: ['AppInstanceUserArn', 'EndpointId'],
  parent: USERS,
  within: (user) => ({ place: inAppInstance(user, user.parent), prefix: `${user.id}/` }),
};
