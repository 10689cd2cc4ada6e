import type { ConditionContext } from '#core/condition-context.ts';
import { SLOT_KEYS, slotOf } from './keys.ts';
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
  /** Which candidate of each gate allowed last. */
  readonly hits: Int32Array;
  /** The resource for which `colons` holds, and the offsets of its first five colons; the first is -1 where it is no ARN. */
  colonsOf: string | undefined;
  readonly colons: Int32Array;
  /** The text for which `address` holds. */
  addressText: string | undefined;
  readonly address: Address;
  /** A pattern whose variables are filled in. */
  codes: Int32Array;
}

export function newScratch(): Scratch {
  return {
    hits: new Int32Array(LAYERS_MAX),
    colonsOf: undefined,
    colons: new Int32Array(5),
    addressText: undefined,
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
  /** What the engine read last of this record: the text of a moment, and the moment. */
  momentText: string | undefined;
  moment: number;
  /** Likewise of an address. `ipv4` is its bits as a signed integer, where it is one. */
  addressText: string | undefined;
  isIpv4: boolean;
  ipv4: number;
}

/** @param scratch shared with other records of the same thread */
export function newRequestRecord(scratch = newScratch()): RequestRecord {
  const slots = new Array<ContextValue | undefined>(SLOT_KEYS.length).fill(undefined);
  return {
    action: -1,
    resource: '*',
    context: undefined,
    slots,
    scratch,
    momentText: undefined,
    moment: 0.5,
    addressText: undefined,
    isIpv4: false,
    ipv4: 0,
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

/** A text as a moment; a connection or session that asks again with the same text finds it read. */
export function momentOf(record: RequestRecord, text: string): number {
  if (record.momentText !== text) {
    record.moment = toMoment(text);
    record.momentText = text;
  }
  return record.moment;
}

/** Whether a text is an IPv4 address, left in `record.ipv4`. */
export function isIpv4(record: RequestRecord, text: string): boolean {
  if (record.addressText !== text) {
    const address = addressOf(record.scratch, text);
    record.isIpv4 = address[0] === 4;
    record.ipv4 = (address[1] as number) | 0;
    record.addressText = text;
  }
  return record.isIpv4;
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
