/** Data events: which calls on objects of buckets the server records. */
import type { AccountId } from '#core/arn.ts';
import { SERVICES, type ServiceName } from '#model/services.ts';
import { type TrailRecord, trails } from '#services/cloudtrail/tables/trails.ts';
import { buckets } from '#services/s3/tables/buckets.ts';
import type { Tx } from '#store/store.ts';
import type { DataFacts } from '#trail/record.ts';
import { organizationPlace, selectsOf } from './delivering-trail.ts';
import type { EventFacts } from './selectors.ts';

/** A call on data, before it is recorded. */
export interface DataCall {
  readonly service: ServiceName;
  readonly operation: string;
  readonly readOnly: boolean;
  readonly region: string;
  readonly input: unknown;
  /** ARN of the caller, or an empty string. */
  readonly userArn: string;
  readonly fromConsole: boolean;
}

/** Members of the inputs of S3 that name objects. */
interface ObjectInput {
  readonly Bucket?: string;
  readonly Key?: string;
  readonly Delete?: { readonly Objects?: readonly { readonly Key?: string }[] };
}

/**
 * Returns the facts for the record of a call on objects, or `undefined` if no trail selects it. The trails of the bucket's account that are
 * logging count, and those of its organization. Reads the trails in the transaction of the call, so every server decides with the current
 * selectors.
 */
export async function selectedDataEvent(tx: Tx, call: DataCall): Promise<DataFacts | undefined> {
  const input = (call.input ?? {}) as ObjectInput;
  if (input.Bucket === undefined) return undefined;
  const bucket = await tx.of(buckets).get(input.Bucket);
  if (bucket === undefined) return undefined;
  const objects = objectsOf(input.Bucket, input);
  const facts: EventFacts = {
    category: 'Data',
    readOnly: call.readOnly,
    eventSource: SERVICES[call.service].eventSource,
    eventName: call.operation,
    resources: objects.map((arn) => ({ type: 'AWS::S3::Object', arn })),
    more: () => ({ eventType: 'AwsApiCall', sessionCredentialFromConsole: String(call.fromConsole), userArn: call.userArn }),
  };
  return (await isSelected(tx, bucket.accountId, call.region, facts))
    ? { bucket: bucket.name, bucketAccountId: bucket.accountId, objects }
    : undefined;
}

/** Returns the ARNs of the objects of a call. A list of objects has the ARN of its bucket with a slash. */
function objectsOf(bucket: string, { Key, Delete }: ObjectInput): readonly string[] {
  const keys = Delete?.Objects?.map((each) => each.Key ?? '') ?? [Key ?? ''];
  return keys.map((key) => `arn:aws:s3:::${bucket}/${key}`);
}

async function isSelected(tx: Tx, accountId: AccountId, region: string, facts: EventFacts): Promise<boolean> {
  const repository = tx.of(trails);
  const selects = async (trail: TrailRecord): Promise<boolean> =>
    (trail.configuration.IsMultiRegionTrail || trail.homeRegion === region) && selectsOf(await repository.settings(trail.trailId))(facts);
  for (const trail of await repository.selectingData(accountId)) if (await selects(trail)) return true;
  const place = await organizationPlace(tx, accountId);
  if (place === undefined || place.managementAccountId === accountId) return false;
  for (const trail of await repository.selectingData(place.managementAccountId))
    if (trail.configuration.IsOrganizationTrail && (await selects(trail))) return true;
  return false;
}
