/** Announcement of new messages and events after their commit. */
import { pushFanOuts } from '#services/chime-sdk-messaging/tables/push-fan-outs.ts';
import { busEvents } from '#services/events/tables/bus-events.ts';
import { outgoing } from '#services/kit/outgoing.ts';
import type { Store, Tx } from '#store/store.ts';

/** Returns the store with transactions that call `added` after the commit if they added outgoing messages, events of buses or push
 * notifications. */
export function announcing(store: Store, added: () => void): Store {
  return {
    transaction(work, options) {
      const run = async (tx: Tx): ReturnType<typeof work> => {
        const result = await work(tx);
        const isAdded = tx.of(outgoing).hasAdded() || tx.of(busEvents).hasAppended() || tx.of(pushFanOuts).hasAdded();
        if (isAdded) tx.afterCommit(added);
        return result;
      };
      return store.transaction(run, options);
    },
    close: () => store.close(),
  };
}
