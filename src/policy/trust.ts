import { type AccountId, isAccountId, parseArn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import { type CompiledPolicy, statementHasAction, statementPredicate } from './compile.ts';
import type { LoweredStatement, PrincipalEntry } from './lowered.ts';
import { newRequestRecord, type PolicyRequest } from './request.ts';

/** Whom a Principal element can mean: everything that names the caller. */
export interface TrustCaller {
  /** Absent for a service, and for who brings nothing but a token of an identity provider. */
  readonly accountId?: AccountId;
  /** The user's; of a role session its own and its role's; of a federated user its own; the root's. */
  readonly arns: readonly string[];
  /** `AIDA…` of a user, `AROA…` of a session's role: how a stored trust policy names them. */
  readonly uniqueIds: readonly string[];
  /** `meetings.chime.amazonaws.com` */
  readonly service?: string;
  /** The SAML or OIDC provider's ARN, or the issuer's host. */
  readonly federated?: readonly string[];
  /** A permissions boundary is attached: a Deny with NotPrincipal then always applies. */
  readonly hasBoundary?: boolean;
}

/**
 * What a policy with principals says. `grantee` is whom it named: `principal`, and within one account that is permission enough;
 * `account`, and the caller's own policies must allow as well.
 */
export type TrustDecision =
  | {
      readonly effect: 'Allow';
      readonly grantee: 'principal' | 'account';
      readonly by: { readonly statement: number; readonly sid?: string };
    }
  | {
      readonly effect: 'Deny';
      readonly kind: 'explicit';
      readonly grantee: 'none';
      readonly by: { readonly statement: number; readonly sid?: string };
    }
  | { readonly effect: 'Deny'; readonly kind: 'implicit'; readonly grantee: 'none'; readonly by?: undefined };

/** What of a principal a Principal element can name. */
export function trustCallerOf(principal: Principal): TrustCaller {
  const { accountId, arn } = principal;
  switch (principal.type) {
    case 'Root':
      return { accountId, arns: [arn], uniqueIds: [] };
    case 'IAMUser':
      return { accountId, arns: [arn], uniqueIds: [principal.principalId] };
    case 'AssumedRole':
      return { accountId, arns: [arn, principal.roleArn], uniqueIds: [principal.roleId] };
    case 'FederatedUser':
      return { accountId, arns: [arn], uniqueIds: [] };
    case 'AWSService':
      return { arns: [], uniqueIds: [], service: principal.service };
    case 'Unknown':
      return { arns: [], uniqueIds: [] };
  }
}

type Named = 'principal' | 'account' | 'none';

/**
 * Decides by a policy that has principals: a role's trust policy, or a resource's.
 *
 * Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal"; "Policy evaluation logic".
 * Assumed: `*` names the principal itself; a statement without Principal allows nobody and denies everybody; of a NotPrincipal with Deny
 * the account and every ARN of the caller must be listed to be spared.
 */
export function decideTrust(trust: CompiledPolicy, caller: TrustCaller, request: PolicyRequest): TrustDecision {
  const record = newRequestRecord();
  record.context = request.context;
  const action = request.action.toLowerCase();
  const { statements } = trust.lowered;
  const resources = request.resources.length === 0 ? ['*'] : request.resources;
  const holds = (statement: number, resource: string): boolean => {
    record.resource = resource;
    return statementHasAction(statements[statement] as LoweredStatement, action) && statementPredicate(trust, statement, false)(record);
  };

  for (const [i, statement] of statements.entries()) {
    if (statement.effect !== 'Deny' || !isDenied(statement, caller)) continue;
    if (resources.some((resource) => holds(i, resource)))
      return { effect: 'Deny', kind: 'explicit', grantee: 'none', by: byOf(statement, i) };
  }

  let weakest: TrustDecision | undefined;
  for (const resource of resources) {
    let best: TrustDecision = { effect: 'Deny', kind: 'implicit', grantee: 'none' };
    for (const [i, statement] of statements.entries()) {
      if (statement.effect !== 'Allow' || best.grantee === 'principal') continue;
      const grantee = granteeOf(statement, caller);
      if (grantee === 'none' || (grantee === 'account' && best.grantee === 'account') || !holds(i, resource)) continue;
      best = { effect: 'Allow', grantee, by: byOf(statement, i) };
    }
    if (best.effect === 'Deny') return best;
    if (weakest === undefined || best.grantee === 'account') weakest = best;
  }
  return weakest ?? { effect: 'Deny', kind: 'implicit', grantee: 'none' };
}

function byOf({ sid }: LoweredStatement, statement: number): { readonly statement: number; readonly sid?: string } {
  return sid === undefined ? { statement } : { statement, sid };
}

function granteeOf({ principals }: LoweredStatement, caller: TrustCaller): Named {
  if (principals === undefined) return 'none';
  const { not, anyone, entries } = principals;
  if (not) return anyone || entries.some((entry) => namedBy(entry, caller) !== 'none') ? 'none' : 'principal';
  if (anyone) return 'principal';
  let best: Named = 'none';
  for (const entry of entries) {
    const named = namedBy(entry, caller);
    if (named === 'principal') return named;
    if (named === 'account') best = named;
  }
  return best;
}

/** Source: IAM User Guide, "NotPrincipal": list the account as well, or it is denied; never with permissions boundaries. */
function isDenied({ principals }: LoweredStatement, caller: TrustCaller): boolean {
  if (principals === undefined) return true;
  const { not, anyone, entries } = principals;
  if (!not) return anyone || entries.some((entry) => namedBy(entry, caller) !== 'none');
  if (anyone) return false;
  if (caller.accountId === undefined) return !entries.some((entry) => namedBy(entry, caller) !== 'none');
  if (caller.hasBoundary === true) return true;
  const listsAccount = entries.some((entry) => entry.type === 'AWS' && accountOf(entry.value) === caller.accountId);
  const listsArns = caller.arns.every((arn) => entries.some((entry) => entry.type === 'AWS' && entry.value === arn));
  const listsIds = caller.uniqueIds.length > 0 && caller.uniqueIds.every((id) => entries.some((entry) => entry.value === id));
  return !(listsAccount && (listsArns || (listsIds && sessionArns(caller).every((arn) => entries.some((entry) => entry.value === arn)))));
}

/** Those that have no unique id of their own. */
function sessionArns({ arns }: TrustCaller): readonly string[] {
  return arns.filter((arn) => parseArn(arn)?.service === 'sts');
}

function namedBy({ type, value }: PrincipalEntry, caller: TrustCaller): Named {
  switch (type) {
    case 'AWS':
      if (caller.accountId === undefined) return value === '*' ? 'principal' : 'none';
      if (value === '*' || caller.arns.includes(value) || caller.uniqueIds.includes(value)) return 'principal';
      return accountOf(value) === caller.accountId ? 'account' : 'none';
    case 'Service':
      return value === caller.service ? 'principal' : 'none';
    case 'Federated':
      return caller.federated?.includes(value) === true ? 'principal' : 'none';
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
