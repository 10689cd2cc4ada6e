import { parseArn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { OrganizationFacts } from './context.ts';

/**
 * Reports whether the caller's own policies are sufficient for a resource: it belongs to the caller's account, to no account, or to AWS.
 *
 * `owner` is the account in the ARN, or `undefined` for `*`. Every account can use a policy of AWS. No other ARN without an account can
 * belong to the caller.
 *
 * Source: Service Authorization Reference: `arn:aws:iam::aws:policy/…`, and `awspolicy` of Organizations.
 */
export function belongsToCaller(resource: string, owner: string | undefined, { accountId }: Principal): boolean {
  if (owner === undefined || owner === accountId) return true;
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
