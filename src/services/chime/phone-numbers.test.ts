import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { ChimeApi, PhoneNumber } from '#model/generated/chime.ts';
import { ALL_CAPABILITIES, seattleNumber, stock } from '../chime-kit/inventory-fixture.ts';
import { sweepReleasedNumbers } from '../chime-kit/phone-number-sweep.ts';
import { type As, workFor } from '../kit/fixture.ts';
import { OTHER_ACCOUNT, openFixture, START } from './fixture.ts';
import { sweepDisabledAccounts } from './sweep.ts';

const WEEK_MS = 7 * DAY_MS;
const [ONE, TWO, THREE] = ['+12065550101', '+12065550102', '+12065550103'] as const;
const UNKNOWN = '+12065559999';
const UNKNOWN_ID = 'a6b1e9b0-0000-4000-8000-999999999999';
const idOf = (number: string) => number.replace('+', '%2B');
const at = (ms: number): { readonly now: Instant } => ({ now: instant(START + ms) });
const READY = at(10_000);

const BAD = { code: 'BadRequestException', message: 'Service received a bad request' };
const CONFLICT = { code: 'ConflictException', message: 'Request could not be completed due to a conflict' };
const noNumber = (id: string) => ({ code: 'NotFoundException', message: `Could not find PhoneNumber with Id '${id}'` });

/** Opens the operations with an inventory of three numbers of Seattle and others. */
async function open() {
  const fixture = await openFixture();
  const { store, run } = fixture;
  await stock(
    store,
    ...[ONE, TWO, THREE].map((number) => seattleNumber(number)),
    seattleNumber('+15095550101', { areaCode: '509', city: 'spokane' }),
    seattleNumber('+18005550101', {
      type: 'TollFree',
      areaCode: '800',
      state: undefined as never,
      city: undefined as never,
      isBusinessCalling: false,
    }),
    seattleNumber('+442079460101', {
      country: 'GB',
      areaCode: undefined as never,
      state: undefined as never,
      city: undefined as never,
      isBusinessCalling: false,
      isVoiceConnector: false,
    }),
  );
  const order = async (ProductType: PhoneNumber['ProductType'], numbers: readonly string[], as: As = {}) =>
    (await run('CreatePhoneNumberOrder', { ProductType: ProductType ?? 'BusinessCalling', E164PhoneNumbers: numbers }, as))
      .PhoneNumberOrder;
  const number = async (id: string, as: As = READY) => (await run('GetPhoneNumber', { PhoneNumberId: id }, as)).PhoneNumber;
  const list = async (input: ChimeApi['ListPhoneNumbers']['input'] = {}, as: As = READY) =>
    (await run('ListPhoneNumbers', input, as)).PhoneNumbers?.map(({ E164PhoneNumber }) => E164PhoneNumber);
  const search = async (input: ChimeApi['SearchAvailablePhoneNumbers']['input']) =>
    (await run('SearchAvailablePhoneNumbers', input)).E164PhoneNumbers;
  /** Creates a Chime account with a registered user for each name. */
  async function people(...names: readonly string[]) {
    const AccountId = await fixture.account();
    return { AccountId, ids: await fixture.people(AccountId, ...names) };
  }
  return { store, run, order, number, list, search, people };
}

