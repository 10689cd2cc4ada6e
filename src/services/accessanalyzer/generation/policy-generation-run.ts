/**
 * Background task that runs the jobs of `policy-generation.ts`. The state of a running job is in memory: if the server stops, another server or the next
 * start runs the job again from its beginning.
 */

import { PRESENT, pastReader, readPast } from '#access/past/past-identity.ts';
import { presentPolicies } from '#access/past/present-policies.ts';
import { holderOf } from '#access/past/used-access.ts';
import { principalOfSession } from '#access/stored-callers.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import type { FoundUse, UseRange } from '#core/recorded-use.ts';
import type { JobErrorCode, Trail } from '#model/generated/accessanalyzer.ts';
import { positionAt } from '#store/engine/position.ts';
import type { Tx } from '#store/store.ts';
import { type DecisionsPlace, decisionsAfter, placeBefore } from '#store/trail/trail-decisions.ts';
import { LATEST_MS } from '#store/trail/trail-search.ts';
import { trailSessions } from '#store/trail/trail-session.ts';
import type { PolicyGenerationParts, TrailSource } from '../../kit/policy-generation-parts.ts';
import type { TaskSteps, Transact } from '../../kit/service.ts';
import { type GenerationPlace, type PolicyGenerationRecord, policyGenerations } from '../tables/policy-generations.ts';
import { type CollectedUse, collectedUse } from '../unused/collected-use.ts';
import { principalOf, usesOf } from '../unused/unused-access.ts';

/** Maximum number of jobs that a server runs at a time. Other jobs wait, or another server runs them. */
const RUNNING_MAX = 8;
/** Number of packs of one step. A pack has at most 32 records, whose facts have at most 8 KiB each. */
const PACKS = 32;
/** Number of sessions that one transaction looks up. */
const SESSIONS = 100;
/** Sessions that a job remembers. */
const SESSIONS_KNOWN = 10_000;
/** Time after a step at which another server may run the job. A step takes some milliseconds. */
const CLAIM_MS = 60_000;
/** Interval at which a server prolongs its claim. */
const PROLONG_MS = 20_000;
/** Time after which a job fails that no server could complete. Assumed. */
const LIFETIME_MS = DAY_MS;

/** Failure of a job, as its client sees it. */
class JobFailed extends Error {
  readonly code: JobErrorCode;

