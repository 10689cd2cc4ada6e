/** Resources with a policy that gives access to others: those that the analyzers for external access read. */
import type { AccountId } from '#core/arn.ts';
import type { Work } from './events.ts';

/** A resource and its policy. */
export interface AnalyzedResource {
  readonly arn: string;
  /** The trust policy of a role, or the policy of a bucket. Absent if the resource has none. */
  readonly policy?: string | undefined;
  /** Region of a bucket. Absent for a role, which is in all regions. */
  readonly region?: string;
}

/** Reports whether the analyzers of a region analyze a resource. A role is in all regions. */
export function isInRegion({ region }: Pick<AnalyzedResource, 'region'>, analyzed: { readonly region: string }): boolean {
  return region === undefined || region === analyzed.region;
}

/** Resource types of Access Analyzer that this server has. */
export type AnalyzedType = 'AWS::IAM::Role' | 'AWS::S3::Bucket';

/** A resource-based policy as an analysis reads it. */
export interface ResourcePolicy {
  readonly resourceType: AnalyzedType;
  /** ARN of the role or bucket. */
  readonly arn: string;
  /** Trust policy or bucket policy, with ARNs in place of unique IDs (`shownBucketPolicy`). Absent if a bucket has none. */
  readonly policy?: string;
  /** Block Public Access of a bucket. Absent means that both settings are off. */
  readonly publicAccessBlock?: { readonly ignorePublicAcls: boolean; readonly restrictPublicBuckets: boolean };
}

/** A kind of resources of one service. The declaration of the service lists it. */
export interface AnalyzedKind {
  readonly type: AnalyzedType;
  /** Returns the resource. Undefined if the account has none with this ARN. */
  readonly find: (work: Pick<Work, 'tx' | 'now'>, accountId: AccountId, arn: string) => Promise<AnalyzedResource | undefined>;
  /** Returns at most `limit` resources of the account, in the order of their names, after the resource with the ARN `after`. */
  readonly list: (
    work: Pick<Work, 'tx' | 'now'>,
    accountId: AccountId,
    after: string | undefined,
    limit: number,
  ) => Promise<readonly AnalyzedResource[]>;
}

/** A role or bucket was created or deleted, or its policy changed. Its service emits the event in the transaction of the change. */
export interface AnalyzedResourceChanged {
  readonly type: 'AnalyzedResourceChanged';
  readonly accountId: AccountId;
  readonly resourceType: AnalyzedType;
  readonly arn: string;
}
