import { readFileSync } from 'node:fs';
import type { Arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';

/** AWS managed policy: the same in every account, and read-only. Only the default version is included. */
export interface ManagedPolicy {
  /** For example `arn:aws:iam::aws:policy/job-function/ViewOnlyAccess`. */
  readonly arn: Arn;
  readonly name: string;
  /** Path, which starts and ends with a slash. */
  readonly path: string;
  /** ID of the default version, such as `v45`. */
  readonly versionId: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** Policy document: a JSON string with AWS's indentation. */
  readonly document: string;
}

let loaded: readonly ManagedPolicy[] | undefined;

/** Returns the AWS managed policies, sorted by name. Reads the file on the first call and returns the same array each time. */
export function managedPolicies(): readonly ManagedPolicy[] {
  loaded ??= JSON.parse(readFileSync(new URL('./generated/managed-policies.json', import.meta.url), 'utf8')) as readonly ManagedPolicy[];
  return loaded;
}
