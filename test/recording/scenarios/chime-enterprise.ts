import assert from 'node:assert/strict';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { askControl, type ControlRequest } from '#server/operator/ask-control.ts';
import { callChime } from '../../../src/cli/chime-operations.ts';
import { linkTo } from '../../chime/mailbox.ts';
import { startNameServer } from '../../chime/name-server.ts';
import type { Keys } from '../../kit/keys.ts';
import { until } from '../../kit/until.ts';
import { browser } from '../../sign-in/browser.ts';
import type { AnyOutput, Recorder } from '../recorder.ts';

/** Resolver of the recorded server. */
export const nameServer = await startNameServer();

const DOMAIN = 'recorded.example.com';
const NUMBERS = ['+12065550100', '+12065550101', '+12065550102'] as const;

/**
 * Records an Enterprise account of Amazon Chime with people, rooms, conversations, bots and phone numbers, and the phone numbers of Voice Connectors. People
 * register on the pages of the server, and the domain is verified by DNS. These steps are not recorded.
 */
export async function chimeEnterprise(recorder: Recorder): Promise<readonly Keys[]> {
  const { accountId, server } = recorder;
  const { ok } = recorder.of('chime');
  const operate = async (request: ControlRequest) => {
    const reply = await askControl(server.dataFolder, request);
    assert.ok(reply.ok, JSON.stringify(reply));
    return reply;
  };
  const { AccountId } = (await ok('CreateAccount', { Name: 'Enterprise' })).Account;
  const [ada = '', bob = ''] = [await registered(recorder, AccountId, 'ada'), await registered(recorder, AccountId, 'bob')];
  await verifyDomain(recorder, AccountId);
  const ordered = await order(recorder, operate);

  await ok('ResetPersonalPIN', { AccountId, UserId: ada });
  await ok('BatchSuspendUser', { AccountId, UserIdList: [bob] });
  await ok('BatchUnsuspendUser', { AccountId, UserIdList: [bob] });
  await ok('PutRetentionSettings', { AccountId, RetentionSettings: { RoomRetentionSettings: { RetentionDays: 30 } } });
  await ok('GetRetentionSettings', { AccountId });
  await rooms(recorder, AccountId, ada, bob);
  await bots(recorder, AccountId);
  // A bucket needs a place for contents, which the server on PostgreSQL does not have. An empty group removes its bucket.
  await ok('UpdateGlobalSettings', { BusinessCalling: {} });
  await numbers(recorder, AccountId, ada, ordered);
  await own(recorder, 'UpdateAccountOpenIdConfig', {
    AccountId,
    Issuer: 'https://id.example.com',
    ClientId: 'c',
    ClientSecret: 'openid-secret',
  });
  await ok('CreateUser', { AccountId, Username: 'room device', Email: `device@${DOMAIN}`, UserType: 'SharedDevice' });

  // A calling name can be set once in seven days, and Chime SDK Voice has set that of the first account.
  const { administrator } = await operate({ command: 'account create', name: 'second' });
  assert.ok(administrator);
  const keys: Keys = { accessKeyId: administrator.accessKeyId, secretAccessKey: administrator.secretAccessKey };
  recorder.name(administrator.accountId, 'second account');
  assert.notEqual(administrator.accountId, accountId);
  await ok('UpdatePhoneNumberSettings', { CallingName: 'Second' }, keys);
  return [keys];
}

/** Invites a person, who accepts on the page of the invitation. Resolves to their user ID. */
async function registered({ of, server }: Recorder, AccountId: string, name: string): Promise<string> {
  const { ok } = of('chime');
  const address = `${name}@${DOMAIN}`;
  await ok('InviteUsers', { AccountId, UserEmailList: [address] });
  const { token } = await linkTo(address, [server.dataFolder]);
  const password = 'Correct-Horse-7';
  const form = new URLSearchParams({ token, displayName: name, password, again: password });
  const page = await browser(server.endpoint).post('/chime/invitation', form.toString());
  assert.equal(page.status, 303, page.text);
  return (await ok('ListUsers', { AccountId, UserEmail: address })).Users[0].UserId;
}

