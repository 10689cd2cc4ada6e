import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import { statementHasAction, statementHolds } from './compile.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { StatementRef } from './decision.ts';
import type { LoweredStatement, PrincipalEntry } from './lowered.ts';
import { addKeysOf } from './reads.ts';
import { beginDecision, newRequestRecord, type PolicyRequest, setContext, setResource } from './request.ts';
import type { StepBudget } from './steps.ts';

/** Whom a Principal element can mean: everything that names the caller. */
export interface TrustCaller {
  /** Absent for a service, and for who brings nothing but a token of an identity provider. */
  readonly accountId?: AccountId;
  /** The user's, the role session's, the federated user's, or the root's. */
  readonly arn?: string;
  /** Of a role session: its role's. */
  readonly roleArn?: string;
  /** `AIDA…` of a user, `AROA…` of a session's role: how a stored trust policy names them. */
  readonly uniqueId?: string;
  /** `meetings.chime.amazonaws.com` */
  readonly service?: string;
  /** The SAML or OIDC provider's ARN, or the issuer's host. */
  readonly federated?: string | readonly string[];
  /** A permissions boundary is attached: a Deny with NotPrincipal then always applies. */
  readonly hasBoundary?: boolean;
}

/**
 * What a policy with principals says. `grantee` is whom it named: the `principal` itself, and within one account that is permission
 * enough; the `role` of a session, and the session's boundary and session policies must allow as well; its `account`, and all of the
 * caller's own policies must. Requirement EVAL-7.
 */
export type TrustDecision =
  | { readonly effect: 'Allow'; readonly grantee: 'principal' | 'role' | 'account'; readonly by: StatementRef }
  | { readonly effect: 'Deny'; readonly kind: 'explicit'; readonly grantee: 'none'; readonly by: StatementRef }
  | { readonly effect: 'Deny'; readonly kind: 'implicit'; readonly grantee: 'none'; readonly by?: undefined };

/** What of a principal a Principal element can name. */
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

/** A web identity's issuer may be named by its URL's text after `https://` as well: `accounts.google.com`. */
function hostOf(issuer: string): string {
  return issuer.startsWith('https://') ? issuer.slice('https://'.length) : issuer;
}

/** Scratch of `decideTrust`, which is synchronous and sets all that it reads. */
const RECORD = newRequestRecord();

type Named = 'principal' | 'role' | 'account' | 'none';

/** The more closely named, the less is asked besides. */
const CLOSENESS: Readonly<Record<Named, number>> = { none: 0, account: 1, role: 2, principal: 3 };

/**
 * Decides by a policy that has principals: a role's trust policy, or a resource's.
 *
 * Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal"; "Policy evaluation logic".
 * Assumed: `*` names a user itself, and of a role session its role; a statement without Principal allows nobody and denies everybody; of a NotPrincipal with Deny
 * the account and every ARN of the caller must be listed to be spared.
 * @param ownBudget the caller's step budget; without it, the trust policy has the budget of one decision
 * @throws StepsExceeded  the budget has fewer steps left than the decision needs
 */
export function decideTrust(
  trust: CompiledPolicy,
  caller: TrustCaller,
  request: PolicyRequest,
  policyType: 'trust' | 'resource' = 'trust',
  ownBudget?: StepBudget,
): TrustDecision {
  setContext(RECORD, request.context);
  const budget = beginDecision(RECORD, ownBudget);
  const action = request.action.toLowerCase();
  const { statements } = trust.lowered;
  const resources = request.resources.length === 0 ? ['*'] : request.resources;
  const holds = (statement: number, resource: string): boolean => {
    setResource(RECORD, resource);
    return statementHasAction(statements[statement] as LoweredStatement, action, budget) && statementHolds(trust, statement, false, RECORD);
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
 * Checks whether a statement about the action reads a key that starts with `prefix` (lower-cased, `aws:resourcetag/`), in a condition
 * or a variable. As `readsKey` of a stack, for a policy with principals.
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
  // Who brings no credentials is granted something only by name.
  const known = caller.accountId !== undefined;
  if (not) return !known || anyone || entries.some((entry) => namedBy(entry, caller) !== 'none') ? 'none' : anyoneAs(caller);
  let best: Named = anyone && known ? anyoneAs(caller) : 'none';
  for (const entry of entries) {
    const named = namedBy(entry, caller);
    if (CLOSENESS[named] > CLOSENESS[best]) best = named;
  }
  return best;
}

/** What a Principal that names everybody, or a role's own id, names of a caller. */
function anyoneAs(caller: TrustCaller): 'principal' | 'role' {
  return caller.roleArn === undefined ? 'principal' : 'role';
}

/** Source: IAM User Guide, "NotPrincipal": list the account as well, or it is denied; never with permissions boundaries. */
function isDenied({ principals }: LoweredStatement, caller: TrustCaller): boolean {
  if (principals === undefined) return true;
  const { not, anyone, entries } = principals;
  if (!not) return anyone || entries.some((entry) => namedBy(entry, caller) !== 'none');
  if (anyone) return false;
  if (caller.accountId === undefined) return !entries.some((entry) => namedBy(entry, caller) !== 'none');
  if (caller.hasBoundary === true) return true;
  const lists = (name: string | undefined): boolean => entries.some(({ type, value }) => type === 'AWS' && value === name);
  if (!entries.some(({ type, value }) => type === 'AWS' && accountOf(value) === caller.accountId)) return true;
  if (caller.arn !== undefined && accountOf(caller.arn) !== undefined) return false;
  // A role session must be listed itself and by its role; the role, or a user, by its ARN or its unique id.
  if (caller.roleArn !== undefined) return !lists(caller.arn) || !(lists(caller.roleArn) || lists(caller.uniqueId));
  return !lists(caller.arn) && !lists(caller.uniqueId);
}

function namedBy({ type, value }: PrincipalEntry, caller: TrustCaller): Named {
  switch (type) {
    case 'AWS':
      if (caller.accountId === undefined) return 'none';
      if (value === caller.arn) return 'principal';
      if (value === '*' || value === caller.roleArn || value === caller.uniqueId) return anyoneAs(caller);
      return accountOf(value) === caller.accountId ? 'account' : 'none';
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

/** The account that `123456789012` or its root's ARN stands for. */
function accountOf(value: string): AccountId | undefined {
  if (isAccountId(value)) return value;
  const parts = parseArn(value);
  return parts?.service === 'iam' && parts.resource === 'root' && isAccountId(parts.accountId) ? parts.accountId : undefined;
}
