/** Buckets for call detail records and usage reports: created with the policy that they need, listed and deleted. */
import { authorizeService } from '#access/service-authorization.ts';
import type { AccountId } from '#core/arn.ts';
import { AwsError as AnyError } from '#core/aws-error.ts';
import type { ChimeApi } from '#model/generated/chime.ts';
import { keyOfToken, tokenOf } from '../chime-kit/page.ts';
import { CHIME_PRINCIPAL } from '../chime-kit/service-events.ts';
import { chimeSettingsOf, putChimeSettings } from '../chime-kit/settings.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import type { OwnedBucket } from '../kit/owned-buckets.ts';
import type { ChimeDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { badRequest, conflict, limitExceeded, notFound } from './stored-accounts.ts';

const ACL = 'bucket-owner-full-control';
/** Default page size, and buckets that one page reads at most. A page with few eligible buckets ends early. Assumed: both. */
const PAGE_RESULTS = 50;
const SCANNED_MAX = 100;

/**
 * Buckets for call detail records.
 *
 * An own operation with the effects of operations of S3 also requires their permissions, as the console of AWS makes these calls for the
 * caller. So a caller cannot do with Amazon Chime what the policies do not allow with S3.
 *
 * Source: Service Authorization Reference, Amazon Chime: the actions; managed policy AmazonChimeFullAccess, which has s3:ListAllMyBuckets and no
 * permission to create buckets. Assumed: inputs, outputs and errors, as AWS publishes none; the policy of a created bucket.
 */
export function cdrBucketOperations({ ownedBuckets }: Pick<ChimeDeps, 'ownedBuckets'>) {
  /** Returns the permission to delete a bucket of the caller's AWS account. The policy of the bucket also decides. */
  function onDelete(bucket: string, { accountId }: Caller): DeclaredAccess {
    const found = async (tx: Call['tx']): Promise<OwnedBucket> => {
      const stored = await ownedBuckets.get(tx, bucket);
      if (stored?.accountId !== accountId) throw notFound('Bucket', bucket);
      return stored;
    };
    return {
      ...{ action: 's3:DeleteBucket', resources: [`arn:aws:s3:::${bucket}`] },
      resourceOwner: async (tx) => (await found(tx)).accountId,
      resourcePolicy: async (tx) => (await found(tx)).policy?.policy,
    };
  }

  return {
    /**
     * Creates a bucket to which Amazon Chime may write for this AWS account. Also requires s3:CreateBucket and s3:PutBucketPolicy on the bucket.
     *
     * @throws BadRequestException             the name is invalid
     * @throws ConflictException               an AWS account has a bucket with this name
     * @throws ResourceLimitExceededException  the AWS account has 10,000 buckets
     * @throws ForbiddenException              the server has no place for contents of objects
     */
    CreateCDRBucket: {
      access: ({ BucketName }, caller) => [{ resources: ['*'] }, ...onCreate(BucketName, caller)],
      async handle(call, { BucketName }) {
        await asChime(ownedBuckets.create(call, BucketName, bucketPolicy(call.accountId, BucketName)));
        const { BusinessCallingCdrBucket } = await chimeSettingsOf(call);
        return { CDRBucket: { BucketName, IsUsed: BucketName === BusinessCallingCdrBucket } };
      },
    },

    /**
     * Lists the buckets to which Amazon Chime may write call detail records, by name. Also requires s3:ListAllMyBuckets. A page can have fewer
     * buckets than requested although more follow.
     *
     * @throws BadRequestException  the token is invalid
     */
    ListCDRBucket: {
      access: () => [{ resources: ['*'] }, { action: 's3:ListAllMyBuckets', resources: ['*'] }],
      async handle(call, { MaxResults = PAGE_RESULTS, NextToken }) {
        const scope = `ListCDRBucket ${call.accountId}`;
        const { BusinessCallingCdrBucket } = await chimeSettingsOf(call);
        const after = NextToken === undefined ? '' : keyOfToken(scope, NextToken);
        const read = await ownedBuckets.list(call.tx, call.accountId, after, SCANNED_MAX + 1);
        const found: OwnedBucket[] = [];
        let last = after;
        let scanned = 0;
        for (const bucket of read.slice(0, SCANNED_MAX)) {
          if (found.length === MaxResults) break;
          if (isEligible(call, bucket)) found.push(bucket);
          last = bucket.name;
          scanned += 1;
        }
        const CDRBuckets = found.map(({ name }) => ({ BucketName: name, IsUsed: name === BusinessCallingCdrBucket }));
        return { CDRBuckets, ...(scanned < read.length && { NextToken: tokenOf(scope, last) }) };
      },
    },

    /**
     * Deletes an empty bucket, and the settings of Amazon Chime and of Voice Connectors that name it. Also requires s3:DeleteBucket on the bucket.
     *
     * @throws NotFoundException  the AWS account does not have the bucket
     * @throws ConflictException  the bucket is not empty
     */
    DeleteCDRBucket: {
      access: ({ BucketName }, caller) => [{ resources: ['*'] }, onDelete(BucketName, caller)],
      async handle(call, { BucketName }) {
        if (!(await ownedBuckets.owns(call.tx, call.accountId, BucketName))) throw notFound('Bucket', BucketName);
        await asChime(ownedBuckets.remove(call, BucketName));
        const settings = await chimeSettingsOf(call);
        const { BusinessCallingCdrBucket, CdrBucket, ...rest } = settings;
        const names = [BusinessCallingCdrBucket, CdrBucket];
        if (names.includes(BucketName))
          await putChimeSettings(call, {
            ...rest,
            ...(BusinessCallingCdrBucket !== undefined && BusinessCallingCdrBucket !== BucketName && { BusinessCallingCdrBucket }),
            ...(CdrBucket !== undefined && CdrBucket !== BucketName && { CdrBucket }),
          });
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

/** Returns the permissions of S3 for a new bucket. It has no policy yet, and belongs to the caller's AWS account. */
function onCreate(bucket: string, { accountId, region }: Caller): readonly DeclaredAccess[] {
  const isNew: Pick<DeclaredAccess, 'resources' | 'resourceOwner' | 'resourcePolicy'> = {
    resources: [`arn:aws:s3:::${bucket}`],
    resourceOwner: () => Promise.resolve(accountId),
    resourcePolicy: () => Promise.resolve(undefined),
  };
  const context = new Map(region === 'us-east-1' ? [] : [['s3:locationconstraint', region]]);
  return [
    { action: 's3:CreateBucket', context, ...isNew },
    { action: 's3:PutBucketPolicy', ...isNew },
  ];
}

/** Returns the policy of a new bucket. Amazon Chime may write only for this AWS account, so that no other account can fill the bucket. */
function bucketPolicy(accountId: AccountId, bucket: string): string {
  const StringEquals = { 'aws:SourceAccount': accountId, 's3:x-amz-acl': ACL };
  const Statement = {
    ...{ Sid: 'AmazonChimeWrite', Effect: 'Allow', Principal: { Service: CHIME_PRINCIPAL }, Action: 's3:PutObject' },
    ...{ Resource: `arn:aws:s3:::${bucket}/*`, Condition: { StringEquals } },
  };
  return JSON.stringify({ Version: '2012-10-17', Statement: [Statement] });
}

/** Reports whether Amazon Chime may write call detail records of the caller's AWS account to a bucket. */
function isEligible({ accountId, now }: Pick<Call, 'accountId' | 'now'>, { name, policy, region }: OwnedBucket): boolean {
  const sourceArn = `arn:aws:chime::${accountId}:*`;
  return authorizeService({
    ...{ service: CHIME_PRINCIPAL, action: 's3:PutObject', policy: policy?.policy, owner: accountId },
    ...{ resource: `arn:aws:s3:::${name}/Amazon-Chime-Business-Calling-CDRs/json/${accountId}/record` },
    ...{ sourceArn, sourceAccount: accountId, region, now, context: new Map([['s3:x-amz-acl', ACL]]) },
  }).allowed;
}

/** Returns the result of an operation of S3, with errors of Amazon Chime. */
async function asChime(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    if (!(thrown instanceof AnyError)) throw thrown;
    switch (thrown.code) {
      case 'BucketAlreadyOwnedByYou':
      case 'BucketAlreadyExists':
      case 'BucketNotEmpty':
        throw conflict();
      case 'TooManyBuckets':
        throw limitExceeded();
      case 'NotImplemented':
        throw new AwsError('ForbiddenException', thrown.message);
      case 'InvalidBucketName':
      case 'InvalidLocationConstraint':
        throw badRequest();
      default:
        throw thrown;
    }
  }
}
