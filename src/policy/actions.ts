/**
 * The numbers of actions (Decision 0009): what a stack keeps its programs by. Numbers mean nothing beyond this process and are never
 * taken back; there are at most as many as the table below allows, so that nobody can fill the memory with names.
 */

/** The Service Authorization Reference knows 524 actions of IAM, STS and Chime; the rest is room for other services. */
const ACTIONS_MAX = 8192;
const NAME_MAX = 128;

const IDS = new Map<string, number>();
const NAMES: string[] = [];

/** The number of an action, whatever its case; -1 where the table is full, and such an action is decided without being remembered. */
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
  // One further spelling is remembered: the model's. Others are lower-cased each time.
  if (IDS.size < 2 * ACTIONS_MAX) IDS.set(action, id);
  return id;
}

/** The action's name in lower case. */
export function actionName(id: number): string {
  const name = NAMES[id];
  if (name === undefined) throw new Error('There is no action of this number.');
  return name;
}
