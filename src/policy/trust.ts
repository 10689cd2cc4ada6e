import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import { statementHasAction, statementHolds, statementTest } from './compile.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { StatementRef } from './decision.ts';
import type { LoweredStatement, PrincipalEntry } from './lowered.ts';
import { addKeysOf } from './reads.ts';
import { beginDecision, newRequestRecord, type PolicyRequest, type RequestRecord, setContext, setResource } from './request.ts';
import { type StepBudget, takeSteps } from './steps.ts';

/** Names by which a Principal element can refer to a caller. */
export interface TrustCaller {
  /** Absent for a service, and for the caller of an unsigned request with a token of an identity provider. */
  readonly accountId?: AccountId;
  /** ARN of the user, role session, federated user or root user. */
  readonly arn?: string;
  /** ARN of the role of a role session, or of the IAM user that called GetFederationToken for a federated user. */
  readonly roleArn?: string;
  /**
   * Unique ID of a user (`AIDA…`), or of the role (`AROA…`) or IAM user that `roleArn` names. Stored policies contain
   * these IDs.
   */
  readonly uniqueId?: string;
  /** Service principal: `meetings.chime.amazonaws.com`. */
  readonly service?: string;
  /** ARN of the SAML or OIDC provider, or host of the issuer. */
  readonly federated?: string | readonly string[];
  /** Whether the caller has a permissions boundary. If so, a Deny with NotPrincipal always applies. */
  readonly hasBoundary?: boolean;
}

/**
 * Decision of a trust policy or resource policy. `grantee` is the kind of principal that the policy allows. Within one
 * account, `grantee` determines which other policies must also allow (requirement EVAL-7):
 *
 * - `principal`: only the service control policies.
 * - `role`: the service control policies, and the boundary and the session policies of the role session. The same applies
 *   to a federated user if the policy names the IAM user that called GetFederationToken.
 * - `account`: all policies of the caller.
 */
export type TrustDecision =
  | { readonly effect: 'Allow'; readonly grantee: 'principal' | 'role' | 'account'; readonly by: StatementRef }
  | { readonly effect: 'Deny'; readonly kind: 'explicit'; readonly grantee: 'none'; readonly by: StatementRef }
  | { readonly effect: 'Deny'; readonly kind: 'implicit'; readonly grantee: 'none'; readonly by?: undefined };

/** Returns the names by which a Principal element can refer to a principal. */
export function trustCallerOf(principal: Principal): TrustCaller {
  const { accountId, arn } = principal;
  switch (principal.type) {
    case 'Root':
      return { accountId, arn };
    case 'FederatedUser':
      return principal.issuerArn.endsWith(':root')
        ? { accountId, arn }
        : { accountId, arn, roleArn: principal.issuerArn, uniqueId: principal.issuerId };
    case 'IAMUser':
      return { accountId, arn, uniqueId: principal.principalId };
    case 'AssumedRole':
      return { accountId, arn, roleArn: principal.roleArn, uniqueId: principal.roleId };
    case 'AWSService':
      return { service: principal.service };
    case 'Unknown':
      return principal.federation === undefined ? {} : { federated: [principal.federation.provider, hostOf(principal.federation.issuer)] };
  }
}

/** Returns an issuer's URL without `https://`. A Principal can name a provider in this form: `accounts.google.com`. */
function hostOf(issuer: string): string {
  return issuer.startsWith('https://') ? issuer.slice('https://'.length) : issuer;
}

/**
 * Request record that all calls of `decideTrust` share. This is safe, because `decideTrust` is synchronous and sets all
 * facts that it reads.
 */
const RECORD = newRequestRecord();

type Named = 'principal' | 'role' | 'account' | 'none';

/**
 * Order of the ways in which a policy can name a caller. The more specifically this policy names the caller, the fewer of
 * the caller's other policies must also allow the request.
 */
const CLOSENESS: Readonly<Record<Named, number>> = { none: 0, account: 1, role: 2, principal: 3 };

