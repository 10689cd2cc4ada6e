/**
 * Last accessed information: the services that an entity's policies grant access to, and their last use. Requirement COMP-2.
 *
 * GenerateServiceLastAccessedDetails creates a job, which stores only the request. The Get operations compute the
 * report of the job when they are called, from the last uses at that time.
 * Source: IAM User Guide, "Refine permissions in AWS using last accessed information".
 */

import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { actionsOf } from '#model/authorization.ts';
import type { EntityDetails, IamApi, ServiceLastAccessed, TrackedActionLastAccessed } from '#model/generated/iam.ts';
import { titleOfPrefix } from '#model/services.ts';
import { isTracked } from '#model/tracked-actions.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { LastUse } from '#store/identity/last-use.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { type CoveredEntity, isPolicyArn, surveyedEntities } from './covered-entities.ts';
import { entityOfArn, policiesOf } from './entity-policies.ts';
import { AwsError } from './errors.ts';
import { managedPolicyToRead } from './managed-policies.ts';
import { pageOf } from './page.ts';
import { defaultDocument } from './policy-versions.ts';
import { onArn } from './resources.ts';

/** Lifetime of a job: 7 days. Assumed: the number of days. */
const JOB_LIFETIME_MS = 7 * DAY_MS;

interface Job {
  readonly arn: string;
  readonly granularity: 'SERVICE_LEVEL' | 'ACTION_LEVEL';
  readonly createdAt: Instant;
  /**
   * Principal ID of the caller that created the job. Only this caller may read the job. The principal ID of a role
   * session includes the session name.
   */
  readonly askedBy: string;
}

