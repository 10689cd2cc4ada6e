/** Counts of items that were not delivered and are in no queue. Messages of the queue are counted by the delivery (`belfry_outgoing_lost_total`). */

/** Deliveries without a queue, as the label of a metric. */
export const LOSSY_DELIVERIES = ['push_notifications', 'rule_events', 'sip_logs'] as const;
export type LossyDelivery = (typeof LOSSY_DELIVERIES)[number];

export interface Losses {
  /** Counts items of a delivery. Never call it in a transaction, which can run again. */
  add(delivery: LossyDelivery, count: number): void;
  /** Returns the numbers since the start of the server, in the order of `LOSSY_DELIVERIES`. */
  figures(): readonly number[];
}

/** Creates the counts of a server. */
export function newLosses(): Losses {
  const counts = new Float64Array(LOSSY_DELIVERIES.length);
  return {
    add(delivery, count) {
      counts[LOSSY_DELIVERIES.indexOf(delivery)]! += count;
    },
    figures: () => [...counts],
  };
}
