import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type InventoryRecord, phoneInventory } from './phone-inventory.ts';
import { phoneNumberOrders } from './phone-number-orders.ts';
import { type NumberFilter, type NumberRecord, phoneNumbers } from './phone-numbers.ts';

const CAPABILITIES = { InboundCall: true };
const later = (ms: number) => instant(NOON + ms);

/** Returns a number that no other test uses: an account has 12 digits. */
const numberOf = (accountId: AccountId, last: number) => `+${accountId.replace(/^0+/, '9')}${last}`;

const numberRecord = (accountId: AccountId, last: number, more: Partial<NumberRecord> = {}): NumberRecord => ({
  accountId,
  number: numberOf(accountId, last),
  orderId: 'order',
  productType: 'VoiceConnector',
  state: 'Unassigned',
  createdAt: NOON,
  acquiredAt: NOON,
  updatedAt: NOON,
  document: { Country: 'US', Type: 'Local', Capabilities: CAPABILITIES, products: ['VoiceConnector'] },
  ...more,
});
/** Returns a free number in a country that no other test uses. */
const inventoryRecord = (accountId: AccountId, last: number, more: Partial<InventoryRecord> = {}): InventoryRecord => ({
  number: numberOf(accountId, last),
  country: `c${accountId}`,
  type: 'Local',
  isBusinessCalling: false,
  isVoiceConnector: true,
  isSipDialIn: false,
  capabilities: CAPABILITIES,
  isFree: true,
  importedAt: NOON,
  ...more,
});
const lastDigits = (found: readonly { readonly number: string }[]) => found.map(({ number }) => number.slice(-1)).join('');

export function conformance(suite: Suite): void {
  describe('phone numbers', () => {
    storesNumbers(suite);
    listsNumbers(suite);
    storesInventory(suite);
    storesOrders(suite);
  });
}

function storesNumbers({ within, fresh }: Suite): void {
  test('phone numbers: one account has a number, and the others cannot add it', async () => {
    const [here, there] = [fresh(), fresh()];
    const one = numberRecord(here, 1);
    const read = await within(async (tx) => {
      const repository = tx.of(phoneNumbers);
      return [
        await repository.add([one, numberRecord(here, 2)]),
        await repository.add([{ ...one, accountId: there }, numberRecord(there, 3)]),
        await repository.get(here, one.number),
        await repository.get(there, one.number),
        lastDigits(await repository.getSome(here, [one.number, numberOf(here, 2), numberOf(there, 3)])).length,
        await repository.getSome(here, []),
      ];
    });
    assert.deepEqual(read, [2, 1, one, undefined, 2, []]);
  });

  test('phone numbers: a change replaces the state, the association and the document; removal removes it', async () => {
    const here = fresh();
    const changed = numberRecord(here, 1, {
      state: 'Assigned',
      productType: 'BusinessCalling',
      updatedAt: later(5),
      associationName: 'UserId',
      associatedTo: 'u',
      associatedAt: later(5),
      chimeAccountId: 'a',
    });
    const read = await within(async (tx) => {
      const repository = tx.of(phoneNumbers);
      await repository.add([numberRecord(here, 1)]);
      return [
        await repository.put(changed),
        await repository.put(numberRecord(here, 2)),
        await repository.get(here, changed.number),
        await repository.remove(here, changed.number),
        await repository.remove(here, changed.number),
      ];
    });
    assert.deepEqual(read, ['changed', 'absent', changed, 'removed', 'absent']);
  });
}

function listsNumbers({ within, fresh }: Suite): void {
  test('phone numbers: lists are ordered by number, and select by state, product and time', async () => {
    const here = fresh();
    const queued = { state: 'ReleaseInProgress', deletedAt: NOON } as const;
    const read = await within(async (tx) => {
      const repository = tx.of(phoneNumbers);
      await repository.add([
        numberRecord(here, 5, { ...queued, releasedAt: later(5) }),
        numberRecord(here, 4, { ...queued, releasedAt: later(20) }),
        numberRecord(here, 3, { acquiredAt: later(20) }),
        numberRecord(here, 2, { state: 'Assigned', associationName: 'VoiceConnectorId', associatedTo: 'vc', associatedAt: NOON }),
        numberRecord(here, 1, { productType: 'BusinessCalling' }),
      ]);
      const now = later(10);
      const list = async (filter: NumberFilter, limit = 9, after?: string) =>
        lastDigits(await repository.list(here, filter, now, limit, after));
      return [
        await list({}),
        await list({}, 2),
        await list({}, 2, numberOf(here, 2)),
        await list({ productType: 'VoiceConnector' }),
        await list({ state: 'Unassigned' }),
        await list({ state: 'Assigned' }),
        await list({ state: 'ReleaseInProgress' }),
        await list({ state: 'Unassigned', productType: 'VoiceConnector' }),
        await list({ state: 'Unassigned', productType: 'BusinessCalling' }),
        lastDigits(await repository.acquiring(here, now)),
        lastDigits(await repository.overdue(here, now)),
        lastDigits((await repository.released(now, 500)).filter(({ accountId }) => accountId === here)),
      ];
    });
    assert.deepEqual(read, ['12345', '12', '34', '2345', '1', '2', '4', '', '1', '3', '5', '5']);
  });

  test('phone numbers: the numbers of a resource are listed by its kind and ID', async () => {
    const here = fresh();
    const of = (name: 'UserId' | 'VoiceConnectorId', associatedTo: string, chimeAccountId?: string) => ({
      ...{ associationName: name, associatedTo, associatedAt: NOON },
      ...(chimeAccountId !== undefined && { chimeAccountId }),
    });
    const read = await within(async (tx) => {
      const repository = tx.of(phoneNumbers);
      await repository.add([
        numberRecord(here, 1, of('VoiceConnectorId', 'x')),
        numberRecord(here, 2, of('UserId', 'x', 'a')),
        numberRecord(here, 3, of('UserId', 'y', 'a')),
        numberRecord(here, 4, of('VoiceConnectorId', 'x')),
        numberRecord(here, 5),
      ]);
      return [
        lastDigits(await repository.associated(here, 'VoiceConnectorId', 'x', 9)),
        lastDigits(await repository.associated(here, 'VoiceConnectorId', 'x', 1)),
        lastDigits(await repository.associated(here, 'VoiceConnectorId', 'x', 1, numberOf(here, 1))),
        lastDigits(await repository.associated(here, 'UserId', 'x', 9)),
        lastDigits(await repository.associated(here, 'AccountId', 'a', 9)),
        lastDigits(await repository.associated(here, 'AccountId', 'a', 9, numberOf(here, 2))),
      ];
    });
    assert.deepEqual(read, ['14', '1', '4', '2', '23', '3']);
  });
}

