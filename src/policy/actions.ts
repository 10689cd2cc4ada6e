/**
 * Numbers of actions. A policy stack (`stack.ts`) finds its program for an action by this number (Decision 0009). A number is valid in this
 * process only and is never freed. `ACTIONS_MAX` limits the numbers, so that clients cannot fill the memory with names.
 */

/** Maximum number of actions. The Service Authorization Reference has 524 actions of IAM, STS and Chime. The rest is for other services. */
const ACTIONS_MAX = 8192;
const NAME_MAX = 128;

const IDS = new Map<string, number>();
const NAMES: string[] = [];

/** Returns the number of an action, ignoring case. Returns -1 if the table is full. The engine decides such an action without a cache. */
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
  // The action is also cached as the caller writes it, which is usually as in the model. If the table is full, other spellings are
  // converted to lower case each time.
  if (IDS.size < 2 * ACTIONS_MAX) IDS.set(action, id);
  return id;
}

/** Returns an action's name in lower case. */
export function actionName(id: number): string {
  const name = NAMES[id];
  if (name === undefined) throw new Error('There is no action of this number.');
  return name;
}
