/** Composition of messaging: the events that an operation emits, the messaging sessions, and Connect requests. */
import type { Answer, Received } from '#core/exchange.ts';
import { connectModel, connectOperation, routeConnect } from '#realtime/connect.ts';
import { SESSION_LIMITS } from '#realtime/limits.ts';
import { type MessagingSessions, messagingSessions } from '#realtime/messaging-sessions.ts';
import { sessionSubscriptions } from '#realtime/session-events.ts';
import { type AddEmit, emitterOf, type Subscription } from '#services/kit/events.ts';
import { refusedMail } from '#services/kit/mail.ts';
import type { Operation } from '#services/kit/operation.ts';
import { checkServices } from '#services/kit/service.ts';
import { trailRecorder } from '#trail/record.ts';
import type { Settings } from '../settings.ts';
import { answering, type Server } from './answer.ts';
import type { Identity } from './core-identity.ts';
import type { CoreParts } from './core-parts.ts';
import { DECLARED } from './services.ts';

/** Bus topic that announces new channel events. */
const CHANNEL_EVENTS = 'channel-events';

/**
 * Returns the function that adds `emit` to a transaction. `emit` runs the subscribers of mail and the services first, then those of
 * messaging sessions, and then `further` ones.
 */
export function composeEvents({ bus }: CoreParts, further: readonly Subscription[]): AddEmit {
  checkServices(DECLARED);
  const hint = () => bus.hint(CHANNEL_EVENTS);
  const ofServices = DECLARED.flatMap(({ subscriptions = [] }) => subscriptions);
  return emitterOf([refusedMail, ...ofServices, ...sessionSubscriptions(hint), ...further]);
}

/** Creates the messaging sessions of the server. */
export function composeSessions(parts: CoreParts, { snapshot, authenticate, authorize, lease }: Identity): MessagingSessions {
  const { settings, clock } = parts;
  return messagingSessions({
    store: parts.store,
    snapshot,
    authenticate,
    authorize,
    holds: lease.holds,
    guide2021: settings.guide2021,
    now: clock.wall,
    monotonic: clock.monotonic,
    onHint: (receive) => parts.bus.on(CHANNEL_EVENTS, receive),
    follow: parts.follow,
    limits: { ...SESSION_LIMITS, sessionsOfUser: settings.sessionsPerUser, sessionsOfAccount: settings.sessionsPerAccount },
    report: parts.report,
  });
}

/**
 * Returns the function that answers Connect requests. It handles them like other requests. If the operation Connect
 * succeeds, the socket may open a messaging session.
 */
export function connecting(settings: Settings, server: Server, messaging: MessagingSessions) {
  const operations = { Connect: connectOperation(messaging.reserve) as Operation<unknown, unknown> };
  const answerConnect = answering({
    ...server,
    route: (received) => routeConnect(received, settings),
    operations: () => operations,
    record: trailRecorder(connectModel),
  });

  return async (received: Received, socket: number): Promise<Answer> => {
    try {
      const answer = await answerConnect(received);
      if (answer.status !== 200) return answer;
      messaging.admit(socket, received);
      return { status: 101, headers: [], body: '' };
    } finally {
      messaging.release(received.requestId);
    }
  };
}
