import { generalized } from '#access/past/used-access.ts';
import type { FoundUse, UseToAllow } from '#core/recorded-use.ts';

/** Number of resources of an action after which similar ones become patterns. If half as many are left, they become `*`. Assumed. */
const RESOURCES_MAX = 64;
/** The same if the collection of all actions becomes too large. Assumed. */
const FEWER_RESOURCES = 16;
/** Number of actions with resources that a job collects. It limits the size of the result. Assumed. */
const LISTED_MAX = 2_500;
/** Total length of the collected resources, in characters. Assumed. */
const CHARACTERS_MAX = 2 ** 18;

/** Use that a job collects from parts of the records. It is bounded, however much is recorded. */
export interface CollectedUse {
  /** Adds the use of a part. `omitted` is the number of its records whose facts are not stored. */
  add(use: FoundUse, omitted?: number): void;
  /** Reports whether a request of the records has the action, also if it was denied. */
  isRecorded(action: string): boolean;
  listed(): UseToAllow['used'];
  omitted(): number;
  /** Reports whether the collection is too large for a result, also with fewer resources of each action. */
  isTooLarge(): boolean;
}

/** Creates an empty collection. */
export function collectedUse(): CollectedUse {
  const used = new Map<string, Set<string>>();
  const denied = new Set<string>();
  let without = 0;
  return {
    add({ used: more, denied: moreDenied }, omitted = 0) {
      without += omitted;
      for (const action of moreDenied) denied.add(action);
      for (const [action, resource] of more) {
        const known = used.get(action) ?? new Set();
        if (!known.has('*')) used.set(action, bounded(known.add(resource), RESOURCES_MAX));
      }
    },
    isRecorded: (action) => used.has(action) || denied.has(action),
    listed: () => [...used].map(([action, resources]) => [action, [...resources]] as const),
    omitted: () => without,
    isTooLarge() {
      if (!isOverLimit(used)) return false;
      for (const [action, resources] of used) used.set(action, bounded(resources, FEWER_RESOURCES));
      return isOverLimit(used);
    },
  };
}

function isOverLimit(used: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  let [listed, characters] = [0, 0];
  for (const [action, resources] of used) {
    listed += resources.size;
    characters += action.length;
    for (const resource of resources) characters += resource.length;
  }
  return listed > LISTED_MAX || characters > CHARACTERS_MAX;
}

/** Returns resources, or patterns that match them if there are many. */
function bounded(resources: Set<string>, most: number): Set<string> {
  if (resources.size <= most) return resources;
  const patterns = new Set(generalized([...resources]));
  const prefixes = [...patterns].filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  const left = [...patterns].filter((each) => !prefixes.some((prefix) => each.startsWith(prefix) && each !== `${prefix}*`));
  return new Set(left.length > most / 2 ? ['*'] : left);
}
