/** Operations on buckets, other than policy and lifecycle. */

import { isBucketName } from '#core/bucket-name.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { REGIONS } from '#core/regions.ts';
import type { BucketLocationConstraint, CreateBucketRequest } from '#model/generated/s3.ts';
import type { DeclaredOperations } from '../kit/operation-table.ts';
import { emitBucketChanged } from './analyzed-buckets.ts';
import { bucketArn, bucketOf, canonicalId, onBucket, refuseMembers } from './bucket-access.ts';
import { discardUpload } from './discard.ts';
import { AwsError, invalidArgument } from './errors.ts';
import { buckets } from './tables/buckets.ts';
import { objects } from './tables/objects.ts';
import { uploads } from './tables/uploads.ts';

/** Parts of the server that the operations of S3 need. */
export interface S3Deps {
  /** Whether the server has a place for the contents of objects. */
  readonly storesBodies: boolean;
  /** Returns the URL that clients use for this server. */
  readonly publicUrl: () => string;
}

type Bucketed = Pick<
  DeclaredOperations<'s3'>,
  'ListBuckets' | 'CreateBucket' | 'DeleteBucket' | 'HeadBucket' | 'GetBucketLocation' | 'GetBucketVersioning'
>;

/** Maximum number of buckets of an account. Source: S3 User Guide, "General purpose buckets quotas": 10,000 by default. */
const BUCKETS_MAX = 10_000;
const LIST_MAX = 10_000;
/** Maximum number of incomplete multipart uploads that DeleteBucket discards. Assumed: AWS discards all of them. */
const UPLOADS_DISCARDED = 100;

/** Returns the operations on buckets. */
export function bucketOperations({ storesBodies }: S3Deps): Required<Bucketed> {
  return {
    ListBuckets: {
      async handle({ tx, accountId }, { MaxBuckets = LIST_MAX, ContinuationToken = '', Prefix = '', BucketRegion }) {
        if (MaxBuckets < 1 || MaxBuckets > LIST_MAX)
          throw invalidArgument(`Argument max-buckets must be an integer between 1 and ${LIST_MAX}`, 'max-buckets', MaxBuckets);
        const after = Buffer.from(ContinuationToken, 'base64url').toString();
        // PostgreSQL cannot compare strings with U+0000, and no name has it.
        if (after.includes('\0'))
          throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', ContinuationToken);
        const found = await tx.of(buckets).list(accountId, { prefix: Prefix, after, region: BucketRegion, limit: MaxBuckets + 1 });
        const page = found.slice(0, MaxBuckets);
        const last = page.at(-1)?.name;
        return {
          Buckets: page.map(({ name, createdAt, region }) => ({
            Name: name,
            CreationDate: createdAt,
            BucketRegion: region,
            BucketArn: bucketArn(name),
          })),
          Owner: { ID: canonicalId(accountId) },
          ...omitUndefined({
            Prefix: Prefix === '' ? undefined : Prefix,
            ContinuationToken: found.length > MaxBuckets && last !== undefined ? Buffer.from(last).toString('base64url') : undefined,
          }),
        };
      },
    },
    CreateBucket: {
      access: (input, { accountId }) => ({
        ...onBucket(input, { 's3:x-amz-acl': input.ACL, 's3:locationconstraint': input.CreateBucketConfiguration?.LocationConstraint }),
        // The new bucket belongs to the caller's account. The policy of an existing bucket with this name has no effect.
        resourceOwner: () => Promise.resolve(accountId),
        resourcePolicy: () => Promise.resolve(undefined),
      }),
      /**
       * Creates a bucket. A repeated request in us-east-1 succeeds, as in AWS.
       *
       * @throws InvalidBucketName
       * @throws InvalidLocationConstraint           the region does not exist
       * @throws IllegalLocationConstraintException  the region is not the one that the request is signed for
       * @throws InvalidBucketAclWithObjectOwnership  an ACL other than `private`
       * @throws NotImplemented                      a feature that this server lacks, or no place for contents
       * @throws BucketAlreadyOwnedByYou, BucketAlreadyExists, TooManyBuckets
       */
      async handle(call, input) {
        const { tx, accountId, region, now } = call;
        const { Bucket: name } = input;
        requireBucketName(name);
        requireRegion(input, region);
        refuseBucketFeatures(input);
        if (!storesBodies) throw new AwsError('NotImplemented', NO_BODIES);
        const existing = await tx.of(buckets).get(name);
        if (existing?.accountId === accountId && region === 'us-east-1' && existing.region === region) return created(name);
        if (existing?.accountId === accountId) throw new AwsError('BucketAlreadyOwnedByYou', OWNED, { BucketName: name });
        if (existing !== undefined) throw new AwsError('BucketAlreadyExists', TAKEN, { BucketName: name });
        if ((await tx.of(buckets).count(accountId, BUCKETS_MAX)) >= BUCKETS_MAX)
          throw new AwsError('TooManyBuckets', 'You have attempted to create more buckets than allowed');
        await tx.of(buckets).add({ name, accountId, region, createdAt: now });
        await emitBucketChanged(call, accountId, name);
        return created(name);
      },
    },
    DeleteBucket: {
      access: (input) => onBucket(input),
      /** @throws NoSuchBucket, AccessDenied · BucketNotEmpty */
      async handle(call, input) {
        const { name, accountId } = await bucketOf(call, input);
        if (await call.tx.of(objects).hasAny(name))
          throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', { BucketName: name });
        // A later bucket of this name must not contain the uploads.
        const incomplete = await call.tx.of(uploads).list(name, '', '', UPLOADS_DISCARDED + 1);
        if (incomplete.length > UPLOADS_DISCARDED)
          throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete has many incomplete multipart uploads', {
            BucketName: name,
          });
        for (const upload of incomplete) await discardUpload(call, upload);
        await call.tx.of(buckets).remove(name);
        await emitBucketChanged(call, accountId, name);
        return {};
      },
    },
    HeadBucket: {
      access: (input) => onBucket(input),
      async handle(call, input) {
        const { region, name } = await bucketOf(call, input);
        return { BucketRegion: region, BucketArn: bucketArn(name) };
      },
    },
    GetBucketLocation: {
      access: (input) => onBucket(input),
      async handle(call, input) {
        const { region } = await bucketOf(call, input);
        return region === 'us-east-1' ? {} : { LocationConstraint: region as BucketLocationConstraint };
      },
    },
    GetBucketVersioning: {
      access: (input) => onBucket(input),
      async handle(call, input) {
        await bucketOf(call, input);
        return {};
      },
    },
  };
}