/**
 * Decides with a policy that has principals: a role's trust policy, or a resource policy.
 *
 * Without `ownBudget`, the policy has the step budget of one decision.
 *
 * @throws StepsExceeded  the budget has too few steps left
 *
 * Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal"; "Policy evaluation logic".
 * Source: IAM User Guide, "How AWS enforcement code logic evaluates requests": boundaries and session policies do not limit
 * the grant of a resource-based policy to `*`.
 * Assumed: in a trust policy, `*` names a user itself, and the role of a role session. A statement without Principal allows no caller
 * and denies every caller. A Deny with NotPrincipal exempts the caller only if it lists the account and every ARN of the caller.
 * `*` names no service. Such a policy would permit every service on behalf of every account. A statement of a resource-based policy
 * without Resource and NotResource allows nothing and denies every resource.
 */
export function decideTrust(
  trust: CompiledPolicy,
  caller: TrustCaller,
  request: PolicyRequest,
  policyType: 'trust' | 'resource' = 'trust',
  ownBudget?: StepBudget,
): TrustDecision {
  setContext(RECORD, request.context);
  return decideTrustOf(RECORD, trust, caller, request.action, request.resources, policyType, ownBudget);
}

/**
 * Decides with a policy that has principals, by the rules of `decideTrust`. Reads the facts from an existing record,
 * and overwrites the record's resource. `policyId` is the policy's name in the decision.
 */
export function decideTrustOf(
  record: RequestRecord,
  trust: CompiledPolicy,
  caller: TrustCaller,
  askedAction: string,
  askedResources: readonly string[],
  policyType: 'trust' | 'resource',
  ownBudget?: StepBudget,
  policyId = `${policyType} policy`,
): TrustDecision {
  const budget = beginDecision(record, ownBudget);
  const action = askedAction.toLowerCase();
  const { statements } = trust.lowered;
  const resources = askedResources.length === 0 ? ['*'] : askedResources;
  const holds = (statement: number, resource: string): boolean => {
    setResource(record, resource);
    if (!statementHasAction(statements[statement] as LoweredStatement, action, budget)) return false;
    takeSteps(budget, statementTest(trust, statement, false).size);
    return statementHolds(trust, statement, false, record);
  };
  // The principals of each statement are compared once for each resource, and once for the denials.
  const entries = statements.reduce((sum, { principals }) => sum + 1 + (principals?.entries.length ?? 0), 0);
  takeSteps(budget, entries * (1 + resources.length));

  for (const [i, statement] of statements.entries()) {
    if (statement.effect !== 'Deny' || !isDenied(statement, caller)) continue;
    if (resources.some((resource) => holds(i, resource)))
      return { effect: 'Deny', kind: 'explicit', grantee: 'none', by: byOf(statement, i, policyType, policyId) };
  }

  let weakest: TrustDecision | undefined;
  for (const resource of resources) {
    let best: TrustDecision = { effect: 'Deny', kind: 'implicit', grantee: 'none' };
    for (const [i, statement] of statements.entries()) {
      if (statement.effect !== 'Allow' || (policyType === 'resource' && statement.resources === undefined)) continue;
      const grantee = granteeOf(statement, caller, policyType);
      if (grantee === 'none' || CLOSENESS[grantee] <= CLOSENESS[best.grantee] || !holds(i, resource)) continue;
      best = { effect: 'Allow', grantee, by: byOf(statement, i, policyType, policyId) };
    }
    if (best.effect === 'Deny') return best;
    if (weakest === undefined || CLOSENESS[best.grantee] < CLOSENESS[weakest.grantee]) weakest = best;
  }
  return weakest ?? { effect: 'Deny', kind: 'implicit', grantee: 'none' };
}

/**
 * Reports whether a condition or variable of the action's statements reads a context key that begins with `prefix`.
 * `prefix` is in lower case, such as `aws:resourcetag/`. For identity policies, `readsKey` of a stack reports the same.
 */
export function trustReadsKey(trust: CompiledPolicy, action: string, prefix: string): boolean {
  const keys = new Set<string>();
  const lowerAction = action.toLowerCase();
  for (const statement of trust.lowered.statements) if (statementHasAction(statement, lowerAction)) addKeysOf(statement, keys);
  return [...keys].some((key) => key.startsWith(prefix));
}

