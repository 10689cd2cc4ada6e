import type { ConditionContext } from '#core/condition-context.ts';
import { SLOT_KEYS, slotOf } from './keys.ts';
import { addressOf, findColons, type OpenRecord, type RequestRecord } from './request.ts';
import { forgetLists } from './subject.ts';
import { ABSENT, numberOf, UNREAD } from './texts.ts';
import { toMoment, toTruth } from './values.ts';

/** Boolean context keys, in the order of their bits in a record's `truths`. */
export const TRUTH_KEYS: readonly string[] = [
  ...['aws:securetransport', 'aws:multifactorauthpresent', 'aws:viaawsservice', 'aws:principalisawsservice'],
];
/** Values of the two bits of a key in `truths`. `UNREAD` (0) also means that the value is not a boolean. */
export const TRUE = 1;
export const FALSE = 2;
export const MISSING = 3;
/** Position of the two bits in `truths` that report whether `ipv4` is set. */
export const IPV4_SHIFT = 2 * TRUTH_KEYS.length;

const TRUTH_SLOTS: readonly number[] = TRUTH_KEYS.map(slotOf);
const REGION = slotOf('aws:requestedregion');
const ORGANIZATION = slotOf('aws:principalorgid');
const SOURCE_IP = slotOf('aws:sourceip');
const CURRENT_TIME = slotOf('aws:currenttime');

/**
 * Fills a record from a context: keys with a slot into their slots, and the most frequently compared values as numbers. Keys without a slot
 * are read from the context, or from `others`, which may belong to the role session.
 */
export function fillRecord(record: RequestRecord, context: ConditionContext, others: ConditionContext = context): void {
  const open: OpenRecord = record;
  forgetLists(record.scratch.matching.subjects);
  const slots = SLOT_KEYS.map((key) => context.get(key));
  open.slots = slots;
  open.context = others;
  open.filled = true;
  const textOf = (slot: number): string | undefined => {
    const value = slots[slot];
    return typeof value === 'string' ? value : undefined;
  };
  const numbered = (slot: number): number => {
    const value = slots[slot];
    if (value === undefined) return ABSENT;
    return typeof value === 'string' ? numberOf(value) : UNREAD;
  };
  open.region = numbered(REGION);
  open.organization = numbered(ORGANIZATION);
  open.moment = toMoment(textOf(CURRENT_TIME) ?? '');
  const address = addressOf(record.scratch, textOf(SOURCE_IP) ?? '');
  const isIpv4 = address[0] === 4;
  open.ipv4 = isIpv4 ? (address[1] as number) | 0 : 0;
  let truths = isIpv4 ? TRUE << IPV4_SHIFT : 0;
  TRUTH_SLOTS.forEach((slot, i) => {
    truths |= truthState(slots[slot]) << (2 * i);
  });
  open.truths = truths;
}

function truthState(value: string | readonly string[] | undefined): number {
  if (value === undefined) return MISSING;
  const truth = typeof value === 'string' ? toTruth(value) : Number.NaN;
  return truth === 1 ? TRUE : truth === 0 ? FALSE : UNREAD;
}

const COLONS = new Int32Array(5);

/** Sets the resource of a record, with the numbers of its first five segments, and of these with the sixth up to its first slash. */
export function fillResource(record: RequestRecord, resource: string): void {
  const open: OpenRecord = record;
  open.resource = resource;
  findColons(resource, COLONS);
  const last = COLONS[4] as number;
  if ((COLONS[0] as number) < 0) {
    open.head = ABSENT;
    open.kind = ABSENT;
    return;
  }
  open.head = numberOf(resource.slice(0, last + 1));
  const slash = resource.indexOf('/', last);
  open.kind = slash < 0 ? ABSENT : numberOf(resource.slice(0, slash + 1));
}
