/**
 * Tags with keys that differ only in case. Two such keys would be the same condition key, so no request can store both
 * keys. ERR-5, TAG-5, EVAL-12.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import {
  ChimeSDKIdentityClient,
  CreateAppInstanceCommand,
  DescribeAppInstanceCommand,
  ListTagsForResourceCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-chime-sdk-identity';
import { CreateUserCommand, ListUserTagsCommand, TagUserCommand, UntagUserCommand } from '@aws-sdk/client-iam';
import { loadModel } from '#model/load.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import { parity } from '../../tools/parity.ts';
import { accountOn, startAccount } from '../kit/account.ts';
import { SDK_SERVICES } from '../kit/clients.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, deny, type Statement } from '../kit/policy.ts';
import { startTestServer } from '../kit/server.ts';
import { caller, inputFor, operationsOf } from '../sdk/every-operation.ts';

const account = await startAccount();
const { admin, at, accountId, user } = account;
const built = new Set(
  (await parity()).flatMap(({ service, operations }) => operations.flatMap((each) => (each.built ? [`${service} ${each.operation}`] : []))),
);

const RED_AND_BLUE = [
  { Key: 'Team', Value: 'red' },
  { Key: 'team', Value: 'blue' },
];

/** Reports whether an operation has a list of tags in its input. */
function takesTags(model: ServiceModel, { input }: OperationModel): boolean {
  const tags = model.shapes[input ?? '']?.members?.['Tags'];
  const element = model.shapes[model.shapes[tags?.shape ?? '']?.member?.shape ?? ''];
  return element?.members?.['Key'] !== undefined && element.members['Value'] !== undefined;
}

/** Returns a sample string. For the member `Url`, returns a valid URL, because the generated sample is not one. */
const withUrl = (text: string, member: string) => (member === 'Url' ? 'https://idp.example.com' : text);

/** Error code for duplicate tag keys, by service. */
const DUPLICATE: Readonly<Record<string, string>> = {
  iam: 'InvalidInputException',
  sts: 'InvalidParameterValue',
  organizations: 'InvalidInputException',
  events: 'ValidationException',
  cloudwatch: 'InvalidParameterValueException',
};

describe('Tags: no operation accepts keys that differ only in case', async () => {
  const keys = await user('blue', allow('*', '*', { Condition: { StringEquals: { 'aws:RequestTag/Team': 'blue' } } }));
  let count = 0;
  for (const service of SDK_SERVICES) {
    const model = loadModel(service);
    for (const operation of operationsOf(service)) {
      if (!built.has(`${service} ${operation.name}`) || !takesTags(model, operation)) continue;
      count += 1;
      test(`${service} ${operation.name}: tag keys that differ only in case are refused`, async () => {
        const input = { ...(inputFor(service, operation, accountId, withUrl) as object), Tags: RED_AND_BLUE };
        for (const by of [account.server.credentials, keys]) {
          const { code, message } = await caller(service, at(service, by))(operation.name, input);
          assert.equal(code, DUPLICATE[service] ?? 'BadRequestException', message);
          assert.match(message, /Duplicate tag keys found|Tag keys must be unique/);
        }
      });
    }
  }
  test('Tags: the tests include the operations of all services', () => assert.ok(count > 25, `${count} operations`));
});

test('TagResource of Chime: a key that differs from an existing key only in case is BadRequestException', async () => {
  const identity = new ChimeSDKIdentityClient(at('chime-sdk-identity'));
  const { AppInstanceArn: ResourceARN } = await identity.send(
    new CreateAppInstanceCommand({ Name: 'chat', Tags: [{ Key: 'Team', Value: 'red' }] }),
  );
  const tagged = identity.send(new TagResourceCommand({ ResourceARN, Tags: [{ Key: 'team', Value: 'blue' }] }));
  assert.deepEqual((await refusalOf(tagged)).name, 'BadRequestException');
  await identity.send(new TagResourceCommand({ ResourceARN, Tags: [{ Key: 'Team', Value: 'green' }] }));
  await identity.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['team'] }));
  const { Tags } = await identity.send(new ListTagsForResourceCommand({ ResourceARN }));
  assert.deepEqual(Tags, [{ Key: 'Team', Value: 'green' }]);
});

