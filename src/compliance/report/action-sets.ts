/** Sets of the actions that this server knows, and the actions that a policy allows or denies. */
import { actionsOf, services } from '#model/authorization.ts';
import type { CompiledPolicy } from '#policy/engine.ts';
import { matchesText } from '#policy/glob-match.ts';
import type { ActionPattern, LoweredStatement } from '#policy/lowered.ts';

/** Set of actions: one bit for each known action. */
export type ActionSet = Uint32Array;

/** Known actions of one service, and their bits in sets. */
export interface KnownService {
  /** Action prefix: `chime`. */
  readonly prefix: string;
  readonly names: readonly string[];
  /** Bit of the first action. The others follow. */
  readonly firstBit: number;
}

/** Actions of a policy. A statement counts as a whole: its resources and conditions decide only whether a Deny is certain. */
export interface PolicyActions {
  /** Actions that each Allow statement names, by the index of the statement. */
  readonly allows: readonly { readonly statement: number; readonly actions: ActionSet }[];
  /** Actions that are denied for every resource and every request. */
  readonly denied: ActionSet;
}

let known: { readonly services: readonly KnownService[]; readonly words: number } | undefined;

function reference() {
  if (known !== undefined) return known;
  const found: KnownService[] = [];
  let firstBit = 0;
  for (const prefix of [...services()].toSorted()) {
    const names = actionsOf(prefix)?.map(({ name }) => name);
    if (names === undefined) continue;
    found.push({ prefix, names, firstBit });
    firstBit += names.length;
  }
  known = { services: found, words: Math.ceil(firstBit / 32) };
  return known;
}

/** Returns the services whose actions this server knows, in the order of their prefixes. */
export function knownServices(): readonly KnownService[] {
  return reference().services;
}

export function emptySet(): ActionSet {
  return new Uint32Array(reference().words);
}

/** Returns the set of all known actions. */
export function fullSet(): ActionSet {
  const all = emptySet();
  for (const { names, firstBit } of knownServices()) for (let i = 0; i < names.length; i++) addBit(all, firstBit + i);
  return all;
}

function addBit(set: ActionSet, bit: number): void {
  set[bit >>> 5] = (set[bit >>> 5] as number) | (1 << (bit & 31));
}

/** Reports whether a set has an action. */
export function hasBit(set: ActionSet, bit: number): boolean {
  return (((set[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1;
}

/** Adds the actions of another set. */
export function addAll(set: ActionSet, other: ActionSet): void {
  for (let i = 0; i < set.length; i++) set[i] = (set[i] as number) | (other[i] as number);
}

/** Keeps only the actions that another set has too. */
export function keepOnly(set: ActionSet, other: ActionSet): void {
  for (let i = 0; i < set.length; i++) set[i] = (set[i] as number) & (other[i] as number);
}

/** Removes the actions of another set. */
export function removeAll(set: ActionSet, other: ActionSet): void {
  for (let i = 0; i < set.length; i++) set[i] = (set[i] as number) & ~(other[i] as number);
}

/** Returns the names of a service's actions in a set. */
export function namesIn(set: ActionSet, { names, firstBit }: KnownService): readonly string[] {
  return names.filter((_, i) => hasBit(set, firstBit + i));
}

/** Results by policy. Policies that several principals have are evaluated once. */
const BY_POLICY = new WeakMap<CompiledPolicy, PolicyActions>();

/** Returns the actions that a policy allows and denies. */
export function actionsOfPolicy(policy: CompiledPolicy): PolicyActions {
  let found = BY_POLICY.get(policy);
  if (found !== undefined) return found;
  const allows: { statement: number; actions: ActionSet }[] = [];
  const denied = emptySet();
  for (const [index, statement] of policy.lowered.statements.entries()) {
    if (statement.effect === 'Allow') allows.push({ statement: index, actions: actionsOfStatement(statement) });
    else if (isForEveryRequest(statement)) addAll(denied, actionsOfStatement(statement));
  }
  BY_POLICY.set(policy, (found = { allows, denied }));
  return found;
}

function isForEveryRequest({ resources, conditions }: LoweredStatement): boolean {
  if (conditions.length > 0) return false;
  return resources === undefined || (!resources.not && resources.patterns.some(({ kind }) => kind === 'everything'));
}

function actionsOfStatement({ actions }: LoweredStatement): ActionSet {
  const named = emptySet();
  for (const pattern of actions.patterns) addMatching(named, pattern);
  if (!actions.not) return named;
  const all = fullSet();
  removeAll(all, named);
  return all;
}

function addMatching(set: ActionSet, { everything, service, name }: ActionPattern): void {
  for (const { prefix, names, firstBit } of knownServices()) {
    if (!everything && !matchesText(service, prefix)) continue;
    for (const [i, action] of names.entries()) if (everything || matchesText(name, action.toLowerCase())) addBit(set, firstBit + i);
  }
}
