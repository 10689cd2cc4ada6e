import { actionIdOf, actionName } from './actions.ts';
import type { SourcedPolicy } from './compiled-policy.ts';
import type { Node } from './graph.ts';
import { checkLayers, linkProgram, type PolicyLayers, type Program } from './link.ts';

/** Policies linked for deciding. Programs are made when an action is first asked about, and kept. */
export interface PolicyStack {
  readonly layers: PolicyLayers;
  /** The graphs of `programs` by action number, as far as one was asked for; all that deciding reads. */
  readonly roots: (Node | undefined)[];
  readonly programs: Map<number, Program>;
  /** Whether any condition or variable that can matter for the action reads a key that begins so (`aws:resourcetag/`, in lower case). */
  readonly readsKey: (action: string, prefix: string) => boolean;
}

/** Makes a stack of a principal's policies. Nothing is linked before it is asked for, so this costs next to nothing. */
export function linkStack(layers: PolicyLayers): PolicyStack {
  checkLayers(layers);
  return { layers, roots: [], programs: new Map(), readsKey };
}

/** The stacks that somebody holds, by their policies. */
const SHARED = new Map<string, WeakRef<PolicyStack>>();
const LET_GO = new FinalizationRegistry<string>((key) => {
  if (SHARED.get(key)?.deref() === undefined) SHARED.delete(key);
});

/**
 * As `linkStack`, for stacks that are kept: principals of the same policies have one, so memory and cache misses grow with the
 * combinations of policies and not with the principals. A stack that nobody holds any more goes when the present turn of the event
 * loop is over, so this is nothing for a loop that makes stacks and drops them.
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
  // The first key that is not before the prefix, in their order.
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < prefix) low = middle + 1;
    else high = middle;
  }
  return low < keys.length && (keys[low] as string).startsWith(prefix);
}

/** The program of an action by its name; one that has no number is linked for this once. */
export function programFor(stack: PolicyStack, action: string): Program {
  const id = actionIdOf(action);
  return id < 0 ? linkProgram(stack.layers, action.toLowerCase()) : programOf(stack, id);
}

/** The program of an action, linked where it is not yet. */
export function programOf(stack: PolicyStack, action: number): Program {
  return stack.programs.get(action) ?? linkAndKeep(stack, action);
}

/** The graph of an action, likewise. */
export function rootOf(stack: PolicyStack, action: number): Node {
  const { roots } = stack;
  const known = action < roots.length ? roots[action] : undefined;
  return known ?? linkAndKeep(stack, action).root;
}

function linkAndKeep({ layers, roots, programs }: PolicyStack, action: number): Program {
  const program = linkProgram(layers, actionName(action));
  while (roots.length <= action) roots.push(undefined);
  roots[action] = program.root;
  programs.set(action, program);
  return program;
}

/** Everything that a stack's decisions depend on; undefined where one of the policies goes by too many names to be told by number. */
function keyOf({ identity, boundary, session, serviceControl, root }: PolicyLayers): string | undefined {
  const listed = (policies: readonly SourcedPolicy[]): string => policies.map(nameOf).join();
  const layers = [
    root === true ? 'root' : '',
    listed(identity),
    boundary === undefined ? '-' : listed(boundary),
    session === undefined ? '-' : listed(session),
    // No level binds nothing; a level without policies allows nothing.
    serviceControl === undefined ? '-' : serviceControl.map((level) => `${listed(level)}/`).join(''),
  ];
  const key = layers.join(';');
  return key.includes('?') ? undefined : key;
}

/** A policy has few names: mostly one, its ARN. */
const NAMES_MAX = 16;

/** A policy by number, and the name it goes by here. */
function nameOf({ policyId, policyArn, policy: { number, names } }: SourcedPolicy): string {
  const name = `${policyId}\n${policyArn ?? ''}`;
  let at = names.indexOf(name);
  if (at < 0) {
    if (names.length >= NAMES_MAX) return '?';
    at = names.push(name) - 1;
  }
  return `${number}.${at}`;
}
