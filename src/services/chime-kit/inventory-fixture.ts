/** Fixture of tests with phone numbers: an inventory. */

import type { Store } from '#store/store.ts';
import { START } from '../kit/fixture.ts';
import { type InventoryRecord, phoneInventory } from './tables/phone-inventory.ts';

export const ALL_CAPABILITIES = {
  InboundCall: true,
  OutboundCall: true,
  InboundSMS: true,
  OutboundSMS: true,
  InboundMMS: true,
  OutboundMMS: true,
};

/** Returns a local number of Seattle with all products. */
export function seattleNumber(number: string, more: Partial<InventoryRecord> = {}): InventoryRecord {
  return {
    ...{ number, country: 'US', type: 'Local', areaCode: '206', state: 'WA', city: 'seattle' },
    ...{ isBusinessCalling: true, isVoiceConnector: true, isSipDialIn: true },
    ...{ capabilities: ALL_CAPABILITIES, isFree: true, importedAt: START },
    ...more,
  };
}

/** Adds numbers to the inventory of a store. */
export async function stock(store: Pick<Store, 'transaction'>, ...records: readonly InventoryRecord[]): Promise<void> {
  await store.transaction(async (tx) => {
    for (const record of records) await tx.of(phoneInventory).put(record);
  });
}
