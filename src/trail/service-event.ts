import type { AccountId } from '#core/arn.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { TrailRow } from '#store/trail.ts';

/** Something that happened without an API call: a service's own doing, or the operator's, at the machine. */
export interface ServiceEvent {
  readonly accountId: AccountId;
  readonly region: string;
  readonly now: Instant;
  /** A UUID. */
  readonly eventId: string;
  readonly eventName: string;
  readonly eventSource: string;
  /** Who did it: `chime.amazonaws.com`, or `operator` at the machine. */
  readonly invokedBy: string;
  /** What was done, without secrets. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly resources?: readonly string[];
}

/** The record of a service event. Requirement LOG-5. */
export function serviceEventRow(event: ServiceEvent): TrailRow {
  const { accountId, region, now, eventId, eventName, eventSource, invokedBy, details, resources = [] } = event;
  return {
    eventId,
    accountId,
    region,
    at: now,
    eventName,
    eventSource,
    readOnly: false,
    userName: invokedBy,
    resources: resources.map((name) => ({ name })),
    document: JSON.stringify({
      eventVersion: '1.08',
      userIdentity: { accountId, invokedBy },
      eventTime: isoSeconds(now),
      eventSource,
      eventName,
      awsRegion: region,
      sourceIPAddress: invokedBy,
      userAgent: invokedBy,
      requestParameters: null,
      responseElements: null,
      eventID: eventId,
      readOnly: false,
      eventType: 'AwsServiceEvent',
      managementEvent: true,
      recipientAccountId: accountId,
      serviceEventDetails: details,
      eventCategory: 'Management',
    }),
  };
}
