/** Functions that read a server's CloudTrail records. */
import assert from 'node:assert/strict';
import { type CloudTrailClient, type LookupAttributeKey, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { omitUndefined } from '#core/omit-undefined.ts';
import { askControl } from '#server/operator/ask-control.ts';

/** An event returned by LookupEvents. */
export interface LookedUp {
  readonly eventName: string;
  readonly userName: string | undefined;
  readonly errorCode: string | undefined;
  readonly document: {
    readonly requestID: string;
    readonly eventSource: string;
    readonly awsRegion: string;
    readonly readOnly: boolean;
    readonly errorMessage?: string;
    readonly eventType: string;
    readonly serviceEventDetails?: Readonly<Record<string, unknown>>;
    readonly userIdentity: {
      readonly type: string;
      readonly arn?: string;
      readonly accountId?: string;
      readonly userName?: string;
      readonly invokedBy?: string;
      readonly accessKeyId?: string;
      readonly sessionContext?: { readonly sessionIssuer?: { readonly arn: string } };
    };
    readonly tlsDetails?: { readonly tlsVersion: string; readonly cipherSuite: string; readonly clientProvidedHostHeader: string };
  };
}

/** Returns the whole event history of an account in a region, oldest first. */
export async function everyEvent(client: CloudTrailClient): Promise<LookedUp[]> {
  const found: LookedUp[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(new LookupEventsCommand({ ...omitUndefined({ NextToken }) }));
    for (const { EventName, Username, CloudTrailEvent } of page.Events ?? []) {
      const document = JSON.parse(CloudTrailEvent as string) as LookedUp['document'] & { errorCode?: string };
      found.push({ eventName: EventName as string, userName: Username, errorCode: document.errorCode, document });
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return found.reverse();
}

/**
 * Returns the first page of CloudTrail records in which the attribute `AttributeKey` has the value `value`, newest
 * first. The default attribute is the event name.
 */
export async function recordsOf(client: CloudTrailClient, value: string, AttributeKey: LookupAttributeKey = 'EventName') {
  const { Events = [] } = await client.send(new LookupEventsCommand({ LookupAttributes: [{ AttributeKey, AttributeValue: value }] }));
  return Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent as string));
}

/** Returns the records that name no account, newest first, as `belfry trail unproven` prints them. Reads pages of `limit` records. */
export async function readUnproven(dataFolder: string, limit = 100): Promise<readonly Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  let before: string | undefined;
  do {
    const reply = await askControl(dataFolder, { command: 'trail unproven', limit, ...(before !== undefined && { before }) });
    assert.ok(reply.ok, 'belfry trail unproven failed');
    found.push(...(reply.records ?? []).map((text) => JSON.parse(text) as Record<string, unknown>));
    before = reply.next;
  } while (before !== undefined);
  return found;
}
