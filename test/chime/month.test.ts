/** An administrator's month with Debian's AWS CLI and boto3: chime.md, section 9. Rows 1 to 9, 11, 17 and 18. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ChimeSDKMessagingClient, ListChannelMessagesCommand, SendChannelMessageCommand } from '@aws-sdk/client-chime-sdk-messaging';
import type { AccountId } from '#core/arn.ts';
import { chimeAppInstance } from '#services/chime-kit/chime-app-instance.ts';
import { trustAuthority } from '../kit/chat.ts';
import { startTestServer } from '../kit/server.ts';
import { register, verifyDomain } from './register.ts';

const SCRIPT = fileURLToPath(new URL('month.py', import.meta.url));
const server = await startTestServer();
const ENDPOINT = `${server.endpoint}/_chime`;
const OFFLINE = { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };

/** Runs a command of the AWS CLI. Resolves to its JSON, or to undefined if it prints nothing. */
async function aws(...args: readonly string[]) {
  const { stdout } = await promisify(execFile)('/usr/bin/aws', ['chime', ...args, '--endpoint-url', ENDPOINT, '--output', 'json'], {
    env: {
      ...OFFLINE,
      PATH: process.env['PATH'],
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    },
  });
  return stdout === '' ? undefined : JSON.parse(stdout);
}

test('CLI, rows 1 to 3: an account is opened, renamed, found by prefix, and gets settings', async () => {
  const { Account } = await aws('create-account', '--name', 'Example');
  const { AccountId, AwsAccountId, CreatedTimestamp, ...rest } = Account;
  assert.deepEqual(rest, {
    Name: 'Example',
    AccountType: 'Team',
    DefaultLicense: 'Pro',
    SupportedLicenses: ['Basic', 'Pro'],
    AccountStatus: 'Active',
  });
  assert.equal(AwsAccountId, server.accountId);
  const id = ['--account-id', AccountId];
  const settings = async () => (await aws('get-account-settings', ...id)).AccountSettings;
  assert.deepEqual(await settings(), { DisableRemoteControl: false, EnableDialOut: false });

  const renamed = (await aws('update-account', ...id, '--name', 'MyAccountName')).Account;
  assert.deepEqual([renamed.Name, renamed.CreatedTimestamp], ['MyAccountName', CreatedTimestamp]);
  assert.deepEqual((await aws('list-accounts', '--name', 'My')).Accounts, [renamed]);

  assert.equal(await aws('update-account-settings', ...id, '--account-settings', 'DisableRemoteControl=true'), undefined);
  assert.deepEqual(await settings(), { DisableRemoteControl: true, EnableDialOut: false });
});

test('boto3, rows 4 to 9: people are invited, register, change, and are removed and invited again', async () => {
  const python = async (step: string, ...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-W', 'ignore', SCRIPT, step, ...args], {
      env: { ...OFFLINE, ENDPOINT, KEY: server.credentials.accessKeyId, SECRET: server.credentials.secretAccessKey },
    });
    return JSON.parse(stdout);
  };
  const { account, ...invited } = await python('invite');
  assert.deepEqual(invited, {
    invites: [
      ['Pending', 'Sent'],
      ['Pending', 'Sent'],
    ],
    users: [
      ['Unregistered', 'Pending', null],
      ['Unregistered', 'Pending', null],
    ],
    many: 'ValidationException',
    created: 'BadRequestException',
    message: 'Service received a bad request',
  });
  const [first = '', second = ''] = await register(server, account, 'u1@month.example.com', 'u2@month.example.com');
  const { pins, ...changed } = await python('change', account, first, second);
  assert.equal(new Set(pins).size, 2);
  for (const pin of pins) assert.match(pin, /^\d{10}$/);
  assert.deepEqual(changed, {
    listed: ['Registered', 'Accepted', 'Pro', true, null],
    accounts: [account],
    errors: ['NotFound'],
    licenses: ['Basic', 'Basic'],
    again: [],
    suspended: [],
    status: 'Suspended',
    logout: 204,
  });
  await aws('invite-users', '--account-id', account, '--user-email-list', 'u2@month.example.com');
  assert.deepEqual(await register(server, account, 'u2@month.example.com'), [second]);
  const { User } = await aws('get-user', '--account-id', account, '--user-id', second);
  assert.equal(User.UserRegistrationStatus, 'Registered');
  assert.equal(await aws('logout-user', '--account-id', account, '--user-id', second), undefined);
});

test('CLI, rows 17 and 18: retention hides an old message until it is turned off, and a redacted message is gone', async () => {
  const { AccountId } = (await aws('create-account', '--name', 'Retention')).Account;
  const account = ['--account-id', AccountId];
  verifyDomain(server, AccountId, 'retention.example.com');
  const [userId = ''] = await register(server, AccountId, 'u1@retention.example.com');
  const { RoomId } = (await aws('create-room', ...account, '--name', 'chatRoom')).Room;
  const room = [...account, '--room-id', RoomId];
  await aws('create-room-membership', ...room, '--member-id', userId);
  trustAuthority(server.caFile);
  const messaging = new ChimeSDKMessagingClient(server.at('chime-sdk-messaging', server.credentials));
  const appInstance = chimeAppInstance(server.accountId as AccountId).appInstanceId;
  const inAppInstance = `arn:aws:chime:us-east-1:${server.accountId}:app-instance/${appInstance}`;
  const at = { ChannelArn: `${inAppInstance}/channel/${RoomId}`, ChimeBearer: `${inAppInstance}/user/${userId}` };
  const write = async (Content: string) =>
    await messaging.send(
      new SendChannelMessageCommand({ ...at, Content, Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: Content }),
    );
  const read = async () =>
    ((await messaging.send(new ListChannelMessagesCommand(at))).ChannelMessages ?? []).map((each) =>
      each.Redacted === true ? 'redacted' : each.Content,
    );
  const old = await write('old');
  const database = new DatabaseSync(join(server.dataFolder, 'belfry.db'), { timeout: 10_000 });
  database
    .prepare('UPDATE channel_message SET created_at_ms = created_at_ms - 31 * 86400000 WHERE message_id = ?')
    .run(old.MessageId as string);
  database.close();
  const { MessageId = '' } = await write('new');
  assert.deepEqual(await read(), ['new', 'old']);

  const before = Date.now();
  const put = (settings: string) => aws('put-retention-settings', ...account, '--retention-settings', settings);
  assert.equal(await put('RoomRetentionSettings={RetentionDays=30},ConversationRetentionSettings={RetentionDays=60}'), undefined);
  const { RetentionSettings, InitiateDeletionTimestamp } = await aws('get-retention-settings', ...account);
  assert.deepEqual(RetentionSettings, {
    RoomRetentionSettings: { RetentionDays: 30 },
    ConversationRetentionSettings: { RetentionDays: 60 },
  });
  const days = (Date.parse(InitiateDeletionTimestamp) - before) / 86_400_000;
  assert.ok(days >= 30 && days < 30.01, String(days));
  assert.deepEqual(await read(), ['new']);
  assert.equal(await put('{"RoomRetentionSettings":{}}'), undefined);
  assert.deepEqual(await read(), ['new', 'old']);

  assert.equal(await aws('redact-room-message', ...room, '--message-id', MessageId), undefined);
  assert.deepEqual(await read(), ['redacted', 'old']);
});