const OWNED = 'Your previous request to create the named bucket succeeded and you already own it.';
const TAKEN =
  'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.';
const NO_BODIES =
  'This server has its database in PostgreSQL, and no service for the contents of objects is configured. Buckets are not available.';

function created(name: string) {
  return { Location: `/${name}`, BucketArn: bucketArn(name) };
}

/**
 * Checks the name of a new bucket.
 *
 * @throws InvalidBucketName
 * Source: S3 User Guide, "General purpose bucket naming rules".
 */
export function requireBucketName(name: string): void {
  const isValid =
    isBucketName(name) &&
    !/\.-|-\./.test(name) &&
    !/^(xn--|sthree-|amzn-s3-demo-)/.test(name) &&
    !/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
  if (!isValid) throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', { BucketName: name });
}

function requireRegion({ CreateBucketConfiguration: { LocationConstraint: constraint } = {} }: CreateBucketRequest, region: string): void {
  const wanted = constraint === 'EU' ? 'eu-west-1' : constraint;
  if (wanted === undefined && region === 'us-east-1') return;
  if (wanted !== undefined && (!REGIONS.has(wanted) || (wanted as string) === 'us-east-1'))
    throw new AwsError('InvalidLocationConstraint', 'The specified location-constraint is not valid', { LocationConstraint: constraint });
  if (wanted === region) return;
  const message = `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`;
  throw new AwsError('IllegalLocationConstraintException', message);
}

function refuseBucketFeatures(input: CreateBucketRequest): void {
  const { ACL, GrantFullControl, GrantRead, GrantReadACP, GrantWrite, GrantWriteACP, ObjectOwnership, BucketNamespace } = input;
  const grants = [GrantFullControl, GrantRead, GrantReadACP, GrantWrite, GrantWriteACP];
  if ((ACL !== undefined && ACL !== 'private') || grants.some((grant) => grant !== undefined))
    throw new AwsError(
      'InvalidBucketAclWithObjectOwnership',
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    );
  refuseMembers(input, { ObjectLockEnabledForBucket: 'x-amz-bucket-object-lock-enabled' });
  refuseMembers({ ObjectOwnership: ObjectOwnership === 'BucketOwnerEnforced' ? undefined : ObjectOwnership }, OWNERSHIP);
  refuseMembers(
    { BucketNamespace: BucketNamespace === 'global' ? undefined : BucketNamespace },
    { BucketNamespace: 'x-amz-bucket-namespace' },
  );
  refuseMembers(input.CreateBucketConfiguration ?? {}, { Location: 'Location', Bucket: 'Bucket', Tags: 'Tags' });
}

const OWNERSHIP = { ObjectOwnership: 'x-amz-object-ownership' };
