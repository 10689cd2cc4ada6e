/**
 * Context in which the calls of the server simulation are created, and functions that select the keys and resources of
 * the calls.
 */
import type { Random } from '../kit/random.ts';
import type { Change, Fact } from './facts.ts';
import type { Action, Call, Identity, Key, Model, PossibleDenial } from './model.ts';

/** Input of the functions that create calls. */
export interface Context {
  readonly model: Model;
  readonly random: Random;
  readonly index: number;
  /** Time at which the call begins. */
  readonly begin: number;
  /** Change that the call causes if it succeeds. */
  readonly change: Change;
}

/** Function that creates a call. Returns undefined if the model has no resource yet that the call could act on. */
export type Make = (context: Context) => Call | undefined;

/**
 * Returns one fact (a statement about the simulated state) for each policy that allows an identity to call an action.
 * The fact holds while the policy exists.
 */
export const allowing = ({ grants }: Identity, action: Action): Fact[] =>
  grants.filter(({ actions }) => actions.includes(action)).map(({ fact }) => fact);

/**
 * Tolerance in milliseconds. The issue time that the server stores for a session may be this much before or after the
 * call that created the session.
 */
const ISSUED_WITHIN_MS = 1_000;

/**
 * Returns the policies that deny an action to the owner of a key. Includes policies that are not yet attached, and
 * policies that are no longer attached.
 */
export function denying({ of, issued }: Key, action: Action): readonly PossibleDenial[] {
  return of.denials.flatMap(({ actions, fact, issuedBefore }) => {
    if (!actions.includes(action)) return [];
    if (issuedBefore === undefined) return [{ fact, certain: true }];
    if (issued === undefined || issued.begin - ISSUED_WITHIN_MS > issuedBefore) return [];
    return [{ fact, certain: issued.end + ISSUED_WITHIN_MS < issuedBefore }];
  });
}

/**
 * Returns the policies that allow an action to the owner of a key, and the policies that deny the action. Returns
 * nothing for the administrator, who needs no permission.
 */
export function permissionOf(model: Model, key: Key, action: Action): Pick<Call, 'permission' | 'denials'> {
  return key === model.admin ? {} : { permission: () => allowing(key.of, action), denials: () => denying(key, action) };
}

/** Picks an element. Prefers the newest, because a server is most likely to have stale data about a recent change. */
export function pickRecent<T>(random: Random, list: readonly T[]): T | undefined {
  if (list.length === 0) return undefined;
  return random.chance(0.5) ? list.at(-1) : random.pick(list);
}

/** Picks a key. Prefers keys whose owner has a policy that allows the action. */
export function pickKey(model: Model, random: Random, action?: Action): Key {
  const granted = model.keys.filter(({ of }) => action !== undefined && allowing(of, action).length > 0);
  return pickRecent(random, granted.length > 0 && random.chance(0.7) ? granted : model.keys) as Key;
}

/**
 * Adds a call that repeats a request to the calls of the change that established a fact. If the earlier calls failed,
 * the repeated call may still commit the change. So the outcome of the change becomes unknown.
 */
export function repeat({ established }: Fact, index: number): void {
  established.calls.push(index);
  if (established.outcome === 'not done') established.outcome = 'unknown';
}

/** Sets the ID of a created resource. @throws Error  an earlier response had another ID */
export function setId(created: { id: string | undefined }, name: string, id: string): void {
  if (created.id !== undefined && created.id !== id) throw new Error(`${name} was created twice, as ${created.id} and ${id}`);
  created.id = id;
}
