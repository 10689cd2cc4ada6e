import type { ConditionContext } from '#core/condition-context.ts';
import { SLOT_KEYS, slotOf } from './keys.ts';
import { type Address, newAddress, readAddress, toMoment, toNumber } from './values.ts';

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
  /** Which candidate of each gate allowed last. */
  readonly hits: Int32Array;
  /** The resource for which `colons` holds, and the offsets of its first five colons; the first is -1 where it is no ARN. */
  colonsOf: string | undefined;
  readonly colons: Int32Array;
  /** For each slot the text that was parsed last, and what came of it. */
  readonly numberOf: (string | undefined)[];
  readonly numbers: Float64Array;
  readonly momentOf: (string | undefined)[];
  readonly moments: Float64Array;
  addressOf: string | undefined;
  readonly address: Address;
  /** A pattern whose variables are filled in. */
  codes: Int32Array;
}

export function newScratch(): Scratch {
  const { length } = SLOT_KEYS;
  return {
    hits: new Int32Array(LAYERS_MAX),
    colonsOf: undefined,
    colons: new Int32Array(5),
    numberOf: new Array<string | undefined>(length).fill(undefined),
    numbers: new Float64Array(length),
    momentOf: new Array<string | undefined>(length).fill(undefined),
    moments: new Float64Array(length),
    addressOf: undefined,
    address: newAddress(),
    codes: new Int32Array(256),
  };
}

/**
 * A request in the form that deciding reads without allocating: made once for a connection or a role session, which fills its slots
 * once, and given another action and resource for each request. A key is sought first in its slot, then in `context`.
 */
export interface RequestRecord {
  /** See `actionIdOf`. */
  action: number;
  resource: string;
  context: ConditionContext | undefined;
  readonly slots: (ContextValue | undefined)[];
  readonly scratch: Scratch;
}

/** @param scratch shared with other records of the same thread */
export function newRequestRecord(scratch = newScratch()): RequestRecord {
  const slots = new Array<ContextValue | undefined>(SLOT_KEYS.length).fill(undefined);
  return { action: -1, resource: '*', context: undefined, slots, scratch };
}

/** Puts a context into the slots it has; `context` keeps the rest by name. Slots the context does not name are emptied. */
export function fillRecord(record: RequestRecord, context: ConditionContext): void {
  record.slots.fill(undefined);
  for (const [key, value] of context) {
    const slot = slotOf(key);
    if (slot >= 0) record.slots[slot] = value;
  }
  record.context = context;
}

/** The value of a context key, by slot where it has one. */
export function contextValue(record: RequestRecord, slot: number, key: string): ContextValue | undefined {
  const value = slot >= 0 ? record.slots[slot] : undefined;
  if (value !== undefined || record.context === undefined) return value;
  return record.context.get(key);
}

/** The value as a number, read once for each text of a slot. */
export function numberOf({ scratch }: RequestRecord, slot: number, text: string): number {
  if (slot < 0) return toNumber(text);
  if (scratch.numberOf[slot] !== text) {
    scratch.numbers[slot] = toNumber(text);
    scratch.numberOf[slot] = text;
  }
  return scratch.numbers[slot] as number;
}

/** The value as a moment, read once for each text of a slot. */
export function momentOf({ scratch }: RequestRecord, slot: number, text: string): number {
  if (slot < 0) return toMoment(text);
  if (scratch.momentOf[slot] !== text) {
    scratch.moments[slot] = toMoment(text);
    scratch.momentOf[slot] = text;
  }
  return scratch.moments[slot] as number;
}

/** The value as an address, read once for each text; family 0 where it is none. */
export function addressOf({ scratch }: RequestRecord, text: string): Address {
  if (scratch.addressOf !== text) {
    readAddress(text, scratch.address);
    scratch.addressOf = text;
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
