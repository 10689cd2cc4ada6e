import type { ConditionContext } from '#core/condition-context.ts';
import { DECISION_STEPS, newDecisionBudget, WORDS_MAX } from './decision-steps.ts';
import { type ContextValue, type FactSource, UNREAD } from './facts.ts';
import { type Matching, newMatching } from './glob.ts';
import type { StepBudget } from './steps.ts';
import { forgetLists } from './subject.ts';
import { type Address, newAddress, readAddress, toMoment } from './values.ts';

/** Request to decide: one action on all of the resources. Every resource must be allowed. */
export interface PolicyRequest {
  readonly action: string;
  /** ARNs, or only `*` for an action without resource types. */
  readonly resources: readonly string[];
  readonly context: ConditionContext;
}

/** Maximum number of layers in a decision, which includes the levels of service control policies. */
export const LAYERS_MAX = 64;

/** Working memory of decisions, so that they allocate nothing. Its content is valid only during a decision. */
export interface Scratch {
  /**
   * Resource that `colons` belongs to. `colons` has the offsets of its first five colons. The first offset is -1 if the resource is not an
   * ARN.
   */
  colonsOf: string | undefined;
  readonly colons: Int32Array;
  /** String that `address` belongs to. */
  addressText: string | undefined;
  readonly address: Address;
  /** String that `moment` belongs to. */
  momentText: string | undefined;
  moment: number;
  /** Value that `arnColons` belongs to. `arnColons` has the same format as `colons`. */
  arnOf: string | undefined;
  readonly arnColons: Int32Array;
  /** Values of the variables of the current pattern. */
  readonly texts: string[];
  /** State of pattern matching. Its budget is `ownBudget` unless the caller passes one. */
  readonly matching: Matching;
  readonly ownBudget: StepBudget;
  /** Cache of the values of lists, parsed as numbers, times, addresses or bytes. */
  readonly typed: Map<string, TypedValue>;
}

/** Parsed forms of one value in a list. Each family of operators parses it at most once. */
export interface TypedValue {
  number?: number;
  moment?: number;
  /** Bytes of the value. `null` if it is not Base64, and absent if it was not parsed yet. */
  bytes?: string | null;
  address?: Address;
  lower?: string;
}

function newScratch(): Scratch {
  const ownBudget = newDecisionBudget();
  return {
    colonsOf: undefined,
    colons: new Int32Array(5),
    addressText: undefined,
    address: newAddress(),
    momentText: undefined,
    moment: 0.5,
    arnOf: undefined,
    arnColons: new Int32Array(5),
    texts: [],
    matching: newMatching(ownBudget, WORDS_MAX),
    ownBudget,
    typed: new Map(),
  };
}

/**
 * Request in the form that decisions read without allocation. It is reused: each decision sets the facts and the resource.
 *
 * `truths` and `moment` are copies of the members of the facts. All other context keys are read from `facts`, or from `context` if there
 * are no facts.
 */
export interface RequestRecord {
  readonly resource: string;
  readonly truths: number;
  readonly moment: number;
  readonly facts: FactSource | undefined;
  readonly context: ConditionContext | undefined;
  readonly scratch: Scratch;
}

/** Request record with writable members, for this file only. */
type OpenRecord = { -readonly [Field in keyof RequestRecord]: RequestRecord[Field] };

/** Creates an empty record. */
export function newRequestRecord(): RequestRecord {
  return { resource: '*', truths: UNREAD, moment: Number.NaN, facts: undefined, context: undefined, scratch: newScratch() };
}

/** Sets the facts of a record. */
export function setFacts(record: RequestRecord, facts: FactSource): void {
  const open: OpenRecord = record;
  open.facts = facts;
  open.truths = facts.truths;
  open.moment = facts.moment;
  forgetLists(record.scratch.matching.subjects);
}

/** Sets a context in place of facts. All its keys are looked up by name. */
export function setContext(record: RequestRecord, context: ConditionContext | undefined): void {
  const open: OpenRecord = record;
  open.context = context;
  open.facts = undefined;
  open.truths = UNREAD;
  open.moment = Number.NaN;
  forgetLists(record.scratch.matching.subjects);
}

/** Sets the resource of a record. */
export function setResource(record: RequestRecord, resource: string): void {
  const open: OpenRecord = record;
  open.resource = resource;
}

/** Returns the value of a context key, or `undefined` without one. `slot` is its `slotOf`. */
export function contextValue(record: RequestRecord, slot: number, key: string): ContextValue | undefined {
  const { facts } = record;
  return facts === undefined ? record.context?.get(key) : facts.value(slot, key);
}

/** Parses a time. Returns NaN for an invalid one. */
export function momentOf({ scratch }: RequestRecord, text: string): number {
  if (scratch.momentText !== text) {
    scratch.moment = toMoment(text);
    scratch.momentText = text;
  }
  return scratch.moment;
}

/** Parses an address. Returns the family 0 for an invalid one. */
export function addressOf(scratch: Scratch, text: string): Address {
  if (scratch.addressText !== text) {
    readAddress(text, scratch.address);
    scratch.addressText = text;
  }
  return scratch.address;
}

/** Sets `colons` for the resource. Returns false if the resource is not an ARN. */
export function resourceIsArn({ resource, scratch }: RequestRecord): boolean {
  if (scratch.colonsOf !== resource) {
    findColons(resource, scratch.colons);
    scratch.colonsOf = resource;
  }
  return (scratch.colons[0] as number) >= 0;
}

/** Returns the offsets of the first five colons of a context value. The first offset is -1 if the value is not an ARN. */
export function arnColonsOf(scratch: Scratch, value: string): Int32Array {
  if (scratch.arnOf !== value) {
    findColons(value, scratch.arnColons);
    scratch.arnOf = value;
  }
  return scratch.arnColons;
}

/** Starts a decision and returns its budget: the caller's, or a new one of `DECISION_STEPS`. */
export function beginDecision({ scratch }: RequestRecord, budget?: StepBudget): StepBudget {
  const { ownBudget, matching } = scratch;
  const used = budget ?? ownBudget;
  if (used === ownBudget && ownBudget.stepsLeft !== DECISION_STEPS) ownBudget.stepsLeft = DECISION_STEPS;
  // Writes only if the value differs, so that the record stays in the processor's cache.
  if (matching.budget !== used) matching.budget = used;
  return used;
}

/** Maximum number of cached values. */
const TYPED_MAX = 512;

/** Returns the cache entry of a value in a list. */
export function typedValue({ typed }: Scratch, text: string): TypedValue {
  let value = typed.get(text);
  if (value === undefined) {
    if (typed.size >= TYPED_MAX) typed.clear();
    value = {};
    typed.set(text, value);
  }
  return value;
}

/** Writes the offsets of the first five colons of an ARN. Writes -1 as the first offset if the string is not an ARN. */
export function findColons(text: string, into: Int32Array): void {
  let at = 3;
  if (!text.startsWith('arn:')) {
    into[0] = -1;
    return;
  }
  into[0] = 3;
  for (let i = 1; i < 5; i++) {
    at = text.indexOf(':', at + 1);
    if (at < 0) {
      into[0] = -1;
      return;
    }
    into[i] = at;
  }
}
