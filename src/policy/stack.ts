import { actionIdOf, actionName } from './actions.ts';
import type { SourcedPolicy } from './compiled-policy.ts';
import { checkLayers, linkProgram, type PolicyLayers, type Program } from './link.ts';

/**
 * Linked policies of a principal. A program is the decision graph of one action. The first decision about an action
 * creates its program, and the stack caches the program.
 */
export interface PolicyStack {
  readonly layers: PolicyLayers;
  /** Cached programs, by the action's number (`actions.ts`). */
  readonly programs: Map<number, Program>;
  /**
   * Reports whether a statement that applies to the action reads a context key that begins with `prefix`. The prefix is
   * in lower case, such as `aws:resourcetag/`.
   */
  readonly readsKey: (action: string, prefix: string) => boolean;
}

/** Creates a stack of a principal's policies. This is cheap, because decision graphs are built only on demand. */
export function linkStack(layers: PolicyLayers): PolicyStack {
  checkLayers(layers);
  return { layers, programs: new Map(), readsKey };
}

/** Stacks that are in use, by the key of their policies (`keyOf`). */
const SHARED = new Map<string, WeakRef<PolicyStack>>();
const LET_GO = new FinalizationRegistry<string>((key) => {
  if (SHARED.get(key)?.deref() === undefined) SHARED.delete(key);
});

/**
 * Returns a stack that all principals with the same list of policies share. Memory and cache misses therefore grow with
 * the number of combinations of policies, and not with the number of principals.
 *
 * An unused stack can be freed only after the current turn of the event loop, so do not create many stacks in a loop.
 */
export function sharedStack(layers: PolicyLayers): PolicyStack {
  const key = keyOf(layers);
  if (key === undefined) return linkStack(layers);
  let stack = SHARED.get(key)?.deref();
  if (stack === undefined) {
    stack = linkStack(layers);
    SHARED.set(key, new WeakRef(stack));
    LET_GO.register(stack, key);
  }
  return stack;
}

function readsKey(this: PolicyStack, action: string, prefix: string): boolean {
  const { keys } = programFor(this, action);
  // Binary search for the first key that is not before the prefix.
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < prefix) low = middle + 1;
    else high = middle;
  }
  return low < keys.length && (keys[low] as string).startsWith(prefix);
}

/**
 * Returns the program (decision graph) of an action. If the action has no number (`actionIdOf`), the program is not
 * cached.
 */
export function programFor(stack: PolicyStack, action: string): Program {
  const id = actionIdOf(action);
  return id < 0 ? linkProgram(stack.layers, action.toLowerCase()) : programOf(stack, id);
}

function programOf({ layers, programs }: PolicyStack, action: number): Program {
  let program = programs.get(action);
  if (program === undefined) programs.set(action, (program = linkProgram(layers, actionName(action))));
  return program;
}

/**
 * Returns a string that identifies the policies of a stack, their names and their layers.
 * Returns `undefined` if a policy has more than `NAMES_MAX` names.
 */
function keyOf({ identity, boundary, session, serviceControl, root }: PolicyLayers): string | undefined {
  const listed = (policies: readonly SourcedPolicy[]): string => policies.map(nameOf).join();
  const layers = [
    root === true ? 'root' : '',
    listed(identity),
    boundary === undefined ? '-' : listed(boundary),
    session === undefined ? '-' : listed(session),
    // Without levels, service control policies limit nothing. A level without policies allows nothing.
    serviceControl === undefined ? '-' : serviceControl.map((level) => `${listed(level)}/`).join(''),
  ];
  const key = layers.join(';');
  return key.includes('?') ? undefined : key;
}

/** Maximum number of names that are stored for one policy. Most policies have one name, their ARN. */
const NAMES_MAX = 16;

/**
 * Returns a string with two numbers: the policy's number, and the index in `names` of the policy's name in this stack.
 * Returns `?` if the policy has too many names.
 */
function nameOf({ policyId, policyArn, policy: { number, names } }: SourcedPolicy): string {
  const name = `${policyId}\n${policyArn ?? ''}`;
  let at = names.indexOf(name);
  if (at < 0) {
    if (names.length >= NAMES_MAX) return '?';
    at = names.push(name) - 1;
  }
  return `${number}.${at}`;
}
