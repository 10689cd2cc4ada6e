import { type OutsideGrant, outsideGrants } from '#policy/analyse/outside.ts';
import type { ZoneOfTrust } from '#policy/analyse/outside-principals.ts';
import { statementHasAction } from '#policy/compile.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import { tryCompilePolicy } from '#policy/engine.ts';
import type { AnalyzedType, ResourcePolicy } from '../../kit/analyzed-resources.ts';
import { authorizationReference } from '../../kit/authorization-reference.ts';
import type { ExternalAccess } from '../tables/found-access.ts';

export type { ZoneOfTrust } from '#policy/analyse/outside-principals.ts';

/** Resource-based policy of one resource, and the principals that its analyzer trusts. */
export interface AnalyzedPolicy extends ResourcePolicy {
  readonly zone: ZoneOfTrust;
}

/**
 * Maximum steps of one analysis, about two milliseconds (Decision 0016). After this number, the analysis reports access without regard to
 * Deny statements and conditions.
 */
const ANALYSIS_STEPS = 2 ** 20;

/**
 * Maximum length of the actions and conditions of all findings of one policy, in characters. A statement with some hundred principals would repeat
 * its list of actions in each finding, so that a policy of 20 KiB had findings of several megabytes. Assumed: AWS documents no limit.
 */
const FACTS_MAX = 2 ** 18;
/** Length that a list of actions and a condition value always have. */
const SHORT = 64;

/** Prefix of the actions that a policy of a resource can allow. */
export const SERVICE_OF = { 'AWS::IAM::Role': 'sts', 'AWS::S3::Bucket': 's3' } as const satisfies Record<AnalyzedType, string>;

/** Types of the resources that these actions apply to, in the service authorization reference. */
const TYPES_OF: Readonly<Record<AnalyzedType, readonly string[]>> = { 'AWS::IAM::Role': ['role'], 'AWS::S3::Bucket': ['bucket', 'object'] };

/**
 * Returns the access of principals outside of the zone of trust that a trust policy or bucket policy allows: one result for
 * each statement and principal. The work has a limit.
 *
 * The result can contain access that no request has: the analysis reports a principal unless a proof excludes it. A policy that
 * is not valid allows nothing, as in authorization.
 *
 * Source: IAM User Guide, "Understand how IAM Access Analyzer findings work" (in doubt, a false positive) and "IAM Access Analyzer resource
 * types"; Amazon S3 User Guide, "Blocking public access" (RestrictPublicBuckets).
 * Assumed: several values of a condition key are one finding, and its value separates them by commas. A finding has the
 * actions as the policy has them. For NotAction, it has the actions of the resource type that remain. If the findings of a policy
 * are too large, long lists of actions become a wildcard, and so do long condition values.
 */
export function externalAccess({ resourceType, arn, policy: text, zone, publicAccessBlock }: AnalyzedPolicy): readonly ExternalAccess[] {
  const compiled = text === undefined ? undefined : tryCompilePolicy(text);
  if (compiled === undefined || !('policy' in compiled)) return [];
  const { policy } = compiled;
  const service = SERVICE_OF[resourceType];
  const resources = resourceType === 'AWS::S3::Bucket' ? { resources: [arn, `${arn}/*`] } : {};
  const grants = outsideGrants(policy, { service, ...resources }, zone, { stepsLeft: ANALYSIS_STEPS });
  const left = publicAccessBlock?.restrictPublicBuckets === true ? restricted(grants, policy) : grants;
  const factsMax = Math.floor(FACTS_MAX / Math.max(left.length, 1));
  const remaining = new Map<number, readonly string[]>();
  const found = new Map<string, ExternalAccess>();
  for (const grant of left) {
    const access: ExternalAccess = {
      findingType: 'ExternalAccess',
      principal: { [grant.principal.type]: grant.principal.value },
      ...shortened(actionsOf(grant, policy, resourceType, remaining), grant.condition, factsMax, service),
      isPublic: grant.isPublic,
    };
    found.set(JSON.stringify(access), access);
  }
  return [...found.values()];
}

/** Returns actions and conditions. If they are longer than `most`, long lists of actions and long values are wildcards. */
function shortened(
  action: readonly string[],
  condition: ExternalAccess['condition'],
  most: number,
  service: string,
): Pick<ExternalAccess, 'action' | 'condition'> {
  const values = Object.entries(condition);
  const actionLength = action.reduce((sum, each) => sum + each.length, 0);
  const isShort = actionLength + values.reduce((sum, [key, value]) => sum + key.length + value.length, 0) <= most;
  if (isShort) return { action, condition };
  return {
    action: actionLength <= SHORT ? action : [`${service}:*`],
    condition: Object.fromEntries(values.map(([key, value]) => [key, value.length <= SHORT ? value : '*'])),
  };
}

/**
 * Returns the access that RestrictPublicBuckets leaves: no access by a public policy, except for principals of the bucket's
 * account and services.
 *
 * If it is not certain that S3 considers the policy public, only the public access is removed.
 */
function restricted(grants: readonly OutsideGrant[], { lowered }: CompiledPolicy): readonly OutsideGrant[] {
  const hasDeny = lowered.statements.some(({ effect }) => effect === 'Deny');
  const isCertain = !hasDeny && grants.some(({ isPublic, condition }) => isPublic && Object.keys(condition).length === 0);
  return isCertain ? [] : grants.filter(({ isPublic }) => !isPublic);
}

/** Returns the actions of a grant. `remaining` has the actions of statements with NotAction that were determined before. */
function actionsOf(
  { actions: { negated, patterns }, statement }: OutsideGrant,
  policy: CompiledPolicy,
  resourceType: AnalyzedPolicy['resourceType'],
  remaining: Map<number, readonly string[]>,
): readonly string[] {
  if (!negated) return patterns;
  const known = remaining.get(statement) ?? remainingActions(statement, policy, resourceType);
  remaining.set(statement, known);
  return known;
}

function remainingActions(statement: number, { lowered }: CompiledPolicy, resourceType: AnalyzedType): readonly string[] {
  const service = SERVICE_OF[resourceType];
  const all = authorizationReference().actionsOf(service) ?? [];
  const ofResource = all.filter(({ resourceTypes }) => resourceTypes.some(({ type }) => TYPES_OF[resourceType].includes(type)));
  const { [statement]: lowerStatement } = lowered.statements;
  const names = ofResource.map(({ name }) => `${service}:${name}`);
  return lowerStatement === undefined ? names : names.filter((name) => statementHasAction(lowerStatement, name.toLowerCase()));
}