test('TagUser: a key replaces a stored key that differs only in case, if the policy allows both spellings', async () => {
  await admin.send(new CreateUserCommand({ UserName: 'tagged', Tags: [{ Key: 'Team', Value: 'red' }] }));
  const fenced = account.iam(
    await user('fenced', allow('iam:*'), deny('iam:*', '*', { Condition: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'Team' } } })),
  );
  const refused = [
    await refusalOf(fenced.send(new TagUserCommand({ UserName: 'tagged', Tags: [{ Key: 'team', Value: 'blue' }] }))),
    await refusalOf(fenced.send(new UntagUserCommand({ UserName: 'tagged', TagKeys: ['TEAM'] }))),
  ];
  assert.deepEqual(
    refused.map(({ name }) => name),
    ['AccessDenied', 'AccessDenied'],
  );
  await fenced.send(new TagUserCommand({ UserName: 'tagged', Tags: [{ Key: 'stage', Value: 'test' }] }));
  await admin.send(new TagUserCommand({ UserName: 'tagged', Tags: [{ Key: 'team', Value: 'blue' }] }));
  const { Tags } = await admin.send(new ListUserTagsCommand({ UserName: 'tagged' }));
  assert.deepEqual(Tags, [
    { Key: 'stage', Value: 'test' },
    { Key: 'team', Value: 'blue' },
  ]);
});

/** Starts a server whose database has an app instance with the tags `Team=red` and `team=blue`, as an older version could store them. */
async function withStoredTags() {
  const first = await startTestServer();
  const identity = new ChimeSDKIdentityClient(first.client());
  const { AppInstanceArn } = await identity.send(new CreateAppInstanceCommand({ Name: 'old', Tags: [{ Key: 'stage', Value: 'test' }] }));
  await first.stop();
  const database = new DatabaseSync(join(first.dataFolder, 'belfry.db'));
  const tags = JSON.stringify(RED_AND_BLUE.map(({ Key, Value }) => ({ key: Key, value: Value })));
  database.prepare("UPDATE resource SET tags = ? WHERE kind = 'app-instance'").run(tags);
  database.close();
  const server = await startTestServer({}, first.dataFolder);
  return { ...accountOn({ ...server, accountId: first.accountId }), appInstance: AppInstanceArn as string };
}

describe('Tags: a request is denied if a policy reads stored tag keys that differ only in case', async () => {
  const old = await withStoredTags();
  const describeAs = async (name: string, ...statements: readonly Statement[]) => {
    const identity = new ChimeSDKIdentityClient(old.at('chime-sdk-identity', await old.user(name, ...statements)));
    return identity.send(new DescribeAppInstanceCommand({ AppInstanceArn: old.appInstance }));
  };
  const any = allow('chime:*');
  const on = (test: Statement) => ({ Condition: test });

  // biome-ignore format: a table
  const ROWS: readonly (readonly [title: string, statements: readonly Statement[]])[] = [
    ['allow-first',     [allow('chime:*', '*', on({ StringEquals: { 'aws:ResourceTag/Team': 'red' } }))]],
    ['allow-second',    [allow('chime:*', '*', on({ StringEquals: { 'aws:ResourceTag/team': 'blue' } }))]],
    ['allow-not',       [allow('chime:*', '*', on({ StringNotEquals: { 'aws:ResourceTag/team': 'green' } }))]],
    ['allow-if-exists', [allow('chime:*', '*', on({ StringEqualsIfExists: { 'aws:ResourceTag/team': 'green' } }))]],
    ['allow-absent',    [allow('chime:*', '*', on({ Null: { 'aws:ResourceTag/team': 'true' } }))]],
    ['deny-first',      [any, deny('chime:*', '*', on({ StringEquals: { 'aws:ResourceTag/Team': 'red' } }))]],
    ['deny-second',     [any, deny('chime:*', '*', on({ StringEquals: { 'aws:ResourceTag/TEAM': 'blue' } }))]],
    ['deny-variable',   [any, deny('chime:*', '*', on({ StringEquals: { 'aws:ResourceTag/stage': `\${aws:ResourceTag/team}` } }))]],
  ];
  for (const [title, statements] of ROWS) {
    test(`Stored tag keys: a request is denied if a policy reads one of the keys (policy ${title})`, async () => {
      assert.equal((await refusalOf(describeAs(title, ...statements))).name, 'AccessDeniedException');
    });
  }

  test('Stored tag keys: a policy that reads other keys decides as usual', async () => {
    await describeAs('other-key', any, deny('chime:*', '*', on({ StringEquals: { 'aws:ResourceTag/stage': 'live' } })));
  });

  test('Stored tag keys: after the administrator removes one of the keys, conditions read the remaining key', async () => {
    const identity = new ChimeSDKIdentityClient(old.at('chime-sdk-identity'));
    await identity.send(new UntagResourceCommand({ ResourceARN: old.appInstance, TagKeys: ['Team'] }));
    await describeAs('mended', allow('chime:*', '*', on({ StringEquals: { 'aws:ResourceTag/team': 'blue' } })));
  });
});
