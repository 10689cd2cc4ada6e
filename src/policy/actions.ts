/**
 * Assigns a number to each action name, such as `chime:CreateMeeting`. The engine builds one decision graph per action
 * from the policies of a principal (Decision 0009). It caches this graph under the number of the action (`stack.ts`).
 *
 * A number is valid only in this process and is never freed. `ACTIONS_MAX` limits the numbers, so that clients cannot
 * fill the memory with invented names.
 */
/**
 * Maximum number of actions that get a number. The Service Authorization Reference has 524 actions of IAM, STS and
 * Chime. The other numbers are for actions of other services.
 */
const ACTIONS_MAX = 8192;
const NAME_MAX = 128;

const IDS = new Map<string, number>();
const NAMES: string[] = [];

/**
 * Returns the number of an action, ignoring case. Returns -1 if `ACTIONS_MAX` other actions have a number, or if the
 * name is longer than `NAME_MAX`. The engine then decides the action without caching its decision graph.
 */
export function actionIdOf(action: string): number {
  const known = IDS.get(action);
  if (known !== undefined) return known;
  const lower = action.toLowerCase();
  let id = IDS.get(lower);
  if (id === undefined) {
    if (NAMES.length >= ACTIONS_MAX || action.length > NAME_MAX) return -1;
    id = NAMES.length;
    NAMES.push(lower);
    IDS.set(lower, id);
  }
  // The map also stores the name in the capitalization that the caller used. If the map is full, this capitalization is
  // not stored, and each later call converts the name to lower case again.
  if (IDS.size < 2 * ACTIONS_MAX) IDS.set(action, id);
  return id;
}

/** Returns an action's name in lower case. */
export function actionName(id: number): string {
  const name = NAMES[id];
  if (name === undefined) throw new Error(`Unknown action number ${id}.`);
  return name;
}
