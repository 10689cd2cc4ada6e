import { invalidArgument } from './errors.ts';

/**
 * Refuses versions of objects. Buckets have no versioning, so the only version of an object is `null`.
 *
 * @throws InvalidArgument
 */
export function requireNoVersion(versionId: string | undefined): void {
  if (versionId !== undefined && versionId !== 'null') throw invalidArgument('Invalid version id specified', 'versionId', versionId);
}
