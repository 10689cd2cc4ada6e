/** Parts of the server that the generation of policies uses. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { UseJob, UseOutcome } from '#core/recorded-use.ts';
import type { Tx } from '#store/store.ts';

/** A trail that an account sees, and its bucket. */
export interface TrailSource {
  readonly homeRegion: string;
  readonly isMultiRegion: boolean;
  readonly createdAt: Instant;
  /** Whether it logs, and the time of its last StopLogging. */
  readonly logging: boolean;
  readonly stoppedAt?: Instant | undefined;
  /** ARN of its bucket. */
  readonly bucketArn: string;
  /** ARN pattern of the log files of the account that sees it. */
  readonly filesArn: string;
  /** The bucket, if it is one of this server. */
  readonly bucket?: { readonly accountId: AccountId; readonly policy: string | undefined } | undefined;
}

/** Use of a role by Access Analyzer: actions that the role must allow. */
export interface RoleUseRequest {
  readonly roleArn: string;
  readonly accountId: AccountId;
  readonly region: string;
  readonly now: Instant;
  readonly actions: readonly `${string}:${string}`[];
  readonly resource: string;
  /** Owner and policy of the resource, if its ARN has no account. */
  readonly owner?: { readonly accountId: AccountId; readonly policy: string | undefined } | undefined;
}

/** Parts for policy generation. */
export interface PolicyGenerationParts {
  /** Runs a job in a thread. @throws AwsError Throttling  too many jobs wait · Error  the job failed */
  readonly findUse: <Job extends UseJob>(accountId: AccountId, job: Job) => Promise<UseOutcome<Job>>;
  /** Returns a trail by its ARN. Returns `undefined` if the account does not see such a trail. */
  readonly trail: (tx: Tx, accountId: AccountId, trailArn: string) => Promise<TrailSource | undefined>;
  /** Decides whether Access Analyzer may use a role. */
  readonly decideRole: (tx: Tx, request: RoleUseRequest) => Promise<'allowed' | 'no-role' | 'not-trusted' | 'denied'>;
}
