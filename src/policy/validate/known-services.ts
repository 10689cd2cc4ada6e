import type { AuthorizationReference } from './reference.ts';

/**
 * Prefixes of services that AWS has closed or renamed. AWS's own managed policies still contain these prefixes.
 *
 * Recorded: ValidatePolicy reports none of `catalog-user`, `crowd`, `deeplens` and `sumerian`, March 2026.
 * Source: AWS managed policies that contain the other prefixes, for example AWSDeepRacerFullAccess and
 * AmazonZocaloFullAccess.
 */
const RETIRED: ReadonlySet<string> = new Set([
  'catalog-user',
  'crowd',
  'deepcomposer',
  'deeplens',
  'deepracer',
  'elastic-inference',
  'gamesparks',
  'iot1click',
  'iotroborunner',
  'iotthingsgraph',
  'macie',
  'mobilehub',
  'sumerian',
  'zocalo',
]);

/** Reports whether a lower-case string is the action prefix of a service that AWS has or had. */
export function isService({ services }: AuthorizationReference, prefix: string): boolean {
  return services.has(prefix) || RETIRED.has(prefix);
}
