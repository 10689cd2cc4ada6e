import { actionOf, actionsOf, conditionKey, resourceTypesOf, services } from '#model/authorization.ts';
import { GLOBAL_CONDITION_KEYS } from '#model/condition-keys.ts';
import type { AuthorizationReference } from '#policy/validate/reference.ts';

/** Returns the service authorization reference for policy validation. */
export function authorizationReference(): AuthorizationReference {
  return {
    services: services(),
    actionOf,
    actionsOf,
    resourceTypesOf,
    conditionKey,
    globalConditionKeys: Object.keys(GLOBAL_CONDITION_KEYS),
  };
}
