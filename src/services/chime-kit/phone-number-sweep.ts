import type { Work } from '../kit/events.ts';
import { phoneInventory } from './tables/phone-inventory.ts';
import { phoneNumbers } from './tables/phone-numbers.ts';

/** Maximum numbers that one transaction of the sweep releases. Other requests wait for this transaction. */
const SWEPT_AT_ONCE = 100;

/** Deletes numbers that have been in the deletion queue for 7 days. They are free in the inventory again. */
export async function sweepReleasedNumbers({ tx, now }: Pick<Work, 'tx' | 'now'>): Promise<'more' | 'done'> {
  const released = await tx.of(phoneNumbers).released(now, SWEPT_AT_ONCE);
  for (const { accountId, number } of released) {
    await tx.of(phoneNumbers).remove(accountId, number);
    await tx.of(phoneInventory).release(number);
  }
  return released.length === SWEPT_AT_ONCE ? 'more' : 'done';
}
