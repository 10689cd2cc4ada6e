/**
 * Actions whose last use is not reported. The permission is only checked as part of other operations.
 *
 * Source: IAM User Guide, "Refine permissions in AWS using last accessed information": "The `iam:PassRole` action is not tracked and is not included in
 * IAM action last accessed information".
 */
const UNTRACKED: ReadonlySet<string> = new Set(['iam:PassRole']);

/** Reports whether the last use of an action is reported. */
export function isTracked(prefix: string, name: string): boolean {
  return !UNTRACKED.has(`${prefix}:${name}`);
}
