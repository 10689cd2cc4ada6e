/** Fixture of the tests in this folder: the operations on a real store in memory. */
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { EventsApi, Target } from '#model/generated/events.ts';
import { ACCOUNT, openOperations, START, workFor } from '../kit/fixture.ts';
import type { Sweep } from '../kit/service.ts';
import { eventsOperations } from './operations.ts';
import { BUS_EVENT } from './tables/bus-events.ts';

/** Seals by encoding, so that a test can see the binding. */
const VAULT: Vault = {
  seal: (secret, boundTo) => `${boundTo}|${Buffer.from(secret).toString('base64')}`,
  open(sealed, boundTo) {
    const [bound, text = ''] = sealed.split('|');
    if (bound !== boundTo) throw new Error('sealed with another binding');
    return Buffer.from(text, 'base64').toString();
  },
};

export const PATTERN = '{"source":["app"]}';
export const DEFAULT_ARN = `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/default`;
export const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:queue`;
export const TARGET: Target = { Id: 't', Arn: QUEUE };

/** Returns the ARN of a bus of `ACCOUNT` in us-east-1. */
export const busArnOf = (name: string) => `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/${name}`;

/** Opens the operations. */
export async function openEvents() {
  const operations = eventsOperations({ vault: VAULT });
  const opened = await openOperations<EventsApi>(operations);
  return {
    ...opened,
    operations,
    /** Returns the waiting events, parsed. */
    waiting: async () =>
      (await opened.store.transaction((tx) => BUS_EVENT.page(tx.sql, [], [0], 1_000))).map(({ event, busName }) => ({
        busName,
        ...JSON.parse(event),
      })),
    /** Runs a sweep until it is done. Returns the number of its steps. */
    async swept(sweep: Sweep, now: Instant = START) {
      const step = sweep();
      let steps = 1;
      while ((await opened.store.transaction((tx) => step(workFor(tx, now)))) === 'more') steps++;
      return steps;
    },
  };
}
