import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';

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
  readonly userName?: string;
  readonly accessKeyId?: string;
  /** Type and name of each resource of the event, for the lookup attributes ResourceType and ResourceName. */
  readonly resources: readonly { readonly type?: string; readonly name: string }[];
  /** The whole record: JSON text. */
  readonly document: string;
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
