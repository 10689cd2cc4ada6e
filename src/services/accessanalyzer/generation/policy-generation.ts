/** Jobs that generate a policy from the recorded use of a user or role. `policy-generation-run.ts` runs them. */
import { type AccountId, accountIdOf } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { REGIONS } from '#core/regions.ts';
import type {
  AccessanalyzerApi,
  CloudTrailDetails,
  GeneratedPolicyProperties,
  JobDetails,
  PolicyGeneration,
} from '#model/generated/accessanalyzer.ts';
import type { Tx } from '#store/store.ts';
import type { Call, ServiceOperations } from '../../kit/operation.ts';
import { paging } from '../../kit/page.ts';
import { AwsError, invalidField } from '../kit/errors.ts';
import { createdOnce } from '../kit/tokens.ts';
import {
  type GenerationPlace,
  type GenerationRequest,
  KEPT_MS,
  type PolicyGenerationRecord,
  type PolicyGenerationSummary,
  policyGenerations,
} from '../tables/policy-generations.ts';
import { principalOf } from '../unused/unused-access.ts';
import { generatedPolicies } from './generated-policy.ts';

/** Longest range of records. Source: IAM User Guide, "IAM Access Analyzer quotas". */
const RANGE_MS = 90 * DAY_MS;
/** Jobs of an account and region in a day, canceled ones included. Source: IAM User Guide, "IAM Access Analyzer quotas". */
const JOBS_A_DAY = 50;
/** Regions with a lower quota. Source: the same. */
const FEWER_JOBS: Readonly<Record<string, number>> = {
  ...{ 'af-south-1': 5, 'ap-east-1': 5, 'ap-southeast-3': 5, 'eu-south-1': 5, 'me-south-1': 5 },
};
/** Maximum number of trails of a request. Assumed. */
const TRAILS_MAX = 10;
/** Default and maximum number of jobs of a page. Assumed. */
const PAGE = 100;

/**
 * Source: accessanalyzer 2019-11-01; IAM User Guide, "IAM Access Analyzer policy generation" and "IAM Access Analyzer quotas".
 * Assumed: all messages; the time range without `cloudTrailDetails`, which is the longest one; that a canceled or failed job has no policy.
 */
export const policyGenerationOperations = {
  /**
   * Starts a job. The caller needs iam:PassRole for the role.
   *
   * @throws ValidationException            the principal does not belong to the account or does not exist · the times, trails or regions are invalid
   * @throws ConflictException              the client token was used for another request
   * @throws ServiceQuotaExceededException  a job of the account is in progress in the region · too many jobs began in the last 24 hours
   */
  StartPolicyGeneration: {
    async handle(call, input) {
      const { principalArn } = input.policyGenerationDetails;
      await requirePrincipal(call.tx, call.accountId, principalArn);
      const request = requestOf(call, input.cloudTrailDetails);
      const start = () => startJob(call, principalArn, request);
      return { jobId: await createdOnce(call, 'StartPolicyGeneration', input, start, { exists: async () => true, mismatch: tokenUsed }) };
    },
  },

  /**
   * Returns a job, and its policy if it succeeded. The policy lists the resources of the records. With `includeResourcePlaceholders`, it lists the
   * forms of resources that each action supports. With `includeServiceLevelTemplate`, it also lists used actions without records.
   *
   * @throws ValidationException  the account has no such job in the region, or it began more than 7 days ago
   */
  GetGeneratedPolicy: {
    async handle(call, input) {
      const job = await jobOrInvalid(call, input.jobId);
      const { principalArn, result, request } = job;
      const properties: GeneratedPolicyProperties = omitUndefined({
        isComplete: result?.isComplete,
        principalArn,
        cloudTrailProperties: request.cloudTrail && {
          trailProperties: request.cloudTrail.trails,
          startTime: request.from,
          endTime: request.to,
        },
      });
      const policies = result === undefined ? undefined : generatedPolicies(result, input).map((policy) => ({ policy }));
      return { jobDetails: detailsOf(job), generatedPolicyResult: omitUndefined({ properties, generatedPolicies: policies }) };
    },
  },

  /** Lists the jobs of the last 7 days, newest first. @throws ValidationException  maxResults is less than one · the token is invalid */
  ListPolicyGenerations: {
    async handle(call, input) {
      if (input.maxResults !== undefined && input.maxResults < 1)
        throw invalidField('maxResults', `Invalid maxResults '${input.maxResults}'. It must be at least 1.`);
      const { principalArn } = input;
      const { tx, accountId, region, now } = call;
      const read = async (after: string | undefined, limit: number) => {
        const place = after === undefined ? undefined : placeIn(after);
        const found = await tx.of(policyGenerations).list(accountId, region, { principalArn, after: place, limit });
        return found.filter((job) => isKept(job, now)).map((record) => ({ key: keyOf(record), record }));
      };
      const { records, rest } = await PAGES.pageOfStored(tx.identity, input, read);
      return { policyGenerations: records.map(toPolicyGeneration), ...rest };
    },
  },

  /**
   * Cancels a job in progress.
   *
   * @throws ValidationException  the account has no such job in the region, or it has ended
   */
  CancelPolicyGeneration: {
    async handle(call, input) {
      const job = await jobOrInvalid(call, input.jobId);
      const changed = await call.tx.of(policyGenerations).change({ ...job, status: 'CANCELED', endedAt: call.now });
      if (changed === undefined) throw invalidField('jobId', `The policy generation '${input.jobId}' has ended: ${job.status}`);
      return {};
    },
  },
} satisfies Partial<ServiceOperations<AccessanalyzerApi>>;

