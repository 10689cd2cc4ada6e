/** Zones of trust of analyzers for external access. */
import type { AccountId } from '#core/arn.ts';
import { ORGANIZATION_KEY } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import { type AnalyzerZone, zoneOf } from '../kit/organizations.ts';
import type { AnalyzerRecord } from '../tables/analyzers.ts';
import type { ZoneOfTrust } from './external-access.ts';

/** Account IDs in a policy, including those that are part of an ARN. */
const ACCOUNT_IDS = /(?<![0-9])[0-9]{12}(?![0-9])/g;

/**
 * Returns the zone of trust for the policy of a resource. It knows only the accounts in the policy, so that an analysis reads only these.
 * Their number is limited by the size of a policy: at most 1,600 in a bucket policy of 20 KiB.
 */
export async function zoneOfTrust(
  tx: Tx,
  { accountId }: Pick<AnalyzerRecord, 'accountId'>,
  zone: Exclude<AnalyzerZone, { readonly kind: 'disabled' }>,
  policy: string | undefined,
): Promise<ZoneOfTrust> {
  if (zone.kind === 'account') return { accounts: (id) => id === accountId };
  const { accountId: managementAccountId, organizationId } = zone.organization;
  const trusted = new Set<string>([managementAccountId]);
  for (const id of new Set(policy?.match(ACCOUNT_IDS))) {
    const member = await tx.identity.get(id as AccountId, 'organization-member', ORGANIZATION_KEY);
    if (member?.managementAccountId === managementAccountId) trusted.add(id);
  }
  return { accounts: (id) => trusted.has(id), organizationId };
}

/** Returns a function that reads the zone of each account's analyzers once. */
export function zonesOf(tx: Tx): (analyzer: AnalyzerRecord) => Promise<AnalyzerZone> {
  const zones = new Map<string, Promise<AnalyzerZone>>();
  return (analyzer) => {
    const key = `${analyzer.type} ${analyzer.accountId}`;
    const zone = zones.get(key) ?? zoneOf(tx, analyzer);
    zones.set(key, zone);
    return zone;
  };
}