// biome-ignore format: a table
const SEARCHES: readonly (readonly [title: string, input: ChimeApi['SearchAvailablePhoneNumbers']['input'], found: readonly string[] | 'BadRequest'])[] = [
  ['an area code',                    { AreaCode: '206' },                                 [ONE, TWO, THREE]],
  ['a state',                         { State: 'WA' },                                     [ONE, TWO, THREE, '+15095550101']],
  ['a state in lower case',           { State: 'wa' },                                     [ONE, TWO, THREE, '+15095550101']],
  ['a city with its state',           { City: 'Spokane', State: 'WA' },                    ['+15095550101']],
  ['an area code with another state', { AreaCode: '206', State: 'OR' },                    []],
  ['an area code with its city',      { AreaCode: '509', State: 'WA', City: 'Spokane' },   ['+15095550101']],
  ['a toll-free prefix',              { TollFreePrefix: '800' },                           ['+18005550101']],
  ['a toll-free prefix and Local',    { TollFreePrefix: '800', PhoneNumberType: 'Local' }, []],
  ['the type in another country',     { Country: 'GB', PhoneNumberType: 'Local' },         ['+442079460101']],
  ['no hit',                          { AreaCode: '212' },                                 []],
  ['no filter',                       {},                                                  'BadRequest'],
  ['only a type in the US',           { PhoneNumberType: 'Local' },                        'BadRequest'],
  ['a city without a state',          { City: 'Spokane' },                                 'BadRequest'],
  ['no type in another country',      { Country: 'GB' },                                   'BadRequest'],
  ['an area code in another country', { Country: 'GB', PhoneNumberType: 'Local', AreaCode: '20' }, 'BadRequest'],
  ['an invalid token',                { AreaCode: '206', NextToken: 'x' },                 'BadRequest'],
];

for (const [title, input, found] of SEARCHES) {
  test(`SearchAvailablePhoneNumbers: ${title} finds ${Array.isArray(found) ? found.length : found}`, async () => {
    const { search } = await open();
    if (found === 'BadRequest') await assert.rejects(search(input), { code: 'BadRequestException' });
    else assert.deepEqual(await search(input), found);
  });
}

test('SearchAvailablePhoneNumbers: pages have each free number once, and an ordered number is in none', async () => {
  const { run, order } = await open();
  const first = await run('SearchAvailablePhoneNumbers', { AreaCode: '206', MaxResults: 2 });
  assert.deepEqual(first.E164PhoneNumbers, [ONE, TWO]);
  const next = { AreaCode: '206', MaxResults: 2, NextToken: first.NextToken as string };
  assert.deepEqual(await run('SearchAvailablePhoneNumbers', next), { E164PhoneNumbers: [THREE] });
  await order('BusinessCalling', [THREE]);
  assert.deepEqual(await run('SearchAvailablePhoneNumbers', next), { E164PhoneNumbers: [] });
  await assert.rejects(run('SearchAvailablePhoneNumbers', { ...next, AreaCode: '509' }), { code: 'BadRequestException' });
});

test('ListSupportedPhoneNumberCountries: lists the countries and types of the inventory for a product', async () => {
  const { run } = await open();
  const countries = async (ProductType: 'BusinessCalling' | 'VoiceConnector' | 'SipMediaApplicationDialIn') =>
    (await run('ListSupportedPhoneNumberCountries', { ProductType })).PhoneNumberCountries;
  assert.deepEqual(await countries('BusinessCalling'), [{ CountryCode: 'US', SupportedPhoneNumberTypes: ['Local'] }]);
  assert.deepEqual(await countries('VoiceConnector'), [{ CountryCode: 'US', SupportedPhoneNumberTypes: ['Local', 'TollFree'] }]);
  assert.deepEqual(await countries('SipMediaApplicationDialIn'), [
    { CountryCode: 'GB', SupportedPhoneNumberTypes: ['Local'] },
    { CountryCode: 'US', SupportedPhoneNumberTypes: ['Local', 'TollFree'] },
  ]);
});