  constructor(code: JobErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A job that this server runs. */
interface Running {
  job: PolicyGenerationRecord;
  readonly ranges: readonly UseRange[];
  place: DecisionsPlace;
  readonly use: CollectedUse;
  /** Whether sessions belong to the principal. */
  readonly sessions: ReturnType<typeof lruMap<string, boolean>>;
}

/**
 * Runs jobs in steps, one part of one job for each step. Jobs take turns, the oldest first. Each step has short transactions, and a thread searches the
 * records between them.
 */
export function runPolicyGenerations(parts: PolicyGenerationParts): TaskSteps {
  return () => {
    const running = new Map<string, Running>();
    let last: GenerationPlace | undefined;

    return async (transact) => {
      const after = last;
      const claimed = await transact(async ({ tx, now }) => {
        const next = after && (await claim(tx, now, after, running));
        return next ?? (await claim(tx, now, undefined, running));
      });
      last = claimed;
      if (claimed === undefined) return 'done';
      const { jobId } = claimed;
      try {
        const state = running.get(jobId) ?? (await begin(transact, parts, claimed));
        running.set(jobId, { ...state, job: claimed });
        if (await advance(transact, parts, running.get(jobId) as Running)) running.delete(jobId);
      } catch (error) {
        running.delete(jobId);
        if (!(error instanceof JobFailed)) {
          // The job fails, and the task reports the bug.
          await end(transact, claimed, { errorCode: 'SERVICE_ERROR', errorMessage: 'The policy generation failed.' });
          throw error;
        }
        await end(transact, claimed, { errorCode: error.code, errorMessage: error.message });
      }
      return 'more';
    };
  };
}

/**
 * Returns the next job that this server may run, with a claim. Ends jobs whose time is over. Forgets running jobs that have ended, or that another server
 * runs.
 */
async function claim(
  tx: Tx,
  now: Instant,
  after: GenerationPlace | undefined,
  running: Map<string, Running>,
): Promise<PolicyGenerationRecord | undefined> {
  const jobs = tx.of(policyGenerations);
  const own = [...running.values()].map(({ job }) => job).filter((job) => after === undefined || isAfter(job, after));
  const [held] = own.sort((a, b) => (isAfter(a, b) ? 1 : -1));
  const due = running.size < RUNNING_MAX ? await jobs.due(now, after) : undefined;
  const isHeld = held !== undefined && (due === undefined || isAfter(due, held));
  const next = isHeld ? held : due;
  if (next === undefined) return undefined;
  if (isHeld && (await jobs.get(held))?.revision !== held.revision) {
    running.delete(held.jobId);
    return await claim(tx, now, held, running);
  }
  if (next.startedAt + LIFETIME_MS <= now) {
    running.delete(next.jobId);
    await jobs.change({ ...next, ...failed(now, 'SERVICE_ERROR', 'The policy generation took too long.') });
    return await claim(tx, now, next, running);
  }
  const isFresh = isHeld && next.claimedUntil > now + CLAIM_MS - PROLONG_MS;
  return isFresh ? next : await jobs.change({ ...next, claimedUntil: instant(now + CLAIM_MS) });
}

function isAfter(a: GenerationPlace, b: GenerationPlace): boolean {
  return a.startedAt > b.startedAt || (a.startedAt === b.startedAt && a.jobId > b.jobId);
}

/** Prepares a job: checks its trails and its role. */
async function begin(transact: Transact, parts: PolicyGenerationParts, job: PolicyGenerationRecord): Promise<Running> {
  const { from, to, cloudTrail } = job.request;
  let ranges: readonly UseRange[] = [{ from, to }];
  if (cloudTrail !== undefined) {
    ranges = [];
    for (const trail of cloudTrail.trails) {
      const range = await transact(async ({ tx, now }) => rangeOf(tx, now, parts, job, cloudTrail.accessRole, trail));
      ranges = [...ranges, ...range];
    }
  }
  const place = placeBefore(positionAt(from));
  return { job, ranges, place, use: collectedUse(), sessions: lruMap<string, boolean>(SESSIONS_KNOWN) };
}

/**
 * Returns the records that a trail has: from its creation until its last StopLogging, in its regions.
 *
 * Source: IAM User Guide, "Permissions required for service role": the permissions of the role.
 * Assumed: the selectors of the trail, and earlier times in which it did not log, do not matter.
 */
async function rangeOf(
  tx: Tx,
  now: Instant,
  parts: PolicyGenerationParts,
  { accountId, region, request, principalArn }: PolicyGenerationRecord,
  roleArn: string,
  { cloudTrailArn, regions, allRegions }: Trail,
): Promise<readonly UseRange[]> {
  const source = await parts.trail(tx, accountId, cloudTrailArn);
  if (source === undefined) throw new JobFailed('RESOURCE_NOT_FOUND_ERROR', `The trail does not exist: ${cloudTrailArn}`);
  const role = { roleArn, accountId, region, now };
  const owner = { accountId: source.bucket?.accountId ?? accountId, policy: source.bucket?.policy };
  for (const needed of [
    { actions: ['cloudtrail:GetTrail'], resource: cloudTrailArn },
    { actions: ['iam:GenerateServiceLastAccessedDetails'], resource: principalArn },
    { actions: ['iam:GetServiceLastAccessedDetails'], resource: '*' },
    { actions: ['s3:ListBucket'], resource: source.bucketArn, owner },
    { actions: ['s3:GetObject'], resource: source.filesArn, owner },
  ] as const) {
    const decision = await parts.decideRole(tx, { ...role, ...needed });
    if (decision !== 'allowed') throw new JobFailed('AUTHORIZATION_ERROR', deniedMessage(decision, roleArn, needed));
  }
  const range = rangeIn(source, request, now);
  return range === undefined ? [] : [{ ...range, ...regionsOf(source, regions, allRegions) }];
}

function deniedMessage(
  decision: 'no-role' | 'not-trusted' | 'denied',
  roleArn: string,
  { actions: [action], resource }: { readonly actions: readonly string[]; readonly resource: string },
): string {
  if (decision === 'no-role') return `The role does not exist: ${roleArn}`;
  if (decision === 'not-trusted') return `Access Analyzer cannot assume the role: ${roleArn}`;
  return `The role is not authorized to perform ${action} on ${resource}: ${roleArn}`;
}

function rangeIn(source: TrailSource, { from, to }: PolicyGenerationRecord['request'], now: Instant): UseRange | undefined {
  const { createdAt, logging, stoppedAt } = source;
  const end = logging ? now : stoppedAt;
  return end === undefined ? undefined : { from: Math.max(from, createdAt), to: Math.min(to, end) };
}

function regionsOf(source: TrailSource, regions: readonly string[] = [], allRegions = false): Pick<UseRange, 'regions'> {
  const asked = allRegions || regions.length === 0 ? undefined : regions;
  if (source.isMultiRegion) return asked === undefined ? {} : { regions: asked };
  return { regions: [source.homeRegion].filter((region) => asked?.includes(region) !== false) };
}

/** Runs the next part of a job. Returns true if the job has ended. */
async function advance(transact: Transact, parts: PolicyGenerationParts, state: Running): Promise<boolean> {
  const { job, ranges, use } = state;
  const { accountId, principalArn, request } = job;
  const end = positionAt(instant(request.to + LATEST_MS));
  const read = await transact(({ tx }) => decisionsAfter(tx.sql, state.place, end, PACKS));
  const packs = read.packs.flatMap(({ heads, contexts }) => (contexts === null ? [] : [{ heads, contexts }]));
  const found = await parts.findUse(accountId, { kind: 'search', packs, accountId, holderArn: principalArn, ranges });
  use.add(found.own, found.omitted);
  for (const own of await usesOfSessions(transact, state, found.ofSessions)) use.add(own);
  if (use.isTooLarge()) {
    const message = 'The principal used too many actions and resources. Reduce the time range.';
    throw new JobFailed('SERVICE_QUOTA_EXCEEDED_ERROR', message);
  }
  if (read.place === undefined) return await complete(transact, parts, state);
  state.place = read.place;
  return false;
}

/** Returns the uses of the sessions that belong to the principal. */
async function usesOfSessions(
  transact: Transact,
  { job, sessions }: Running,
  uses: readonly (readonly [sessionId: string, FoundUse])[],
): Promise<readonly FoundUse[]> {
  const unknown = uses.map(([id]) => id).filter((id) => sessions.get(id) === undefined);
  for (let from = 0; from < unknown.length; from += SESSIONS) {
    await transact(async ({ tx }) => {
      for (const id of unknown.slice(from, from + SESSIONS)) {
        const session = await tx.of(trailSessions).get(id);
        sessions.set(id, session !== undefined && holderOf(principalOfSession(session)) === job.principalArn);
      }
    });
  }
  return uses.filter(([id]) => sessions.get(id) === true).map(([, use]) => use);
}

/** Stores the result of a job whose records are searched. */
async function complete(transact: Transact, parts: PolicyGenerationParts, { job, ranges, use }: Running): Promise<true> {
  const { accountId, principalArn } = job;
  const records = readPast((read) => transact(({ tx }) => read(tx)), PRESENT);
  const present = await pastReader(PRESENT, records).run(({ snapshot }) => presentPolicies(snapshot, principalArn) ?? []);
  const actions = await transact(({ tx }) => lastActions(tx, job, ranges));
  const allowed = await parts.findUse(accountId, { kind: 'allow', used: use.listed(), present });
  const unrecorded = actions.filter((action) => !use.isRecorded(action)).sort();
  await transact(async ({ tx, now }) => {
    const result = { ...allowed, unrecorded, isComplete: unrecorded.length === 0 && use.omitted() === 0 };
    await tx.of(policyGenerations).change({ ...job, status: 'SUCCEEDED', endedAt: now, result });
  });
  return true;
}

/** Returns the actions whose last use by the principal is in the searched ranges. @throws JobFailed  the principal was deleted */
async function lastActions(tx: Tx, { accountId, principalArn }: PolicyGenerationRecord, ranges: readonly UseRange[]): Promise<string[]> {
  const principal = await principalOf(tx, accountId, principalArn);
  if (principal === undefined) throw new JobFailed('RESOURCE_NOT_FOUND_ERROR', `The principal does not exist: ${principalArn}`);
  const uses = await usesOf(tx, accountId, principal);
  const isIn = (at: number, region: string) =>
    ranges.some((range) => at >= range.from && at <= range.to && range.regions?.includes(region) !== false);
  return uses.filter(({ at, region }) => isIn(at, region)).map(({ service, action }) => `${service}:${action}`);
}

function failed(endedAt: Instant, errorCode: JobErrorCode, errorMessage: string) {
  return { status: 'FAILED', endedAt, errorCode, errorMessage } as const;
}

async function end(
  transact: Transact,
  job: PolicyGenerationRecord,
  { errorCode, errorMessage }: { readonly errorCode: JobErrorCode; readonly errorMessage: string },
): Promise<void> {
  await transact(({ tx, now }) => tx.of(policyGenerations).change({ ...job, ...failed(now, errorCode, errorMessage) }));
}
