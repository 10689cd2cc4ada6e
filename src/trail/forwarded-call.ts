import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { TrailRow } from '#store/trail.ts';
import { lookupUserName, userIdentity } from './user-identity.ts';

/** A call that a service makes for who called it, and with that caller's permission. */
export interface ForwardedCall {
  readonly principal: Principal;
  readonly region: string;
  readonly now: Instant;
  /** UUIDs. */
  readonly eventId: string;
  readonly requestId: string;
  readonly eventName: string;
  readonly eventSource: string;
  /** The service: `voiceconnector.chime.amazonaws.com`. */
  readonly invokedBy: string;
  /** Without secrets, members lower-cased in their first letter. */
  readonly requestParameters: Readonly<Record<string, unknown>>;
  readonly responseElements: Readonly<Record<string, unknown>>;
  readonly resources: TrailRow['resources'];
}

/**
 * The record of a forwarded call: by who called, through the service. Requirement SLR-6.
 *
 * Source: CloudTrail User Guide, "CloudTrail userIdentity element", `invokedBy`; "record contents", sourceIPAddress and userAgent of calls
 * that come from a service.
 */
export function forwardedCallRow(call: ForwardedCall): TrailRow {
  const { principal, region, now, eventId, requestId, eventName, eventSource, invokedBy, requestParameters, responseElements } = call;
  const userName = lookupUserName(principal);
  return {
    eventId,
    accountId: principal.accountId,
    region,
    at: now,
    eventName,
    eventSource,
    readOnly: false,
    ...(userName !== undefined && { userName }),
    resources: call.resources,
    document: JSON.stringify({
      eventVersion: '1.08',
      userIdentity: { ...userIdentity(principal, undefined), invokedBy },
      eventTime: isoSeconds(now),
      eventSource,
      eventName,
      awsRegion: region,
      sourceIPAddress: invokedBy,
      userAgent: invokedBy,
      requestParameters,
      responseElements,
      requestID: requestId,
      eventID: eventId,
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: principal.accountId,
      eventCategory: 'Management',
    }),
  };
}
