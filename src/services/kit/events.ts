/** Domain events and their subscribers. This file delivers events in a transaction. Each service defines its events. */
import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';

/**
 * Event that an operation or a sweep (a background task) emits for other parts of the server. Each service declares its
 * own union of events.
 */
export interface DomainEvent {
  /** Name of the event. It has one meaning in the whole server. */
  readonly type: string;
}

/**
 * Emits an event: runs every subscriber of its type, in the transaction of the operation or sweep that emits it.
 *
 *     await call.emit<ChannelEvent>({ type: 'UPDATE_CHANNEL', … });
 *
 * The type argument is required, so that the compiler checks the event. If a subscriber throws, the transaction aborts.
 */
export type Emit = <Event extends DomainEvent = never>(event: NoInfer<Event>) => Promise<void>;

/**
 * Context of a transaction, for operations, sweeps and subscribers. The context for operations also has a caller (see
 * `Call`).
 */
export interface Work {
  readonly tx: Tx;
  readonly now: Instant;
  /** Returns a UUID in lower case. */
  readonly newId: () => string;
  readonly emit: Emit;
}

/**
 * A subscriber of domain events. It runs in the transaction that emits the event. This transaction may run again after
 * a conflict. So `handle` must change nothing except through `tx`.
 */
export interface Subscription {
  readonly types: readonly string[];
  readonly handle: (work: Work, event: never) => Promise<void>;
}

/**
 * Declares a subscriber of some event types of a service.
 *
 *     subscription<IdentityEvent>()(['AppInstanceDeleted'], async (work, event) => …)
 */
export function subscription<Event extends DomainEvent>() {
  return <Type extends Event['type']>(
    types: readonly Type[],
    handle: (work: Work, event: Event & { readonly type: Type }) => Promise<void>,
  ): Subscription => ({ types, handle });
}

/** Adds `emit` to the context of a transaction. */
export type AddEmit = (context: Omit<Work, 'emit'>) => Work;

/** Returns the function that adds `emit`. Subscribers of the same event type run in the order of `subscriptions`. */
export function emitterOf(subscriptions: readonly Subscription[]): AddEmit {
  const handlers = Map.groupBy(
    subscriptions.flatMap(({ types, handle }) =>
      types.map((type) => ({ type, handle: handle as (work: Work, event: DomainEvent) => Promise<void> })),
    ),
    ({ type }) => type,
  );
  return ({ tx, now, newId }) => {
    const work: Work = {
      tx,
      now,
      newId,
      async emit<Event extends DomainEvent>(event: NoInfer<Event>) {
        for (const { handle } of handlers.get(event.type) ?? []) await handle(work, event);
      },
    };
    return work;
  };
}