test('CreatePhoneNumberOrder: the order is Processing for ten seconds, and then Successful', async () => {
  const { run, order, number } = await open();
  const created = await order('BusinessCalling', [ONE, TWO.slice(1)]);
  const PhoneNumberOrderId = created?.PhoneNumberOrderId as string;
  const items = (Status: 'Processing' | 'Acquired') => [ONE, TWO].map((E164PhoneNumber) => ({ E164PhoneNumber, Status }));
  const processing = {
    ...{ PhoneNumberOrderId, ProductType: 'BusinessCalling', Status: 'Processing', OrderedPhoneNumbers: items('Processing') },
    ...{ CreatedTimestamp: START, UpdatedTimestamp: START },
  };
  assert.deepEqual(created, processing);
  const get = async (as: As) =>
    (await run('GetPhoneNumberOrder', { PhoneNumberOrderId: PhoneNumberOrderId.toUpperCase() }, as)).PhoneNumberOrder;
  assert.deepEqual(await get(at(9_999)), processing);
  assert.deepEqual(await get(READY), {
    ...processing,
    ...{ Status: 'Successful', OrderedPhoneNumbers: items('Acquired'), UpdatedTimestamp: READY.now },
  });
  assert.equal((await number(ONE, at(9_999)))?.Status, 'AcquireInProgress');
  assert.deepEqual(await number(ONE), {
    ...{ PhoneNumberId: idOf(ONE), E164PhoneNumber: ONE, Country: 'US', Type: 'Local', ProductType: 'BusinessCalling' },
    ...{ Status: 'Unassigned', Capabilities: ALL_CAPABILITIES, Associations: [], CallingNameStatus: 'Unassigned' },
    ...{ CreatedTimestamp: START, UpdatedTimestamp: START },
  });
});

test('CreatePhoneNumberOrder: numbers that are unknown, taken or of another product are Failed', async () => {
  const { run, order, list } = await open();
  await order('BusinessCalling', [ONE], { accountId: OTHER_ACCOUNT });
  const outcome = async (product: 'BusinessCalling' | 'VoiceConnector', numbers: readonly string[]) => {
    const { PhoneNumberOrderId = '' } = (await order(product, numbers)) ?? {};
    const { PhoneNumberOrder: final } = await run('GetPhoneNumberOrder', { PhoneNumberOrderId }, READY);
    return [final?.Status, ...(final?.OrderedPhoneNumbers ?? []).map(({ Status }) => Status)];
  };
  assert.deepEqual(await outcome('BusinessCalling', [ONE, TWO, TWO, UNKNOWN]), ['Partial', 'Failed', 'Acquired', 'Failed']);
  assert.deepEqual(await outcome('BusinessCalling', ['+18005550101', '+442079460101']), ['Failed', 'Failed', 'Failed']);
  assert.deepEqual(await outcome('VoiceConnector', ['+18005550101']), ['Successful', 'Acquired']);
  assert.deepEqual(await list(), [TWO, '+18005550101']);
  assert.deepEqual(await list({}, { ...READY, accountId: OTHER_ACCOUNT }), [ONE]);
});

test('CreatePhoneNumberOrder: no number and more than 50 numbers are a BadRequest', async () => {
  const { order } = await open();
  await assert.rejects(order('BusinessCalling', []), BAD);
  const many = Array.from({ length: 51 }, (_, i) => `+1206555${1000 + i}`);
  await assert.rejects(order('BusinessCalling', many), BAD);
  assert.equal((await order('BusinessCalling', many.slice(1)))?.OrderedPhoneNumbers?.length, 50);
});

test('ListPhoneNumberOrders: orders are listed in the order of their creation, only those of the AWS account', async () => {
  const { run, order } = await open();
  const ids: (string | undefined)[] = [];
  for (const [i, number] of [ONE, TWO, THREE].entries()) ids.push((await order('BusinessCalling', [number], at(i)))?.PhoneNumberOrderId);
  const [first, second, third] = ids;
  const page = await run('ListPhoneNumberOrders', { MaxResults: 2 });
  assert.deepEqual(
    page.PhoneNumberOrders?.map(({ PhoneNumberOrderId }) => PhoneNumberOrderId),
    [first, second],
  );
  const rest = await run('ListPhoneNumberOrders', { MaxResults: 2, NextToken: page.NextToken as string });
  assert.deepEqual(
    [rest.PhoneNumberOrders?.length, rest.PhoneNumberOrders?.[0]?.PhoneNumberOrderId, rest.NextToken],
    [1, third, undefined],
  );
  assert.deepEqual(await run('ListPhoneNumberOrders', {}, { accountId: OTHER_ACCOUNT }), { PhoneNumberOrders: [] });
  const foreign = run('GetPhoneNumberOrder', { PhoneNumberOrderId: first as string }, { accountId: OTHER_ACCOUNT });
  await assert.rejects(foreign, { code: 'NotFoundException', message: `Could not find PhoneNumberOrder with Id '${first}'` });
});

