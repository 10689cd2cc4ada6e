import { toTruth } from './values.ts';

/** Value of a context key. The value of a multivalued key is a list. */
export type ContextValue = string | readonly string[];

/**
 * Facts of a request, which decisions read on demand. The server implements this interface and computes a value only if
 * a policy tests its key.
 *
 * The engine compares boolean keys and the time as numbers, which it reads from `truths` and `moment`. If such a number
 * is unknown, it compares the string from `value`.
 */
export interface FactSource {
  /** Two bits for each key of `TRUTH_KEYS`. They contain the key's state: `UNREAD`, `TRUE`, `FALSE` or `MISSING`. */
  readonly truths: number;
  /** Value of `aws:CurrentTime` in milliseconds, or NaN if it is unknown. */
  readonly moment: number;
  /**
   * Returns the value of a lower-case context key, or `undefined` if the request does not have the key. `slot` is the
   * key's number from `slotOf`.
   */
  value(slot: number, key: string): ContextValue | undefined;
}

/** Boolean context keys, in the order of their bits in `truths`. */
export const TRUTH_KEYS: readonly string[] = [
  ...['aws:securetransport', 'aws:multifactorauthpresent', 'aws:viaawsservice', 'aws:principalisawsservice'],
];

/** States of a boolean key. `UNREAD` means that the value is unknown or not a boolean. */
export const UNREAD = 0;
export const TRUE = 1;
export const FALSE = 2;
export const MISSING = 3;

/** Returns the states of the boolean keys as bits, for `FactSource.truths`. `read` returns the value of a key. */
export function truthsOf(read: (key: string) => ContextValue | undefined): number {
  return TRUTH_KEYS.reduce((bits, key, i) => bits | (truthState(read(key)) << (2 * i)), 0);
}

function truthState(value: ContextValue | undefined): number {
  if (value === undefined) return MISSING;
  const truth = typeof value === 'string' ? toTruth(value) : Number.NaN;
  return truth === 1 ? TRUE : truth === 0 ? FALSE : UNREAD;
}
