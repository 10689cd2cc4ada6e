/** Access of users and roles that was not used for a period. */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { isTracked } from '#model/tracked-actions.ts';
import type { GrantedActions } from '#policy/analyse/granted-actions.ts';
import { TRACKED_MS } from '#services/iam/covered-entities.ts';
import { policiesOf } from '#services/iam/entity-policies.ts';
import { nameKey, nameOfArn } from '#services/iam/names.ts';
import type { RoleRecord, UserRecord } from '#store/identity/identity.ts';
import type { LastUse } from '#store/identity/last-use.ts';
import type { Tx } from '#store/store.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { FoundAccess, UnusedAccessKey, UnusedPassword, UnusedPermission } from '../tables/found-access.ts';

/** A user or role that analyzers for unused access read. */
export interface AnalyzedPrincipal {
  readonly resourceType: 'AWS::IAM::User' | 'AWS::IAM::Role';
  readonly arn: string;
  readonly tags: readonly TagRecord[];
  readonly found: { readonly kind: 'user'; readonly record: UserRecord } | { readonly kind: 'role'; readonly record: RoleRecord };
}

/** Data that an analysis reads. */
export interface UnusedReading {
  readonly tx: Pick<Tx, 'identity' | 'lastUses'>;
  /** Returns what a policy allows, or `undefined` if the policy is not analyzed yet. */
  readonly granted: (document: string) => GrantedActions | undefined;
}

/** Period of an analysis. */
export interface UnusedPeriod {
  readonly now: Instant;
  /** Days without use after which access is unused: 1 to 365. */
  readonly ageDays: number;
}

/** Last uses of a principal, and the time at which its period begins. */
interface Uses {
  readonly since: Instant;
  readonly all: readonly LastUse[];
}

/**
 * Returns the unused access of a user or role: an unused role, or the unused permissions of a used principal, and the unused access keys and
 * password of a user. Returns `unknown` if policies must be analyzed first.
 *
 * A principal that was created in the period has no unused access. Service-linked roles are not analyzed, because their service owns their policies.
 *
 * Source: IAM User Guide, "Create an IAM Access Analyzer unused access analyzer": only entities "that have existed for the entire tracking
 * period". "Understand how IAM Access Analyzer findings work": "Service-linked roles are not analyzed by unused access analyzers", and unused
 * permissions are found "for active IAM roles and users".
 * Assumed: the age of a permission is that of its principal, because this server does not store when a policy was attached. Boundaries, service
 * control policies and Deny statements do not count, as in last accessed information.
 */
export async function unusedAccess(
  reading: UnusedReading,
  accountId: AccountId,
  { found }: Pick<AnalyzedPrincipal, 'found'>,
  { now, ageDays }: UnusedPeriod,
): Promise<readonly FoundAccess[] | { readonly unknown: readonly string[] }> {
  const since = instant(now - ageDays * DAY_MS);
  const { record } = found;
  if (record.createdAt > since || ('linkedService' in record && record.linkedService !== undefined)) return [];
  const all = await usesSince(reading.tx, accountId, { found }, instant(now - TRACKED_MS));
  const uses: Uses = { since, all };
  const lastAccessed = latest(all);
  if (found.kind === 'role') {
    if (isUnused(lastAccessed, since)) return [omitUndefined({ findingType: 'UnusedIAMRole' as const, lastAccessed })];
    return await unusedPermissions(reading, accountId, found, uses);
  }
  const credentials = [...(await unusedKeys(reading, accountId, found.record, since)), ...unusedPassword(found.record, since)];
  const isActive = !isUnused(lastAccessed, since) || !isUnused(found.record.passwordLastUsedAt, since);
  if (!isActive) return credentials;
  const permissions = await unusedPermissions(reading, accountId, found, uses);
  return 'unknown' in permissions ? permissions : [...credentials, ...permissions];
}

/** Returns the last uses of a principal after a time. */
export async function usesSince(
  tx: Pick<Tx, 'lastUses'>,
  accountId: AccountId,
  principal: Pick<AnalyzedPrincipal, 'found'>,
  since: Instant,
): Promise<readonly LastUse[]> {
  return (await usesOf(tx, accountId, principal)).filter(({ at }) => at > since);
}

/** Returns the last uses of a principal, one for each action. */
export async function usesOf(
  { lastUses }: Pick<Tx, 'lastUses'>,
  accountId: AccountId,
  { found: { record } }: Pick<AnalyzedPrincipal, 'found'>,
): Promise<readonly LastUse[]> {
  return await lastUses.of(accountId, 'roleId' in record ? record.roleId : record.userId);
}

function isUnused(at: Instant | undefined, since: Instant): boolean {
  return at === undefined || at <= since;
}

function latest(uses: readonly LastUse[]): Instant | undefined {
  return uses.reduce<Instant | undefined>((last, { at }) => (last === undefined || at > last ? at : last), undefined);
}

