/**
 * Principals of a resource-based policy that are outside of a zone of trust, and Deny statements that apply to all of them.
 * The rules are those of `trust.ts`, for sets of callers instead of one caller.
 */
import { isAccountId, isRoleArn, parseArn } from '#core/arn.ts';
import type { LoweredStatement, PrincipalEntry } from '../lowered.ts';
import { accountOfPrincipal } from '../trust.ts';

/** Principals that an analyzer trusts: one account, or the accounts of one organization. */
export interface ZoneOfTrust {
  /** Reports whether an account is in the zone. */
  readonly accounts: (accountId: string) => boolean;
  /** Organization whose accounts are all in the zone. Absent if the zone is one account. */
  readonly organizationId?: string;
}

/** Principal outside of a zone of trust, as a Principal element names it. The value for an account is its ID. */
export interface OutsidePrincipal {
  readonly type: 'AWS' | 'Federated' | 'CanonicalUser';
  readonly value: string;
  /** Account of every caller that the principal names. Absent if it is not known: `*`, or a unique ID. */
  readonly accountId?: string;
}

/**
 * Returns the principals outside of the zone that an Allow statement names. `*` replaces all other AWS principals.
 *
 * NotPrincipal with Allow names all other principals, so it counts as `*`. A federated principal is always outside, because
 * its users are not in the account of the provider. Services are never outside.
 *
 * Source: IAM User Guide, "Understand how IAM Access Analyzer findings work": no findings for service principals. "Reviewing findings":
 * accounts, any principal, canonical users, roles and users. "IAM Access Analyzer filter keys": `principal.Federated`.
 * Assumed: a unique ID (`AROA…`) is outside. The policy does not tell its account.
 */
export function outsidePrincipals({ principals }: LoweredStatement, zone: ZoneOfTrust): readonly OutsidePrincipal[] {
  if (principals === undefined) return [];
  const { not, anyone, entries } = principals;
  if (not) return anyone ? [] : [ANYONE];
  const found = new Map<string, OutsidePrincipal>();
  if (anyone) found.set('AWS *', ANYONE);
  for (const { type, value } of entries) {
    if (type === 'Service' || (type === 'AWS' && anyone)) continue;
    const accountId = type === 'AWS' ? accountNamedBy(value) : undefined;
    if (accountId !== undefined && zone.accounts(accountId)) continue;
    const shown = (type === 'AWS' ? accountOfPrincipal(value) : undefined) ?? value;
    found.set(`${type} ${shown}`, { type, value: shown, ...(accountId === undefined ? {} : { accountId }) });
  }
  return [...found.values()];
}

const ANYONE: OutsidePrincipal = { type: 'AWS', value: '*' };

/** Reports whether a principal is `*`. */
export function isAnyone({ type, value }: OutsidePrincipal): boolean {
  return type === 'AWS' && value === '*';
}

/** Returns the account of an account ID or of the ARN of a principal. */
function accountNamedBy(value: string): string | undefined {
  if (isAccountId(value)) return value;
  const accountId = parseArn(value)?.accountId;
  return accountId !== undefined && isAccountId(accountId) ? accountId : undefined;
}

/**
 * Proves that a Deny statement applies to every caller outside of the zone that a principal names. Does not compare actions,
 * resources and conditions.
 */
export function deniesAll({ principals }: LoweredStatement, principal: OutsidePrincipal, zone: ZoneOfTrust): boolean {
  if (principals === undefined) return true;
  const { not, anyone, entries } = principals;
  if (not) return !anyone && exemptsNone(entries, principal, zone);
  return anyone || entries.some((entry) => names(entry, principal));
}

/** Proves that an entry names every caller that `principal` names. */
function names({ type, value }: PrincipalEntry, principal: OutsidePrincipal): boolean {
  if (type !== principal.type) return false;
  if (value === principal.value) return true;
  return type === 'AWS' && principal.accountId !== undefined && accountOfPrincipal(value) === principal.accountId;
}

/**
 * Proves that a NotPrincipal element exempts no caller that `principal` names. The element exempts a caller with an account
 * only if it lists the account and, unless the caller is the root user, also the caller. It exempts any other caller if it
 * lists one of the names of the caller.
 */
function exemptsNone(entries: readonly PrincipalEntry[], principal: OutsidePrincipal, zone: ZoneOfTrust): boolean {
  const { type, value, accountId } = principal;
  if (type === 'CanonicalUser') return false;
  // A caller with a token has two names: the ARN of its provider, and the host of its issuer.
  const differs = (other: string): boolean => other !== value && other.startsWith('arn:') && value.startsWith('arn:');
  if (type === 'Federated') return entries.every((entry) => entry.type !== 'Federated' || differs(entry.value));
  const ofAws = entries.filter((entry) => entry.type === 'AWS');
  const accounts = ofAws.map((entry) => accountOfPrincipal(entry.value)).filter((listed) => listed !== undefined);
  const includesRoot = isAnyone(principal) || value === accountId;
  const isOther = (entry: PrincipalEntry): boolean => accountOfPrincipal(entry.value) !== undefined || differs(entry.value);
  if (!includesRoot && ofAws.every(isOther)) return true;
  // The callers that a role's ARN names are its sessions. The element exempts a session only if it also lists the ARN of the session.
  if (isRoleArn(value) && !ofAws.some((entry) => parseArn(entry.value)?.service === 'sts')) return true;
  return accounts.every((listed) => (accountId === undefined ? zone.accounts(listed) : listed !== accountId));
}
