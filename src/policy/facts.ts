import type { ConditionContext } from '#core/condition-context.ts';
import { SLOT_KEYS, slotOf } from './keys.ts';
import { addressOf, findColons, type OpenRecord, type RequestRecord } from './request.ts';
import { forgetLists } from './subject.ts';
import { ABSENT, numberOf, UNREAD } from './texts.ts';
import { toMoment, toTruth } from './values.ts';

/** Keys whose values are `true` and `false`, in the order of their bits in a record's `truths`. */
export const TRUTH_KEYS: readonly string[] = [
  ...['aws:securetransport', 'aws:multifactorauthpresent', 'aws:viaawsservice', 'aws:principalisawsservice'],
];
/** What two bits of `truths` say; 0 is `UNREAD`, and so is a value that is no truth. */
export const TRUE = 1;
export const FALSE = 2;
export const MISSING = 3;
/** Where the bits stand that say whether `ipv4` was read. */
export const IPV4_SHIFT = 2 * TRUTH_KEYS.length;

const TRUTH_SLOTS: readonly number[] = TRUTH_KEYS.map(slotOf);
const REGION = slotOf('aws:requestedregion');
const ORGANIZATION = slotOf('aws:principalorgid');
const SOURCE_IP = slotOf('aws:sourceip');
const CURRENT_TIME = slotOf('aws:currenttime');

/**
 * Puts a context into a record: what has a slot into its slot, and what is compared most as numbers. Keys without slots stay in the
 * context, or in `others`, which may belong to the role session.
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

/** Gives a record a resource, taken apart: its first five segments, and these with the sixth up to its first slash, as numbers. */
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