function storesInventory({ within, fresh }: Suite): void {
  test('phone inventory: free numbers are found by area code, state, city and type, until they are taken', async () => {
    const here = fresh();
    const country = `c${here}`;
    const washington = { areaCode: '206', state: 'WA', city: 'seattle' };
    const read = await within(async (tx) => {
      const repository = tx.of(phoneInventory);
      for (const record of [
        inventoryRecord(here, 1, washington),
        inventoryRecord(here, 2, washington),
        inventoryRecord(here, 3, { areaCode: '509', state: 'WA', city: 'spokane' }),
        inventoryRecord(here, 4, { type: 'TollFree', areaCode: '800' }),
      ]) {
        await repository.put(record);
      }
      const free = async (selection: object, limit = 9, after?: string) =>
        lastDigits(await repository.free({ country, ...selection } as Parameters<typeof repository.free>[0], limit, after));
      const before = [
        await free({ areaCode: '206' }),
        await free({ areaCode: '206' }, 1),
        await free({ areaCode: '206' }, 9, numberOf(here, 1)),
        await free({ state: 'WA' }),
        await free({ state: 'WA', city: 'spokane' }),
        await free({ type: 'TollFree' }),
        await repository.take([numberOf(here, 1), numberOf(here, 4), 'unknown']),
        await repository.take([numberOf(here, 1)]),
        await free({ state: 'WA' }),
        (await repository.getSome([numberOf(here, 1), numberOf(here, 3), 'unknown'])).length,
      ];
      await repository.release(numberOf(here, 1));
      return [
        ...before,
        await free({ areaCode: '206' }),
        await repository.remove(numberOf(here, 2)),
        await repository.remove(numberOf(here, 2)),
        await repository.get(numberOf(here, 2)),
        lastDigits(await repository.list(2, numberOf(here, 0))),
      ];
    });
    assert.deepEqual(read, ['12', '1', '2', '123', '3', '4', 2, 0, '23', 2, '12', 'removed', 'absent', undefined, '13']);
  });

  test('phone inventory: countries lists each country and type of a product once, also if the numbers are taken', async () => {
    const here = fresh();
    const read = await within(async (tx) => {
      const repository = tx.of(phoneInventory);
      await repository.put(inventoryRecord(here, 1));
      await repository.put(inventoryRecord(here, 2));
      await repository.put(inventoryRecord(here, 3, { type: 'TollFree', isFree: false, isSipDialIn: true }));
      const own = async (product: Parameters<typeof repository.countries>[0]) =>
        (await repository.countries(product)).filter(({ country }) => country === `c${here}`).map(({ type }) => type);
      return [await own('VoiceConnector'), await own('SipMediaApplicationDialIn'), await own('BusinessCalling')];
    });
    assert.deepEqual(read, [['Local', 'TollFree'], ['TollFree'], []]);
  });
}

function storesOrders({ within, fresh }: Suite): void {
  test('phone number orders: orders of an account are listed in the order of their creation', async () => {
    const [here, there] = [fresh(), fresh()];
    const order = (accountId: AccountId, orderId: string, ms: number) => ({
      ...{ accountId, orderId, createdAt: later(ms), productType: 'VoiceConnector' as const },
      document: { numbers: [{ number: '+12065550100', isAcquired: true }] },
    });
    const read = await within(async (tx) => {
      const repository = tx.of(phoneNumberOrders);
      for (const each of [order(here, 'a', 2), order(here, 'b', 1), order(here, 'c', 2), order(there, 'd', 0)]) await repository.add(each);
      const ids = async (...rest: [number, { createdAt: ReturnType<typeof later>; orderId: string }?]) =>
        (await repository.list(here, ...rest)).map(({ orderId }) => orderId).join('');
      return [
        await ids(9),
        await ids(2),
        await ids(9, { createdAt: later(2), orderId: 'a' }),
        await repository.get(here, 'b'),
        await repository.get(there, 'b'),
      ];
    });
    assert.deepEqual(read, ['bac', 'ba', 'c', order(here, 'b', 1), undefined]);
  });
}
