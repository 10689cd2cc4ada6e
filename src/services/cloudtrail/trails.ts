/** Operations that create, change, delete and read trails. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CloudtrailApi, CreateTrailResponse, Trail } from '#model/generated/cloudtrail.ts';
import type { OrganizationRecord } from '#store/identity/organization-records.ts';
import type { Call, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import type { LogBuckets } from './log-buckets.ts';
import { appliesTo, onTrail, trailOrNotFound, trailsSeenBy, trailToChange } from './lookup.ts';
import { notManagement, organizationTrailOwner, requireManagedOrganization } from './organization.ts';
import { endSettings, isSame } from './periods.ts';
import type { TrailConfiguration } from './tables/logging-periods.ts';
import { type TrailName, type TrailRecord, trails } from './tables/trails.ts';
import { newTrailTags, requestTrailTags } from './tags.ts';
import { type ConfigurationInput, configured, requireBucket, requireConfiguration } from './trail-configuration.ts';
import { isArn, parseTrailArn, requireTrailName, trailArn } from './trail-names.ts';
import { refuseKey, requireLogGroup, type TrailTargets, withTopicArn } from './trail-targets.ts';

/** Maximum number of trails in a region, which trails of all regions count in. Source: CloudTrail User Guide, "Quotas". */
const TRAILS_MAX = 5;
/** Maximum number of deleted trails of a region whose records are not delivered. */
const DELETED_MAX = 5;

/** Targets to which trails can deliver. */
type Targets = TrailTargets & { readonly logBuckets: LogBuckets };

