/** What all calls of the server simulation are created from, and how they pick their subjects. */
import type { Random } from '../kit/random.ts';
import type { Change, Fact } from './facts.ts';
import type { Action, Call, Identity, Key, Model, PossibleDenial } from './model.ts';

/** What a call is created from. */
export interface Context {
  readonly model: Model;
  readonly random: Random;
  readonly index: number;
  /** Time at which the call begins. */
  readonly begin: number;
  /** A change of this call. */
  readonly change: Change;
}

/** Creates a call, or undefined if there is no subject for it yet. */
export type Make = (context: Context) => Call | undefined;

/** Returns the facts that allow an action to an identity. */
export const allowing = ({ grants }: Identity, action: Action): Fact[] =>
  grants.filter(({ actions }) => actions.includes(action)).map(({ fact }) => fact);

/** Precision of the time at which a session was issued, in milliseconds. */
const ISSUED_WITHIN_MS = 1_000;

/** Returns the policies that deny an action to a key, now or later. */
export function denying({ of, issued }: Key, action: Action): readonly PossibleDenial[] {
  return of.denials.flatMap(({ actions, fact, issuedBefore }) => {
    if (!actions.includes(action)) return [];
    if (issuedBefore === undefined) return [{ fact, certain: true }];
    if (issued === undefined || issued.begin - ISSUED_WITHIN_MS > issuedBefore) return [];
    return [{ fact, certain: issued.end + ISSUED_WITHIN_MS < issuedBefore }];
  });
}

/** Returns what an action of a key depends on. The administrator needs no permission. */
export function permissionOf(model: Model, key: Key, action: Action): Pick<Call, 'permission' | 'denials'> {
  return key === model.admin ? {} : { permission: () => allowing(key.of, action), denials: () => denying(key, action) };
}

/** Picks an element, the newest ones more often: what changed a moment ago is what can be stale. */
export function pickRecent<T>(random: Random, list: readonly T[]): T | undefined {
  if (list.length === 0) return undefined;
  return random.chance(0.5) ? list.at(-1) : random.pick(list);
}

/** Picks credentials. Most of the time their identity has a policy for the action. */
export function pickKey(model: Model, random: Random, action?: Action): Key {
  const granted = model.keys.filter(({ of }) => action !== undefined && allowing(of, action).length > 0);
  return pickRecent(random, granted.length > 0 && random.chance(0.7) ? granted : model.keys) as Key;
}

/** Adds a call that repeats another one. */
export function repeat({ established }: Fact, index: number): void {
  established.calls.push(index);
  if (established.outcome === 'not done') established.outcome = 'unknown';
}

/** @throws Error  an earlier response named another ID */
export function setId(created: { id: string | undefined }, name: string, id: string): void {
  if (created.id !== undefined && created.id !== id) throw new Error(`${name} was created twice, as ${created.id} and ${id}`);
  created.id = id;
}
