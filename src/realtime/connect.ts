/**
 * Connect: the upgrade request that opens a messaging session. AWS's service model does not contain Connect, so this
 * module routes it. Then the server authenticates, authorizes and records it like every operation.
 */
import { AwsError } from '#core/aws-error.ts';
import type { Received } from '#core/exchange.ts';
import { loadModel } from '#model/load.ts';
import type { Empty, ServiceModel } from '#model/model.ts';
import { findUser } from '#services/chime-kit/app-instances.ts';
import { onArns } from '#services/chime-sdk-identity/access.ts';
import type { Access, Caller, Operation } from '#services/kit/operation.ts';
import { splitQuery } from '#wire/rest-routes.ts';
import type { Routed, RouteSettings } from '#wire/routed.ts';
import { CONNECT_PATH } from './protocol.ts';
import { appendOpened } from './session-events.ts';

/** Parameters of the upgrade request. */
export interface ConnectRequest {
  readonly UserArn: string;
  readonly SessionId: string;
  readonly PrefetchOn?: 'connect';
  readonly PrefetchSortBy?: 'unread' | 'last-message-timestamp';
}

const SERVICE = 'chime-sdk-messaging';

let model: ServiceModel | undefined;

/**
 * Returns the service model of Chime SDK Messaging, but with Connect as its only operation.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages", the connect API; "Using prefetch to deliver channel details".
 * Assumed: Connect is not read-only in the trail, because it opens a session. A session ID is required and has at most 128 characters.
 */
export function connectModel(): ServiceModel {
  const messaging = loadModel(SERVICE);
  model ??= {
    ...messaging,
    operations: {
      Connect: {
        name: 'Connect',
        http: { method: 'GET', uri: CONNECT_PATH, code: 200 },
        input: 'ConnectRequest',
        errors: ['BadRequestException', 'ForbiddenException', 'ResourceLimitExceededException', 'ServiceUnavailableException'],
        readOnly: false,
      },
    },
    shapes: {
      ...messaging.shapes,
      ConnectRequest: {
        type: 'structure',
        required: ['UserArn', 'SessionId'],
        members: {
          UserArn: { shape: 'ChimeArn', location: 'querystring', locationName: 'userArn' },
          SessionId: { shape: 'SessionId', location: 'querystring', locationName: 'sessionId' },
          PrefetchOn: { shape: 'PrefetchOn', location: 'querystring', locationName: 'prefetch-on' },
          PrefetchSortBy: { shape: 'PrefetchSortBy', location: 'querystring', locationName: 'prefetch-sort-by' },
        },
      },
      SessionId: { type: 'string', min: 1, max: 128 },
      PrefetchOn: { type: 'string', enum: ['connect'] },
      PrefetchSortBy: { type: 'string', enum: ['unread', 'last-message-timestamp'] },
    },
  };
  return model;
}

/** Routes an upgrade request, whose operation is always Connect. */
export function routeConnect({ target }: Received, { guide2021 }: RouteSettings): Routed {
  const question = target.indexOf('?');
  const connect = connectModel();
  return {
    kind: 'routed',
    service: SERVICE,
    model: connect,
    operation: connect.operations['Connect'] as Routed['operation'],
    protocol: 'rest-json',
    profile: guide2021 ? 'classic' : 'sdk',
    labels: [],
    query: question < 0 ? [] : splitQuery(target.slice(question + 1)),
    bodyKind: 'json',
    contentEncoding: 'identity',
  };
}

/** Returns the required permission: `chime:Connect` on the user's ARN. Requirement AUTHN-3. */
export function connectAccess({ UserArn }: ConnectRequest, caller: Caller): Access {
  return { action: 'chime:Connect', ...onArns(caller, UserArn) };
}

/**
 * Creates the operation that opens a messaging session.
 *
 * `reserve` reserves one session of the user on this server. It returns false if the user or the account has too many
 * sessions.
 *
 * @throws ForbiddenException             the user does not exist, or is a bot
 * @throws ResourceLimitExceededException the user or the account has too many sessions
 *
 * Emits: SessionOpened, so that each server closes an earlier session with the same ID.
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages": UserArn is the ARN of an AppInstanceUser.
 * Assumed: (1) the error codes and messages; (2) bots cannot connect, because the guide mentions only users.
 */
export function connectOperation(reserve: (requestId: string, userArn: string) => boolean): Operation<ConnectRequest, Empty> {
  return {
    access: connectAccess,
    async handle(call, { UserArn, SessionId }) {
      const user = await findUser(call.tx, call, UserArn);
      if (user === undefined) throw new AwsError('ForbiddenException', 'The app instance user does not exist.');
      if (!reserve(call.requestId, UserArn))
        throw new AwsError(
          'ResourceLimitExceededException',
          'The app instance user or its account has the maximum number of messaging sessions.',
        );
      await appendOpened(call.tx, { appInstanceId: user.parent, userArn: UserArn, sessionId: SessionId, key: call.requestId }, call.now);
      return {};
    },
  };
}
