/** Events for event buses. Services emit them; EventBridge stores them for the rules of the bus. */
import type { AccountId } from '#core/arn.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { DomainEvent } from './events.ts';

/** Contents of an event, without the members that the bus adds. */
export interface BusEventFacts {
  readonly accountId: AccountId;
  readonly region: string;
  /** `aws.chime`. */
  readonly source: string;
  readonly detailType: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * Domain event that becomes an event on the default event bus of an account. EventBridge subscribes to it. It adds `version`, `id`, `account`,
 * `time` and `region`.
 *
 *     await call.emit<BusEvent>({ type: 'BusEvent', accountId, region, source: 'aws.chime', detailType: 'Chime Meeting State Change', resources: [], detail });
 */
export interface BusEvent extends DomainEvent, BusEventFacts {
  readonly type: 'BusEvent';
}

/** Members of an event as targets receive it. */
export interface EventMembers {
  readonly id: string;
  readonly detailType: string;
  readonly source: string;
  readonly account: string;
  readonly time: Instant;
  readonly region: string;
  readonly resources: readonly string[];
  /** A JSON object, which the event contains as it is. */
  readonly detail: string;
}

/**
 * Returns the JSON of an event. It contains `detail` as it is, so numbers and repeated names do not change.
 *
 * Source: EventBridge User Guide, "Events", structure; LocalStack, snapshots of its tests on AWS: the order of the members, and whole
 * seconds.
 */
export function eventText({ id, detailType, source, account, time, region, resources, detail }: EventMembers): string {
  const head = { version: '0', id, 'detail-type': detailType, source, account, time: isoSeconds(time), region, resources };
  return `${JSON.stringify(head).slice(0, -1)},"detail":${detail}}`;
}

/** Returns the JSON of an event with an ID that happened at a time. */
export function textOfFacts(id: string, time: Instant, { accountId: account, detail, ...facts }: BusEventFacts): string {
  return eventText({ ...facts, id, time, account, detail: JSON.stringify(detail) });
}
