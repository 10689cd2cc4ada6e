/**
 * Trust policies. They are stored with the unique IDs of the principals and shown with their ARNs. A new user with the name of a deleted
 * user is therefore not trusted.
 *
 * Requirement: MATCH-3, policy-engine 53. Source: IAM User Guide, "AWS JSON policy elements: Principal".
 */

import { type AccountId, arn, isAccountId, parseArn } from '#core/arn.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { policySize } from '#policy/validate/policy-size.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import { storedDocument } from './documents.ts';
import { arnOfUniqueId } from './entities.ts';
import { AwsError } from './errors.ts';
import { nameKey, nameOfArn } from './names.ts';
import { withinQuota } from './quotas.ts';

/** A trust policy in its stored form. `trustPrincipals` maps each unique ID in the document to its account. */
export interface TrustPolicy {
  readonly trustPolicy: string;
  readonly trustPrincipals?: Readonly<Record<string, AccountId>>;
}

/**
 * Validates a trust policy and converts it to its stored form.
 *
 * @throws MalformedPolicyDocumentException  the document is invalid, or contains a user or role that does not exist
 * @throws LimitExceededException            the document is too long
 *
 * Assumed: accounts that this server does not have may be trusted. Their users and roles may not, because they have no known unique IDs.
 */
export async function readTrustPolicy(tx: Tx, text: string): Promise<TrustPolicy> {
  const problem = malformedPolicyText(text, 'trust');
  if (problem !== undefined) throw new AwsError('MalformedPolicyDocumentException', problem);
  withinQuota('ACLSizePerRole', policySize(text));

  const ids = new Map<string, AccountId>();
  const stored = await mapAwsPrincipals(storedDocument(text), async (principal) => {
    const found = await storedPrincipal(tx, principal);
    if (found === undefined) throw invalidPrincipal(principal);
    if (found.accountId !== undefined) ids.set(found.text, found.accountId);
    return found.text;
  });
  return ids.size === 0 ? { trustPolicy: stored } : { trustPolicy: stored, trustPrincipals: Object.fromEntries(ids) };
}

/**
 * Returns a trust policy as Get and List operations show it. A unique ID becomes an ARN, or remains if the user or role was deleted. An
 * account ID becomes the ARN of its root user.
 *
 * `known` has the results of earlier lookups in the same transaction, so that a list looks up each ID once.
 *
 * Source: account IDs: hashicorp/awspolicyequivalence, which treats both forms as equal because IAM returns the ARN.
 */
export async function shownTrustPolicy(tx: Tx, role: RoleRecord, known = new Map<string, string>()): Promise<string> {
  const ids = role.trustPrincipals ?? {};
  return mapAwsPrincipals(role.trustPolicy, async (principal) => {
    if (isAccountId(principal)) return arn('iam', '', principal, 'root');
    const accountId = Object.hasOwn(ids, principal) ? ids[principal] : undefined;
    if (accountId === undefined) return principal;
    const shown = known.get(principal) ?? (await arnOfUniqueId(tx, accountId, principal)) ?? principal;
    known.set(principal, shown);
    return shown;
  });
}

async function storedPrincipal(tx: Tx, principal: string): Promise<{ readonly text: string; readonly accountId?: AccountId } | undefined> {
  if (principal === '*' || isAccountId(principal)) return { text: principal };
  const parts = parseArn(principal);
  if (parts === undefined || !isAccountId(parts.accountId)) return undefined;
  const { service, accountId, resource } = parts;
  if (service === 'sts') return { text: principal };
  if (service !== 'iam') return undefined;
  if (resource === 'root') return { text: principal };
  const kind = resource.startsWith('user/') ? 'user' : resource.startsWith('role/') ? 'role' : undefined;
  if (kind === undefined) return undefined;
  const record = await tx.identity.get(accountId, kind, nameKey(nameOfArn(resource)));
  if (record === undefined || record.arn !== principal) return undefined;
  return { text: 'userId' in record ? record.userId : record.roleId, accountId };
}

/** Returns the error for a principal that does not exist. Source: messages of the real service as quoted in public reports. */
function invalidPrincipal(principal: string): AwsError {
  return new AwsError('MalformedPolicyDocumentException', `Invalid principal in policy: "AWS":"${principal}"`);
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Replaces the values of `AWS` in each `Principal` and `NotPrincipal`. If no value changes, the document remains byte for byte. */
async function mapAwsPrincipals(text: string, replace: (principal: string) => Promise<string>): Promise<string> {
  let changed = false;
  const replaced = async (principal: Json): Promise<Json> => {
    if (typeof principal !== 'string') return principal;
    const now = await replace(principal);
    changed ||= now !== principal;
    return now;
  };
  const document = JSON.parse(text) as { readonly Statement?: Json };
  const statements = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  const mapped: Json[] = [];
  for (const statement of statements as readonly Json[]) {
    if (!isObject(statement)) {
      mapped.push(statement);
      continue;
    }
    const members: Record<string, Json> = { ...statement };
    for (const element of ['Principal', 'NotPrincipal']) {
      const principals = statement[element];
      if (!isObject(principals) || principals['AWS'] === undefined) continue;
      const aws = principals['AWS'];
      const list: Json[] = [];
      for (const principal of Array.isArray(aws) ? (aws as readonly Json[]) : [aws]) list.push(await replaced(principal));
      members[element] = { ...principals, AWS: Array.isArray(aws) ? list : (list[0] as Json) };
    }
    mapped.push(members);
  }
  if (!changed) return text;
  return JSON.stringify({ ...document, Statement: Array.isArray(document.Statement) ? mapped : (mapped[0] as Json) });
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
