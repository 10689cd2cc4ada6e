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

/** Maximum number of layers (policies of one type) in a decision. Each level of service control policies is a layer. */
export const LAYERS_MAX = 64;

/**
 * Working memory that decisions reuse, so that they allocate no memory. Its content is valid only during a decision.
 */
export interface Scratch {
  /**
   * Resource for which `colons` was computed. `colons` has the offsets of the resource's first five colons. The first
   * offset is -1 if the resource is not an ARN.
   */
  colonsOf: string | undefined;
  readonly colons: Int32Array;
  /** String from which `address` was parsed. */
  addressText: string | undefined;
  readonly address: Address;
  /** String from which `moment` was parsed. */
  momentText: string | undefined;
  moment: number;
  /**
   * Context value for which `arnColons` was computed. `arnColons` has the offsets of the value's first five colons. The
   * first offset is -1 if the value is not an ARN.
   */
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

/** Parsed forms of one value in a list. Each family of operators parses the value at most once. */
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
 * Request in the form that decisions read without allocating memory. Decisions reuse the record: each decision sets the
 * facts (source of the context values) and the resource.
 *
 * `truths` and `moment` are copies of the fields of `facts`. All other context keys are read from `facts`, or from
 * `context` if there are no facts.
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

/** Creates a request record without facts. Its resource is `*`. */
export function newRequestRecord(): RequestRecord {
  return { resource: '*', truths: UNREAD, moment: Number.NaN, facts: undefined, context: undefined, scratch: newScratch() };
}

/** Sets the facts of a request record. */
export function setFacts(record: RequestRecord, facts: FactSource): void {
  const open: OpenRecord = record;
  open.facts = facts;
  open.truths = facts.truths;
  open.moment = facts.moment;
  forgetLists(record.scratch.matching.subjects);
}

/** Sets the condition context of a request record and removes its facts. All keys are then looked up by name. */
export function setContext(record: RequestRecord, context: ConditionContext | undefined): void {
  const open: OpenRecord = record;
  open.context = context;
  open.facts = undefined;
  open.truths = UNREAD;
  open.moment = Number.NaN;
  forgetLists(record.scratch.matching.subjects);
}

/** Sets the resource of a request record. */
export function setResource(record: RequestRecord, resource: string): void {
  const open: OpenRecord = record;
  open.resource = resource;
}

/**
 * Returns the value of a context key, or `undefined` if the request does not have the key. `slot` is the key's number
 * from `slotOf`.
 */
export function contextValue(record: RequestRecord, slot: number, key: string): ContextValue | undefined {
  const { facts } = record;
  return facts === undefined ? record.context?.get(key) : facts.value(slot, key);
}

/** Parses a time. Returns NaN for an invalid time. */
export function momentOf({ scratch }: RequestRecord, text: string): number {
  if (scratch.momentText !== text) {
    scratch.moment = toMoment(text);
    scratch.momentText = text;
  }
  return scratch.moment;
}

/** Parses an IP address. For an invalid address, the result has the family 0. */
export function addressOf(scratch: Scratch, text: string): Address {
  if (scratch.addressText !== text) {
    readAddress(text, scratch.address);
    scratch.addressText = text;
  }
  return scratch.address;
}

/** Reports whether the resource is an ARN. Sets `scratch.colons` to the offsets of its first five colons. */
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

/** Starts a decision and returns its budget: the caller's budget, or a budget of `DECISION_STEPS` steps. */
export function beginDecision({ scratch }: RequestRecord, budget?: StepBudget): StepBudget {
  const { ownBudget, matching } = scratch;
  const used = budget ?? ownBudget;
  if (used === ownBudget && ownBudget.stepsLeft !== DECISION_STEPS) ownBudget.stepsLeft = DECISION_STEPS;
  // Writes only if the value differs, so that the record stays in the processor's cache.
  if (matching.budget !== used) matching.budget = used;
  return used;
}

/** Maximum number of list values in the cache of parsed values. */
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
