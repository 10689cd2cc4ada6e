import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import { statementHasAction, statementHolds } from './compile.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { StatementRef } from './decision.ts';
import type { LoweredStatement, PrincipalEntry } from './lowered.ts';
import { addKeysOf } from './reads.ts';
import { beginDecision, newRequestRecord, type PolicyRequest, type RequestRecord, setContext, setResource } from './request.ts';
import type { StepBudget } from './steps.ts';

/** Names of the caller that a Principal element can contain. */
export interface TrustCaller {
  /** Absent for a service, and for the caller of an unsigned request with a token of an identity provider. */
  readonly accountId?: AccountId;
  /** ARN of the user, role session, federated user or root user. */
  readonly arn?: string;
  /** ARN of the role of a role session. */
  readonly roleArn?: string;
  /** Unique ID of a user (`AIDA…`) or of a session's role (`AROA…`), which stored trust policies contain. */
  readonly uniqueId?: string;
  /** Service principal: `meetings.chime.amazonaws.com`. */
  readonly service?: string;
  /** ARN of the SAML or OIDC provider, or host of the issuer. */
  readonly federated?: string | readonly string[];
  /** Whether the caller has a permissions boundary. If so, a Deny with NotPrincipal always applies. */
  readonly hasBoundary?: boolean;
}

/**
 * Decision of a policy with principals. `grantee` is the name of the caller that the policy contains. It determines which other policies
 * must allow in the same account. Requirement EVAL-7.
 *
 * - `principal`: no other policy.
 * - `role`: the boundary and the session policies of the role session.
 * - `account`: all policies of the caller.
 */
export type TrustDecision =
  | { readonly effect: 'Allow'; readonly grantee: 'principal' | 'role' | 'account'; readonly by: StatementRef }
  | { readonly effect: 'Deny'; readonly kind: 'explicit'; readonly grantee: 'none'; readonly by: StatementRef }
  | { readonly effect: 'Deny'; readonly kind: 'implicit'; readonly grantee: 'none'; readonly by?: undefined };

/** Returns the names of a principal for Principal elements. */
export function trustCallerOf(principal: Principal): TrustCaller {
  const { accountId, arn } = principal;
  switch (principal.type) {
    case 'Root':
    case 'FederatedUser':
      return { accountId, arn };
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

/** Returns an issuer's URL without `https://`, which can also name a web identity: `accounts.google.com`. */
function hostOf(issuer: string): string {
  return issuer.startsWith('https://') ? issuer.slice('https://'.length) : issuer;
}

/** Record of `decideTrust`, which is synchronous and sets all facts that it reads. */
const RECORD = newRequestRecord();

type Named = 'principal' | 'role' | 'account' | 'none';

/** Order of the names. A more specific name requires fewer other policies. */
const CLOSENESS: Readonly<Record<Named, number>> = { none: 0, account: 1, role: 2, principal: 3 };

/**
 * Decides with a policy that has principals: a role's trust policy, or a resource policy.
 *
 * Without `ownBudget`, the policy has the step budget of one decision.
 *
 * @throws StepsExceeded  the budget has too few steps left
 *
 * Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal"; "Policy evaluation logic".
 * Assumed: `*` names a user itself, and the role of a role session. A statement without Principal allows no caller and denies every caller.
 * A Deny with NotPrincipal exempts the caller only if it lists the account and every ARN of the caller.
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

/** Decides like `decideTrust`, with the facts of a record. Overwrites the record's resource. */
export function decideTrustOf(
  record: RequestRecord,
  trust: CompiledPolicy,
  caller: TrustCaller,
  askedAction: string,
  askedResources: readonly string[],
  policyType: 'trust' | 'resource',
  ownBudget?: StepBudget,
): TrustDecision {
  const budget = beginDecision(record, ownBudget);
  const action = askedAction.toLowerCase();
  const { statements } = trust.lowered;
  const resources = askedResources.length === 0 ? ['*'] : askedResources;
  const holds = (statement: number, resource: string): boolean => {
    setResource(record, resource);
    return statementHasAction(statements[statement] as LoweredStatement, action, budget) && statementHolds(trust, statement, false, record);
  };

  for (const [i, statement] of statements.entries()) {
    if (statement.effect !== 'Deny' || !isDenied(statement, caller)) continue;
    if (resources.some((resource) => holds(i, resource)))
      return { effect: 'Deny', kind: 'explicit', grantee: 'none', by: byOf(statement, i, policyType) };
  }

  let weakest: TrustDecision | undefined;
  for (const resource of resources) {
    let best: TrustDecision = { effect: 'Deny', kind: 'implicit', grantee: 'none' };
    for (const [i, statement] of statements.entries()) {
      if (statement.effect !== 'Allow') continue;
      const grantee = granteeOf(statement, caller);
      if (grantee === 'none' || CLOSENESS[grantee] <= CLOSENESS[best.grantee] || !holds(i, resource)) continue;
      best = { effect: 'Allow', grantee, by: byOf(statement, i, policyType) };
    }
    if (best.effect === 'Deny') return best;
    if (weakest === undefined || CLOSENESS[best.grantee] < CLOSENESS[weakest.grantee]) weakest = best;
  }
  return weakest ?? { effect: 'Deny', kind: 'implicit', grantee: 'none' };
}

/**
 * Reports whether a condition or variable of the action's statements reads a key with a lower-case prefix, such as `aws:resourcetag/`.
 * It is the counterpart of a stack's `readsKey` for policies with principals.
 */
export function trustReadsKey(trust: CompiledPolicy, action: string, prefix: string): boolean {
  const keys = new Set<string>();
  const lowerAction = action.toLowerCase();
  for (const statement of trust.lowered.statements) if (statementHasAction(statement, lowerAction)) addKeysOf(statement, keys);
  return [...keys].some((key) => key.startsWith(prefix));
}

function byOf({ sid }: LoweredStatement, statement: number, policyType: 'trust' | 'resource'): StatementRef {
  return { policyType, policyId: `${policyType} policy`, statement, ...(sid === undefined ? {} : { sid }) };
}

function granteeOf({ principals }: LoweredStatement, caller: TrustCaller): Named {
  if (principals === undefined) return 'none';
  const { not, anyone, entries } = principals;
  // A caller without credentials matches only a principal that the policy names, never `*`.
  const known = caller.accountId !== undefined;
  if (not) return !known || anyone || entries.some((entry) => namedBy(entry, caller) !== 'none') ? 'none' : anyoneAs(caller);
  let best: Named = anyone && known ? anyoneAs(caller) : 'none';
  for (const entry of entries) {
    const named = namedBy(entry, caller);
    if (CLOSENESS[named] > CLOSENESS[best]) best = named;
  }
  return best;
}

/** Returns the grantee for a Principal that is `*`, or the ARN or unique ID of a role. */
function anyoneAs(caller: TrustCaller): 'principal' | 'role' {
  return caller.roleArn === undefined ? 'principal' : 'role';
}

/** Reports whether a Deny applies to a caller. Source: IAM User Guide, "NotPrincipal": list the account too; not with boundaries. */
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
  // The element must list a role session and its role. It lists a role or a user by ARN or unique ID.
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

/** Returns the account of an account ID or of the ARN of a root user. */
export function accountOfPrincipal(value: string): AccountId | undefined {
  if (isAccountId(value)) return value;
  const parts = parseArn(value);
  return parts?.service === 'iam' && parts.resource === 'root' && isAccountId(parts.accountId) ? parts.accountId : undefined;
}
