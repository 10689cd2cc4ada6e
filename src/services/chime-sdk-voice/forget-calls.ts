import type { Work } from '../kit/events.ts';
import { sipCalls } from './tables/sip-calls.ts';

const DELETED_AT_ONCE = 1_000;

/** Deletes calls whose record was written a day ago, and calls whose end was never reported. */
export async function forgetCalls({ tx, now }: Work): Promise<'more' | 'done'> {
  return (await tx.of(sipCalls).forget(now, DELETED_AT_ONCE)) === DELETED_AT_ONCE ? 'more' : 'done';
}