/** Operations on last accessed information. */
export const lastAccessedOperations = {
  GenerateServiceLastAccessedDetails: {
    access: (input) => onArn(input.Arn),
    async handle(call, input) {
      await documentsOf(call, input.Arn);
      const jobId = call.newId();
      const job: Job = {
        arn: input.Arn,
        granularity: input.Granularity ?? 'SERVICE_LEVEL',
        createdAt: call.now,
        askedBy: call.principal.principalId,
      };
      const expiresAt = instant(call.now + JOB_LIFETIME_MS);
      await call.tx.idempotency.put(placeOf(call, jobId), { requestHash: '', answer: JSON.stringify(job), expiresAt });
      return { JobId: jobId };
    },
  },

  GetServiceLastAccessedDetails: {
    async handle(call, input) {
      const job = await jobOf(call, input.JobId);
      const uses = merged(await surveyedEntities(call, job.arn, (entities) => [...byService(entities)]));
      const granted = new Set(grantedByEach(call, await documentsOf(call, job.arn)).flat());
      const page = pageOf(
        input,
        [...granted].map((prefix) => ({ key: prefix, record: prefix })),
      );
      return {
        JobStatus: 'COMPLETED',
        JobType: job.granularity,
        JobCreationDate: job.createdAt,
        JobCompletionDate: job.createdAt,
        ServicesLastAccessed: page.records.map((prefix) => toService(prefix, uses.get(prefix), job.granularity)),
        ...page.rest,
      };
    },
  },

  GetServiceLastAccessedDetailsWithEntities: {
    async handle(call, input) {
      const job = await jobOf(call, input.JobId);
      const all = await surveyedEntities(call, job.arn, (entities) => entities.map((one) => toEntityDetails(one, input.ServiceNamespace)));
      const byArn = new Map(all.map((one) => [one.EntityInfo.Arn, one]));
      const page = pageOf(
        input,
        [...byArn].map(([key, record]) => ({ key, record })),
      );
      return {
        JobStatus: 'COMPLETED',
        JobCreationDate: job.createdAt,
        JobCompletionDate: job.createdAt,
        EntityDetailsList: page.records,
        ...page.rest,
      };
    },
  },

  ListPoliciesGrantingServiceAccess: {
    access: (input) => onArn(input.Arn),
    async handle(call, input) {
      const held = await policiesOf(call, await entityOfArn(call, input.Arn));
      const granted = grantedByEach(
        call,
        held.map(({ document }) => document),
      );
      const policies = held.map((policy, i) => ({ policy, granted: new Set(granted[i]) }));
      return {
        PoliciesGrantingServiceAccess: input.ServiceNamespaces.map((ServiceNamespace) => ({
          ServiceNamespace,
          Policies: policies
            .filter(({ granted }) => granted.has(ServiceNamespace))
            .map(({ policy: { policyName, policyArn, holder } }) =>
              policyArn === undefined
                ? { PolicyName: policyName, PolicyType: 'INLINE' as const, EntityType: ENTITY_TYPES[holder.kind], EntityName: holder.name }
                : { PolicyName: policyName, PolicyType: 'MANAGED' as const, PolicyArn: policyArn },
            ),
        })),
        IsTruncated: false,
      };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

const ENTITY_TYPES = { user: 'USER', group: 'GROUP', role: 'ROLE' } as const;

function placeOf(call: Call, jobId: string) {
  return { accountId: call.accountId, region: '', operation: 'iam:GenerateServiceLastAccessedDetails', token: jobId };
}

/**
 * Returns a job of the caller.
 *
 * @throws NoSuchEntityException  the job does not exist or was created by another caller. Assumed: the message
 */
async function jobOf(call: Call, jobId: string): Promise<Job> {
  const stored = await call.tx.idempotency.get(placeOf(call, jobId), call.now);
  const job = stored && (JSON.parse(stored.answer) as Job);
  if (job?.askedBy !== call.principal.principalId) throw new AwsError('NoSuchEntityException', `The job ${jobId} cannot be found.`);
  return job;
}

/**
 * Returns, for each policy document, the services for which the document allows at least one action.
 *
 * @throws AwsError ServiceFailure  the documents need more work than one request may take
 */
function grantedByEach(call: Call, documents: readonly string[]): readonly (readonly string[])[] {
  try {
    return call.analyze<'granted-services'>({ kind: 'granted-services', documents }).services;
  } catch (error) {
    if (!(error instanceof StepsExceeded)) throw error;
    throw new AwsError('ServiceFailureException', 'The policies are too complex to be evaluated.');
  }
}

/**
 * Returns the documents of a managed policy, or of all policies of an entity.
 *
 * @throws InvalidInputException  the ARN is not the ARN of a managed policy, user, group or role
 * @throws NoSuchEntityException  the policy or the entity does not exist
 */
async function documentsOf(call: Call, reportArn: string): Promise<readonly string[]> {
  if (isPolicyArn(reportArn)) return [defaultDocument(await managedPolicyToRead(call, reportArn))];
  return (await policiesOf(call, await entityOfArn(call, reportArn))).map((policy) => policy.document);
}

interface Last {
  readonly use: LastUse;
  /** ARN of the user or role that used the service. */
  readonly by: string;
}

/** Use of one service by all users and roles that the report covers. */
interface ServiceUse {
  last: Last;
  readonly entities: Set<string>;
  readonly actions: Map<string, Last>;
}

/** Returns the last use of each service and action by any of the users and roles. */
function byService(covered: readonly CoveredEntity[]): ReadonlyMap<string, ServiceUse> {
  const services = new Map<string, ServiceUse>();
  for (const { found, uses } of covered) {
    for (const use of uses) {
      const last: Last = { use, by: found.record.arn };
      let service = services.get(use.service);
      if (service === undefined) services.set(use.service, (service = { last, entities: new Set(), actions: new Map() }));
      service.entities.add(last.by);
      if (use.at > service.last.use.at) service.last = last;
      if (use.at >= (service.actions.get(use.action)?.use.at ?? 0)) service.actions.set(use.action, last);
    }
  }
  return services;
}

/** Merges the results of `byService`. There is one result for each part that `surveyedEntities` read. */
function merged(parts: readonly (readonly [service: string, use: ServiceUse])[]): ReadonlyMap<string, ServiceUse> {
  const services = new Map<string, ServiceUse>();
  for (const [name, part] of parts) {
    const service = services.get(name);
    if (service === undefined) {
      services.set(name, { last: part.last, entities: new Set(part.entities), actions: new Map(part.actions) });
      continue;
    }
    for (const arn of part.entities) service.entities.add(arn);
    if (part.last.use.at > service.last.use.at) service.last = part.last;
    for (const [action, last] of part.actions)
      if (last.use.at >= (service.actions.get(action)?.use.at ?? 0)) service.actions.set(action, last);
  }
  return services;
}

function toService(prefix: string, service: ServiceUse | undefined, granularity: Job['granularity']): ServiceLastAccessed {
  const last = service?.last;
  const tracked = granularity === 'ACTION_LEVEL' ? actionsOf(prefix)?.filter(({ name }) => isTracked(prefix, name)) : undefined;
  return omitUndefined({
    ServiceName: titleOfPrefix(prefix),
    ServiceNamespace: prefix,
    LastAuthenticated: last?.use.at,
    LastAuthenticatedEntity: last?.by,
    LastAuthenticatedRegion: last?.use.region,
    TotalAuthenticatedEntities: service?.entities.size ?? 0,
    TrackedActionsLastAccessed: tracked?.map((action) => toAction(action.name, service?.actions.get(action.name))),
  });
}

function toAction(name: string, last: Last | undefined): TrackedActionLastAccessed {
  return omitUndefined({
    ActionName: name,
    LastAccessedEntity: last?.by,
    LastAccessedTime: last?.use.at,
    LastAccessedRegion: last?.use.region,
  });
}

function toEntityDetails(one: CoveredEntity, service: string): EntityDetails {
  const { found } = one;
  const { arn: Arn, path: Path } = found.record;
  const EntityInfo =
    found.kind === 'user'
      ? { Arn, Name: found.record.userName, Type: 'USER' as const, Id: found.record.userId, Path }
      : { Arn, Name: found.record.roleName, Type: 'ROLE' as const, Id: found.record.roleId, Path };
  return omitUndefined({ EntityInfo, LastAuthenticated: byService([one]).get(service)?.last.use.at });
}
