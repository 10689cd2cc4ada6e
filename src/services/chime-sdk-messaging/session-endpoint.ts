import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import type { MessagingDeps } from './deps.ts';

type Operations = ServiceOperations<ChimeSdkMessagingApi>;

/** Where messaging sessions are opened. Source: chime-sdk-messaging 2021-05-15. */
export function sessionEndpointOperations({
  sessionEndpoint,
}: Pick<MessagingDeps, 'sessionEndpoint'>): Pick<Operations, 'GetMessagingSessionEndpoint'> {
  return {
    /**
     * Answers host and port, without a scheme: clients put `wss://` before it.
     *
     * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages": its permission is asked on `*`.
     */
    GetMessagingSessionEndpoint: {
      access: () => ({ action: 'chime:GetMessagingSessionEndpoint', resources: ['*'] }),
      handle: async () => ({ Endpoint: { Url: sessionEndpoint } }),
    },
  };
}
