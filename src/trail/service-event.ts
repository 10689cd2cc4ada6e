import type { AccountId } from '#core/arn.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { TrailRow } from '#store/trail.ts';
import { lookupUserName, userIdentity } from './user-identity.ts';

/** What every record says that no client's request stands behind. */
interface ByService {
  readonly region: string;
  readonly now: Instant;
  /** A UUID. */
  readonly eventId: string;
  readonly eventName: string;
  readonly eventSource: string;
  /** Who did it: `chime.amazonaws.com`, or `operator` at the machine. */
  readonly invokedBy: string;
}

/** Something that happened without an API call: a service's own doing, or the operator's, at the machine. */
export interface ServiceEvent extends ByService {
  readonly accountId: AccountId;
  /** What was done, without secrets. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly resources?: readonly string[];
}

/** A call that a service makes for who called it, and with that caller's permission. */
export interface ForwardedCall extends ByService {
  readonly principal: Principal;
  /** A UUID. */
  readonly requestId: string;
  /** Without secrets, members lower-cased in their first letter. */
  readonly requestParameters: Readonly<Record<string, unknown>>;
  readonly responseElements: Readonly<Record<string, unknown>>;
  readonly resources: TrailRow['resources'];
}

/** The record of a service event. Requirement LOG-5. */
export function serviceEventRow(event: ServiceEvent): TrailRow {
  const { accountId, invokedBy, details, resources = [] } = event;
  return rowOf(
    event,
    { accountId, userName: invokedBy, resources: resources.map((name) => ({ name })) },
    {
      userIdentity: { accountId, invokedBy },
      requestParameters: null,
      responseElements: null,
      eventType: 'AwsServiceEvent',
      serviceEventDetails: details,
    },
  );
}

/**
 * The record of a forwarded call: by who called, through the service. Requirement SLR-6.
 *
 * Source: CloudTrail User Guide, "CloudTrail userIdentity element", `invokedBy`; "record contents", sourceIPAddress and userAgent of calls
 * that come from a service.
 */
export function forwardedCallRow(call: ForwardedCall): TrailRow {
  const { principal, invokedBy, requestId, requestParameters, responseElements, resources } = call;
  const userName = lookupUserName(principal);
  return rowOf(
    call,
    { accountId: principal.accountId, ...(userName !== undefined && { userName }), resources },
    {
      userIdentity: { ...userIdentity(principal, undefined), invokedBy },
      requestParameters,
      responseElements,
      requestID: requestId,
      eventType: 'AwsApiCall',
    },
  );
}

function rowOf(
  { region, now, eventId, eventName, eventSource, invokedBy }: ByService,
  found: Pick<TrailRow, 'accountId' | 'userName' | 'resources'>,
  own: Readonly<Record<string, unknown>>,
): TrailRow {
  return {
    eventId,
    region,
    at: now,
    eventName,
    eventSource,
    readOnly: false,
    ...found,
    document: JSON.stringify({
      eventVersion: '1.08',
      eventTime: isoSeconds(now),
      eventSource,
      eventName,
      awsRegion: region,
      sourceIPAddress: invokedBy,
      userAgent: invokedBy,
      eventID: eventId,
      readOnly: false,
      managementEvent: true,
      recipientAccountId: found.accountId,
      eventCategory: 'Management',
      ...own,
    }),
  };
}