/** Returns the operations on trails themselves. */
export function trailOperations(targets: Targets) {
  return {
    /**
     * Creates a trail, which does not log yet. A delegated administrator creates organization trails in the management account.
     *
     * @throws InvalidTrailNameException              the name is invalid
     * @throws InvalidParameterCombinationException, InvalidS3BucketNameException, InvalidS3PrefixException  see `requireConfiguration`
     * @throws InvalidTagParameterException, TagsLimitExceededException  see `newTrailTags`
     * @throws MaximumNumberOfTrailsExceededException the region has 5 trails
     * @throws TrailAlreadyExistsException            the region has a trail with this name
     * @throws OrganizationsNotInUseException, NotOrganizationMasterAccountException,
     *   OrganizationNotInAllFeaturesModeException, CloudTrailAccessNotEnabledException  see `requireManagedOrganization`
     * @throws S3BucketDoesNotExistException, InsufficientS3BucketPolicyException  see `requireBucket`
     * @throws InvalidSnsTopicNameException, InsufficientSnsTopicPolicyException  see `withTopicArn`
     * @throws KmsKeyNotFoundException  see `refuseKey`
     * @throws InvalidCloudWatchLogsRoleArnException, InvalidCloudWatchLogsLogGroupArnException  see `requireLogGroup`
     *
     * Source: cloudtrail 2013-11-01, CreateTrail; messages: issues on GitHub. Assumed: the order of the errors, except
     * that the name and the rule about regions precede the bucket (moto's tests).
     */
    CreateTrail: {
      access: (input, caller): DeclaredAccess => {
        const ofAccount = (accountId: TrailName['accountId']) => trailArn({ accountId, homeRegion: caller.region, name: input.Name });
        return {
          resources: [ofAccount(caller.accountId)],
          ...(input.IsOrganizationTrail && { resolve: async (tx) => [ofAccount(await organizationTrailOwner(tx, caller))] }),
          context: new Map(requestTrailTags(input.TagsList)),
        };
      },
      async handle(call, input) {
        requireTrailName(input.Name);
        const requested = configured({}, input);
        requireConfiguration(requested);
        const tags = newTrailTags([], input.TagsList);
        const accountId = requested.IsOrganizationTrail ? await organizationTrailOwner(call.tx, call) : call.accountId;
        const name = { accountId, homeRegion: call.region, name: input.Name };
        await requireRoom(call, name, requested);
        const configuration = await withTargets(call, targets, name, requested, input);
        const trail = { ...name, ...NEW, trailId: call.newId(), configuration, createdAt: call.now };
        if ((await call.tx.of(trails).add(trail, { tags })) === 'exists') throw alreadyExists(name);
        return toConfiguration(trail);
      },
    },

    /**
     * Changes a trail. Members that the request omits stay. The record of this request, and all earlier ones, are delivered by the
     * replaced configuration, for example to the former bucket.
     *
     * @throws CloudTrailARNInvalidException, InvalidTrailNameException, TrailNotFoundException, InvalidHomeRegionException,
     *   NotOrganizationMasterAccountException  see `trailToChange`
     * @throws the errors of CreateTrail about the configuration, the organization, the bucket and other targets
     * @throws ConflictException  there were too many changes, see `endSettings`
     * Source: cloudtrail 2013-11-01, UpdateTrail. Assumed: an update checks the bucket even if it does not change.
     */
    UpdateTrail: {
      access: ({ Name }, caller) => onTrail(Name, caller),
      async handle(call, input) {
        const before = await trailToChange(call, input.Name);
        const requested = configured(before.configuration, input);
        requireConfiguration(requested);
        const configuration = await withTargets(call, targets, before, requested, input);
        const trail = { ...before, configuration };
        if (!isSame(before.configuration, configuration)) await endSettings(call, before, configuration);
        await call.tx.of(trails).configure(trail);
        return toConfiguration(trail);
      },
    },

    /**
     * Deletes a trail. Its records until this request are still delivered, by the settings of their time.
     *
     * @throws CloudTrailARNInvalidException, InvalidTrailNameException, TrailNotFoundException, InvalidHomeRegionException,
     *   NotOrganizationMasterAccountException  see `trailToChange`
     * @throws ConflictException  5 deleted trails of the region have undelivered records. So a caller who repeatedly
     *   creates and deletes trails cannot fill the database
     * Source: cloudtrail 2013-11-01, DeleteTrail. Assumed: the last error.
     */
    DeleteTrail: {
      access: ({ Name }, caller) => onTrail(Name, caller),
      async handle(call, { Name }) {
        const trail = await trailToChange(call, Name);
        const repository = call.tx.of(trails);
        if (trail.pending && (await repository.countDeleted(trail.accountId, trail.homeRegion)) >= DELETED_MAX) {
          throw new AwsError('ConflictException', 'Records of deleted trails are being delivered. Try again later.');
        }
        await repository.remove(trail, call.now, call.requestId);
        return {};
      },
    },

    /** Returns a trail. @throws CloudTrailARNInvalidException, InvalidTrailNameException, TrailNotFoundException  see `trailOrNotFound` */
    GetTrail: {
      access: ({ Name }, caller) => onTrail(Name, caller),
      handle: async (call, { Name }) => ({ Trail: toTrail(await trailOrNotFound(call, Name)) }),
    },

    /**
     * Returns trails that apply to the caller's region, also those of other regions and of the organization (*shadow
     * trails*), unless `includeShadowTrails` is false. A list of names omits unknown trails. A name finds a trail
     * only in its home region.
     *
     * @throws CloudTrailARNInvalidException, InvalidTrailNameException  a name or ARN is invalid
     * Source: cloudtrail 2013-11-01, DescribeTrails, and the order of calls of Terraform.
     */
    DescribeTrails: {
      async handle(call, { trailNameList = [], includeShadowTrails = true }) {
        const names = new Set(trailNameList.map((reference) => arnInRegion(call, reference)));
        const own = ({ accountId, homeRegion }: TrailRecord) => accountId === call.accountId && homeRegion === call.region;
        const found = (await trailsSeenBy(call.tx, call.accountId)).filter(
          (trail) =>
            appliesTo(trail, call.region) && (includeShadowTrails || own(trail)) && (names.size === 0 || names.has(trailArn(trail))),
        );
        return { trailList: found.map(toTrail) };
      },
    },

    /**
     * Returns the trails of all regions, in one page: an account has at most 5 for each region.
     * Assumed: a member account also sees the trails of its organization.
     */
    ListTrails: {
      async handle(call) {
        const found = await trailsSeenBy(call.tx, call.accountId);
        return { Trails: found.map((trail) => ({ TrailARN: trailArn(trail), Name: trail.name, HomeRegion: trail.homeRegion })) };
      },
    },
  } satisfies Partial<ServiceOperations<CloudtrailApi>>;
}

