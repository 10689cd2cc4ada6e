/** People of Amazon Chime chat in a room: registration, sign-in, credentials of the role of people, and messaging sessions. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  BatchCreateRoomMembershipCommand,
  BatchSuspendUserCommand,
  CreateAccountCommand,
  CreateRoomCommand,
  InviteUsersCommand,
  ListUsersCommand,
  RedactRoomMessageCommand,
} from '@aws-sdk/client-chime';
import { ListChannelMessagesCommand, SendChannelMessageCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { AssumeRoleWithWebIdentityCommand } from '@aws-sdk/client-sts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { startAccount } from '../kit/account.ts';
import { trustAuthority } from '../kit/chat.ts';
import type { Keys } from '../kit/keys.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { connect } from '../messaging-sessions/client.ts';
import { browser } from '../sign-in/browser.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { linkTo } from './mailbox.ts';
import { verifyDomain } from './register.ts';

const PASSWORD = 'Correct-Horse-7';
const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();

/** Starts a server with an Enterprise account whose people get credentials, unless `withRole` is false. */
async function startPeople(environment: Readonly<Record<string, string>> = {}) {
  const account = await startAccount(environment);
  const { server } = account;
  trustAuthority(server.caFile);
  const chime = account.chime();
  const model = loadModel('chime');
  const own = (name: string, input: object = {}, credentials: Keys = server.credentials) =>
    callChime({ endpoint: server.endpoint, region: 'us-east-1', credentials }, model.operations[name] as OperationModel, input);
  const AccountId = (await chime.send(new CreateAccountCommand({ Name: 'Chat' }))).Account?.AccountId as string;

  /** Invites and registers a person. */
  async function registered(name: string) {
    const address = `${name}@chat.example.com`;
    await chime.send(new InviteUsersCommand({ AccountId, UserEmailList: [address] }));
    const { token } = await linkTo(address, [server.dataFolder]);
    const at = browser(server.endpoint);
    const page = await at.post('/chime/invitation', form({ token, displayName: name, password: PASSWORD, again: PASSWORD }));
    assert.equal(page.status, 303, page.text);
    const { Users } = await chime.send(new ListUsersCommand({ AccountId, UserEmail: address }));
    return { at, address, UserId: Users?.[0]?.UserId as string };
  }
  return { ...account, chime, own, AccountId, registered };
}

type People = Awaited<ReturnType<typeof startPeople>>;

/** Returns the credentials of a signed-in person, and clients that use them. */
async function credentialsOf({ messaging, sts }: People, { at }: Awaited<ReturnType<People['registered']>>) {
  const page = await at.post('/chime/session');
  assert.equal(page.status, 200, page.text);
  const { accessKeyId = '', secretAccessKey = '', sessionToken = '', appInstanceUserArn = '' } = page.json();
  const keys: Keys = { accessKeyId, secretAccessKey, sessionToken };
  return { keys, userArn: appInstanceUserArn, messaging: messaging(keys), sts: sts(keys) };
}

