/**
 * ROLE-13, ROLE-15: `BELFRY_GUIDE_2021` applies the rules that AWS documented in 2021. These rules have no service
 * roles, so the server rejects a Chime request that names a role.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpdateMediaInsightsPipelineConfigurationCommand } from '@aws-sdk/client-chime-sdk-media-pipelines';
import { EventBridgeClient, PutRuleCommand } from '@aws-sdk/client-eventbridge';
import { refusalOf, verdictOf } from '../kit/outcome.ts';
import { allow } from '../kit/policy.ts';
import { startPipelines } from './fixture.ts';

const account = await startPipelines({ BELFRY_GUIDE_2021: 'on' });
const { accessRole, pipelines, server } = account;
const user = await account.user('user', allow(['chime:*', 'iam:PassRole', 'events:*']));

// biome-ignore format: a table
const REFUSED: readonly [operation: string, member: string, send: (client: ReturnType<typeof pipelines>) => Promise<unknown>][] = [
  ['CreateMediaCapturePipeline',               'SinkIamRoleArn',        (client) => client.send(account.capture(accessRole))],
  ['CreateMediaInsightsPipelineConfiguration', 'ResourceAccessRoleArn', (client) => client.send(account.configuration('calls'))],
  ['UpdateMediaInsightsPipelineConfiguration', 'ResourceAccessRoleArn', (client) => client.send(new UpdateMediaInsightsPipelineConfigurationCommand({ Identifier: 'none', ResourceAccessRoleArn: accessRole, Elements: [] }))],
];

for (const [operation, member, send] of REFUSED) {
  test(`ROLE-15: with BELFRY_GUIDE_2021, ${operation} with ${member} is BadRequestException`, async () => {
    for (const keys of [undefined, user, await account.user(`unprivileged-${operation}`)]) {
      const { name, status, message } = await refusalOf(send(pipelines(keys)));
      assert.deepEqual(
        [name, status, message],
        ['BadRequestException', 400, `${member} is not accepted: Amazon Chime does not support service roles.`],
      );
    }
  });
}

test('ROLE-13: with BELFRY_GUIDE_2021, requests without a role work, and other services accept a role', async () => {
  assert.match((await refusalOf(pipelines(user).send(account.capture()))).message, /carry no media/);
  const rule = new PutRuleCommand({ Name: 'r', ScheduleExpression: 'rate(5 minutes)', RoleArn: accessRole });
  assert.equal(await verdictOf(new EventBridgeClient(server.client(user)).send(rule)), 'allowed');
});