/** State of a new trail. */
const NEW = {
  selectsData: false,
  customSelectors: false,
  insights: false,
  logging: false,
  pending: false,
  logsPending: false,
  periods: [],
} as const;

/**
 * @throws MaximumNumberOfTrailsExceededException  a region of the trail has 5 trails
 * @throws TrailAlreadyExistsException             the home region has a trail or shadow trail with this name
 */
async function requireRoom({ tx }: Call, name: TrailName, { IsMultiRegionTrail }: TrailConfiguration): Promise<void> {
  const existing = await tx.of(trails).ofAccount(name.accountId);
  const regions = IsMultiRegionTrail ? new Set([name.homeRegion, ...existing.map(({ homeRegion }) => homeRegion)]) : [name.homeRegion];
  for (const region of regions) {
    if (existing.filter((trail) => appliesTo(trail, region)).length < TRAILS_MAX) continue;
    const message = `User: ${name.accountId} already has ${TRAILS_MAX} trails in ${region}.`;
    throw new AwsError('MaximumNumberOfTrailsExceededException', message);
  }
  if (existing.some((trail) => trail.name === name.name && appliesTo(trail, name.homeRegion))) throw alreadyExists(name);
}

function alreadyExists({ accountId, name }: TrailName): Error {
  return new AwsError('TrailAlreadyExistsException', `Trail ${name} already exists for customer: ${accountId}`);
}

/** Checks the organization, the bucket and the other targets of a configuration. Returns the configuration with the ARN of its topic. */
async function withTargets(
  call: Call,
  { logBuckets, logTopics, logGroups }: Targets,
  { accountId, homeRegion, name }: TrailName,
  requested: TrailConfiguration,
  { KmsKeyId }: ConfigurationInput,
): Promise<TrailConfiguration> {
  const { tx } = call;
  const trail = { accountId, homeRegion, name };
  let organization: OrganizationRecord | undefined;
  if (requested.IsOrganizationTrail) {
    organization = await requireManagedOrganization(call);
    // A delegated administrator cannot turn a trail of its own account into an organization trail.
    if (organization.accountId !== accountId) throw notManagement();
  }
  await requireBucket(tx, logBuckets, trail, requested, organization);
  const configuration = await withTopicArn(tx, logTopics, trail, requested);
  refuseKey(KmsKeyId);
  await requireLogGroup(tx, logGroups, trail, configuration, organization);
  return configuration;
}

/** Returns the ARN that a reference names in the caller's account and region. */
function arnInRegion({ accountId, region }: Call, reference: string): string {
  if (isArn(reference)) return trailArn(parseTrailArn(reference));
  requireTrailName(reference);
  return trailArn({ accountId, homeRegion: region, name: reference });
}

/** Returns the response of CreateTrail and UpdateTrail. */
function toConfiguration(trail: TrailName & Pick<TrailRecord, 'configuration'>): CreateTrailResponse {
  return omitUndefined({ Name: trail.name, ...trail.configuration, TrailARN: trailArn(trail) });
}

function toTrail(trail: TrailRecord): Trail {
  const { homeRegion: HomeRegion, customSelectors: HasCustomEventSelectors, insights: HasInsightSelectors } = trail;
  return { ...toConfiguration(trail), HomeRegion, HasCustomEventSelectors, HasInsightSelectors };
}