function byOf({ sid }: LoweredStatement, statement: number, policyType: 'trust' | 'resource', policyId: string): StatementRef {
  return { policyType, policyId, statement, ...(sid === undefined ? {} : { sid }) };
}

function granteeOf({ principals }: LoweredStatement, caller: TrustCaller, policyType: 'trust' | 'resource'): Named {
  if (principals === undefined) return 'none';
  const { not, anyone, entries } = principals;
  // A caller without an account is a service, or a caller with only a token. Such a caller matches only a principal
  // that the policy names, and never `*` or NotPrincipal.
  const known = caller.accountId !== undefined;
  if (not) return !known || anyone || entries.some((entry) => namedBy(entry, caller) !== 'none') ? 'none' : anyoneAs(caller);
  if (anyone && known && policyType === 'resource') return 'principal';
  let best: Named = anyone && known ? anyoneAs(caller) : 'none';
  for (const entry of entries) {
    const named = namedBy(entry, caller);
    if (CLOSENESS[named] > CLOSENESS[best]) best = named;
  }
  return best;
}

/** Reports whether the Principal or NotPrincipal element of a statement applies to a caller. */
export function appliesToCaller(statement: LoweredStatement, caller: TrustCaller, policyType: 'trust' | 'resource'): boolean {
  return statement.effect === 'Deny' ? isDenied(statement, caller) : granteeOf(statement, caller, policyType) !== 'none';
}

/**
 * Returns the kind of principal that a caller matches through `*`, a role's ARN or a unique ID. A role session matches
 * as its role, and a federated user as its IAM user. Every other caller matches as itself.
 */
function anyoneAs(caller: TrustCaller): 'principal' | 'role' {
  return caller.roleArn === undefined ? 'principal' : 'role';
}

/**
 * Reports whether a Deny applies to a caller. A NotPrincipal element exempts a caller with an account only if it lists
 * both the caller and the account. It never exempts a caller with a permissions boundary, unless the element is `*`.
 *
 * Source: IAM User Guide, "NotPrincipal": the element must also list the account, and does not work with permissions
 * boundaries.
 */
function isDenied({ principals }: LoweredStatement, caller: TrustCaller): boolean {
  if (principals === undefined) return true;
  const { not, anyone, entries } = principals;
  if (!not) return anyone || entries.some((entry) => namedBy(entry, caller) !== 'none');
  if (anyone) return false;
  if (caller.accountId === undefined) return !entries.some((entry) => namedBy(entry, caller) !== 'none');
  if (caller.hasBoundary === true) return true;
  const lists = (name: string | undefined): boolean => entries.some(({ type, value }) => type === 'AWS' && value === name);
  if (!entries.some(({ type, value }) => type === 'AWS' && accountOfPrincipal(value) === caller.accountId)) return true;
  if (caller.arn !== undefined && accountOfPrincipal(caller.arn) !== undefined) return false;
  // To exempt a role session, the element must list both the session and its role. The element can list a role or user
  // by ARN or by unique ID.
  if (caller.roleArn !== undefined) return !lists(caller.arn) || !(lists(caller.roleArn) || lists(caller.uniqueId));
  return !lists(caller.arn) && !lists(caller.uniqueId);
}

function namedBy({ type, value }: PrincipalEntry, caller: TrustCaller): Named {
  switch (type) {
    case 'AWS':
      if (caller.accountId === undefined) return 'none';
      if (value === caller.arn) return 'principal';
      if (value === '*' || value === caller.roleArn || value === caller.uniqueId) return anyoneAs(caller);
      return accountOfPrincipal(value) === caller.accountId ? 'account' : 'none';
    case 'Service':
      return value === caller.service ? 'principal' : 'none';
    case 'Federated':
      return value === caller.federated || (typeof caller.federated === 'object' && caller.federated.includes(value))
        ? 'principal'
        : 'none';
    case 'CanonicalUser':
      return 'none';
  }
}

/** Returns the account that is named by an account ID or by the ARN of a root user. */
export function accountOfPrincipal(value: string): AccountId | undefined {
  if (isAccountId(value)) return value;
  const parts = parseArn(value);
  return parts?.service === 'iam' && parts.resource === 'root' && isAccountId(parts.accountId) ? parts.accountId : undefined;
}
