import type { ConditionContext } from '#core/condition-context.ts';
import { DECISION_STEPS, newDecisionBudget } from './decision-steps.ts';
import { type Matching, newMatching } from './glob.ts';
import type { StepBudget } from './steps.ts';
import { forgetLists } from './subject.ts';
import { UNREAD } from './texts.ts';
import { type Address, newAddress, readAddress, toMoment } from './values.ts';

/** A context value: a list stands for a multivalued key. */
export type ContextValue = string | readonly string[];

/** What is asked: may this be done, to all of these, in this context. Every resource must be allowed. */
export interface PolicyRequest {
  readonly action: string;
  /** ARNs, or `*` alone for an action without resource types. */
  readonly resources: readonly string[];
  readonly context: ConditionContext;
}

/** The most ceilings a decision can have: service control policies of ten levels, and the other layers. */
export const LAYERS_MAX = 64;

/** What the engine writes to while it decides, so that deciding allocates nothing. One does for any number of records, and means nothing after. */
export interface Scratch {
  /** The resource for which `colons` holds, and the offsets of its first five colons; the first is -1 where it is no ARN. */
  colonsOf: string | undefined;
  readonly colons: Int32Array;
  /** The text for which `address` holds. */
  addressText: string | undefined;
  readonly address: Address;
  /** The text for which `moment` holds. */
  momentText: string | undefined;
  moment: number;
  /** The value for which `arnColons` holds, and the offsets of its first five colons, as `colons`. */
  arnOf: string | undefined;
  readonly arnColons: Int32Array;
  /** The values of the variables of the pattern that is matched. */
  readonly texts: string[];
  /** Its budget is `ownBudget`, unless a caller brings its own. */
  readonly matching: Matching;
  readonly ownBudget: StepBudget;
  /** What the values of lists are as numbers, moments, addresses or bytes. */
  readonly typed: Map<string, TypedValue>;
}

/** One value of a list, read by each family of operators at most once. */
export interface TypedValue {
  number?: number;
  moment?: number;
  /** Absent after `bytes` was read: the value is not base64. */
  bytes?: string | null;
  address?: Address;
}

export function newScratch(): Scratch {
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
    matching: newMatching(ownBudget),
    ownBudget,
    typed: new Map(),
  };
}

/**
 * A request in the form that deciding reads without allocating: made once for a connection or a role session, which fills it once, and
 * given another action and resource for each request.
 *
 * What most policies ask about stands in it as numbers, read when it is filled (`facts.ts`): a decision costs what its cache misses cost,
 * and these lie in the first two lines of the record. 0 is "not read": then the text is asked.
 */
export interface RequestRecord {
  /** See `actionIdOf`. */
  action: number;
  /** The number of the resource's first five segments, and of them with the sixth up to its first slash. */
  readonly head: number;
  readonly kind: number;
  /** Two bits for each of `TRUTH_KEYS`, and two for `ipv4`; see `facts.ts`. */
  readonly truths: number;
  /** The caller's IPv4 address as a signed integer. */
  readonly ipv4: number;
  /** The numbers of two texts. */
  readonly region: number;
  readonly organization: number;
  readonly resource: string;
  /** The moment asked at; NaN where it was not read. */
  readonly moment: number;
  /** Whether `slots` hold all keys that have one; else all keys are sought in `context`. */
  readonly filled: boolean;
  readonly slots: readonly (ContextValue | undefined)[];
  /** Keys without slots. */
  readonly context: ConditionContext | undefined;
  readonly scratch: Scratch;
}

/** A record for those who fill it, which are this file and `facts.ts`. */
export type OpenRecord = { -readonly [Field in keyof RequestRecord]: RequestRecord[Field] };

const NO_SLOTS: readonly undefined[] = [];

/** @param scratch shared with other records of the same thread */
export function newRequestRecord(scratch = newScratch()): RequestRecord {
  return {
    action: -1,
    head: UNREAD,
    kind: UNREAD,
    truths: UNREAD,
    ipv4: 0,
    region: UNREAD,
    organization: UNREAD,
    resource: '*',
    moment: Number.NaN,
    filled: false,
    slots: NO_SLOTS,
    context: undefined,
    scratch,
  };
}

/** Gives a record a context whose keys are all sought by name. */
export function setContext(record: RequestRecord, context: ConditionContext | undefined): void {
  const open: OpenRecord = record;
  open.context = context;
  forgetLists(record.scratch.matching.subjects);
  if (!record.filled) return;
  open.filled = false;
  open.truths = UNREAD;
  open.region = UNREAD;
  open.organization = UNREAD;
  open.moment = Number.NaN;
}

/** Gives a record a resource whose text is compared. Where many decisions are made about one, `fillResource` pays. */
export function setResource(record: RequestRecord, resource: string): void {
  const open: OpenRecord = record;
  open.resource = resource;
  open.head = UNREAD;
  open.kind = UNREAD;
}

/** The value of a context key, by slot where it has one and the record is filled. */
export function contextValue(record: RequestRecord, slot: number, key: string): ContextValue | undefined {
  if (slot >= 0 && record.filled) return record.slots[slot];
  return record.context?.get(key);
}

/** A text as a moment; NaN where it is none. */
export function momentOf({ scratch }: RequestRecord, text: string): number {
  if (scratch.momentText !== text) {
    scratch.moment = toMoment(text);
    scratch.momentText = text;
  }
  return scratch.moment;
}

/** A text as an address; family 0 where it is none. */
export function addressOf(scratch: Scratch, text: string): Address {
  if (scratch.addressText !== text) {
    readAddress(text, scratch.address);
    scratch.addressText = text;
  }
  return scratch.address;
}

/** Where the first five colons of the resource stand; false where it is no ARN. */
export function resourceIsArn({ resource, scratch }: RequestRecord): boolean {
  if (scratch.colonsOf !== resource) {
    findColons(resource, scratch.colons);
    scratch.colonsOf = resource;
  }
  return (scratch.colons[0] as number) >= 0;
}

/** The offsets of the first five colons of a context value; the first is -1 if it is not an ARN. */
export function arnColonsOf(scratch: Scratch, value: string): Int32Array {
  if (scratch.arnOf !== value) {
    findColons(value, scratch.arnColons);
    scratch.arnOf = value;
  }
  return scratch.arnColons;
}

/** Starts the budget of a decision: the caller's, or one of `DECISION_STEPS`. */
export function beginDecision({ scratch }: RequestRecord, budget?: StepBudget): StepBudget {
  if (budget === undefined) scratch.ownBudget.stepsLeft = DECISION_STEPS;
  scratch.matching.budget = budget ?? scratch.ownBudget;
  return scratch.matching.budget;
}

/** Most values that are kept typed. */
const TYPED_MAX = 512;

/** What a value of a list is in the families of typed operators. */
export function typedValue({ typed }: Scratch, text: string): TypedValue {
  let value = typed.get(text);
  if (value === undefined) {
    if (typed.size >= TYPED_MAX) typed.clear();
    value = {};
    typed.set(text, value);
  }
  return value;
}

/** Writes the offsets of the first five colons of an ARN; -1 as the first where the text is none. */
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
