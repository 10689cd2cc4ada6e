import type { ResourceKind, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import {
  APP_INSTANCE,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  findAppInstance,
  findBot,
  findUser,
  type Where,
} from '../chime/app-instances.ts';
import { type Tagged, tagValues } from '../chime/tags.ts';
import type { Access, Caller } from '../kit/operation.ts';

/**
 * Asks for an action on app instances and who is in them: all of them must be allowed, each by its own tags. What has no ARN yet, or is
 * many, is asked for by a pattern. A text that is no ARN is asked for as it stands: nothing is found by it. Requirement CHM-3.
 *
 * Source: service authorization reference of Amazon Chime.
 * Assumed: where it lists users and bots both as required and the request names one, only that one is (CHM-4).
 */
export function onArns(caller: Caller, action: Access['action'], ...arns: readonly string[]): Access {
  return {
    action,
    resources: arns,
    async resourceTags(tx) {
      const tags: (Readonly<Record<string, string>> | undefined)[] = [];
      for (const each of arns) tags.push(tagValues((await findTagged(tx, caller, each))?.tags));
      return tags;
    },
  };
}

/** What has tags, by its ARN: an app instance, a user, a bot. */
export async function findTagged(tx: Tx, caller: Where, resourceArn: string): Promise<Tagged | undefined> {
  return (
    tagged(tx, APP_INSTANCE, await findAppInstance(tx, caller, resourceArn)) ??
    tagged(tx, APP_INSTANCE_USER, await findUser(tx, caller, resourceArn)) ??
    tagged(tx, APP_INSTANCE_BOT, await findBot(tx, caller, resourceArn))
  );
}

function tagged<Document>(tx: Tx, kind: ResourceKind<Document>, record: ResourceRecord<Document> | undefined): Tagged | undefined {
  return (
    record && {
      tags: record.tags,
      async keep(tags) {
        await tx.resources.put(kind, { ...record, tags });
      },
    }
  );
}
