import { actionIdOf, actionName } from './actions.ts';
import type { SourcedPolicy } from './compiled-policy.ts';
import { checkLayers, linkProgram, type PolicyLayers, type Program } from './link.ts';

/** Linked policies of a principal. Programs are created when an action is first decided, and cached. */
export interface PolicyStack {
  readonly layers: PolicyLayers;
  /** Programs by action number, if the action was decided before. */
  readonly programs: Map<number, Program>;
  /** Reports whether a statement of the action reads a key with a lower-case prefix, such as `aws:resourcetag/`. */
  readonly readsKey: (action: string, prefix: string) => boolean;
}

/** Creates a stack of a principal's policies. It links policies on demand, so creation is cheap. */
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
 * Links a stack like `linkStack`, but principals with the same policies share one stack. Memory and cache misses therefore grow with the
 * number of combinations of policies, and not with the number of principals.
 *
 * Unused stacks can be freed only after the current turn of the event loop. Do not call it in a loop that creates and drops stacks.
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

/** Returns the program of an action by its name. For an action without a number, it links a program without caching it. */
export function programFor(stack: PolicyStack, action: string): Program {
  const id = actionIdOf(action);
  return id < 0 ? linkProgram(stack.layers, action.toLowerCase()) : programOf(stack, id);
}

function programOf({ layers, programs }: PolicyStack, action: number): Program {
  let program = programs.get(action);
  if (program === undefined) programs.set(action, (program = linkProgram(layers, actionName(action))));
  return program;
}

/** Returns a key of everything that the decisions depend on. Returns `undefined` if a policy has too many names to have numbers. */
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

/** Maximum number of names of one policy. Most policies have one name, their ARN. */
const NAMES_MAX = 16;

/** Returns a policy's number and the number of its name in this stack, or `?` if it has too many names. */
function nameOf({ policyId, policyArn, policy: { number, names } }: SourcedPolicy): string {
  const name = `${policyId}\n${policyArn ?? ''}`;
  let at = names.indexOf(name);
  if (at < 0) {
    if (names.length >= NAMES_MAX) return '?';
    at = names.push(name) - 1;
  }
  return `${number}.${at}`;
}
