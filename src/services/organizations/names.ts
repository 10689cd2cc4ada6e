/**
 * Names in Organizations: IDs and ARNs.
 *
 * Source: organizations 2016-11-28, the patterns of the IDs; Service Authorization Reference, "AWS Organizations", resource types.
 */
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import type { OrganizationRecord } from '#store/identity/organization-records.ts';

/** Characters of random IDs. There are 32 characters, so that five random bits select each one equally often. */
const ALPHABET = '0123456789abcdefghijklmnopqrstuv';

type Random = (bytes: number) => Uint8Array;

function randomCharacters(length: number, random: Random): string {
  return Array.from(random(length), (byte) => ALPHABET[byte & 31]).join('');
}

/** Returns a random organization ID. */
export const newOrganizationId = (random: Random): string => `o-${randomCharacters(10, random)}`;
/** Returns a random root ID. */
export const newRootId = (random: Random): string => `r-${randomCharacters(4, random)}`;
/** Returns a random unit ID, which contains the root ID: `ou-<root>-<unit>`. */
export const newUnitId = (rootId: string, random: Random): string => `ou-${rootId.slice(2)}-${randomCharacters(8, random)}`;
/** Returns a random policy ID. */
export const newPolicyId = (random: Random): string => `p-${randomCharacters(10, random)}`;
/** Returns a random ID of an account creation request. */
export const newCreationId = (random: Random): string => `car-${randomCharacters(32, random)}`;
/** Returns a random handshake ID. */
export const newHandshakeId = (random: Random): string => `h-${randomCharacters(32, random)}`;

/** Returns a random account ID: 12 digits, without a leading 0. */
export function newAccountId(random: Random): AccountId {
  const number = random(8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return String(100_000_000_000n + (number % 900_000_000_000n)) as AccountId;
}

/**
 * The two IDs in every ARN of an organization: the ID of the management account and the ID of the organization. For a
 * caller without an organization, `resources.ts` uses a placeholder.
 */
export type Owner = Pick<OrganizationRecord, 'accountId' | 'organizationId'>;

function ownedArn(owner: Owner, type: string, rest: string): Arn {
  return arn('organizations', '', owner.accountId, `${type}/${owner.organizationId}${rest}`);
}

/** Returns the ARN of an organization. */
export const organizationArn = (owner: Owner): Arn => ownedArn(owner, 'organization', '');
/** Returns the ARN of an account in an organization. */
export const accountArn = (owner: Owner, accountId: string): Arn => ownedArn(owner, 'account', `/${accountId}`);
/** Returns the ARN of an invitation. */
export const handshakeArn = (owner: Owner, handshakeId: string): Arn => ownedArn(owner, 'handshake', `/invite/${handshakeId}`);
/** Returns the ARN of a service control policy. FullAWSAccess belongs to AWS and not to the organization. */
export const policyArn = (owner: Owner, policyId: string): Arn =>
  policyId === FULL_AWS_ACCESS.policyId ? FULL_AWS_ACCESS.arn : ownedArn(owner, 'policy', `/service_control_policy/${policyId}`);
/** Returns the ARN pattern of all service control policies of an organization. */
export const anyPolicyArn = (owner: Owner): Arn => ownedArn(owner, 'policy', '/service_control_policy/p-*');

/** Returns the ARN of the resource with an ID. The prefix of the ID determines the type. */
export function arnOf(owner: Owner, id: string): Arn {
  if (id.startsWith('ou-')) return ownedArn(owner, 'ou', `/${id}`);
  if (id.startsWith('r-')) return ownedArn(owner, 'root', `/${id}`);
  if (id.startsWith('p-')) return policyArn(owner, id);
  if (id.startsWith('h-')) return handshakeArn(owner, id);
  return accountArn(owner, id);
}
