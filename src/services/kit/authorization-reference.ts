import { actionOf, actionsOf, conditionKey, resourceTypesOf, services } from '#model/authorization.ts';
import type { AuthorizationReference } from '#policy/validate/reference.ts';

/** Returns the service authorization reference for policy validation. */
export function authorizationReference(): AuthorizationReference {
  return {
    services: services(),
    actionOf,
    actionsOf,
    resourceTypesOf,
    conditionKey,
  };
}
