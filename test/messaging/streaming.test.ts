/** Streaming of messaging data, and its service-linked role. Uses unmodified clients. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DeleteMessagingStreamingConfigurationsCommand,
  GetMessagingStreamingConfigurationsCommand,
  PutMessagingStreamingConfigurationsCommand,
} from '@aws-sdk/client-chime-sdk-messaging';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { startChat } from '../kit/chat.ts';
import { deleteLinkedRole, linkedRoleExists } from '../kit/linked-role.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { everyEvent } from '../kit/trail.ts';

const SERVICE = 'messaging.chime.amazonaws.com';
const ROLE = 'AWSServiceRoleForChimeSDKMessaging';
const chat = await startChat();
const { accountId, admin, chat: AppInstanceArn } = chat;
const messaging = chat.messaging();
const roleArn = `arn:aws:iam::${accountId}:role/aws-service-role/${SERVICE}/${ROLE}`;
const stream = (name: string, account = accountId) => `arn:aws:kinesis:us-east-1:${account}:stream/${name}`;
const without = chat.messaging(await chat.user('without', allow('chime:*')));
const maker = chat.messaging(
  await chat.user(
    'maker',
    allow('chime:*'),
    allow('iam:CreateServiceLinkedRole', roleArn, { Condition: { StringLike: { 'iam:AWSServiceName': SERVICE } } }),
  ),
);
const put = (...resources: readonly (readonly [type: 'Channel' | 'ChannelMessage', arn: string])[]) =>
  new PutMessagingStreamingConfigurationsCommand({
    AppInstanceArn,
    StreamingConfigurations: resources.map(([DataType, ResourceArn]) => ({ DataType, ResourceArn })),
  });
const good = put(['Channel', stream('chime-messaging-all')]);
const get = () => messaging.send(new GetMessagingStreamingConfigurationsCommand({ AppInstanceArn }));
const roleIsThere = () => linkedRoleExists(admin, ROLE);

test('SLR-5, SLR-6: without permission to create the linked role, streaming is denied and changes nothing', async () => {
  const { name, status, message } = await refusalOf(without.send(good));
  assert.deepEqual([name, status], ['AccessDeniedException', 403]);
  assert.ok(message.includes(`iam:CreateServiceLinkedRole on resource: ${roleArn}`), message);
  assert.equal(await roleIsThere(), false);
  assert.equal((await refusalOf(get())).name, 'NotFoundException');
});

// biome-ignore format: a table
for (const [title, command] of [
  ['a type of data twice',        put(['Channel', stream('chime-messaging-a')], ['Channel', stream('chime-messaging-b')])],
  ['a stream of another name',    put(['Channel', stream('messages')])],
  ['a stream of another account', put(['Channel', stream('chime-messaging-a', '999988887777')])],
  ['a stream of another region',  put(['Channel', stream('chime-messaging-a').replace('us-east-1', 'eu-central-1')])],
  ['an ARN that is not a stream', put(['Channel', `arn:aws:sqs:us-east-1:${accountId}:chime-messaging-a`])],
] as const) {
  test(`Streaming: ${title} is BadRequestException, and creates no role`, async () => {
    assert.equal((await refusalOf(maker.send(command))).name, 'BadRequestException');
    assert.equal(await roleIsThere(), false);
  });
}

test('SLR-6: a permitted caller creates the role when streaming starts, and the creation is recorded once', async () => {
  await maker.send(good);
  assert.equal(await roleIsThere(), true);
  const both = put(['Channel', stream('chime-messaging-all')], ['ChannelMessage', stream('chime-messaging-all')]);
  await without.send(both);
  assert.equal((await get()).StreamingConfigurations?.length, 2);
  const made = (await everyEvent(new CloudTrailClient(chat.server.client()))).filter(
    ({ eventName, errorCode }) => eventName === 'CreateServiceLinkedRole' && errorCode === undefined,
  );
  assert.deepEqual(
    made.map(({ document }) => [document.userIdentity.userName, document.userIdentity.invokedBy]),
    [['maker', SERVICE]],
  );
});

test('SLR-14, SLR-15: the role cannot be deleted while an app instance streams, and can be created again', async () => {
  const failed = await deleteLinkedRole(admin, ROLE);
  assert.equal(failed.Status, 'FAILED');
  assert.deepEqual(failed.Reason?.RoleUsageList, [{ Region: 'us-east-1', Resources: [AppInstanceArn] }]);
  assert.equal(await roleIsThere(), true);
  await messaging.send(new DeleteMessagingStreamingConfigurationsCommand({ AppInstanceArn }));
  assert.equal((await deleteLinkedRole(admin, ROLE)).Status, 'SUCCEEDED');
  assert.equal(await roleIsThere(), false);
  await maker.send(good);
  assert.equal(await roleIsThere(), true);
});
