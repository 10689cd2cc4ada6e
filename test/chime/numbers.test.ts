/** Phone numbers on a running server: the inventory of the operator, and the real SDK of both services. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as classic from '@aws-sdk/client-chime';
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import { otherAccount, startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import { listed } from '../kit/listed.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { belfry } from '../kit/process.ts';
import { until } from '../kit/until.ts';

const account = await startAccount();
const { server } = account;
const chime = account.chime();
const voice = account.voice();
const other = await otherAccount(server, 'other');
const folder = newFolder('numbers');

const number = (last: number) => `+120655501${String(last).padStart(2, '0')}`;
const HEADER = 'number,country,type,products,capabilities,area_code,state,city';
const line = (last: number) => `${number(last)},US,Local,BusinessCalling VoiceConnector,,206,WA,"Seattle"`;

/** Runs `belfry numbers …` on the server. */
const numbers = (...args: readonly string[]) => belfry(['numbers', ...args, '--data', server.dataFolder]);

function fileOf(...lines: readonly string[]): string {
  const file = join(folder, 'numbers.csv');
  writeFileSync(file, [HEADER, ...lines, ''].join('\n'));
  return file;
}

const LINES = Array.from({ length: 60 }, (_, i) => line(i));

test('belfry numbers import: a preview changes nothing, each wrong line is named, and a repeated import changes nothing', async () => {
  const wrong = [
    '12065550199,US,Local,VoiceConnector',
    '+18005550100,US,TollFree,BusinessCalling',
    '+442079460100,GB,Local,VoiceConnector',
    `${number(0)},US,Local,VoiceConnector`,
    '+18005550100,US,Local,VoiceConnector',
    '+12125550100,US,Local,VoiceConnector,,206',
    '+12125550101,US,Local,VoiceConnector,Fly',
  ];
  const file = fileOf(
    ...LINES,
    ...wrong,
    '+442079460101,GB,Local,SipMediaApplicationDialIn,InboundCall',
    '+18005550101,US,TollFree,VoiceConnector',
  );
  const preview = await numbers('import', file, '--preview');
  assert.deepEqual([preview.status, preview.stdout], [1, 'belfry numbers: preview: 62 added, 0 changed, 0 unchanged, 7 with errors\n']);
  assert.deepEqual(
    preview.stderr.split('\n').map((each) => each.replace(/^belfry numbers: (line \d+): .*$/, '$1')),
    [...wrong.map((_, i) => `line ${62 + i}`), ''],
  );
  assert.equal((await numbers('list')).stdout, 'NUMBER  COUNTRY  TYPE  PRODUCTS  PLACE  STATE\n');
  assert.equal((await numbers('import', file)).stdout, 'belfry numbers: 62 added, 0 changed, 0 unchanged, 7 with errors\n');
  assert.equal((await numbers('import', file)).stdout, 'belfry numbers: 0 added, 0 changed, 62 unchanged, 7 with errors\n');
  const rows = listed((await numbers('list')).stdout);
  assert.equal(rows.length, 62);
  const products = 'BusinessCalling VoiceConnector';
  assert.deepEqual(Object.values(rows[0] ?? {}), [number(0), 'US', 'Local', products, '206 WA seattle', 'free']);
  const changed = await numbers('import', fileOf(line(59).replace('BusinessCalling ', '')));
  assert.deepEqual([changed.status, changed.stdout], [0, 'belfry numbers: 0 added, 1 changed, 0 unchanged, 0 with errors\n']);
  assert.deepEqual(await numbers('remove', number(59), number(99)), {
    ...{ status: 1, stdout: 'belfry numbers: 1 removed\n', stderr: `belfry numbers: number '${number(99)}' does not exist\n` },
  });
});

