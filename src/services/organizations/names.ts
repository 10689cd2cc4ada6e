/**
 * How Organizations names things: ids and ARNs.
 *
 * Source: organizations 2016-11-28, the patterns of its ids; Service Authorization Reference, "AWS Organizations", resource types.
 */
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import type { OrganizationRecord } from '#store/organization-records.ts';

/** 32 of the characters ids are made of, so that every byte is as likely as the next. */
const ALPHABET = '0123456789abcdefghijklmnopqrstuv';

type Random = (bytes: number) => Uint8Array;

function chance(length: number, random: Random): string {
  return Array.from(random(length), (byte) => ALPHABET[byte & 31]).join('');
}

export const newOrganizationId = (random: Random): string => `o-${chance(10, random)}`;
export const newRootId = (random: Random): string => `r-${chance(4, random)}`;
/** A unit's id names its root: `ou-<root>-<unit>`. */
export const newUnitId = (rootId: string, random: Random): string => `ou-${rootId.slice(2)}-${chance(8, random)}`;
export const newPolicyId = (random: Random): string => `p-${chance(10, random)}`;
export const newCreationId = (random: Random): string => `car-${chance(32, random)}`;
export const newHandshakeId = (random: Random): string => `h-${chance(32, random)}`;

/** Twelve digits, not beginning with 0. */
export function newAccountId(random: Random): AccountId {
  const number = random(8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return String(100_000_000_000n + (number % 900_000_000_000n)) as AccountId;
}

/** What of an organization an ARN needs: an account that is in none asks for things of an organization that is not there. */
export type Owner = Pick<OrganizationRecord, 'accountId' | 'organizationId'>;

function owned(owner: Owner, type: string, rest: string): Arn {
  return arn('organizations', '', owner.accountId, `${type}/${owner.organizationId}${rest}`);
}

export const organizationArn = (owner: Owner): Arn => owned(owner, 'organization', '');
export const accountArn = (owner: Owner, accountId: string): Arn => owned(owner, 'account', `/${accountId}`);
export const handshakeArn = (owner: Owner, handshakeId: string): Arn => owned(owner, 'handshake', `/invite/${handshakeId}`);
export const policyArn = (owner: Owner, policyId: string): Arn =>
  policyId === FULL_AWS_ACCESS.policyId ? FULL_AWS_ACCESS.arn : owned(owner, 'policy', `/service_control_policy/${policyId}`);
export const anyPolicyArn = (owner: Owner): Arn => owned(owner, 'policy', '/service_control_policy/p-*');

/** The ARN of whatever has an id: what it is stands in its first letters. */
export function arnOf(owner: Owner, id: string): Arn {
  if (id.startsWith('ou-')) return owned(owner, 'ou', `/${id}`);
  if (id.startsWith('r-')) return owned(owner, 'root', `/${id}`);
  if (id.startsWith('p-')) return policyArn(owner, id);
  if (id.startsWith('h-')) return handshakeArn(owner, id);
  return accountArn(owner, id);
}
