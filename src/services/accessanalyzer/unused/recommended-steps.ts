/** Steps that remove the unused permissions of a user or role. */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { RecommendedStep } from '#model/generated/accessanalyzer.ts';
import type { GrantedActions } from '#policy/analyse/granted-actions.ts';
import type { TrimmedPolicy, UnusedPermissions } from '#policy/analyse/trimmed-policy.ts';
import { policySize } from '#policy/validate/policy-size.ts';
import { type EntityPolicy, policiesOf } from '#services/iam/entity-policies.ts';
import { QUOTAS } from '#services/iam/quotas.ts';
import type { Call } from '../../kit/operation.ts';
import type { FoundAccess, UnusedPermission } from '../tables/found-access.ts';
import { type AnalyzedPrincipal, principalOf, type UnusedPeriod, unusedAccess, usesSince } from './unused-access.ts';

type Step = Extract<RecommendedStep, { readonly unusedPermissionsRecommendedStep: unknown }>;

/** Recommended steps, or the reason why there are none. */
export type StepsOrReason = { readonly steps: readonly Step[] } | { readonly code: string; readonly message: string };

/**
 * Returns the steps for the policies of a user or role. A policy without used permissions is detached. Another policy that allows unused
 * permissions is replaced: a new policy is created, and the existing one is detached. The new policy allows each used action for the same requests
 * as before, and has all Deny statements. Its size fits a managed policy.
 *
 * Source: IAM User Guide, "Resolving unused permission findings": no recommendation for "an IAM user that is in a user group", for roles of IAM
 * Identity Center (this server has none), and for a policy "that includes the `notAction` element". accessanalyzer 2019-11-01, example of GetFindingRecommendation: both steps with the ID of one policy. AWS Security Hub
 * User Guide, "Generating policy recommendations for unused access findings".
 * Assumed: `existingPolicyId` is the ARN of a managed policy, and the name of an inline policy. The codes and messages.
 *
 * @throws StepsExceeded  the policies need more work than one request may take
 */
export async function recommendedSteps(call: Call, accountId: AccountId, arn: string, period: UnusedPeriod): Promise<StepsOrReason> {
  const principal = await principalOf(call.tx, accountId, arn);
  if (principal === undefined) return { code: 'RESOURCE_NOT_FOUND', message: 'The user or role no longer exists.' };
  const { found } = principal;
  if (found.kind === 'user' && found.record.groupIds.length > 0)
    return { code: 'USER_IN_GROUP', message: 'Recommendations are not available for a user that is in a group.' };
  const policies = await policiesOf({ tx: call.tx, accountId }, found);
  const unused = await unusedPermissions(call, accountId, principal, policies, period);
  if (unused.services.length === 0 && Object.keys(unused.actions).length === 0)
    return { code: 'NO_UNUSED_PERMISSIONS', message: 'The user or role has no unused permissions now.' };
  const trimmed = trimAll(call, policies, unused);
  if (trimmed.some(({ kind }) => kind === 'not-action'))
    return { code: 'NOT_ACTION', message: 'Recommendations are not available for policies with NotAction.' };
  return { steps: policies.flatMap((policy, i) => stepsFor(policy, trimmed[i] as TrimmedPolicy)) };
}

/** Returns the permissions that are unused now. Since the finding was stored, some can have been used. */
async function unusedPermissions(
  call: Call,
  accountId: AccountId,
  principal: AnalyzedPrincipal,
  policies: readonly EntityPolicy[],
  period: UnusedPeriod,
): Promise<UnusedPermissions> {
  const documents = policies.map(({ document }) => document);
  const { granted } = call.analyze<'granted-actions'>({ kind: 'granted-actions', documents });
  const analyses = new Map(documents.map((document, i) => [document, granted[i] as GrantedActions]));
  const reading = { tx: call.tx, granted: (document: string) => analyses.get(document) };
  const found = await unusedAccess(reading, accountId, principal, period);
  const permissions = 'unknown' in found ? [] : found.filter(isPermission);
  const used = (await usesSince(call.tx, accountId, principal, instant(period.now - period.ageDays * DAY_MS))).map(
    ({ service, action }) => `${service}:${action}`,
  );
  return {
    services: permissions.filter(({ actions }) => actions === undefined).map(({ serviceNamespace }) => serviceNamespace),
    actions: Object.fromEntries(
      permissions.flatMap(({ serviceNamespace, actions }) =>
        actions === undefined ? [] : [[serviceNamespace, actions.map(({ action }) => action)]],
      ),
    ),
    used,
  };
}

function isPermission(found: FoundAccess): found is UnusedPermission {
  return found.findingType === 'UnusedPermission';
}

/** Removes the unused permissions. If a list of actions is too long for a managed policy, only removes the unused services. */
function trimAll(call: Call, policies: readonly EntityPolicy[], unused: UnusedPermissions): readonly TrimmedPolicy[] {
  const trim = (documents: readonly string[], those: UnusedPermissions) =>
    call.analyze<'trimming'>({ kind: 'trimming', documents, unused: those }).trimmed;
  const documents = policies.map(({ document }) => document);
  const trimmed = trim(documents, unused);
  if (trimmed.every(fits)) return trimmed;
  const services = trim(documents, { ...unused, actions: {} });
  const unchanged: TrimmedPolicy = { kind: 'unchanged' };
  return trimmed.map((each, i) => [each, services[i] as TrimmedPolicy].find(fits) ?? unchanged);
}

function fits(trimmed: TrimmedPolicy): boolean {
  return trimmed.kind !== 'trimmed' || policySize(trimmed.document) <= QUOTAS.PolicySize;
}

function stepsFor({ policyName, policyArn, updatedAt }: EntityPolicy, trimmed: TrimmedPolicy): readonly Step[] {
  const existing = omitUndefined({ existingPolicyId: policyArn ?? policyName, policyUpdatedAt: updatedAt });
  const detach: Step = { unusedPermissionsRecommendedStep: { ...existing, recommendedAction: 'DETACH_POLICY' } };
  switch (trimmed.kind) {
    case 'empty':
      return [detach];
    case 'trimmed': {
      const create = { ...existing, recommendedAction: 'CREATE_POLICY' as const, recommendedPolicy: trimmed.document };
      return [{ unusedPermissionsRecommendedStep: create }, detach];
    }
    case 'unchanged':
    case 'not-action':
    case 'invalid':
      return [];
  }
}