test('SDK of chime: numbers are found and ordered', async () => {
  const { E164PhoneNumbers } = await chime.send(new classic.SearchAvailablePhoneNumbersCommand({ AreaCode: '206', MaxResults: 2 }));
  assert.deepEqual(E164PhoneNumbers, [number(0), number(1)]);
  const { PhoneNumberOrder } = await chime.send(
    new classic.CreatePhoneNumberOrderCommand({ ProductType: 'BusinessCalling', E164PhoneNumbers }),
  );
  const { PhoneNumberOrderId } = PhoneNumberOrder ?? {};
  await until(
    async () =>
      (await chime.send(new classic.GetPhoneNumberOrderCommand({ PhoneNumberOrderId }))).PhoneNumberOrder?.Status === 'Successful',
    () => 'the order is not final',
  );
});

test('SDK of chime: each operation answers with the shapes and the status of the model', async () => {
  const { PhoneNumberCountries } = await chime.send(
    new classic.ListSupportedPhoneNumberCountriesCommand({ ProductType: 'BusinessCalling' }),
  );
  assert.deepEqual(PhoneNumberCountries, [{ CountryCode: 'US', SupportedPhoneNumberTypes: ['Local'] }]);
  const search = await chime.send(new classic.SearchAvailablePhoneNumbersCommand({ State: 'WA', City: 'Seattle', MaxResults: 1 }));
  assert.deepEqual(search.E164PhoneNumbers, [number(2)]);
  const { PhoneNumber } = await chime.send(new classic.UpdatePhoneNumberCommand({ PhoneNumberId: number(0), CallingName: 'Acme' }));
  assert.deepEqual([PhoneNumber?.CallingNameStatus, PhoneNumber?.CreatedTimestamp instanceof Date], ['UpdateInProgress', true]);
  const items = [{ PhoneNumberId: number(99), CallingName: 'Acme' }];
  const { PhoneNumberErrors } = await chime.send(new classic.BatchUpdatePhoneNumberCommand({ UpdatePhoneNumberRequestItems: items }));
  assert.deepEqual(
    PhoneNumberErrors?.map(({ ErrorCode }) => ErrorCode),
    ['NotFound'],
  );
  assert.equal((await chime.send(new classic.ListPhoneNumberOrdersCommand({}))).PhoneNumberOrders?.length, 1);
  const { $metadata } = await chime.send(new classic.DeletePhoneNumberCommand({ PhoneNumberId: number(1) }));
  assert.equal($metadata.httpStatusCode, 204);
  await chime.send(new classic.RestorePhoneNumberCommand({ PhoneNumberId: number(1) }));
  const dial = {
    MeetingId: 'a6b1e9b0-0000-4000-8000-999999999999',
    FromPhoneNumber: number(0),
    ToPhoneNumber: number(1),
    JoinToken: 'token',
  };
  const { name, status, message } = await refusalOf(chime.send(new classic.CreateMeetingDialOutCommand(dial)));
  assert.deepEqual([name, status, message], ['ForbiddenException', 403, 'This server has no carrier for telephone calls.']);
  const unknown = await refusalOf(chime.send(new classic.GetPhoneNumberCommand({ PhoneNumberId: number(2) })));
  assert.deepEqual([unknown.status, unknown.message], [404, `Could not find PhoneNumber with Id '${number(2)}'`]);
});

