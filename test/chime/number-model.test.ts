/** Phone numbers against a simple model in memory, and concurrent orders: generated calls on both engines. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { openFixture } from '#services/chime/fixture.ts';
import { seattleNumber, stock } from '#services/chime-kit/inventory-fixture.ts';
import { sweepReleasedNumbers } from '#services/chime-kit/phone-number-sweep.ts';
import { ACCOUNT, OTHER_ACCOUNT, START, workFor } from '#services/kit/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
after(() => postgres.stop());

const ENGINES: readonly (readonly [engine: string, runs: number, open: () => Promise<Store>])[] = [
  ['SQLite', 60, () => openSqlite(':memory:')],
  ['PostgreSQL', 8, () => openPostgres(postgres.url)],
];
const NUMBERS = [1, 2, 3, 4].map((last) => `+1206555010${last}`);
const ACCOUNTS = [ACCOUNT, OTHER_ACCOUNT];
const WEEK_MS = 7 * DAY_MS;

const Which = { who: fc.nat({ max: 1 }), number: fc.constantFrom(...NUMBERS) };
const Step = fc.oneof(
  fc.record({ kind: fc.constant('order' as const), who: Which.who, numbers: fc.subarray(NUMBERS, { minLength: 1 }) }),
  fc.record({ kind: fc.constantFrom('delete' as const, 'restore' as const, 'swap' as const), ...Which }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 9_999, 10_000, WEEK_MS - 1, WEEK_MS) }),
  fc.record({ kind: fc.constant('sweep' as const) }),
);
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

interface Owned {
  readonly who: number;
  readonly readyAt: number;
  product: 'BusinessCalling' | 'VoiceConnector';
  releasedAt?: number;
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: { readonly code: string }) => error.code,
  );

async function empty(store: Store): Promise<void> {
  await store.transaction(async ({ sql }) => {
    for (const table of ['phone_number_order', 'phone_number', 'phone_inventory']) await sql.run(`DELETE FROM ${table}`);
  });
  await stock(store, ...NUMBERS.map((number) => seattleNumber(number)));
}

/** Runs steps on a store and on the model, and compares each outcome, and the lists and the search after each step. */
async function agree(store: Store, steps: readonly Step[]): Promise<void> {
  const { run } = await openFixture(store);
  const model = new Map<string, Owned>();
  let time = START as number;
  const statusOf = ({ readyAt, releasedAt }: Owned) =>
    releasedAt === undefined
      ? readyAt > time
        ? 'AcquireInProgress'
        : 'Unassigned'
      : releasedAt > time
        ? 'ReleaseInProgress'
        : 'DeleteInProgress';

  async function step(each: Step): Promise<void> {
    if (each.kind === 'wait') {
      time += each.ms;
      return;
    }
    const now = instant(time);
    if (each.kind === 'sweep') {
      await store.transaction((tx) => sweepReleasedNumbers(workFor(tx, now)));
      for (const [number, owned] of model) if (statusOf(owned) === 'DeleteInProgress') model.delete(number);
      return;
    }
    const as = { now, accountId: ACCOUNTS[each.who] as typeof ACCOUNT };
    if (each.kind === 'order') {
      const created = await run('CreatePhoneNumberOrder', { ProductType: 'BusinessCalling', E164PhoneNumbers: each.numbers }, as);
      const PhoneNumberOrderId = created.PhoneNumberOrder?.PhoneNumberOrderId as string;
      const { PhoneNumberOrder } = await run('GetPhoneNumberOrder', { PhoneNumberOrderId }, { ...as, now: instant(time + 10_000) });
      const free = each.numbers.filter((number) => !model.has(number));
      assert.deepEqual(
        PhoneNumberOrder?.OrderedPhoneNumbers?.map(({ Status }) => Status),
        each.numbers.map((number) => (free.includes(number) ? 'Acquired' : 'Failed')),
      );
      for (const number of free) model.set(number, { who: each.who, readyAt: time + 10_000, product: 'BusinessCalling' });
      return;
    }
    const owned = model.get(each.number);
    const own = owned?.who === each.who ? owned : undefined;
    const status = own && statusOf(own);
    const PhoneNumberId = each.number;
    if (each.kind === 'delete') {
      const expected =
        own === undefined || own.releasedAt !== undefined ? 'NotFoundException' : status === 'Unassigned' ? 'ok' : 'BadRequestException';
      assert.equal(await codeOf(run('DeletePhoneNumber', { PhoneNumberId }, as)), expected);
      if (expected === 'ok' && own !== undefined) own.releasedAt = time + WEEK_MS;
    } else if (each.kind === 'restore') {
      const expected = status === 'ReleaseInProgress' ? 'ok' : 'NotFoundException';
      assert.equal(await codeOf(run('RestorePhoneNumber', { PhoneNumberId }, as)), expected);
      if (expected === 'ok' && own !== undefined) delete own.releasedAt;
    } else {
      const ProductType = own?.product === 'VoiceConnector' ? 'BusinessCalling' : 'VoiceConnector';
      const expected = own === undefined ? 'NotFoundException' : status === 'Unassigned' ? 'ok' : 'ConflictException';
      assert.equal(await codeOf(run('UpdatePhoneNumber', { PhoneNumberId, ProductType }, as)), expected);
      if (expected === 'ok' && own !== undefined) own.product = ProductType;
    }
  }

  async function compare(): Promise<void> {
    const now = instant(time);
    for (const [who, accountId] of ACCOUNTS.entries()) {
      const rows = [...model].filter(([, owned]) => owned.who === who).map(([number, owned]) => [number, statusOf(owned), owned.product]);
      const expected = rows.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
      const list = async (filter: object) =>
        ((await run('ListPhoneNumbers', filter, { now, accountId })).PhoneNumbers ?? []).map((each) => [
          ...[each.E164PhoneNumber, each.Status, each.ProductType],
        ]);
      assert.deepEqual(await list({}), expected);
      for (const Status of ['AcquireInProgress', 'Unassigned', 'ReleaseInProgress', 'DeleteInProgress'])
        assert.deepEqual(
          await list({ Status, ProductType: 'BusinessCalling' }),
          expected.filter(([, status, product]) => status === Status && product === 'BusinessCalling'),
        );
    }
    const { E164PhoneNumbers } = await run('SearchAvailablePhoneNumbers', { AreaCode: '206' });
    assert.deepEqual(
      E164PhoneNumbers,
      NUMBERS.filter((number) => !model.has(number)),
    );
  }

  for (const each of steps) {
    await step(each);
    await compare();
  }
}