test('GetPhoneNumber: accepts the number with and without plus sign, and the encoded ID', async () => {
  const { order, number } = await open();
  await order('BusinessCalling', [ONE]);
  for (const id of [ONE, ONE.slice(1), idOf(ONE), idOf(ONE).toLowerCase()]) assert.equal((await number(id))?.E164PhoneNumber, ONE);
  for (const id of [UNKNOWN, '%252B12065550101', 'x', '', TWO]) await assert.rejects(number(id), noNumber(id));
  await assert.rejects(number(ONE, { ...READY, accountId: OTHER_ACCOUNT }), noNumber(ONE));
});

test('ListPhoneNumbers: lists by status, product and association, in the order of numbers', async () => {
  const { run, order, list, people } = await open();
  const { AccountId, ids } = await people('ada');
  await order('BusinessCalling', [THREE, ONE]);
  await order('VoiceConnector', [TWO, '+18005550101']);
  await order('VoiceConnector', ['+15095550101'], at(5_000));
  await run('AssociatePhoneNumberWithUser', { AccountId, UserId: ids[0] as string, E164PhoneNumber: ONE }, READY);
  await run('DeletePhoneNumber', { PhoneNumberId: TWO }, READY);
  assert.deepEqual(await list(), [ONE, TWO, THREE, '+15095550101', '+18005550101']);
  assert.deepEqual(await list({ Status: 'AcquireInProgress' }), ['+15095550101']);
  assert.deepEqual(await list({ Status: 'AcquireInProgress', ProductType: 'BusinessCalling' }), []);
  assert.deepEqual(await list({ Status: 'Unassigned' }), [THREE, '+18005550101']);
  assert.deepEqual(await list({ Status: 'Unassigned', ProductType: 'BusinessCalling' }), [THREE]);
  assert.deepEqual(await list({ Status: 'Assigned' }), [ONE]);
  assert.deepEqual(await list({ Status: 'ReleaseInProgress' }), [TWO]);
  assert.deepEqual(await list({ Status: 'ReleaseInProgress' }, at(WEEK_MS + 10_000)), []);
  assert.deepEqual(await list({ Status: 'DeleteInProgress' }, at(WEEK_MS + 10_000)), [TWO]);
  assert.deepEqual(await list({ Status: 'AcquireFailed' }), []);
  assert.deepEqual(await list({ ProductType: 'BusinessCalling' }), [ONE, THREE]);
  const ofUser = { FilterName: 'UserId', FilterValue: ids[0] as string } as const;
  assert.deepEqual(await list(ofUser), [ONE]);
  assert.deepEqual(await list({ ...ofUser, Status: 'Assigned', ProductType: 'BusinessCalling' }), [ONE]);
  assert.deepEqual(await list({ ...ofUser, Status: 'Unassigned' }), []);
  assert.deepEqual(await list({ ...ofUser, ProductType: 'VoiceConnector' }), []);
  assert.deepEqual(await list({ FilterName: 'AccountId', FilterValue: AccountId }), [ONE]);
  assert.deepEqual(await list({ FilterName: 'UserId', FilterValue: UNKNOWN_ID }), []);
  await assert.rejects(list({ FilterName: 'UserId' }), BAD);
  await assert.rejects(list({ FilterValue: 'x' }), BAD);
  const { NextToken = '', PhoneNumbers = [] } = await run('ListPhoneNumbers', { MaxResults: 2 }, READY);
  assert.deepEqual([PhoneNumbers.length, await list({ MaxResults: 2, NextToken })], [2, [THREE, '+15095550101']]);
  await assert.rejects(list({ NextToken, Status: 'Assigned' }), { code: 'BadRequestException' });
});

