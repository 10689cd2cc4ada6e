/**
 * Connect: the one call of messaging that is no operation of its model, because what comes of it is a messaging session. It is routed here and
 * then answered like every other: signature, permission, record.
 */
import { AwsError } from '#core/aws-error.ts';
import type { Received } from '#core/exchange.ts';
import { loadModel } from '#model/load.ts';
import type { Empty, ServiceModel } from '#model/model.ts';
import { findUser } from '#services/chime/app-instances.ts';
import { onArns } from '#services/chime-sdk-identity/access.ts';
import type { Access, Caller, Operation } from '#services/kit/operation.ts';
import { splitQuery } from '#wire/rest-routes.ts';
import type { Routed, RouteSettings } from '#wire/routed.ts';
import { CONNECT_PATH } from './protocol.ts';
import { appendOpened } from './session-events.ts';

/** What a client asks for. */
export interface ConnectRequest {
  readonly UserArn: string;
  readonly SessionId: string;
  readonly PrefetchOn?: 'connect';
  readonly PrefetchSortBy?: 'unread' | 'last-message-timestamp';
}

const SERVICE = 'chime-sdk-messaging';

let model: ServiceModel | undefined;

/**
 * The model of messaging with Connect in place of its operations.
 *
 * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages", the connect API; "Using prefetch to deliver channel details".
 * Assumed: who is refused gets an error over HTTP. A comment in `DefaultMessagingSession` says that AWS opens the socket first and closes it with
 * a code; a browser sees 1006 here, and its client tries again until it gives up (ten seconds by default) where 4401 would stop it at once.
 * Assumed: it changes something, so that its record is no read-only one: it opens what is told to nobody else; a session id is at most 128
 * characters, and has to be given.
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

/** An upgrade request, whatever else it says, asks for Connect. */
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

/** `chime:Connect` on the user's ARN. Requirement AUTHN-3. */
export function connectAccess({ UserArn }: ConnectRequest, caller: Caller): Access {
  return { action: 'chime:Connect', ...onArns(caller, UserArn) };
}

/**
 * Lets a user of an app instance be connected.
 *
 * `reserve` reserves one session of the user on this server, and returns false if the user or the account has too many.
 *
 * Emits: that the session is opened, so that an earlier one of the same id is closed, on whatever server it is.
 * Source: Chime SDK Developer Guide, the same page: UserArn is the ARN of an AppInstanceUser.
 * Assumed: the codes and texts; that bots cannot connect, since the guide speaks of users alone.
 * @throws ForbiddenException             no such user, or a bot
 * @throws ResourceLimitExceededException the user or the account has too many sessions
 */
export function connectOperation(reserve: (requestId: string, userArn: string) => boolean): Operation<ConnectRequest, Empty> {
  return {
    access: connectAccess,
    async handle(call, { UserArn, SessionId }) {
      const user = await findUser(call.tx, call, UserArn);
      if (user === undefined) throw new AwsError('ForbiddenException', 'The app instance user does not exist.');
      if (!reserve(call.requestId, UserArn))
        throw new AwsError('ResourceLimitExceededException', 'The app instance user has too many messaging sessions.');
      await appendOpened(call.tx, { appInstanceId: user.parent, userArn: UserArn, sessionId: SessionId, key: call.requestId }, call.now);
      return {};
    },
  };
}