/** Assumed: an inactive key is not a finding, because no request can use it. */
async function unusedKeys(
  { tx }: UnusedReading,
  accountId: AccountId,
  { accessKeyIds }: UserRecord,
  since: Instant,
): Promise<readonly UnusedAccessKey[]> {
  const unused: UnusedAccessKey[] = [];
  for (const accessKeyId of accessKeyIds) {
    const key = await tx.identity.get(accountId, 'access-key', accessKeyId);
    if (key === undefined || key.status !== 'Active' || key.createdAt > since) continue;
    const lastAccessed = latest(await tx.lastUses.of(accountId, accessKeyId));
    if (isUnused(lastAccessed, since))
      unused.push(omitUndefined({ findingType: 'UnusedIAMUserAccessKey' as const, accessKeyId, lastAccessed }));
  }
  return unused;
}

/** Assumed: a password that was changed in the period is as new as a password that was created then. */
function unusedPassword({ loginProfile, passwordLastUsedAt }: UserRecord, since: Instant): readonly UnusedPassword[] {
  if (loginProfile === undefined || loginProfile.changedAt > since || !isUnused(passwordLastUsedAt, since)) return [];
  return [omitUndefined({ findingType: 'UnusedIAMUserPassword' as const, lastAccessed: passwordLastUsedAt })];
}

/**
 * Returns the unused permissions for each service in which the policies of a principal allow an action. If an action of the service was used, or if
 * its use is not tracked, the result lists the unused actions. This server knows the actions of its own services only.
 *
 * Assumed: an action whose use is not tracked (`iam:PassRole`) is never unused, also if the rest of its service is.
 */
async function unusedPermissions(
  { tx, granted }: UnusedReading,
  accountId: AccountId,
  found: AnalyzedPrincipal['found'],
  uses: Uses,
): Promise<readonly UnusedPermission[] | { readonly unknown: readonly string[] }> {
  const documents = new Set((await policiesOf({ tx, accountId }, found)).map(({ document }) => document));
  const analyses: GrantedActions[] = [];
  const unknown: string[] = [];
  for (const document of documents) {
    const analysis = granted(document);
    if (analysis === undefined) unknown.push(document);
    else analyses.push(analysis);
  }
  if (unknown.length > 0) return { unknown };
  const services = new Set(analyses.flatMap((each) => each.services));
  return [...services].sort().flatMap((service) => unusedOfService(service, analyses, uses));
}

function unusedOfService(serviceNamespace: string, analyses: readonly GrantedActions[], { since, all }: Uses): readonly UnusedPermission[] {
  const ofService = all.filter(({ service }) => service === serviceNamespace);
  const lastAccessed = latest(ofService);
  const unused = omitUndefined({ findingType: 'UnusedPermission' as const, serviceNamespace, lastAccessed });
  const names = [...new Set(analyses.flatMap((each) => each.actions[serviceNamespace] ?? []))];
  const tracked = names.filter((action) => isTracked(serviceNamespace, action));
  // An element without actions is about all of them, also those whose use is not known.
  if (isUnused(lastAccessed, since) && tracked.length === names.length) return [unused];
  const usedAt = new Map(ofService.map(({ action, at }) => [action, at]));
  const actions = tracked
    .filter((action) => isUnused(usedAt.get(action), since))
    .sort()
    .map((action) => omitUndefined({ action, lastAccessed: usedAt.get(action) }));
  return actions.length === 0 ? [] : [{ ...unused, actions }];
}

/** Returns at most `limit` users, then roles, of an account after the one with the ARN `after`. They are in the order of their names. */
export async function principalsAfter(
  { identity }: Pick<Tx, 'identity'>,
  accountId: AccountId,
  after: string | undefined,
  limit: number,
): Promise<readonly AnalyzedPrincipal[]> {
  const found: AnalyzedPrincipal[] = [];
  const isRole = after !== undefined && kindOf(after) === 'role';
  if (!isRole) {
    const users = await identity.list(accountId, 'user', omitUndefined({ after: after === undefined ? undefined : keyOf(after), limit }));
    found.push(...users.map(({ record }) => toPrincipal({ kind: 'user', record })));
  }
  if (found.length < limit) {
    const roles = await identity.list(
      accountId,
      'role',
      omitUndefined({ after: isRole ? keyOf(after) : undefined, limit: limit - found.length }),
    );
    found.push(...roles.map(({ record }) => toPrincipal({ kind: 'role', record })));
  }
  return found;
}

/** Returns the user or role with an ARN; undefined if the account has none. */
export async function principalOf(
  { identity }: Pick<Tx, 'identity'>,
  accountId: AccountId,
  arn: string,
): Promise<AnalyzedPrincipal | undefined> {
  const kind = kindOf(arn);
  const record = await identity.get(accountId, kind, keyOf(arn));
  return record === undefined || record.arn !== arn ? undefined : toPrincipal({ kind, record } as AnalyzedPrincipal['found']);
}

function toPrincipal(found: AnalyzedPrincipal['found']): AnalyzedPrincipal {
  const { arn, tags } = found.record;
  return { resourceType: found.kind === 'role' ? 'AWS::IAM::Role' : 'AWS::IAM::User', arn, tags, found };
}

function kindOf(arn: string): 'user' | 'role' {
  return arn.includes(':role/') ? 'role' : 'user';
}

function keyOf(arn: string): string {
  return nameKey(nameOfArn(arn));
}
