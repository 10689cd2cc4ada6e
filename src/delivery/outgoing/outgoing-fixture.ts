/** A store with a set clock and the delivery of outgoing messages, for tests. */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { emitterOf, type Subscription } from '#services/kit/events.ts';
import { type NewMessage, OUTGOING, outgoing } from '#services/kit/outgoing.ts';
import type { Store } from '#store/store.ts';
import { START, TEST_VAULT, type TestClock } from '../delivery-fixture.ts';
import { type OutgoingDelivery, type OutgoingParts, outgoingDelivery } from './outgoing-delivery.ts';
import { type EndpointService, endpointSecretOwner, endpoints, type OutgoingEndpoint } from './tables/endpoints.ts';
import { apiDestinationSender } from './targets/api-destinations.ts';
import { awsClients } from './targets/aws-clients.ts';
import { type TargetParts, targetAttempts } from './targets/prepare.ts';

export const ACCOUNT = '111122223333' as AccountId;
export const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:orders`;
export const DEAD_LETTERS = `arn:aws:sqs:us-east-1:${ACCOUNT}:dead-letters`;

/** Returns a message for the queue `orders`. */
export function messageOf(body: string, more: Partial<NewMessage> = {}): NewMessage {
  return {
    id: `id of ${body}`.slice(0, 64),
    accountId: ACCOUNT,
    region: 'us-east-1',
    lane: 'orders',
    ordered: false,
    target: { kind: 'sqs', arn: QUEUE },
    sender: { service: 'events.amazonaws.com', sourceArn: 'arn:aws:events:us-east-1:111122223333:rule/orders', sourceAccount: ACCOUNT },
    body,
    createdAt: instant(START),
    maximumAttempts: 4,
    expiresAt: instant(START + DAY_MS),
    ...more,
  };
}

export const LIMITS = { lane: { messages: 100, bytes: 1_000_000 }, account: { messages: 200, bytes: 2_000_000 } };

/** Creates the functions of a test. `store` has the clock `clock`. */
export function outgoingFixture(
  store: Store,
  clock: TestClock,
  targets: Partial<TargetParts> = {},
  subscriptions: readonly Subscription[] = [],
) {
  const reports: string[] = [];
  const report = (line: string) => void reports.push(line);
  const open: OutgoingDelivery[] = [];
  let number = 0;
  return {
    reports,
    /** Adds an endpoint that may have an internal address. */
    async endpoint(service: EndpointService, url: string, more: Partial<OutgoingEndpoint> = {}): Promise<void> {
      const key = { service, accountId: '' as const, region: '', ...more };
      const secret = { accessKeyId: 'AKIDEXAMPLE', sealedSecret: TEST_VAULT.seal('secret', endpointSecretOwner(key)) };
      await store.transaction((tx) =>
        tx.of(endpoints).add({ ...key, url, allowInternal: true, createdAt: instant(START), ...secret, ...more }),
      );
    },
    async add(...messages: readonly NewMessage[]): Promise<void> {
      await store.transaction(async (tx) => {
        for (const message of messages) await tx.of(outgoing).add(message);
      });
      for (const delivery of open) delivery.wake();
    },
    /** Returns the bodies and attempts of the stored messages, in the order of their numbers. */
    stored: async () =>
      (await store.transaction((tx) => OUTGOING.page(tx.sql, [], [0], 1_000))).map(({ body, attempts }) => [body, attempts] as const),
    /** Starts the delivery of another server on the store. */
    server(own: Partial<OutgoingParts> = {}): OutgoingDelivery {
      const delivery = outgoingDelivery({
        store,
        clock,
        newId: () => `server-${++number}`,
        random: () => new Uint8Array([255]),
        limits: LIMITS,
        prepare: targetAttempts({
          store,
          vault: TEST_VAULT,
          clients: awsClients(),
          decideRole: async () => 'allowed',
          now: clock.wall,
          logGroups: () => Promise.reject(new Error('there are no log groups')),
          destination: async () => undefined,
          authorization: async () => undefined,
          destinations: apiDestinationSender({ now: clock.wall, after: clock.after, internalHosts: [] }),
          sendMail: async () => ({ kind: 'sent' }),
          webhookUrl: async () => undefined,
          internalHosts: [],
          report,
          ...targets,
        }),
        workIn: (tx, now) => emitterOf(subscriptions)({ tx, now, newId: () => `id-${++number}` }),
        onEnded: () => {},
        sources: [],
        shared: true,
        isOpen: () => true,
        report,
        ...own,
      });
      open.push(delivery);
      delivery.start();
      return delivery;
    },
  };
}
