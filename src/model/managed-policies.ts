import { readFileSync } from 'node:fs';
import type { Arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';

/** A policy that AWS keeps: in every account, changed by nobody. Only its default version is known. */
export interface ManagedPolicy {
  /** `arn:aws:iam::aws:policy/job-function/ViewOnlyAccess`. */
  readonly arn: Arn;
  readonly name: string;
  /** Begins and ends with a slash. */
  readonly path: string;
  /** `v45`. */
  readonly versionId: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** JSON text, indented as AWS prints it. */
  readonly document: string;
}

let loaded: readonly ManagedPolicy[] | undefined;

/** The AWS managed policies that every account has, sorted by name. Read on first use; the same array every time. */
export function managedPolicies(): readonly ManagedPolicy[] {
  loaded ??= JSON.parse(readFileSync(new URL('./generated/managed-policies.json', import.meta.url), 'utf8')) as readonly ManagedPolicy[];
  return loaded;
}
