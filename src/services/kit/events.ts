/** Domain events and their subscribers. Owns the delivery inside a transaction, but not the meaning of an event. */
import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';

/** A fact that an operation or a sweep emits for other parts. Each service declares its own union of events. */
export interface DomainEvent {
  /** Name of the event. It has one meaning in the whole server. */
  readonly type: string;
}

/**
 * Emits an event: runs every subscriber of its type, in the transaction of the emitter.
 *
 *     await call.emit<ChannelEvent>({ type: 'UPDATE_CHANNEL', … });
 *
 * The type argument is required, so that the compiler checks the event. If a subscriber throws, the transaction aborts.
 */
export type Emit = <Event extends DomainEvent = never>(event: NoInfer<Event>) => Promise<void>;

/** Context of work in a transaction, with or without a caller: operations, sweeps and subscribers. */
export interface Work {
  readonly tx: Tx;
  readonly now: Instant;
  /** Returns a UUID in lower case. */
  readonly newId: () => string;
  readonly emit: Emit;
}

/** A subscriber of domain events. It runs in the transaction that emits the event, so it only writes to `tx`. */
export interface Subscription {
  readonly types: readonly string[];
  readonly handle: (work: Work, event: never) => Promise<void>;
}

/** Declares a subscriber of some types of a union: `subscription<IdentityEvent>()(['AppInstanceDeleted'], async (work, event) => …)`. */
export function subscription<Event extends DomainEvent>() {
  return <Type extends Event['type']>(
    types: readonly Type[],
    handle: (work: Work, event: Event & { readonly type: Type }) => Promise<void>,
  ): Subscription => ({ types, handle });
}

/** Adds `emit` to the context of a transaction. */
export type AddEmit = (context: Omit<Work, 'emit'>) => Work;

/** Returns the function that adds `emit`. Subscribers of a type run in the order of the list. */
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
