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

/**
 * A request in the form that deciding reads without allocating: made once for a connection or a role session and filled again for
 * each request. A key is sought first in its slot, then in `context`.
 */
export interface RequestRecord {
  /** See `actionIdOf`. */
  action: number;
  resource: string;
  context: ConditionContext | undefined;
  readonly slots: (ContextValue | undefined)[];
  /** Scratch of the engine: which candidate of each layer allowed last. */
  readonly hits: Int32Array;
  /** Scratch: `resource` for which `colons` holds, and the offsets of its first five colons; the first is -1 where it is no ARN. */
  colonsOf: string | undefined;
  readonly colons: Int32Array;
  /** Scratch: for each slot the text that was parsed last, and what came of it. */
  readonly numberOf: (string | undefined)[];
  readonly numbers: Float64Array;
  readonly momentOf: (string | undefined)[];
  readonly moments: Float64Array;
  addressOf: string | undefined;
  readonly address: Address;
  /** Scratch: a pattern whose variables are filled in. */
  codes: Int32Array;
}

/** The most ceilings a decision can have: service control policies of ten levels, and the other layers. */
export const LAYERS_MAX = 64;

export function newRequestRecord(): RequestRecord {
  const { length } = SLOT_KEYS;
  return {
    action: -1,
    resource: '*',
    context: undefined,
    slots: new Array<ContextValue | undefined>(length).fill(undefined),
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
export function numberOf(record: RequestRecord, slot: number, text: string): number {
  if (slot < 0) return toNumber(text);
  if (record.numberOf[slot] !== text) {
    record.numbers[slot] = toNumber(text);
    record.numberOf[slot] = text;
  }
  return record.numbers[slot] as number;
}

/** The value as a moment, read once for each text of a slot. */
export function momentOf(record: RequestRecord, slot: number, text: string): number {
  if (slot < 0) return toMoment(text);
  if (record.momentOf[slot] !== text) {
    record.moments[slot] = toMoment(text);
    record.momentOf[slot] = text;
  }
  return record.moments[slot] as number;
}

/** The value as an address, read once for each text; family 0 where it is none. */
export function addressOf(record: RequestRecord, text: string): Address {
  if (record.addressOf !== text) {
    readAddress(text, record.address);
    record.addressOf = text;
  }
  return record.address;
}

/** Where the first five colons of the resource stand; false where it is no ARN. */
export function resourceIsArn(record: RequestRecord): boolean {
  if (record.colonsOf !== record.resource) {
    findColons(record.resource, record.colons);
    record.colonsOf = record.resource;
  }
  return (record.colons[0] as number) >= 0;
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
