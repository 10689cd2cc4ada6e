import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import { seattleNumber, stock } from '../chime-kit/inventory-fixture.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START, UNKNOWN } from './fixture.ts';

const [ONE, TWO, THREE] = ['+12065550101', '+12065550102', '+12065550103'] as const;
const FOREIGN = '+12065559999';
const READY = { now: instant(START + 10_000) };
const NOT_FOUND = { code: 'NotFoundException', message: 'Could not find the phone number.' };
const BAD = { code: 'BadRequestException', message: 'Service received a bad request' };
const missing = (PhoneNumberId: string) => ({ PhoneNumberId, ErrorCode: 'NotFound', ErrorMessage: NOT_FOUND.message });
const NO_CONNECTOR = '0000000000000000000000';

/** Opens the operations with three numbers of the account: two for Voice Connectors, and one for SIP media applications. */
async function open() {
  const fixture = await openFixture();
  const { store, run } = fixture;
  await stock(store, ...[ONE, TWO, THREE, FOREIGN].map((number) => seattleNumber(number)));
  const { PhoneNumberOrder: order } = await run('CreatePhoneNumberOrder', {
    ...{ ProductType: 'VoiceConnector', E164PhoneNumbers: [ONE, TWO], Name: 'Front desk' },
  });
  await run('CreatePhoneNumberOrder', { ProductType: 'SipMediaApplicationDialIn', E164PhoneNumbers: [THREE] });
  await run('CreatePhoneNumberOrder', { ProductType: 'VoiceConnector', E164PhoneNumbers: [FOREIGN] }, { accountId: OTHER_ACCOUNT });
  const number = async (PhoneNumberId: string) => (await run('GetPhoneNumber', { PhoneNumberId }, READY)).PhoneNumber;
  const list = async (input: Parameters<typeof run<'ListPhoneNumbers'>>[1]) =>
    (await run('ListPhoneNumbers', input, READY)).PhoneNumbers?.map(({ E164PhoneNumber }) => E164PhoneNumber);
  const group = async () =>
    (await run('CreateVoiceConnectorGroup', { Name: 'group' })).VoiceConnectorGroup?.VoiceConnectorGroupId as string;
  return { ...fixture, order, number, list, group };
}

test('Phone numbers: orders, numbers and lists have the members of this service', async () => {
  const { run, order, number, list } = await open();
  const PhoneNumberOrderId = order?.PhoneNumberOrderId as string;
  assert.deepEqual([order?.OrderType, order?.Status], ['New', 'Processing']);
  const { PhoneNumberOrder: final } = await run('GetPhoneNumberOrder', { PhoneNumberOrderId }, READY);
  assert.deepEqual([final?.Status, final?.OrderedPhoneNumbers?.[0]?.Status], ['Successful', 'Acquired']);
  assert.equal((await run('ListPhoneNumberOrders', {})).PhoneNumberOrders?.length, 2);
  await assert.rejects(run('GetPhoneNumberOrder', { PhoneNumberOrderId: UNKNOWN }), {
    ...{ code: 'NotFoundException', message: `Could not find PhoneNumberOrder with Id '${UNKNOWN}'` },
  });
  const one = await number('%2B12065550101');
  assert.deepEqual(
    [one?.OrderId, one?.Name, one?.PhoneNumberArn],
    [PhoneNumberOrderId, 'Front desk', `arn:aws:chime:us-east-1:${ACCOUNT}:phone-number/${ONE}`],
  );
  await assert.rejects(number(FOREIGN), NOT_FOUND);
  assert.deepEqual(await list({ ProductType: 'VoiceConnector' }), [ONE, TWO]);
  assert.deepEqual(await list({ Status: 'Unassigned' }), [ONE, TWO, THREE]);
  assert.deepEqual(await list({ Status: 'PortinInProgress' }), []);
  await assert.rejects(list({ Status: 'unknown' }), BAD);
  assert.deepEqual((await run('SearchAvailablePhoneNumbers', { AreaCode: '206' })).E164PhoneNumbers, []);
  const { PhoneNumberCountries } = await run('ListSupportedPhoneNumberCountries', { ProductType: 'VoiceConnector' });
  assert.deepEqual(PhoneNumberCountries, [{ CountryCode: 'US', SupportedPhoneNumberTypes: ['Local'] }]);
});

test('UpdatePhoneNumber: one of product, calling name and name changes; errors do not show the number', async () => {
  const { run, number } = await open();
  const update = (PhoneNumberId: string, change: object) => run('UpdatePhoneNumber', { PhoneNumberId, ...change }, READY);
  await assert.rejects(update(ONE, { Name: 'Desk', CallingName: 'Acme' }), BAD);
  await assert.rejects(update(FOREIGN, { Name: 'Desk' }), NOT_FOUND);
  assert.equal((await update(ONE, { Name: '' })).PhoneNumber?.Name, undefined);
  assert.equal((await update(ONE, { Name: 'Desk' })).PhoneNumber?.Name, 'Desk');
  const items = [FOREIGN, TWO].map((PhoneNumberId) => ({ PhoneNumberId, ProductType: 'SipMediaApplicationDialIn' as const }));
  const { PhoneNumberErrors } = await run('BatchUpdatePhoneNumber', { UpdatePhoneNumberRequestItems: items }, READY);
  assert.deepEqual(PhoneNumberErrors, [missing(FOREIGN)]);
  assert.equal((await number(TWO))?.ProductType, 'SipMediaApplicationDialIn');
});

