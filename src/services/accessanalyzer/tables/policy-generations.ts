import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import type { AllowedUse } from '#core/recorded-use.ts';
import type { JobErrorCode, JobStatus, Trail } from '#model/generated/accessanalyzer.ts';
import type { Sql } from '#store/sql.ts';
import { instant, int, json, optional, type Row, table, text, textOf } from '#store/table.ts';

/**
 * Time for which jobs and their results are kept.
 *
 * Source: IAM User Guide, "Things to know about generating policies": 7 days, in the console. Assumed: also in the API, from the start of the job.
 */
export const KEPT_MS = 7 * DAY_MS;

/** Records that a job searches. */
export interface GenerationRequest {
  readonly from: Instant;
  readonly to: Instant;
  /** Trails and the role with which they are read. Absent: the event history of the account. */
  readonly cloudTrail?: { readonly trails: readonly Trail[]; readonly accessRole: string };
}

/** Result of a job that succeeded. */
export interface GeneratedUse extends AllowedUse {
  /** Used actions of which the searched records have none. */
  readonly unrecorded: readonly string[];
  /** Whether the records have the whole use, as far as the server knows. */
  readonly isComplete: boolean;
}

/** Jobs that generate policies. */
export const POLICY_GENERATION = table('policy_generation', {
  columns: {
    accountId: textOf<AccountId>(),
    region: text,
    /** UUID in lower case. */
    jobId: text,
    principalArn: text,
    status: textOf<JobStatus>(),
    startedAt: instant,
    /** Absent while the status is `IN_PROGRESS`. */
    endedAt: optional(instant),
    errorCode: optional(textOf<JobErrorCode>()),
    errorMessage: optional(text),
    request: json<GenerationRequest>(),
    result: optional(json<GeneratedUse>()),
    /** Number of changes. */
    revision: int,
    /** Time until which other servers do not run the job. */
    claimedUntil: instant,
  },
  key: ['accountId', 'region', 'jobId'],
  indexes: [
    ['accountId', 'region', 'startedAt', 'jobId'],
    ['startedAt'],
    { columns: ['startedAt', 'jobId'], where: 'ended_at_ms IS NULL' },
  ],
});
export type PolicyGenerationRecord = Row<typeof POLICY_GENERATION>;

/** A job without its result, which can be large. */
export type PolicyGenerationSummary = Omit<PolicyGenerationRecord, 'result' | 'request'>;

/** Position in a list of jobs. */
export type GenerationPlace = Pick<PolicyGenerationRecord, 'startedAt' | 'jobId'>;

/** Key of a job. */
export type GenerationKey = Pick<PolicyGenerationRecord, 'accountId' | 'region' | 'jobId'>;

/** Jobs that generate policies. */
export interface PolicyGenerations {
  add(job: PolicyGenerationRecord): Promise<void>;
  get(key: GenerationKey): Promise<PolicyGenerationRecord | undefined>;
  /** Returns the first job in progress after `after` that no server has claimed, oldest first. */
  due(now: Instant, after: GenerationPlace | undefined): Promise<PolicyGenerationRecord | undefined>;
  /**
   * Replaces the status, the end, the error, the result and the claim. Returns the job with its new revision, or undefined if its revision is not
   * that of `job`, or if it is not in progress.
   */
  change(job: PolicyGenerationRecord): Promise<PolicyGenerationRecord | undefined>;
  /** Returns the number of jobs of an account and region that began after `after`, and how many of them are in progress. */
  count(accountId: AccountId, region: string, after: Instant): Promise<{ readonly all: number; readonly inProgress: number }>;
  /** Lists jobs of an account and region, newest first, after the position `after`, of all principals or of one. */
  list(
    accountId: AccountId,
    region: string,
    page: { readonly principalArn?: string | undefined; readonly after?: GenerationPlace | undefined; readonly limit: number },
  ): Promise<readonly PolicyGenerationSummary[]>;
  /** Deletes at most `limit` jobs that began before a time. Returns their number. */
  removeBefore(before: Instant, limit: number): Promise<number>;
}

const { names } = POLICY_GENERATION;
const DUE = `
  SELECT ${names} FROM policy_generation
  WHERE ended_at_ms IS NULL AND claimed_until_ms <= $1 AND (started_at_ms, job_id) > ($2, $3)
  ORDER BY started_at_ms, job_id LIMIT 1`;
const CHANGE = `
  UPDATE policy_generation
  SET status = $5, ended_at_ms = $6, error_code = $7, error_message = $8, result = $9, claimed_until_ms = $10, revision = revision + 1
  WHERE account_id = $1 AND region = $2 AND job_id = $3 AND revision = $4 AND ended_at_ms IS NULL`;
const COUNT = `
  SELECT COUNT(*) AS total, COUNT(ended_at_ms) AS ended FROM policy_generation
  WHERE account_id = $1 AND region = $2 AND started_at_ms > $3`;
const SUMMARY =
  'account_id, region, job_id, principal_arn, status, started_at_ms, ended_at_ms, error_code, error_message, revision, claimed_until_ms';
const LIST = `
  SELECT ${SUMMARY}, '{}' AS request, NULL AS result FROM policy_generation
  WHERE account_id = $1 AND region = $2 AND (started_at_ms, job_id) < ($3, $4) AND ($5 = '' OR principal_arn = $5)
  ORDER BY started_at_ms DESC, job_id DESC LIMIT $6`;
const REMOVE_BEFORE = `
  DELETE FROM policy_generation
  WHERE (account_id, region, job_id) IN (
    SELECT account_id, region, job_id FROM policy_generation WHERE started_at_ms < $1 ORDER BY started_at_ms LIMIT $2)`;

/** Creates the repository of one transaction. */
export function policyGenerations(sql: Sql): PolicyGenerations {
  return {
    add: (job) => POLICY_GENERATION.insert(sql, job),
    get: ({ accountId, region, jobId }) => POLICY_GENERATION.get(sql, accountId, region, jobId),
    due: (now, after) => POLICY_GENERATION.row(sql, DUE, [now, after?.startedAt ?? -1, after?.jobId ?? '']),
    async change(job) {
      const { accountId, region, jobId, revision, status, endedAt, errorCode, errorMessage, result, claimedUntil } = job;
      const values = [status, endedAt ?? null, errorCode ?? null, errorMessage ?? null];
      const stored = result === undefined ? null : JSON.stringify(result);
      const changed = await sql.run(CHANGE, [accountId, region, jobId, revision, ...values, stored, claimedUntil]);
      return changed === 0 ? undefined : { ...job, revision: revision + 1 };
    },
    async count(accountId, region, after) {
      const row = await sql.row<{ readonly total: number; readonly ended: number }>(COUNT, [accountId, region, after]);
      const all = Number(row?.total ?? 0);
      return { all, inProgress: all - Number(row?.ended ?? 0) };
    },
    async list(accountId, region, { principalArn = '', after, limit }) {
      const from = [after?.startedAt ?? Number.MAX_SAFE_INTEGER, after?.jobId ?? ''] as const;
      return await POLICY_GENERATION.rows(sql, LIST, [accountId, region, ...from, principalArn, limit]);
    },
    removeBefore: (before, limit) => sql.run(REMOVE_BEFORE, [before, limit]),
  };
}
