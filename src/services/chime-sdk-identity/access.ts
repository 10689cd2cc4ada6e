import { findTaggedOf, tagValues } from '../chime/tags.ts';
import type { Access, Caller } from '../kit/operation.ts';
import { APP_INSTANCES, BOTS, USERS } from './kinds.ts';

/** Returns the app instance, user or bot of an ARN in the caller's account and region, with its tags. */
export const findTagged = findTaggedOf(APP_INSTANCES, USERS, BOTS);

/**
 * Requires permission on several ARNs of app instances, users and bots, each with its own tags. Patterns and invalid ARNs are
 * evaluated as strings and have no tags. Requirement CHM-3.
 *
 * Source: service authorization reference of Amazon Chime.
 * Assumed: if the reference lists users and bots as required and the request names one of them, only that one is required (CHM-4).
 */
export function onArns(caller: Caller, ...arns: readonly string[]): Omit<Access, 'action'> {
  return {
    resources: arns,
    async resourceTags(tx) {
      const tags: (Readonly<Record<string, string>> | undefined)[] = [];
      for (const each of arns) tags.push(tagValues((await findTagged(tx, caller, each))?.tags));
      return tags;
    },
  };
}
