import { type CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { omitUndefined } from '#core/omit-undefined.ts';

/** An event returned by LookupEvents. */
export interface LookedUp {
  readonly eventName: string;
  readonly userName: string | undefined;
  readonly errorCode: string | undefined;
  readonly document: {
    readonly requestID: string;
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