async function requirePrincipal(tx: Tx, accountId: AccountId, principalArn: string): Promise<void> {
  const name = 'policyGenerationDetails.principalArn';
  if (accountIdOf(principalArn) !== accountId) throw invalidField(name, `The principal '${principalArn}' does not belong to the account.`);
  if ((await principalOf(tx, accountId, principalArn)) === undefined)
    throw invalidField(name, `The principal '${principalArn}' does not exist.`);
}

/** Returns the records that a job searches. */
function requestOf({ now, accountId }: Call, details: CloudTrailDetails | undefined): GenerationRequest {
  if (details === undefined) return { from: instant(now - RANGE_MS), to: now };
  const { trails, accessRole, startTime, endTime = now } = details;
  if (accountIdOf(accessRole) !== accountId)
    throw invalidField('cloudTrailDetails.accessRole', `The role '${accessRole}' does not belong to the account.`);
  if (trails.length === 0 || trails.length > TRAILS_MAX)
    throw invalidField('cloudTrailDetails.trails', `Specify 1 to ${TRAILS_MAX} trails.`);
  for (const region of trails.flatMap(({ regions = [] }) => regions))
    if (!REGIONS.has(region)) throw invalidField('cloudTrailDetails.trails.regions', `Unknown region: ${region}`);
  if (startTime >= endTime) throw invalidField('cloudTrailDetails.startTime', 'The start time must be before the end time.');
  if (startTime >= now) throw invalidField('cloudTrailDetails.startTime', 'The start time must be in the past.');
  if (endTime - startTime > RANGE_MS) throw invalidField('cloudTrailDetails.startTime', 'The time range must not exceed 90 days.');
  return { from: startTime, to: instant(Math.min(endTime, now)), cloudTrail: { trails, accessRole } };
}

/** Stores a new job, which the background task runs, and returns its ID. @throws ServiceQuotaExceededException */
async function startJob({ tx, accountId, region, now, newId }: Call, principalArn: string, request: GenerationRequest): Promise<string> {
  const jobs = tx.of(policyGenerations);
  const { all, inProgress } = await jobs.count(accountId, region, instant(now - DAY_MS));
  if (inProgress > 0) throw quotaExceeded('A policy generation of the account is in progress.');
  const most = FEWER_JOBS[region] ?? JOBS_A_DAY;
  if (all >= most) throw quotaExceeded(`The account has started ${most} policy generations in the last 24 hours.`);
  const jobId = newId();
  await jobs.add({
    ...{ accountId, region, jobId, principalArn, status: 'IN_PROGRESS', startedAt: now, request },
    ...{ revision: 0, claimedUntil: instant(0) },
  });
  return jobId;
}

function tokenUsed(jobId: string): AwsError {
  const message = 'The client token was used for another request.';
  return new AwsError('ConflictException', message, { resourceId: jobId, resourceType: 'PolicyGeneration' });
}

async function jobOrInvalid({ tx, accountId, region, now }: Call, jobId: string): Promise<PolicyGenerationRecord> {
  const job = await tx.of(policyGenerations).get({ accountId, region, jobId });
  if (job === undefined || !isKept(job, now)) throw invalidField('jobId', `There is no policy generation with this ID: ${jobId}`);
  return job;
}

function isKept({ startedAt }: GenerationPlace, now: Instant): boolean {
  return startedAt > now - KEPT_MS;
}

function detailsOf({ jobId, status, startedAt, endedAt, errorCode, errorMessage }: PolicyGenerationSummary): JobDetails {
  const jobError = errorCode && { code: errorCode, message: errorMessage ?? '' };
  return omitUndefined({ jobId, status, startedOn: startedAt, completedOn: endedAt, jobError });
}

function toPolicyGeneration({ jobId, principalArn, status, startedAt, endedAt }: PolicyGenerationSummary): PolicyGeneration {
  return omitUndefined({ jobId, principalArn, status, startedOn: startedAt, completedOn: endedAt });
}

const PAGES = paging<AccessanalyzerApi['ListPolicyGenerations']['input'], { readonly nextToken?: string }>({
  defaultSize: PAGE,
  sizeOf: ({ maxResults }) => maxResults && Math.min(maxResults, PAGE),
  tokenOf: ({ nextToken }) => nextToken,
  rest: (nextToken) => omitUndefined({ nextToken }),
  invalidToken: () => invalidField('nextToken', 'Invalid nextToken.'),
});

/** Returns the key of a job in a list, which has the newest one first. */
function keyOf({ startedAt, jobId }: GenerationPlace): string {
  return `${startedAt} ${jobId}`;
}

function placeIn(key: string): GenerationPlace {
  const [startedAt = '', jobId = ''] = key.split(' ');
  if (!/^[0-9]{1,15}$/.test(startedAt)) throw invalidField('nextToken', 'Invalid nextToken.');
  return { startedAt: instant(Number(startedAt)), jobId };
}

function quotaExceeded(message: string): AwsError {
  return new AwsError('ServiceQuotaExceededException', message, { resourceId: 'PolicyGeneration', resourceType: 'PolicyGeneration' });
}
