/** Files that Amazon Chime writes to buckets of AWS accounts. */
import type { AccountId, Arn } from '#core/arn.ts';
import { CHIME_PRINCIPAL } from '#services/chime-kit/service-events.ts';
import type { LogObject, LogTarget } from './targets/log-target.ts';

/** File about a resource of an AWS account. */
export interface ChimeFile extends Pick<LogObject, 'bucket' | 'key' | 'body' | 'contentType'> {
  readonly accountId: AccountId;
  /** ARN of the resource. */
  readonly sourceArn: Arn;
}

/** Writes a file to a bucket, which must belong to the AWS account of the resource. @throws TargetError  the bucket does not accept the file */
export async function putChimeFile(target: LogTarget, { accountId, sourceArn, ...file }: ChimeFile): Promise<void> {
  await target.put({ ...file, trailArn: sourceArn, trailAccountId: accountId, bucketOwner: accountId, service: CHIME_PRINCIPAL });
}
