import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { CreateAppInstanceBotCommand } from '@aws-sdk/client-chime-sdk-identity';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { startChat } from '../kit/chat.ts';
import type { Keys } from '../kit/keys.ts';
import { allow, trust } from '../kit/policy.ts';
import { everyEvent, type LookedUp, readUnproven } from '../kit/trail.ts';
import { closing, connectTarget, type Signing, upgrade } from '../kit/upgrade.ts';
import { connect } from './client.ts';

const chat = await startChat();
const { server, accountId } = chat;
const ada = await chat.appUser('ada');
const bob = await chat.appUser('bob');
const { AppInstanceBotArn: bot = '' } = await chat.identity.send(
  new CreateAppInstanceBotCommand({
    AppInstanceArn: chat.chat,
    ClientRequestToken: 'helper',
    Configuration: { Lex: { LexBotAliasArn: `arn:aws:lex:us-east-1:${accountId}:bot-alias/ABCDEFGHIJ/KLMNOPQRST`, LocaleId: 'en_US' } },
  }),
);
/** Keys of a user that can connect as any app instance user. The next user, `unprivileged`, cannot connect. */
const anybody = await chat.user('anybody', allow(['chime:Connect', 'chime:GetMessagingSessionEndpoint']));
const unprivileged = await chat.user('unprivileged', allow('chime:Send*'));
/** Keys of a user that can assume `role`. A session of `role` can connect only as the app instance user in its session tag. */
const maker = await chat.user('maker', allow(['sts:AssumeRole', 'sts:TagSession']));
const role = await chat.role(
  'Chat',
  trust(chat.userArn('maker'), ['sts:AssumeRole', 'sts:TagSession']),
  allow('chime:Connect', `${chat.chat}/user/\${aws:PrincipalTag/uid}`),
  allow('chime:GetMessagingSessionEndpoint'),
);
const asAda = await chat.assume(maker, role, { Tags: [{ Key: 'uid', Value: 'ada' }] });
const wrong: Keys = { ...anybody, secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const unknown: Keys = { ...anybody, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
const other = chat.chat.replace(accountId, '999988887777');

test('Connect: the unmodified client establishes a session as a user that the policy allows', async () => {
  for (const [keys, userArn] of [
    [anybody, bob],
    [asAda, ada],
  ] as const) {
    const client = await connect(chat.messaging(keys), userArn);
    const { type, headers } = await client.find(() => true);
    assert.deepEqual([type, headers['x-amz-chime-message-type']], ['SESSION_ESTABLISHED', 'SYSTEM']);
    client.stop();
  }
});

// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, userArn: string, signing: Signing, altered: (target: string) => string, reason: string])[] = [
  // request                                  as      signed by                                        altered               reason
  ['without a signature',                     ada,    { keys: anybody },                               unsigned,             'MissingAuthenticationTokenException'],
  ['with an unknown key',                     ada,    { keys: unknown },                               same,                 'UnrecognizedClientException'],
  ['with a wrong secret',                     ada,    { keys: wrong },                                 same,                 'InvalidSignatureException'],
  ['after its URL has expired',               ada,    { keys: anybody, signedAt: Date.now() - 12_000 }, same,                'InvalidSignatureException'],
  ['with a user changed after signing',       ada,    { keys: anybody },                               asBob,                'InvalidSignatureException'],
  ['with a parameter added after signing',    ada,    { keys: anybody },                               prefetching,          'InvalidSignatureException'],
  ['without a session id',                    ada,    { keys: anybody },                               same,                 'ValidationException'],
  ['as an invalid ARN',                       'ada',  { keys: anybody },                               same,                 'ValidationException'],
  ['as a resource of a user',                 `${ada}/more`,               { keys: anybody },          same,                 'BadRequestException'],
  ['without permission',                      ada,    { keys: unprivileged },                          same,                 'AccessDeniedException'],
  ['as a user other than the session tag',    bob,    { keys: asAda },                                 same,                 'AccessDeniedException'],
  ['as a user of another account',            `${other}/user/ada`,         { keys: anybody },          same,                 'AccessDeniedException'],
  ['as an unknown user',                      `${chat.chat}/user/eve`,     { keys: anybody },          same,                 'ForbiddenException'],
  ['as a user of another region',             ada,    { keys: anybody, region: 'eu-central-1' },       same,                 'ForbiddenException'],
  ['as a bot',                                bot,    { keys: anybody },                               same,                 'ForbiddenException'],
];

for (const [title, userArn, signing, altered, reason] of REFUSED) {
  test(`Connect: a request ${title} closes with 4401 and ${reason}, and is recorded`, async () => {
    const sessionId = title === 'without a session id' ? {} : { sessionId: randomUUID() };
    const target = altered(connectTarget(server.httpsEndpoint, { userArn, ...sessionId }, signing));
    const before = new Set((await connects()).map(({ document }) => document.requestID));
    assert.deepEqual(await closing(server.httpsEndpoint, server.caFile, target), { code: 4401, reason });
    const recorded = (await connects()).filter(({ document }) => !before.has(document.requestID));
    assert.deepEqual(
      recorded.map(({ errorCode }) => errorCode),
      [reason],
    );
  });
}

test("Connect: if the server refuses the request, the client's start fails with 4401 without retries", async () => {
  await assert.rejects(
    connect(chat.messaging(unprivileged), ada, { url: new URL(server.httpsEndpoint).host }),
    ({ code, reason }: { code: number; reason: string }) => code === 4401 && reason === 'AccessDeniedException',
  );
});

test('Connect: the trail record has principal, bearer and session ID, and no part of the signature', async () => {
  const sessionId = randomUUID();
  const client = await connect(chat.messaging(asAda), ada, { sessionId });
  client.stop();
  const recorded = (await connects()).findLast(({ errorCode }) => errorCode === undefined);
  const document = recorded?.document as unknown as Readonly<Record<string, unknown>>;
  assert.deepEqual(
    [document['eventSource'], document['requestParameters'], document['readOnly'], document['resources']],
    ['chime.amazonaws.com', { userArn: ada, sessionId }, false, [{ accountId, type: 'AWS::Chime::AppInstanceUser', ARN: ada }]],
  );
  assert.equal(recorded?.document.userIdentity.accessKeyId, asAda.accessKeyId);
  assert.doesNotMatch(JSON.stringify(document), /X-Amz-|Signature/i);
  assert.ok(!JSON.stringify(document).includes(asAda.sessionToken?.slice(0, 40) as string));
});

test('Connect: an upgrade of another path or to another protocol is handled as a plain request', async () => {
  const target = connectTarget(server.httpsEndpoint, { userArn: ada, sessionId: 'one' }, { keys: anybody });
  const elsewhere = await upgrade(server.httpsEndpoint, server.caFile, '/channels');
  assert.deepEqual(elsewhere, { status: 403, code: 'MissingAuthenticationTokenException' });
  const h2c = await upgrade(server.httpsEndpoint, server.caFile, target, { upgrade: 'h2c' });
  assert.equal(h2c.status, 404);
});

test('Connect: an invalid handshake is rejected, and the next handshake of the same user succeeds', async () => {
  const sign = () => connectTarget(server.httpsEndpoint, { userArn: ada, sessionId: 'one' }, { keys: anybody });
  const broken = await upgrade(server.httpsEndpoint, server.caFile, sign(), { 'sec-websocket-key': 'short' });
  assert.equal(broken.status, 400);
  assert.equal((await upgrade(server.httpsEndpoint, server.caFile, sign())).status, 101);
});

function toLookedUp(document: LookedUp['document']): LookedUp {
  const { eventName, errorCode } = document as LookedUp['document'] & { eventName: string; errorCode?: string };
  return { eventName, errorCode, userName: undefined, document };
}

/** Returns all records of Connect: first the records of the account in each region, then the records without an account. */
async function connects(): Promise<readonly LookedUp[]> {
  const regions = ['us-east-1', 'eu-central-1'].map((region) => everyEvent(new CloudTrailClient({ ...server.client(), region })));
  const unproven = (await readUnproven(server.dataFolder)).toReversed() as unknown as readonly LookedUp['document'][];
  const named = (await Promise.all(regions)).flat();
  return [...named, ...unproven.map(toLookedUp)].filter(({ eventName }) => eventName === 'Connect');
}

function same(target: string): string {
  return target;
}

function unsigned(target: string): string {
  return target.replace(/&X-Amz-.*$/, '');
}

function asBob(target: string): string {
  return target.replace('user%2Fada', 'user%2Fbob');
}

function prefetching(target: string): string {
  return `${target}&prefetch-on=connect`;
}
