import { generalized } from '#access/past/used-access.ts';
import type { FoundUse, UseToAllow } from '#core/recorded-use.ts';

/** Number of resources of an action after which similar ones become patterns, and then all of them `*`. Assumed. */
const RESOURCES_MAX = 64;
/** Number of actions with resources that a job collects. It limits the size of the result. Assumed. */
const LISTED_MAX = 10_000;
/** Total length of the collected resources, in characters. Assumed. */
const CHARACTERS_MAX = 2 ** 20;

/** Use that a job collects from parts of the records. It is bounded, however much is recorded. */
export interface CollectedUse {
  /** Adds the use of a part. `omitted` is the number of its records whose facts are not stored. */
  add(use: FoundUse, omitted?: number): void;
  has(action: string): boolean;
  listed(): UseToAllow['used'];
  omitted(): number;
  isTooLarge(): boolean;
}

/** Creates an empty collection. */
export function collectedUse(): CollectedUse {
  const used = new Map<string, Set<string>>();
  let without = 0;
  return {
    add({ used: more }, omitted = 0) {
      without += omitted;
      for (const [action, resource] of more) {
        const known = used.get(action) ?? new Set();
        if (!known.has('*')) used.set(action, bounded(known.add(resource)));
      }
    },
    has: (action) => used.has(action),
    listed: () => [...used].map(([action, resources]) => [action, [...resources]] as const),
    omitted: () => without,
    isTooLarge() {
      let [listed, characters] = [0, 0];
      for (const [action, resources] of used) {
        listed += resources.size;
        characters += action.length;
        for (const resource of resources) characters += resource.length;
      }
      return listed > LISTED_MAX || characters > CHARACTERS_MAX;
    },
  };
}

/** Returns resources, or patterns that match them if there are many. */
function bounded(resources: Set<string>): Set<string> {
  if (resources.size <= RESOURCES_MAX) return resources;
  const patterns = new Set(generalized([...resources]));
  const prefixes = [...patterns].filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  const left = [...patterns].filter((each) => !prefixes.some((prefix) => each.startsWith(prefix) && each !== `${prefix}*`));
  return new Set(left.length > RESOURCES_MAX / 2 ? ['*'] : left);
}
