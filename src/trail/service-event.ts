import type { AccountId, Arn } from '#core/arn.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Principal } from '#core/principal.ts';
import { SERVICES, type ServiceName } from '#model/services.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { LONG_FIELD_BYTES, omittedElement } from './fields.ts';
import { serviceForm } from './service-forms.ts';
import { lookupUserName, userIdentity } from './user-identity.ts';

/** Facts that every type of event in this file has. These events are not requests of clients. */
interface EventFacts {
  readonly region: string;
  readonly now: Instant;
  /** A UUID. */
  readonly eventId: string;
  readonly eventName: string;
  readonly eventSource: string;
  /** Originator of the event: `chime.amazonaws.com`, or `operator` for a local command. */
  readonly invokedBy: string;
}

/** An event without an API call: an action of a service, or a local command of the operator. */
export interface ServiceEvent extends EventFacts {
  readonly accountId: AccountId;
  /** Description of the action, without secrets. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly resources?: readonly string[];
  /** Whether the event only reads. Default: false. */
  readonly readOnly?: boolean;
}

/** Facts about an API call by the server itself. No client sent a request for the call. */
interface CallFacts extends Omit<EventFacts, 'eventSource'> {
  /** Service of the called operation. */
  readonly service: ServiceName;
  /** A UUID. */
  readonly requestId: string;
  /** Parameters of the call, without secrets. The first letter of each member name is lower-case. */
  readonly requestParameters: Readonly<Record<string, unknown>>;
  readonly responseElements: Readonly<Record<string, unknown>>;
}

/** An API call by a service on behalf of the service's caller, with the permissions of that caller. */
export interface ForwardedCall extends CallFacts {
  readonly principal: Principal;
  readonly resources: TrailRow['resources'];
}

/** A call in which a service assumes a role of an account. */
export interface ServiceRoleCall extends CallFacts {
  readonly accountId: AccountId;
  readonly roleArn: Arn;
  /** Names under which LookupEvents finds the event, in addition to the role's ARN. */
  readonly issued: TrailRow['resources'];
  /** A UUID. */
  readonly sharedEventId: string;
}

/** Returns the record of a service event. Requirement LOG-5. */
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
      serviceEventDetails: within('serviceEventDetails', details),
    },
    event.readOnly,
  );
}

/**
 * Returns the record of a forwarded call. It contains the original caller and the service. Requirement SLR-6.
 *
 * Source: CloudTrail User Guide, "CloudTrail userIdentity element", `invokedBy`; "record contents", sourceIPAddress and userAgent of calls
 * from a service.
 */
export function forwardedCallRow(call: ForwardedCall): TrailRow {
  const { principal, invokedBy, requestId, resources } = call;
  const { eventSource } = SERVICES[call.service];
  const userName = lookupUserName(principal);
  return rowOf(
    { ...call, eventSource },
    { accountId: principal.accountId, ...omitUndefined({ userName }), resources },
    {
      eventVersion: serviceForm(call.service).eventVersion,
      userIdentity: { ...userIdentity(principal, undefined), invokedBy },
      ...boundedElements(call),
      requestID: requestId,
      eventType: 'AwsApiCall',
      ...(principal.session?.fromConsole && { sessionCredentialFromConsole: 'true' }),
    },
  );
}

/**
 * Returns the record of a call in which a service assumes a role. Requirement SLR-10.
 *
 * Source: a CloudTrail record of AWS of 2022-10-27, in which `backup.amazonaws.com` assumes `AWSServiceRoleForBackup`.
 */
export function serviceRoleRow(call: ServiceRoleCall): TrailRow {
  const { accountId, invokedBy, requestId, roleArn, issued, sharedEventId } = call;
  const { eventSource } = SERVICES[call.service];
  return rowOf(
    { ...call, eventSource },
    { accountId, userName: invokedBy, resources: [{ type: 'AWS::IAM::Role', name: roleArn }, ...issued] },
    {
      eventVersion: serviceForm(call.service).eventVersion,
      userIdentity: { type: 'AWSService', invokedBy },
      ...boundedElements(call),
      requestID: requestId,
      resources: [{ accountId, type: 'AWS::IAM::Role', ARN: roleArn }],
      eventType: 'AwsApiCall',
      sharedEventID: sharedEventId,
    },
    true,
  );
}

/** Returns `requestParameters` and `responseElements` of a call, each within its size limit. */
function boundedElements({ requestParameters, responseElements }: CallFacts): Readonly<Record<string, unknown>> {
  return {
    requestParameters: within('requestParameters', requestParameters),
    responseElements: within('responseElements', responseElements),
  };
}

/** Returns an element of a record, or its replacement if the element is larger than 100 KB. */
function within(name: string, element: Readonly<Record<string, unknown>>): unknown {
  const bytes = Buffer.byteLength(JSON.stringify(element));
  return bytes <= LONG_FIELD_BYTES ? element : JSON.parse(omittedElement(name, bytes));
}

function rowOf(
  { region, now, eventId, eventName, eventSource, invokedBy }: EventFacts,
  found: Pick<TrailRow, 'accountId' | 'userName' | 'resources'>,
  own: Readonly<Record<string, unknown>>,
  readOnly = false,
): TrailRow {
  return {
    eventId,
    region,
    at: now,
    eventName,
    eventSource,
    readOnly,
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
      readOnly,
      managementEvent: true,
      recipientAccountId: found.accountId,
      eventCategory: 'Management',
      ...own,
    }),
  };
}