test('SDK of voice: the numbers of chime are visible, and numbers are given to a connector and a group', async () => {
  const { PhoneNumbers = [] } = await voice.send(new sdk.ListPhoneNumbersCommand({}));
  assert.deepEqual(
    PhoneNumbers.map(({ E164PhoneNumber }) => E164PhoneNumber),
    [number(0), number(1)],
  );
  await voice.send(new sdk.UpdatePhoneNumberCommand({ PhoneNumberId: number(1), ProductType: 'VoiceConnector' }));
  const created = await voice.send(new sdk.CreateVoiceConnectorCommand({ Name: 'trunk', RequireEncryption: true }));
  const VoiceConnectorId = created.VoiceConnector?.VoiceConnectorId as string;
  const { VoiceConnectorGroup } = await voice.send(new sdk.CreateVoiceConnectorGroupCommand({ Name: 'group' }));
  const VoiceConnectorGroupId = VoiceConnectorGroup?.VoiceConnectorGroupId as string;
  const E164PhoneNumbers = [number(1), number(99)];
  const own = { VoiceConnectorId, E164PhoneNumbers };
  const { PhoneNumberErrors: errors } = await voice.send(new sdk.AssociatePhoneNumbersWithVoiceConnectorCommand(own));
  assert.deepEqual(
    errors?.map(({ PhoneNumberId, ErrorCode }) => [PhoneNumberId, ErrorCode]),
    [[number(99), 'NotFound']],
  );
  const conflict = await refusalOf(voice.send(new sdk.DeleteVoiceConnectorCommand({ VoiceConnectorId })));
  assert.deepEqual([conflict.name, conflict.status], ['ConflictException', 409]);
  const group = { VoiceConnectorGroupId, E164PhoneNumbers };
  await voice.send(new sdk.AssociatePhoneNumbersWithVoiceConnectorGroupCommand({ ...group, ForceAssociate: true }));
  const { PhoneNumber } = await voice.send(new sdk.GetPhoneNumberCommand({ PhoneNumberId: number(1) }));
  assert.deepEqual([PhoneNumber?.Status, PhoneNumber?.Associations?.[0]?.Value], ['Assigned', VoiceConnectorGroupId]);
  const filter = { FilterName: 'VoiceConnectorGroupId', FilterValue: VoiceConnectorGroupId } as const;
  assert.equal((await voice.send(new sdk.ListPhoneNumbersCommand(filter))).PhoneNumbers?.length, 1);
  const absent = await voice.send(new sdk.DisassociatePhoneNumbersFromVoiceConnectorCommand(own));
  assert.equal(absent.PhoneNumberErrors?.length, 2);
  await voice.send(new sdk.DisassociatePhoneNumbersFromVoiceConnectorGroupCommand(group));
  await voice.send(new sdk.DeleteVoiceConnectorCommand({ VoiceConnectorId }));
  await voice.send(new sdk.DeleteVoiceConnectorGroupCommand({ VoiceConnectorGroupId }));
  const batch = await voice.send(new sdk.BatchDeletePhoneNumberCommand({ PhoneNumberIds: [number(1)] }));
  assert.deepEqual(batch.PhoneNumberErrors, []);
  await voice.send(new sdk.RestorePhoneNumberCommand({ PhoneNumberId: number(1) }));
});

test('Accounts: of 20 concurrent orders of two accounts for each number, one gets it', async () => {
  const wanted = Array.from({ length: 10 }, (_, i) => number(10 + i));
  const orders = wanted.flatMap((each) =>
    [chime, other.chime()].map((client) =>
      client.send(new classic.CreatePhoneNumberOrderCommand({ ProductType: 'BusinessCalling', E164PhoneNumbers: [each] })),
    ),
  );
  await Promise.all(orders);
  const ownedBy = async (client: classic.ChimeClient) => {
    const { PhoneNumbers = [] } = await client.send(new classic.ListPhoneNumbersCommand({ Status: 'AcquireInProgress' }));
    return PhoneNumbers.map(({ E164PhoneNumber }) => E164PhoneNumber);
  };
  assert.deepEqual([...(await ownedBy(chime)), ...(await ownedBy(other.chime()))].sort(), wanted);
  const removed = await numbers('remove', number(10));
  assert.deepEqual([removed.status, removed.stderr], [1, `belfry numbers: number '${number(10)}' belongs to an account\n`]);
  const used = await numbers('import', fileOf(line(10).replace('VoiceConnector', '')));
  assert.match(used.stderr, /line 2: number '\+12065550110' belongs to an account, so its data cannot change/);
});

test('Authorization: a permission on * is required, and a denied caller does not learn whether a number exists', async () => {
  const ada = account.chime(await account.user('ada', allow('chime:GetPhoneNumber')));
  assert.equal((await ada.send(new classic.GetPhoneNumberCommand({ PhoneNumberId: number(0) }))).PhoneNumber?.E164PhoneNumber, number(0));
  for (const PhoneNumberId of [number(0), number(99)]) {
    const { name, status } = await refusalOf(ada.send(new classic.DeletePhoneNumberCommand({ PhoneNumberId })));
    assert.deepEqual([name, status], ['ForbiddenException', 403]);
  }
});
