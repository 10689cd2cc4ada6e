import { parseArn } from '#core/arn.ts';
import type { OrganizationFacts } from './service-control.ts';

/**
 * Reports whether an ARN names a policy of AWS, which every account can use. No other ARN without an account can belong to the caller.
 *
 * Source: Service Authorization Reference: `arn:aws:iam::aws:policy/…`, and `awspolicy` of Organizations.
 */
export function isOfAws(resource: string): boolean {
  return resource.startsWith('arn:aws:iam::aws:policy/') || resource.startsWith('arn:aws:organizations::aws:policy/');
}

/**
 * Reports whether a resource of the management account belongs to the caller's organization, or is a handshake.
 *
 * Members may call operations on resources of their organization, and an invited account may answer a handshake. The operations of
 * Organizations make the remaining checks.
 */
export function belongsToOrganization(resource: string, organization: OrganizationFacts | undefined): boolean {
  const parts = parseArn(resource);
  if (parts?.service !== 'organizations') return false;
  return parts.resource.startsWith('handshake/') || parts.accountId === organization?.managementAccountId;
}
