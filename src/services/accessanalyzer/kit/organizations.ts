/** Organizations, as analyzers use them: whether an account may have an organization analyzer, and the accounts that it covers. */
import type { AccountId } from '#core/arn.ts';
import type { StatusReason } from '#model/generated/accessanalyzer.ts';
import { ORGANIZATION_KEY, type OrganizationRecord } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import type { AnalyzerRecord, AnalyzerType } from '../tables/analyzers.ts';
import { AwsError } from './errors.ts';

type Reads = Pick<Tx, 'identity'>;

/** Service principal that needs trusted access to an organization. */
export const SERVICE_PRINCIPAL = 'access-analyzer.amazonaws.com';

/** Reports whether analyzers of a type cover an organization. */
export function isOrganizationType(type: AnalyzerType): boolean {
  return type === 'ORGANIZATION' || type === 'ORGANIZATION_UNUSED_ACCESS';
}

/** Reports whether analyzers of a type find external access. The others find unused access. */
export function isExternalType(type: AnalyzerType): boolean {
  return type === 'ACCOUNT' || type === 'ORGANIZATION';
}

/** Returns the ID of the account that manages the organization of an account; undefined if the account is in none. */
export async function managementAccountOf(tx: Tx, accountId: AccountId): Promise<AccountId | undefined> {
  return (await tx.identity.get(accountId, 'organization-member', ORGANIZATION_KEY))?.managementAccountId;
}

/** Returns the organization that an account manages; undefined if it manages none. */
async function managedBy(tx: Reads, accountId: AccountId): Promise<OrganizationRecord | undefined> {
  return await tx.identity.get(accountId, 'organization', ORGANIZATION_KEY);
}

/**
 * Checks that an account may have an organization analyzer.
 *
 * @throws ValidationException  the account does not manage an organization · the organization did not enable trusted access
 * Source: IAM User Guide, "IAM Access Analyzer getting started": only the management account and delegated administrators can create one.
 * Recorded: nozaq/terraform-aws-secure-baseline issues 166 and 184 (2021), the message without trusted access. Its reason was
 * FIELD_VALIDATION_FAILED, which is `fieldValidationFailed` in the model of today.
 * Assumed: the first message. This server has no delegated administrators of IAM Access Analyzer.
 */
export async function requireManagedOrganization(tx: Tx, accountId: AccountId): Promise<void> {
  const organization = await managedBy(tx, accountId);
  if (organization === undefined)
    throw invalid('Only the management account of an organization can create an analyzer for the organization.');
  if (!hasTrustedAccess(organization)) throw invalid('Service not enabled for AWS Organizations');
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message, { reason: 'fieldValidationFailed' });
}

function hasTrustedAccess({ featureSet, serviceAccess }: OrganizationRecord): boolean {
  return featureSet === 'ALL' && serviceAccess?.[SERVICE_PRINCIPAL] !== undefined;
}

/** Organization of an analyzer, or the reason why the analyzer does not work. */
export type AnalyzerZone =
  | { readonly kind: 'account' }
  | { readonly kind: 'organization'; readonly organization: OrganizationRecord }
  | { readonly kind: 'disabled'; readonly reason: StatusReason };

/** Returns the zone of trust of an analyzer, as it is now. */
export async function zoneOf(tx: Reads, { type, accountId }: Pick<AnalyzerRecord, 'type' | 'accountId'>): Promise<AnalyzerZone> {
  if (!isOrganizationType(type)) return { kind: 'account' };
  const organization = await managedBy(tx, accountId);
  if (organization === undefined) return { kind: 'disabled', reason: { code: 'ORGANIZATION_DELETED' } };
  if (!hasTrustedAccess(organization)) return { kind: 'disabled', reason: { code: 'AWS_SERVICE_ACCESS_DISABLED' } };
  return { kind: 'organization', organization };
}

/** Reports whether an account is an active account of an organization. */
export async function isActiveMember(tx: Reads, { accountId }: OrganizationRecord, memberId: AccountId): Promise<boolean> {
  return (await tx.identity.summary(accountId, 'organization-account', memberId))?.status === 'ACTIVE';
}

/** Members that one read returns while the scan looks for the next active account. */
const MEMBERS_AT_ONCE = 50;

/** Returns the first active account of an organization after `after`. */
export async function nextMember(tx: Tx, { accountId }: OrganizationRecord, after: string): Promise<AccountId | undefined> {
  for (let from = after; ; ) {
    const batch = await tx.identity.summaries(accountId, 'organization-account', { after: from, limit: MEMBERS_AT_ONCE });
    const active = batch.find(({ record }) => record.status === 'ACTIVE');
    if (active !== undefined) return active.record.memberId;
    const last = batch.at(-1);
    if (last === undefined || batch.length < MEMBERS_AT_ONCE) return undefined;
    from = last.key;
  }
}
