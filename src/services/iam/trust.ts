/**
 * Trust policies. A stored trust policy contains the unique IDs of the principals, and a response contains the ARNs of
 * the principals. A new user with the name of a deleted user is therefore not trusted.
 *
 * Requirement: MATCH-3, policy-engine 53. Source: IAM User Guide, "AWS JSON policy elements: Principal".
 */

import type { AccountId } from '#core/arn.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { policySize } from '#policy/validate/policy-size.ts';
import type { RoleRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import { storedDocument } from './documents.ts';
import { AwsError } from './errors.ts';
import { withinQuota } from './quotas.ts';
import { showPrincipals, storePrincipals } from './stored-principals.ts';

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
 * Assumed: a trust policy may name an account that does not exist on this server. It may not name users or roles of
 * such an account, because the server does not know their unique IDs.
 */
export async function readTrustPolicy(tx: Tx, text: string): Promise<TrustPolicy> {
  const problem = malformedPolicyText(text, 'trust');
  if (problem !== undefined) throw new AwsError('MalformedPolicyDocumentException', problem);
  withinQuota('ACLSizePerRole', policySize(text));

  const { text: stored, ids } = await storePrincipals(tx, storedDocument(text), invalidPrincipal);
  return Object.keys(ids).length === 0 ? { trustPolicy: stored } : { trustPolicy: stored, trustPrincipals: ids };
}

/**
 * Returns a trust policy as Get and List operations show it, with ARNs in place of unique IDs and account IDs.
 * `known`: see `showPrincipals`.
 */
export async function shownTrustPolicy(tx: Pick<Tx, 'identity'>, role: RoleRecord, known = new Map<string, string>()): Promise<string> {
  return showPrincipals(tx, role.trustPolicy, role.trustPrincipals ?? {}, known);
}

/** Returns the error for a principal that does not exist. Source: messages of the real service as quoted in public reports. */
function invalidPrincipal(principal: string): AwsError {
  return new AwsError('MalformedPolicyDocumentException', `Invalid principal in policy: "AWS":"${principal}"`);
}