for (const engine of ['SQLite', 'PostgreSQL'] as const) {
  test(`${engine}: two people see a message in a room, and a suspended one loses session and credentials at once`, async () => {
    const postgres = engine === 'PostgreSQL' ? await testPostgres() : undefined;
    if (postgres !== undefined) after(() => postgres.stop());
    const people = await startPeople(postgres === undefined ? {} : { BELFRY_DATABASE: postgres.url });
    const { server, chime, own, AccountId, user } = people;
    const [ada, bob] = [await people.registered('ada'), await people.registered('bob')];

    // Without a role, people get no credentials. To create it, the caller needs the permissions of IAM too.
    const none = await ada.at.post('/chime/session');
    assert.deepEqual([none.status, none.json()['code']], [403, 'NoRole']);
    const only = await user('only', allow(['chime:ResetAccountResource', 'chime:UpdateAccountResource', 'iam:PassRole']));
    assert.match(JSON.stringify(await own('ResetAccountResource', {}, only)), /iam:CreateOpenIDConnectProvider/);
    const reset = await own('ResetAccountResource');
    assert.equal(reset.status, 200, JSON.stringify(reset));
    assert.equal((await own('ResetAccountResource')).code, 'ConflictException');
    const RoleArn = `arn:aws:iam::${server.accountId}:role/AmazonChimePeople`;
    const unpassed = await user('unpassed', allow('chime:UpdateAccountResource'));
    assert.match(JSON.stringify(await own('UpdateAccountResource', { RoleArn }, unpassed)), /iam:PassRole/);
    assert.equal((await own('UpdateAccountResource', { RoleArn: `${RoleArn}2` })).code, 'BadRequestException');
    assert.equal((await own('UpdateAccountResource', { RoleArn }, only)).status, 200);

    // The account gets a domain, because only Enterprise accounts have rooms and suspensions.
    if (postgres === undefined) verifyDomain(server, AccountId, 'chat.example.com');
    else await verifyOnPostgres(postgres.url, AccountId);
    const { Room } = await chime.send(new CreateRoomCommand({ AccountId, Name: 'room' }));
    const RoomId = Room?.RoomId as string;
    const MembershipItemList = [{ MemberId: ada.UserId }, { MemberId: bob.UserId, Role: 'Administrator' as const }];
    await chime.send(new BatchCreateRoomMembershipCommand({ AccountId, RoomId, MembershipItemList }));

    const [asAda, asBob] = [await credentialsOf(people, ada), await credentialsOf(people, bob)];
    const ChannelArn = asAda.userArn.replace(/\/user\/.*$/, `/channel/${RoomId}`);
    const [adaSees, bobSees] = [await connect(asAda.messaging, asAda.userArn), await connect(asBob.messaging, asBob.userArn)];
    const message = { ChannelArn, Content: 'Guten Morgen', Type: 'STANDARD', Persistence: 'PERSISTENT' } as const;
    const { MessageId } = await asAda.messaging.send(
      new SendChannelMessageCommand({ ...message, ChimeBearer: asAda.userArn, ClientRequestToken: 'one' }),
    );
    for (const client of [adaSees, bobSees]) {
      const { payload } = await client.find(({ type }) => type === 'CREATE_CHANNEL_MESSAGE');
      assert.equal(payload?.['Content'], 'Guten Morgen');
    }
    // The role allows a person only their own app instance user.
    const foreign = new ListChannelMessagesCommand({ ChannelArn, ChimeBearer: asBob.userArn });
    assert.equal((await refusalOf(asAda.messaging.send(foreign))).status, 403);

    await chime.send(new RedactRoomMessageCommand({ AccountId, RoomId, MessageId }));
    await bobSees.find(({ type }) => type === 'REDACT_CHANNEL_MESSAGE');
    assert.equal((await refusalOf(chime.send(new RedactRoomMessageCommand({ AccountId, RoomId, MessageId: 'other' })))).status, 404);

    await chime.send(new BatchSuspendUserCommand({ AccountId, UserIdList: [bob.UserId] }));
    const listAs = ({ messaging, userArn }: typeof asBob) =>
      messaging.send(new ListChannelMessagesCommand({ ChannelArn, ChimeBearer: userArn }));
    assert.equal((await refusalOf(listAs(asBob))).status, 403);
    assert.equal(await bobSees.stopped, 4401);
    assert.equal((await bob.at.post('/chime/session')).status, 401);
    assert.equal((await listAs(asAda)).ChannelMessages?.[0]?.Redacted, true);

    // The rules of the sign-in change, so all credentials end. New ones of the same browser session do not make the earlier ones valid.
    assert.equal((await own('DeleteGroups', { AccountId, GroupIds: ['none'] })).status, 200);
    assert.equal((await refusalOf(listAs(asAda))).status, 403);
    assert.equal(await adaSees.stopped, 4401);
    const again = await credentialsOf(people, ada);
    assert.equal((await listAs(again)).ChannelMessages?.length, 1);
    assert.equal((await refusalOf(listAs(asAda))).status, 403);
    await ada.at.post('/chime/sign-out');
    assert.equal((await refusalOf(listAs(again))).status, 403);

    if (postgres !== undefined) return;
    const at = browser(server.endpoint);
    const issuer = `/chime/openid/${server.accountId}`;
    const discovery = (await at.get(`${issuer}/.well-known/openid-configuration`)).json();
    assert.equal(discovery['jwks_uri'], `${discovery['issuer']}/jwks`);
    assert.match((await at.get(`${issuer}/jwks`)).text, /"crv":"Ed25519"/);
    assert.doesNotMatch((await at.get(`${issuer}/jwks`)).text, /"d":/);
    const forged = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: discovery['issuer'] })).toString('base64url')}.`;
    const assume = new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'forged', WebIdentityToken: forged });
    assert.equal((await refusalOf(people.sts().send(assume))).name, 'InvalidIdentityTokenException');
  });
}

/** Makes an account on PostgreSQL an Enterprise account, as `verifyDomain` does on SQLite. */
async function verifyOnPostgres(url: string, chimeAccountId: string): Promise<void> {
  const { default: pg } = await import('pg');
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  const read = await database.query('SELECT document FROM chime_account WHERE chime_account_id = $1', [chimeAccountId]);
  const document = JSON.stringify({ ...JSON.parse(read.rows[0].document), Domains: ['chat.example.com'] });
  await database.query(`UPDATE chime_account SET account_type = 'EnterpriseLWA', document = $2 WHERE chime_account_id = $1`, [
    chimeAccountId,
    document,
  ]);
  await database.end();
}