test('UpdatePhoneNumber: changes one attribute; the product only if the number offers it and is Unassigned', async () => {
  const { run, order, people } = await open();
  const { AccountId, ids } = await people('ada');
  await order('BusinessCalling', [ONE]);
  await order('VoiceConnector', ['+18005550101']);
  const update = async (PhoneNumberId: string, change: object, as: As = READY) =>
    (await run('UpdatePhoneNumber', { PhoneNumberId, ...change }, as)).PhoneNumber;
  await assert.rejects(update(ONE, {}), BAD);
  await assert.rejects(update(ONE, { ProductType: 'VoiceConnector', CallingName: 'Acme' }), BAD);
  await assert.rejects(update(UNKNOWN, { CallingName: 'Acme' }), noNumber(UNKNOWN));
  await assert.rejects(update('+18005550101', { ProductType: 'BusinessCalling' }), BAD);
  await assert.rejects(update(ONE, { ProductType: 'VoiceConnector' }, at(1)), CONFLICT);
  const changed = await update(ONE, { ProductType: 'VoiceConnector' });
  assert.deepEqual([changed?.ProductType, changed?.UpdatedTimestamp], ['VoiceConnector', READY.now]);
  await update(ONE, { ProductType: 'BusinessCalling' });

  await run('AssociatePhoneNumberWithUser', { AccountId, UserId: ids[0] as string, E164PhoneNumber: ONE }, READY);
  await assert.rejects(update(ONE, { ProductType: 'VoiceConnector' }), CONFLICT);
  const named = await update(ONE, { CallingName: 'Acme' });
  assert.deepEqual([named?.CallingName, named?.CallingNameStatus], ['Acme', 'UpdateInProgress']);
  await assert.rejects(update(ONE, { CallingName: 'Other' }, at(19_999)), CONFLICT);
  const renamed = await update(ONE, { CallingName: 'Other' }, at(20_000));
  assert.deepEqual([renamed?.CallingName, renamed?.Status], ['Other', 'Assigned']);
  const read = await run('GetPhoneNumber', { PhoneNumberId: ONE }, at(30_000));
  assert.equal(read.PhoneNumber?.CallingNameStatus, 'UpdateSucceeded');
  const cleared = await update(ONE, { CallingName: '' }, at(30_000));
  assert.deepEqual([cleared?.CallingName, cleared?.CallingNameStatus], [undefined, 'Unassigned']);
});

test('BatchUpdatePhoneNumber: failed items are reported, and the others take effect', async () => {
  const { run, order, number } = await open();
  await order('BusinessCalling', [ONE, TWO]);
  const batch = (UpdatePhoneNumberRequestItems: ChimeApi['BatchUpdatePhoneNumber']['input']['UpdatePhoneNumberRequestItems']) =>
    run('BatchUpdatePhoneNumber', { UpdatePhoneNumberRequestItems }, READY);
  assert.deepEqual(
    await batch([
      { PhoneNumberId: idOf(ONE), CallingName: 'Acme' },
      { PhoneNumberId: UNKNOWN, CallingName: 'Acme' },
      { PhoneNumberId: ONE, CallingName: 'Twice' },
      { PhoneNumberId: TWO },
      { PhoneNumberId: TWO, ProductType: 'VoiceConnector' },
    ]),
    {
      PhoneNumberErrors: [
        { PhoneNumberId: UNKNOWN, ErrorCode: 'NotFound', ErrorMessage: noNumber(UNKNOWN).message },
        { PhoneNumberId: ONE, ErrorCode: 'Conflict', ErrorMessage: CONFLICT.message },
        { PhoneNumberId: TWO, ErrorCode: 'BadRequest', ErrorMessage: BAD.message },
      ],
    },
  );
  assert.deepEqual([(await number(ONE))?.CallingName, (await number(TWO))?.ProductType], ['Acme', 'VoiceConnector']);
  await assert.rejects(batch([]), BAD);
  await assert.rejects(batch(Array.from({ length: 51 }, () => ({ PhoneNumberId: ONE, CallingName: 'Acme' }))), BAD);
});

