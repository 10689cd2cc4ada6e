/** Lookup of the trails that a caller can see in a region, by name or ARN, and the permissions on them. */
import type { AccountId } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import type { Caller, DeclaredAccess } from '../kit/operation.ts';
import { type TagContext, tagValues } from '../kit/tag-rules.ts';
import { AwsError } from './errors.ts';
import { managesTrails, notManagement, organizationOf } from './organization.ts';
import { type TrailName, type TrailRecord, trails } from './tables/trails.ts';
import { isArn, parseTrailArn, requireTrailName, trailArn } from './trail-names.ts';

type Place = Pick<Caller, 'accountId' | 'region'>;
type Reader = Place & { readonly tx: Tx };

/** Returns the name, home region and account that a reference names. A name is in the caller's account and region. */
export function trailName(reference: string, { accountId, region }: Place): TrailName {
  return isArn(reference) ? parseTrailArn(reference) : { accountId, homeRegion: region, name: reference };
}

/**
 * Returns the permission for an action on a trail, which a request names by name or ARN.
 *
 * @throws CloudTrailARNInvalidException  the reference begins like an ARN, but is not the ARN of a trail
 * Source: Service Authorization Reference, "AWS CloudTrail", resource type trail.
 */
export function onTrail(reference: string, caller: Place, context: TagContext = []): DeclaredAccess {
  const name = trailName(reference, caller);
  return {
    resources: [trailArn(name)],
    resourceTags: async (tx) => {
      const trail = await tx.of(trails).get(name);
      const settings = trail && (await tx.of(trails).settings(trail.trailId));
      return [settings && tagValues(settings.tags)];
    },
    ...(context.length > 0 && { context: new Map(context) }),
  };
}

/** Reports whether a trail applies to a region: its home region, or every region. */
export function appliesTo({ homeRegion, configuration }: TrailRecord, region: string): boolean {
  return homeRegion === region || configuration.IsMultiRegionTrail;
}

/**
 * Returns the trails of an account in all regions, and the organization trails of its organization.
 * Organization trails belong to the management account. They also log the member accounts, which can see them.
 */
export async function trailsSeenBy(tx: Tx, accountId: AccountId): Promise<readonly TrailRecord[]> {
  const own = await tx.of(trails).ofAccount(accountId);
  const organization = await organizationOf(tx, accountId);
  if (organization === undefined || organization.accountId === accountId) return own;
  const shared = (await tx.of(trails).ofAccount(organization.accountId)).filter(({ configuration }) => configuration.IsOrganizationTrail);
  return [...own, ...shared];
}

/**
 * Returns a trail for reading. A name finds only a trail whose home region is the caller's region. An ARN also finds a
 * shadow trail: a trail of all regions, or of the organization.
 *
 * `shown` says how the message names an unknown trail that the request names by name.
 *
 * @throws CloudTrailARNInvalidException  the ARN is invalid
 * @throws InvalidTrailNameException      the name is invalid
 * @throws TrailNotFoundException         there is no such trail, or the caller does not see it in this region
 *
 * Source: CloudTrail API reference, GetTrailStatus and DescribeTrails: a shadow trail needs its ARN. Messages: issue 1957
 * of aws-sdk-go-v2, moto's tests.
 */
export async function trailOrNotFound(
  call: Reader,
  reference: string,
  shown: 'as requested' | 'ARN' = 'as requested',
): Promise<TrailRecord> {
  const found = await find(call, reference);
  if (found === undefined || !appliesTo(found, call.region)) throw notFound(call, reference, shown);
  return found;
}

/**
 * Returns a trail to change. The caller must be in its home region, and own it or manage the organization's trails.
 *
 * @throws CloudTrailARNInvalidException, InvalidTrailNameException, TrailNotFoundException  as `trailOrNotFound`
 * @throws InvalidHomeRegionException             the trail is a shadow trail in this region
 * @throws NotOrganizationMasterAccountException  the caller's account is only a member of the organization
 *
 * Source: cloudtrail 2013-11-01, InvalidHomeRegionException and NotOrganizationMasterAccountException. Assumed: the
 * message about the home region, and the order of the last two errors.
 */
export async function trailToChange(call: Reader, reference: string): Promise<TrailRecord> {
  const found = (await find(call, reference)) ?? (await shadowNamed(call, reference));
  if (found === undefined || !appliesTo(found, call.region)) throw notFound(call, reference, 'as requested');
  if (found.homeRegion !== call.region) {
    throw new AwsError(
      'InvalidHomeRegionException',
      `The trail ${trailArn(found)} can be changed only in its home region ${found.homeRegion}, not in ${call.region}.`,
    );
  }
  if (found.accountId !== call.accountId) {
    const organization = await organizationOf(call.tx, call.accountId);
    if (organization === undefined || !managesTrails(organization, call.accountId)) throw notManagement();
  }
  return found;
}

/** Returns the trail that a reference names, in any region, if the caller's account may see it. */
async function find(call: Reader, reference: string): Promise<TrailRecord | undefined> {
  if (!isArn(reference)) requireTrailName(reference);
  const name = trailName(reference, call);
  const trail = await call.tx.of(trails).get(name);
  if (trail === undefined || trail.accountId === call.accountId) return trail;
  const organization = await organizationOf(call.tx, call.accountId);
  return trail.configuration.IsOrganizationTrail && organization?.accountId === trail.accountId ? trail : undefined;
}

/** Returns the shadow trail with a name in the caller's region. */
async function shadowNamed(call: Reader, reference: string): Promise<TrailRecord | undefined> {
  if (isArn(reference)) return undefined;
  return (await trailsSeenBy(call.tx, call.accountId)).find((trail) => trail.name === reference && appliesTo(trail, call.region));
}

function notFound(call: Place, reference: string, shown: 'as requested' | 'ARN'): Error {
  const named = shown === 'ARN' ? trailArn(trailName(reference, call)) : reference;
  return new AwsError('TrailNotFoundException', `Unknown trail: ${named} for the user: ${call.accountId}`);
}
