/**
 * Bucket policies: validated, and stored with the unique IDs of their principals. This module does not own the table of
 * buckets. It is part of IAM, because it reads users and roles.
 */
import { AwsError } from '#core/aws-error.ts';
import { malformedBucketPolicy } from '#policy/validate/malformed-bucket-policy.ts';
import type { Tx } from '#store/store.ts';
import { authorizationReference } from '../kit/authorization-reference.ts';
import { storedDocument } from './documents.ts';
import { type PrincipalIds, showPrincipals, storePrincipals } from './stored-principals.ts';

/** Bucket policy in its stored form. `RequiredAccess.resourcePolicy` returns its `policy`. */
export interface StoredBucketPolicy {
  readonly policy: string;
  /** Account of each unique ID in `policy`. */
  readonly principals: PrincipalIds;
}

/**
 * Validates the document of PutBucketPolicy, except whether its users and roles exist (`readBucketPolicy`).
 *
 * @throws MalformedPolicy  the document is invalid. HTTP status 400. The message is S3's
 */
export function validateBucketPolicy(text: string, bucketName: string): void {
  const problem = malformedBucketPolicy(text, bucketName, authorizationReference());
  if (problem !== undefined) throw new AwsError('MalformedPolicy', problem);
}

/**
 * Validates the document of PutBucketPolicy and converts it to its stored form.
 *
 * @throws MalformedPolicy  the document is invalid, or contains a user or role that does not exist
 * Source: AWS re:Post, "Invalid principal in policy": a deleted user or role is an invalid principal.
 * Assumed: a unique ID is an invalid principal, as in trust policies. S3 accepts the unique ID of an existing user.
 */
export async function readBucketPolicy(tx: Tx, text: string, bucketName: string): Promise<StoredBucketPolicy> {
  validateBucketPolicy(text, bucketName);
  const invalid = () => new AwsError('MalformedPolicy', 'Invalid principal in policy');
  const { text: policy, ids: principals } = await storePrincipals(tx, storedDocument(text), invalid);
  return { policy, principals };
}

/** Returns a bucket policy as GetBucketPolicy shows it, with ARNs in place of unique IDs and account IDs. */
export function shownBucketPolicy(tx: Tx, { policy, principals }: StoredBucketPolicy): Promise<string> {
  return showPrincipals(tx, policy, principals);
}
