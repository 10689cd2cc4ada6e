/** Phone numbers on a running server: the inventory of the operator, the real SDK of both services, Debian's CLI and boto3 (chime.md §9, rows 14 to 16). */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as classic from '@aws-sdk/client-chime';
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import { otherAccount, startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import { listed } from '../kit/listed.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { belfry } from '../kit/process.ts';
import { until } from '../kit/until.ts';
import { register } from './register.ts';

const account = await startAccount();
const { server } = account;
const chime = account.chime();
const voice = account.voice();
const other = await otherAccount(server, 'other');
const folder = newFolder('numbers');
const OFFLINE = { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
const SCRIPT = fileURLToPath(new URL('number_month.py', import.meta.url));

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

/** Runs a command of the AWS CLI. Resolves to its JSON, or to undefined if it prints nothing. */
async function aws(...args: readonly string[]) {
  const endpoint = ['--endpoint-url', `${server.endpoint}/_chime`, '--output', 'json'];
  const { stdout } = await promisify(execFile)('/usr/bin/aws', ['chime', ...args, ...endpoint], {
    env: {
      ...{ ...OFFLINE, PATH: process.env['PATH'], AWS_REGION: 'us-east-1' },
      ...{ AWS_ACCESS_KEY_ID: server.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey },
    },
  });
  return stdout === '' ? undefined : JSON.parse(stdout);
}

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

test('CLI, rows 14 to 16: numbers are found and ordered, given to a user, deleted and restored; the calling name is set', async () => {
  const found: readonly [string, string] = (await aws('search-available-phone-numbers', '--area-code', '206', '--max-results', '2'))
    .E164PhoneNumbers;
  assert.deepEqual(found, [number(0), number(1)]);
  const product = ['--product-type', 'BusinessCalling'];
  const { PhoneNumberOrder } = await aws('create-phone-number-order', ...product, '--e164-phone-numbers', ...found);
  assert.deepEqual([PhoneNumberOrder.Status, PhoneNumberOrder.OrderedPhoneNumbers[0].Status], ['Processing', 'Processing']);
  await until(
    async () => (await chime.send(new classic.GetPhoneNumberOrderCommand(PhoneNumberOrder))).PhoneNumberOrder?.Status === 'Successful',
    () => 'the order is not final',
  );
  const final = (await aws('get-phone-number-order', '--phone-number-order-id', PhoneNumberOrder.PhoneNumberOrderId)).PhoneNumberOrder;
  assert.deepEqual(final.OrderedPhoneNumbers[0], { E164PhoneNumber: number(0), Status: 'Acquired' });

  const { Account } = await aws('create-account', '--name', 'Numbers');
  const AccountId = Account.AccountId as string;
  await chime.send(new classic.InviteUsersCommand({ AccountId, UserEmailList: ['u1@numbers.example.com'] }));
  const [UserId = ''] = await register(server, AccountId, 'u1@numbers.example.com');
  const user = ['--account-id', AccountId, '--user-id', UserId];
  const id = ['--phone-number-id', found[0]];
  assert.equal(await aws('associate-phone-number-with-user', ...user, '--e164-phone-number', found[0]), undefined);
  assert.equal((await aws('get-user', ...user)).User.PrimaryProvisionedNumber, found[0]);
  const { Telephony } = (await aws('get-user-settings', ...user)).UserSettings;
  assert.deepEqual(Telephony, { InboundCalling: false, OutboundCalling: false, SMS: false });
  await assert.rejects(aws('delete-phone-number', ...id), /BadRequestException.*Service received a bad request/s);
  assert.equal(await aws('disassociate-phone-number-from-user', ...user), undefined);
  assert.equal(await aws('delete-phone-number', ...id), undefined);
  assert.equal((await aws('restore-phone-number', ...id)).PhoneNumber.Status, 'Unassigned');

  assert.equal(await aws('update-phone-number-settings', '--calling-name', 'myName'), undefined);
  assert.equal((await aws('get-phone-number-settings')).CallingName, 'myName');
  await assert.rejects(aws('update-phone-number-settings', '--calling-name', 'myName'), /BadRequestException/);
});

test('boto3, row 15: a number has an encoded ID, and is deleted and restored', async () => {
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-W', 'ignore', SCRIPT, number(0)], {
    env: { ...OFFLINE, ENDPOINT: server.endpoint, KEY: server.credentials.accessKeyId, SECRET: server.credentials.secretAccessKey },
  });
  assert.deepEqual(JSON.parse(stdout), {
    ...{ id: number(0).replace('+', '%2B'), same: true, again: 'NotFoundException', batch: ['NotFound'], restored: 'Unassigned' },
    listed: [number(0), number(1)],
  });
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