test('DeletePhoneNumber, BatchDeletePhoneNumber, RestorePhoneNumber: the deletion queue', async () => {
  const { run, list } = await open();
  await run('DeletePhoneNumber', { PhoneNumberId: ONE }, READY);
  const { PhoneNumberErrors } = await run('BatchDeletePhoneNumber', { PhoneNumberIds: [ONE, TWO] }, READY);
  assert.deepEqual(PhoneNumberErrors, [missing(ONE)]);
  assert.deepEqual(await list({ Status: 'ReleaseInProgress' }), [ONE, TWO]);
  assert.equal((await run('RestorePhoneNumber', { PhoneNumberId: ONE }, READY)).PhoneNumber?.Status, 'Unassigned');
  await assert.rejects(run('RestorePhoneNumber', { PhoneNumberId: ONE }, READY), NOT_FOUND);
});

test('AssociatePhoneNumbersWithVoiceConnector: numbers are Assigned until they are taken away; each failure is reported', async () => {
  const { run, connector, number, list } = await open();
  const VoiceConnectorId = await connector();
  const associate = (E164PhoneNumbers: readonly string[], more: object = {}) =>
    run('AssociatePhoneNumbersWithVoiceConnector', { VoiceConnectorId, E164PhoneNumbers, ...more }, READY);
  const disassociate = (E164PhoneNumbers: readonly string[]) =>
    run('DisassociatePhoneNumbersFromVoiceConnector', { VoiceConnectorId, E164PhoneNumbers }, READY);
  const unknown = { code: 'NotFoundException', message: `Could not find VoiceConnector with Id '${NO_CONNECTOR}'` };
  await assert.rejects(associate([ONE], { VoiceConnectorId: NO_CONNECTOR }), unknown);
  await assert.rejects(associate([]), BAD);
  await assert.rejects(associate(Array.from({ length: 51 }, () => ONE)), BAD);
  assert.deepEqual(await associate([ONE, FOREIGN, THREE, ONE]), {
    PhoneNumberErrors: [missing(FOREIGN), { PhoneNumberId: THREE, ErrorCode: 'BadRequest', ErrorMessage: BAD.message }],
  });
  const assigned = await number(ONE);
  const association = { Name: 'VoiceConnectorId', Value: VoiceConnectorId, AssociatedTimestamp: READY.now };
  assert.deepEqual([assigned?.Status, assigned?.Associations], ['Assigned', [association]]);
  const ofConnector = { FilterName: 'VoiceConnectorId', FilterValue: VoiceConnectorId } as const;
  assert.deepEqual(await list(ofConnector), [ONE]);
  await assert.rejects(run('DeletePhoneNumber', { PhoneNumberId: ONE }, READY), BAD);
  const exists = { code: 'ConflictException', members: { Code: 'PhoneNumberAssociationsExist' } };
  await assert.rejects(run('DeleteVoiceConnector', { VoiceConnectorId }), exists);

  assert.deepEqual(await disassociate([TWO, ONE]), { PhoneNumberErrors: [missing(TWO)] });
  assert.deepEqual([(await number(ONE))?.Status, await list(ofConnector)], ['Unassigned', []]);
  await run('DeleteVoiceConnector', { VoiceConnectorId });
});

test('AssociatePhoneNumbersWithVoiceConnectorGroup: an existing association is replaced only with ForceAssociate', async () => {
  const { run, connector, number, group } = await open();
  const [VoiceConnectorId, VoiceConnectorGroupId] = [await connector(), await group()];
  await run('AssociatePhoneNumbersWithVoiceConnector', { VoiceConnectorId, E164PhoneNumbers: [ONE] }, READY);
  const associate = (ForceAssociate?: boolean) =>
    run(
      'AssociatePhoneNumbersWithVoiceConnectorGroup',
      {
        ...{ VoiceConnectorGroupId, E164PhoneNumbers: [ONE] },
        ...(ForceAssociate !== undefined && { ForceAssociate }),
      },
      READY,
    );
  const refused = [{ PhoneNumberId: ONE, ErrorCode: 'PhoneNumberAssociationsExist', ErrorMessage: 'The phone number has an association.' }];
  assert.deepEqual(await associate(), { PhoneNumberErrors: refused });
  assert.deepEqual(await associate(false), { PhoneNumberErrors: refused });
  assert.equal((await number(ONE))?.Associations?.[0]?.Name, 'VoiceConnectorId');
  assert.deepEqual(await associate(true), { PhoneNumberErrors: [] });
  assert.deepEqual(
    (await number(ONE))?.Associations?.map(({ Name, Value }) => [Name, Value]),
    [['VoiceConnectorGroupId', VoiceConnectorGroupId]],
  );
  await run('DeleteVoiceConnector', { VoiceConnectorId });
  await assert.rejects(run('DeleteVoiceConnectorGroup', { VoiceConnectorGroupId }), {
    ...{ code: 'ConflictException', members: { Code: 'PhoneNumberAssociationsExist' } },
  });
  const numbers = { VoiceConnectorGroupId, E164PhoneNumbers: [ONE] };
  assert.deepEqual(await run('DisassociatePhoneNumbersFromVoiceConnectorGroup', numbers, READY), { PhoneNumberErrors: [] });
  await run('DeleteVoiceConnectorGroup', { VoiceConnectorGroupId });
});
