import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';

/** One record of the trail, with the columns it is looked up by beside the record itself. */
export interface TrailRow {
  /** A UUID: CloudTrail's `eventID`. */
  readonly eventId: string;
  /** `recipientAccountId`: whose event history it stands in. */
  readonly accountId: AccountId;
  readonly region: string;
  readonly at: Instant;
  readonly eventName: string;
  readonly eventSource: string;
  readonly readOnly: boolean;
  readonly userName?: string;
  readonly accessKeyId?: string;
  /** Type and name of each resource named, for the lookup attributes ResourceType and ResourceName. */
  readonly resources: readonly { readonly type?: string; readonly name: string }[];
  /** The whole record: JSON text. */
  readonly document: string;
}

/** The attributes of LookupEvents. Source: CloudTrail API reference, LookupAttribute. */
export type LookupAttribute = 'EventId' | 'EventName' | 'ReadOnly' | 'Username' | 'ResourceType' | 'ResourceName' | 'EventSource' | 'AccessKeyId';

export interface Trail {
  append(row: TrailRow): Promise<void>;
  /** Newest first; `before` is where the page before ended. */
  lookup(query: {
    readonly accountId: AccountId;
    readonly region: string;
    readonly from: Instant;
    readonly to: Instant;
    readonly attribute?: { readonly name: LookupAttribute; readonly value: string };
    readonly before?: string;
    readonly limit: number;
  }): Promise<{ readonly rows: readonly TrailRow[]; readonly next?: string }>;
}
