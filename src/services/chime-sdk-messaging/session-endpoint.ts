import type { ChimeSdkMessagingApi } from '#model/generated/chime-sdk-messaging.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import type { MessagingDeps } from './deps.ts';

/** The endpoint of messaging sessions. Source: chime-sdk-messaging 2021-05-15. */
export function sessionEndpointOperations({ sessionEndpoint }: Pick<MessagingDeps, 'sessionEndpoint'>) {
  return {
    /**
     * Returns host and port without a scheme. Clients put `wss://` before the host.
     *
     * Source: Chime SDK Developer Guide, "Using WebSockets to receive messages": the permission is required on `*`.
     */
    GetMessagingSessionEndpoint: { handle: async () => ({ Endpoint: { Url: sessionEndpoint } }) },
  } satisfies Partial<ServiceOperations<ChimeSdkMessagingApi>>;
}
