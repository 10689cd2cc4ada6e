import { findTaggedOf, tagValues } from '../chime-kit/tags.ts';
import type { Access, Caller } from '../kit/operation.ts';
import { APP_INSTANCES, BOTS, USERS } from './kinds.ts';

/** Returns the app instance, user or bot of an ARN in the caller's account and region, with its tags. */
export const findTagged = findTaggedOf(APP_INSTANCES, USERS, BOTS);

/**
 * Requires permission on several ARNs of app instances, users and bots. The permission on each ARN is evaluated with
 * the tags of the resource that the ARN identifies. ARN patterns and invalid ARNs are evaluated as strings, without
 * tags. Requirement CHM-3.
 *
 * Source: service authorization reference of Amazon Chime.
 * Assumed: for some operations the reference lists both users and bots as required. If a request to such an operation
 * names only a user, or only a bot, the permission is required only on that ARN (CHM-4).
 *
 * In the older service `chime` (the profile is 'classic'), requires the action on `*`, without tags (CHM-1, TAG-2).
 */
export function onArns(caller: Caller, ...arns: readonly string[]): Omit<Access, 'action'> {
  if (caller.profile === 'classic') return { resources: ['*'] };
  return {
    resources: arns,
    async resourceTags(tx) {
      const tags: (Readonly<Record<string, string>> | undefined)[] = [];
      for (const each of arns) tags.push(tagValues((await findTagged(tx, caller, each))?.tags));
      return tags;
    },
  };
}
