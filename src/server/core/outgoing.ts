/** Delivery of outgoing messages as a part of the server. */
import type { DecideRole } from '#access/service-role.ts';
import type { Part } from '#core/part.ts';
import { readAuthorization, readDestination } from '#delivery/events/destinations.ts';
import { ruleMetrics } from '#delivery/events/rule-metrics.ts';
import { announcing } from '#delivery/outgoing/announcing.ts';
import { type OutgoingDelivery, outgoingDelivery } from '#delivery/outgoing/outgoing-delivery.ts';
import { lazySource } from '#delivery/outgoing/sources.ts';
import { apiDestinationSender } from '#delivery/outgoing/targets/api-destinations.ts';
import { awsClients } from '#delivery/outgoing/targets/aws-clients.ts';
import type { SendMail } from '#delivery/outgoing/targets/mail.ts';
import { targetAttempts } from '#delivery/outgoing/targets/prepare.ts';
import type { AddEmit } from '#services/kit/events.ts';
import type { Losses } from '#services/kit/losses.ts';
import { type TryOutgoing, unqueued } from '#services/kit/outgoing.ts';
import type { Tx } from '#store/store.ts';
import type { Settings } from '../settings.ts';
import { readSmtpFile } from '../smtp-file.ts';
import type { CoreParts } from './core-parts.ts';
import { loadWebhooks } from './services.ts';

/** Bus topic that announces new outgoing messages. */
const OUTGOING = 'outgoing';

/** Sender of messages in the folder for mail, if the operator did not set one. */
const DEFAULT_SENDER = 'belfry@localhost';

/** Returns the parts of the core with a store that announces outgoing messages to all servers. */
export function withAnnouncements(parts: CoreParts): CoreParts {
  return { ...parts, store: announcing(parts.store, () => parts.bus.hint(OUTGOING)) };
}

/** Delivery of outgoing messages, and attempts outside of its queue. */
export interface ServerOutgoing {
  readonly delivery: OutgoingDelivery;
  readonly tryOutgoing: TryOutgoing;
}

/** Creates the delivery of outgoing messages. */
export function composeOutgoing(
  addEmit: AddEmit,
  { settings, store, registry, vault, clock, newId, random, report }: CoreParts,
  isOpen: () => boolean,
  decideRole: DecideRole,
  publicUrl: () => string,
  losses: Losses,
): ServerOutgoing {
  const warn = (line: string) => report(line, 'warning');
  const workIn = (tx: Tx, now = clock.wall()) => addEmit({ tx, now, newId });
  const prepare = targetAttempts({
    store,
    vault,
    clients: awsClients(),
    decideRole,
    now: clock.wall,
    logGroups: async () => (await import('#delivery/outgoing/targets/log-groups.ts')).logGroupTarget(workIn),
    destination: readDestination(vault),
    authorization: readAuthorization(vault),
    destinations: apiDestinationSender({ now: clock.wall, after: clock.after, internalHosts: settings.outgoingInternalHosts }),
    sendMail: composeMail(settings),
    async webhookUrl(tx, wanted) {
      const path = await (await loadWebhooks()).createWebhook({ tx, now: clock.wall(), newId, random }, wanted);
      return path && `${publicUrl()}${path}`;
    },
    internalHosts: settings.outgoingInternalHosts,
    report: warn,
  });
  const metrics = ruleMetrics({ workIn, monotonic: clock.monotonic });
  const delivery = outgoingDelivery({
    store,
    clock,
    newId,
    random,
    limits: {
      lane: { messages: settings.outgoingLaneMessages, bytes: settings.outgoingLaneMaxBytes },
      account: { messages: settings.outgoingAccountMessages, bytes: settings.outgoingAccountMaxBytes },
    },
    prepare,
    workIn,
    onEnded: metrics.countEnded,
    // Their code is loaded after the start.
    sources: [
      lazySource('push notifications', async () =>
        (await import('#delivery/outgoing/push-fan-out.ts')).pushFanOut({
          ...{ now: clock.wall, newId, monotonic: clock.monotonic, report: warn },
          lost: (count) => losses.add('push_notifications', count),
        }),
      ),
      lazySource('events of the trail', async () =>
        (await import('#delivery/events/trail-events.ts')).trailEvents({ now: clock.wall, monotonic: clock.monotonic, newId }),
      ),
      lazySource('log groups of trails', async () =>
        (await import('#delivery/log-groups/trail-log-groups.ts')).trailLogGroups({
          ...{ now: clock.wall, monotonic: clock.monotonic, random, workIn, decideRole, report: warn },
        }),
      ),
      lazySource('replays', async () =>
        (await import('#delivery/events/replays.ts')).replays({ now: clock.wall, monotonic: clock.monotonic }),
      ),
      lazySource('event router', async () =>
        (await import('#delivery/events/event-router.ts')).eventRouter({
          ...{ now: clock.wall, newId, decideRole, metrics, report: warn },
          lost: (count) => losses.add('rule_events', count),
        }),
      ),
      metrics.source,
    ],
    shared: registry.shared,
    isOpen,
    report: warn,
  });
  return {
    delivery,
    async tryOutgoing(tx, message) {
      const attempt = await prepare(tx, unqueued(message));
      return async () => (await attempt()).kind === 'sent';
    },
  };
}

/** Returns the function that sends mail to the SMTP server of the settings, or into the folder of the data folder. */
function composeMail({ smtpFile, mailFrom, dataFolder }: Settings): SendMail {
  let loaded: Promise<SendMail> | undefined;
  async function load(): Promise<SendMail> {
    const from = mailFrom ?? DEFAULT_SENDER;
    if (smtpFile === undefined) return (await import('#delivery/outgoing/targets/mail-folder.ts')).mailFolderSender({ dataFolder, from });
    return (await import('#delivery/outgoing/targets/mail.ts')).smtpSender({ server: () => readSmtpFile(smtpFile), from });
  }
  return async (message, target) => await (await (loaded ??= load()))(message, target);
}

/** Creates the part that sends outgoing messages. */
export function outgoingPart(delivery: OutgoingDelivery, { bus }: Pick<CoreParts, 'bus'>): Part {
  let unsubscribe = (): void => {};
  return {
    name: 'delivery of outgoing messages',
    start() {
      unsubscribe = bus.on(OUTGOING, delivery.wake);
      delivery.start();
    },
    async stop() {
      unsubscribe();
      await delivery.stop();
    },
  };
}
