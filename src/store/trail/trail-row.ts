import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { StoredContext } from './decision-context.ts';

/** One trail event as stored: the record itself and the columns that LookupEvents searches. */
export interface TrailRow {
  /** UUID: CloudTrail's `eventID`. */
  readonly eventId: string;
  /** CloudTrail's `recipientAccountId`: the account whose event history contains the event. */
  readonly accountId: AccountId;
  readonly region: string;
  readonly at: Instant;
  readonly eventName: string;
  readonly eventSource: string;
  readonly readOnly: boolean;
  /**
   * CloudTrail's `eventCategory`. Default: `Management`. Only log files of trails contain data events. No look-up finds
   * them.
   */
  readonly category?: 'Data' | undefined;
  readonly userName?: string | undefined;
  readonly accessKeyId?: string | undefined;
  /** Type and name of each resource of the event, for the lookup attributes ResourceType and ResourceName. */
  readonly resources: readonly { readonly type?: string; readonly name: string }[];
  /** The whole record as JSON. */
  readonly document: string;
  /**
   * Facts that decided whether the request was allowed. Absent if no policy decided. Clients of CloudTrail never see them:
   * only `decisionsSince` returns them.
   */
  readonly context?: StoredContext | undefined;
}

/** The attributes of LookupEvents. Source: CloudTrail API reference, LookupAttribute. */
export type LookupAttribute =
  | 'EventId'
  | 'EventName'
  | 'ReadOnly'
  | 'Username'
  | 'ResourceType'
  | 'ResourceName'
  | 'EventSource'
  | 'AccessKeyId';