test('DeletePhoneNumber, RestorePhoneNumber: a number can be restored for seven days; then it is free in the inventory again', async () => {
  const { store, run, order, number, search } = await open();
  await order('VoiceConnector', [ONE]);
  const remove = (PhoneNumberId: string, as: As) => run('DeletePhoneNumber', { PhoneNumberId }, as);
  const restore = (PhoneNumberId: string, as: As) => run('RestorePhoneNumber', { PhoneNumberId }, as);
  const sweep = (now: Instant) => store.transaction((tx) => sweepReleasedNumbers(workFor(tx, now)));
  await assert.rejects(remove(UNKNOWN, READY), noNumber(UNKNOWN));
  await assert.rejects(remove(ONE, at(9_999)), BAD);
  await assert.rejects(restore(ONE, READY), noNumber(ONE));
  await remove(idOf(ONE), READY);
  const queued = await number(ONE);
  assert.deepEqual([queued?.Status, queued?.DeletionTimestamp], ['ReleaseInProgress', READY.now]);
  await assert.rejects(remove(ONE, READY), noNumber(ONE));
  await assert.rejects(run('UpdatePhoneNumber', { PhoneNumberId: ONE, CallingName: 'Acme' }, READY), CONFLICT);
  const { PhoneNumber: restored } = await restore(ONE, at(WEEK_MS));
  assert.deepEqual([restored?.Status, restored?.ProductType, restored?.DeletionTimestamp], ['Unassigned', 'VoiceConnector', undefined]);

  await remove(ONE, READY);
  const end = at(WEEK_MS + 10_000);
  await sweep(instant(end.now - 1));
  assert.equal((await number(ONE, at(WEEK_MS)))?.Status, 'ReleaseInProgress');
  assert.equal((await number(ONE, end))?.Status, 'DeleteInProgress');
  await assert.rejects(restore(ONE, end), noNumber(ONE));
  assert.deepEqual(await search({ AreaCode: '206' }), [TWO, THREE]);
  await sweep(end.now);
  await assert.rejects(number(ONE, end), noNumber(ONE));
  assert.deepEqual(await search({ AreaCode: '206' }), [ONE, TWO, THREE]);
  assert.equal((await order('BusinessCalling', [ONE], { ...end, accountId: OTHER_ACCOUNT }))?.OrderedPhoneNumbers?.length, 1);
  assert.equal((await number(ONE, { now: instant(end.now + 10_000), accountId: OTHER_ACCOUNT }))?.Status, 'Unassigned');
});

test('BatchDeletePhoneNumber: failed items are reported, and the others take effect', async () => {
  const { run, order, list } = await open();
  await order('BusinessCalling', [ONE, TWO]);
  const batch = (PhoneNumberIds: readonly string[]) => run('BatchDeletePhoneNumber', { PhoneNumberIds }, READY);
  assert.deepEqual(await batch([ONE, idOf(ONE), UNKNOWN]), {
    PhoneNumberErrors: [idOf(ONE), UNKNOWN].map((id) => ({ PhoneNumberId: id, ErrorCode: 'NotFound', ErrorMessage: noNumber(id).message })),
  });
  assert.deepEqual(await list({ Status: 'ReleaseInProgress' }), [ONE]);
  await assert.rejects(batch(Array.from({ length: 51 }, () => TWO)), BAD);
});