for (const [engine, numRuns, open] of ENGINES) {
  test(`Phone numbers on ${engine}: generated calls have the outcomes of the model`, async () => {
    const store = await open();
    after(() => store.close());
    await fc.assert(
      fc.asyncProperty(fc.array(Step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await empty(store);
        await agree(store, steps);
      }),
      { numRuns },
    );
  });

  test(`CreatePhoneNumberOrder on ${engine}: of two concurrent orders for one number, one account gets it`, async () => {
    const store = await open();
    after(() => store.close());
    for (let round = 0; round < 5; round++) {
      await empty(store);
      const { run } = await openFixture(store);
      const [number = ''] = NUMBERS;
      const order = { ProductType: 'BusinessCalling', E164PhoneNumbers: [number] } as const;
      await Promise.all(ACCOUNTS.map((accountId) => run('CreatePhoneNumberOrder', order, { accountId })));
      const owners = await Promise.all(
        ACCOUNTS.map((accountId) => codeOf(run('GetPhoneNumber', { PhoneNumberId: number }, { accountId }))),
      );
      assert.deepEqual(owners.sort(), ['NotFoundException', 'ok']);
      const now = instant(START + 10_000);
      const outcomes: (string | undefined)[] = [];
      for (const accountId of ACCOUNTS) {
        const { PhoneNumberOrders = [] } = await run('ListPhoneNumberOrders', {}, { accountId, now });
        outcomes.push(...PhoneNumberOrders.map(({ Status }) => Status));
      }
      assert.deepEqual(outcomes.sort(), ['Failed', 'Successful']);
    }
  });
}
