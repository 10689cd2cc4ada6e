import { toTruth } from './values.ts';

/** Value of a context key. The value of a multivalued key is a list. */
export type ContextValue = string | readonly string[];

/**
 * Facts of a request, which decisions read on demand. A server implements it, so that keys that no policy tests take no time.
 *
 * `truths` and `moment` are the two kinds of facts that most requests compare as numbers. If they are unknown, `value` is compared.
 */
export interface FactSource {
  /** Two bits for each of `TRUTH_KEYS`: `UNREAD`, `TRUE`, `FALSE` or `MISSING`. */
  readonly truths: number;
  /** Value of `aws:CurrentTime` in milliseconds, or NaN if it is unknown. */
  readonly moment: number;
  /** Returns the value of a lower-case context key, or `undefined` without one. `slot` is its `slotOf`. */
  value(slot: number, key: string): ContextValue | undefined;
}

/** Boolean context keys, in the order of their bits in `truths`. */
export const TRUTH_KEYS: readonly string[] = [
  ...['aws:securetransport', 'aws:multifactorauthpresent', 'aws:viaawsservice', 'aws:principalisawsservice'],
];

/** States of a boolean key. `UNREAD` also means that the value is not a boolean. */
export const UNREAD = 0;
export const TRUE = 1;
export const FALSE = 2;
export const MISSING = 3;

/** Returns the bits of the boolean keys. `read` returns the value of a key. */
export function truthsOf(read: (key: string) => ContextValue | undefined): number {
  return TRUTH_KEYS.reduce((bits, key, i) => bits | (truthState(read(key)) << (2 * i)), 0);
}

function truthState(value: ContextValue | undefined): number {
  if (value === undefined) return MISSING;
  const truth = typeof value === 'string' ? toTruth(value) : Number.NaN;
  return truth === 1 ? TRUE : truth === 0 ? FALSE : UNREAD;
}