test('AssociatePhoneNumberWithUser: the user and the number show each other until the number is taken away', async () => {
  const { run, order, number, people } = await open();
  const { AccountId, ids } = await people('ada', 'bob');
  const [ada = '', bob = ''] = ids;
  await order('BusinessCalling', [ONE, TWO]);
  await order('VoiceConnector', [THREE]);
  const associate = (E164PhoneNumber: string, UserId = ada, as: As = READY) =>
    run('AssociatePhoneNumberWithUser', { AccountId, UserId, E164PhoneNumber }, as);
  const disassociate = (UserId = ada) => run('DisassociatePhoneNumberFromUser', { AccountId, UserId }, READY);
  const primary = async () => (await run('GetUser', { AccountId, UserId: ada })).User?.PrimaryProvisionedNumber;
  await assert.rejects(associate(ONE, UNKNOWN_ID), { code: 'NotFoundException', message: `Could not find User with Id '${UNKNOWN_ID}'` });
  await assert.rejects(associate(UNKNOWN), { code: 'NotFoundException', message: 'Could not find the phone number.' });
  await assert.rejects(associate(THREE), BAD);
  await assert.rejects(associate(ONE, ada, at(9_999)), BAD);
  await assert.rejects(disassociate(), { code: 'NotFoundException' });

  assert.deepEqual(await associate(ONE.slice(1)), {});
  assert.equal(await primary(), ONE);
  const assigned = await number(ONE);
  const since = { AssociatedTimestamp: READY.now };
  assert.deepEqual(
    [assigned?.Status, assigned?.Associations],
    [
      'Assigned',
      [
        { Name: 'AccountId', Value: AccountId, ...since },
        { Name: 'UserId', Value: ada, ...since },
      ],
    ],
  );
  await assert.rejects(associate(TWO), BAD);
  await assert.rejects(associate(ONE, bob), BAD);
  await assert.rejects(run('DeletePhoneNumber', { PhoneNumberId: ONE }, READY), BAD);
  await run('BatchSuspendUser', { AccountId, UserIdList: [ada] }, READY);
  assert.equal(await primary(), ONE);
  assert.deepEqual(await disassociate(), {});
  assert.equal(await primary(), undefined);
  const free = await number(ONE);
  assert.deepEqual([free?.Status, free?.Associations], ['Unassigned', []]);
  await associate(ONE, bob);
});

test('DeleteAccount: after 90 days, the numbers of the users are Unassigned', async () => {
  const { store, run, order, number, people } = await open();
  const { AccountId, ids } = await people('ada');
  await order('BusinessCalling', [ONE]);
  await run('AssociatePhoneNumberWithUser', { AccountId, UserId: ids[0] as string, E164PhoneNumber: ONE }, READY);
  await run('BatchSuspendUser', { AccountId, UserIdList: ids }, READY);
  await run('DeleteAccount', { AccountId }, READY);
  assert.equal((await number(ONE))?.Status, 'Assigned');
  const now = instant(READY.now + 90 * 24 * 60 * 60_000);
  while ((await store.transaction((tx) => sweepDisabledAccounts(workFor(tx, now)))) === 'more');
  const free = await number(ONE, { now });
  assert.deepEqual([free?.Status, free?.Associations], ['Unassigned', []]);
});

test('UpdatePhoneNumberSettings: the default calling name changes once in seven days', async () => {
  const { run } = await open();
  const update = (CallingName: string, as: As = {}) => run('UpdatePhoneNumberSettings', { CallingName }, as);
  assert.deepEqual(await run('GetPhoneNumberSettings', {}), {});
  await update('myName');
  assert.deepEqual(await run('GetPhoneNumberSettings', {}), { CallingName: 'myName', CallingNameUpdatedTimestamp: START });
  await assert.rejects(update('myName', at(WEEK_MS - 1)), BAD);
  await update('Other', at(WEEK_MS));
  assert.equal((await run('GetPhoneNumberSettings', {})).CallingName, 'Other');
  assert.deepEqual(await run('GetPhoneNumberSettings', {}, { accountId: OTHER_ACCOUNT }), {});
});

test('CreateMeetingDialOut: a foreign number and the missing carrier are Forbidden', async () => {
  const { run, order } = await open();
  await order('BusinessCalling', [ONE]);
  const call = (FromPhoneNumber: string) =>
    run('CreateMeetingDialOut', { MeetingId: UNKNOWN_ID, FromPhoneNumber, ToPhoneNumber: UNKNOWN, JoinToken: 'token' }, READY);
  await assert.rejects(call(TWO), { code: 'ForbiddenException', message: 'FromPhoneNumber does not belong to this account.' });
  await assert.rejects(call(ONE), { code: 'ForbiddenException', message: 'This server has no carrier for telephone calls.' });
});
