import { parseArn } from '#core/arn.ts';
import type { OrganizationFacts } from './service-control.ts';

/**
 * Reports whether an ARN names a policy that AWS owns. Every account can use these policies, although their ARNs do not
 * contain the account's ID.
 *
 * Source: Service Authorization Reference: `arn:aws:iam::aws:policy/…`, and `awspolicy` of Organizations.
 */
export function isOfAws(resource: string): boolean {
  return resource.startsWith('arn:aws:iam::aws:policy/') || resource.startsWith('arn:aws:organizations::aws:policy/');
}

/**
 * Reports whether a resource is part of the caller's organization, a trail of its management account, or a handshake (an
 * invitation). The ARN of such a resource contains the account ID of the management account.
 *
 * Members may call operations on resources of their organization, and an invited account may answer a handshake. The
 * operations of Organizations check which of these calls are allowed. Member accounts can see organization trails, and
 * delegated administrators can change them. The operations of CloudTrail check this, and find no other trail of the
 * management account.
 */
export function belongsToOrganization(resource: string, organization: OrganizationFacts | undefined): boolean {
  const parts = parseArn(resource);
  if (parts?.service === 'cloudtrail') return parts.resource.startsWith('trail/') && parts.accountId === organization?.managementAccountId;
  if (parts?.service !== 'organizations') return false;
  return parts.resource.startsWith('handshake/') || parts.accountId === organization?.managementAccountId;
}
