/** Queue of events in the order of time. Events of the same time keep the order in which they were added. */
export interface EventQueue<Event> {
  add(at: number, event: Event): void;
  /** Removes the next event and returns it with its time. */
  take(): (Event & { readonly at: number }) | undefined;
}

/** Creates an empty queue. */
export function eventQueue<Event>(): EventQueue<Event> {
  // The list is in descending order, so the next event is the last element.
  const events: (Event & { readonly at: number })[] = [];
  return {
    add(at, event) {
      let low = 0;
      for (let high = events.length; low < high; ) {
        const middle = (low + high) >> 1;
        if ((events[middle] as { readonly at: number }).at > at) low = middle + 1;
        else high = middle;
      }
      events.splice(low, 0, { ...event, at });
    },
    take: () => events.pop(),
  };
}