/** Calls an operation that Belfry adds to Amazon Chime. The call is not recorded. */
async function own({ server }: Recorder, name: string, input: object): Promise<AnyOutput> {
  const connection = { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials };
  const { status, body } = await callChime(connection, loadModel('chime').operations[name] as OperationModel, input);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

async function verifyDomain(recorder: Recorder, AccountId: string): Promise<void> {
  const { Domain } = await own(recorder, 'AddDomain', { AccountId, DomainName: DOMAIN });
  nameServer.records.set(Domain.RecordName, [[Domain.RecordValue]]);
  const isVerified = async () => (await own(recorder, 'GetDomain', { AccountId, DomainName: DOMAIN })).Domain.DomainStatus === 'Verified';
  await until(isVerified, () => `the domain '${DOMAIN}' is not verified`);
  await recorder.ok('chime', 'GetAccount', { AccountId });
}

/** Imports numbers and orders them. Resolves to the orders, which are final after 10 seconds. */
async function order({ of }: Recorder, operate: (request: ControlRequest) => Promise<unknown>): Promise<readonly string[]> {
  const rows = NUMBERS.map((number, i) => ({
    line: i + 1,
    fields: {
      number,
      country: 'US',
      type: 'Local',
      products: 'BusinessCalling VoiceConnector',
      area_code: '206',
      state: 'WA',
      city: 'Seattle',
    },
  }));
  await operate({ command: 'numbers import', rows, isPreview: false });
  const [classic, voice] = [of('chime'), of('chime-sdk-voice')];
  await classic.ok('SearchAvailablePhoneNumbers', { AreaCode: '206' });
  const first = await classic.ok('CreatePhoneNumberOrder', { ProductType: 'BusinessCalling', E164PhoneNumbers: [NUMBERS[0]] });
  const second = await voice.ok('CreatePhoneNumberOrder', { ProductType: 'VoiceConnector', E164PhoneNumbers: [NUMBERS[1], NUMBERS[2]] });
  return [first.PhoneNumberOrder.PhoneNumberOrderId, second.PhoneNumberOrder.PhoneNumberOrderId];
}

async function rooms({ of, accountId }: Recorder, AccountId: string, ada: string, bob: string): Promise<void> {
  const { ok } = of('chime');
  const { RoomId } = (await ok('CreateRoom', { AccountId, Name: 'Lobby' })).Room;
  const room = { AccountId, RoomId };
  await ok('GetRoom', room);
  await ok('ListRooms', { AccountId });
  await ok('UpdateRoom', { ...room, Name: 'Hall' });
  await ok('CreateRoomMembership', { ...room, MemberId: ada });
  await ok('UpdateRoomMembership', { ...room, MemberId: ada, Role: 'Administrator' });
  await ok('ListRoomMemberships', room);
  await ok('BatchCreateRoomMembership', { ...room, MembershipItemList: [{ MemberId: bob }] });

  const messaging = of('chime-sdk-messaging');
  const { AppInstances } = await of('chime-sdk-identity').ok('ListAppInstances');
  const AppInstanceArn = AppInstances.find(({ Name }: AnyOutput) => Name === 'Amazon Chime').AppInstanceArn;
  assert.ok(AppInstanceArn.includes(accountId));
  const ChimeBearer = `${AppInstanceArn}/user/${ada}`;
  const message = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT', ChimeBearer };
  const sent = await messaging.ok('SendChannelMessage', {
    ...message,
    ChannelArn: `${AppInstanceArn}/channel/${RoomId}`,
    ClientRequestToken: 'in-a-room',
  });
  await ok('RedactRoomMessage', { ...room, MessageId: sent.MessageId });
  const { ChannelArn } = await messaging.ok('CreateChannel', { AppInstanceArn, Name: 'talk', ClientRequestToken: 'talk', ChimeBearer });
  const { MessageId } = await messaging.ok('SendChannelMessage', { ...message, ChannelArn, ClientRequestToken: 'in-a-conversation' });
  await ok('RedactConversationMessage', { AccountId, ConversationId: ChannelArn.split('/').at(-1), MessageId });
  await ok('DeleteRoomMembership', { ...room, MemberId: bob });
  await ok('DeleteRoom', room);
}

async function bots({ of, accountId }: Recorder, AccountId: string): Promise<void> {
  const { ok } = of('chime');
  const { BotId } = (await ok('CreateBot', { AccountId, DisplayName: 'helper', Domain: DOMAIN })).Bot;
  const bot = { AccountId, BotId };
  await ok('GetBot', bot);
  await ok('ListBots', { AccountId });
  await ok('RegenerateSecurityToken', bot);
  await ok('PutEventsConfiguration', { ...bot, LambdaFunctionArn: `arn:aws:lambda:us-east-1:${accountId}:function:helper` });
  await ok('GetEventsConfiguration', bot);
  await ok('DeleteEventsConfiguration', bot);
  await ok('UpdateBot', { ...bot, Disabled: true });
}

async function numbers({ of, server }: Recorder, AccountId: string, UserId: string, orders: readonly string[]): Promise<void> {
  const [classic, voice] = [of('chime'), of('chime-sdk-voice')];
  const { ChimeClient, GetPhoneNumberOrderCommand } = await import('@aws-sdk/client-chime');
  const reader = new ChimeClient(server.at('chime', server.credentials));
  for (const PhoneNumberOrderId of orders) {
    const status = async () => (await reader.send(new GetPhoneNumberOrderCommand({ PhoneNumberOrderId }))).PhoneNumberOrder?.Status;
    await until(
      async () => (await status()) === 'Successful',
      () => 'the order is not final',
    );
  }
  const [PhoneNumberId, ...ofVoice] = NUMBERS.map(encodeURIComponent);
  await classic.ok('GetPhoneNumberOrder', { PhoneNumberOrderId: orders[0] });
  await classic.ok('GetPhoneNumber', { PhoneNumberId });
  await classic.ok('UpdatePhoneNumber', { PhoneNumberId, CallingName: 'Recorded' });
  await classic.ok('AssociatePhoneNumberWithUser', { AccountId, UserId, E164PhoneNumber: NUMBERS[0] });
  await classic.ok('DisassociatePhoneNumberFromUser', { AccountId, UserId });
  await classic.ok('DeletePhoneNumber', { PhoneNumberId });
  await classic.ok('RestorePhoneNumber', { PhoneNumberId });

  await voice.ok('GetPhoneNumberOrder', { PhoneNumberOrderId: orders[1] });
  await voice.ok('GetPhoneNumber', { PhoneNumberId: ofVoice[0] });
  await voice.ok('UpdatePhoneNumber', { PhoneNumberId: ofVoice[0], Name: 'Recorded' });
  const connector = (await voice.ok('CreateVoiceConnector', { Name: 'numbers', RequireEncryption: true })).VoiceConnector;
  const { VoiceConnectorId } = connector;
  const E164PhoneNumbers = [NUMBERS[1]];
  await voice.ok('AssociatePhoneNumbersWithVoiceConnector', { VoiceConnectorId, E164PhoneNumbers });
  await voice.ok('DisassociatePhoneNumbersFromVoiceConnector', { VoiceConnectorId, E164PhoneNumbers });
  const { VoiceConnectorGroupId } = (await voice.ok('CreateVoiceConnectorGroup', { Name: 'numbers' })).VoiceConnectorGroup;
  await voice.ok('AssociatePhoneNumbersWithVoiceConnectorGroup', { VoiceConnectorGroupId, E164PhoneNumbers });
  await voice.ok('DisassociatePhoneNumbersFromVoiceConnectorGroup', { VoiceConnectorGroupId, E164PhoneNumbers });
  await voice.ok('DeletePhoneNumber', { PhoneNumberId: ofVoice[1] });
  await voice.ok('RestorePhoneNumber', { PhoneNumberId: ofVoice[1] });
}
