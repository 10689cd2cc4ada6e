import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateArchiveCommand,
  CreateEventBusCommand,
  DeleteRuleCommand,
  DescribeEventBusCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  RemovePermissionCommand,
} from '@aws-sdk/client-eventbridge';
import { otherAccount, startAccount } from '../kit/account.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, policy } from '../kit/policy.ts';

/** Policies of buses decide together with the policies of the caller (Decision 0025). */

const owner = await startAccount();
const other = await otherAccount(owner.server, 'other');
const events = new EventBridgeClient(owner.client());
const { EventBusArn = '' } = await events.send(new CreateEventBusCommand({ Name: 'shared' }));
const ada = await owner.user('ada', allow('events:DescribeEventBus', '*'));
const eve = await other.user('eve', allow('events:*'));
const idle = await other.user('idle');
const mia = await owner.user('mia', allow('events:*'));

const put = (as: Parameters<typeof owner.client>[0], Source = 'app', EventBusName = EventBusArn) =>
  outcomeOf(
    new EventBridgeClient(owner.client(as)).send(
      new PutEventsCommand({ Entries: [{ Source, DetailType: 'd', Detail: '{}', EventBusName }] }),
    ),
  );
const setPolicy = (...statements: readonly object[]) =>
  events.send(new PutPermissionCommand({ EventBusName: 'shared', Policy: policy(...(statements as never[])) }));
const statement = (Principal: unknown, more: object = {}) => ({
  Sid: 's',
  Effect: 'Allow',
  Principal,
  Action: 'events:PutEvents',
  Resource: EventBusArn,
  ...more,
});
const OTHER = { AWS: other.rootArn };
const OF_APP = { Condition: { 'ForAllValues:StringEquals': { 'events:source': ['app'] } } };

// biome-ignore format: a table
const ROWS: readonly [title: string, statements: readonly object[], outcomes: { readonly ada: string; readonly eve: string; readonly idle: string }][] = [
  ['no policy',                            [],                                                                       { ada: 'AccessDenied', eve: 'AccessDenied', idle: 'AccessDenied' }],
  ['the other account',                    [statement(OTHER)],                                                       { ada: 'AccessDenied', eve: 'allowed',                    idle: 'AccessDenied' }],
  ['everyone',                             [statement('*')],                                                         { ada: 'allowed',                    eve: 'allowed',                    idle: 'AccessDenied' }],
  ['a user of the owner',                  [statement({ AWS: owner.userArn('ada') })],                               { ada: 'allowed',                    eve: 'AccessDenied', idle: 'AccessDenied' }],
  ['another action',                       [statement('*', { Action: 'events:PutRule' })],                           { ada: 'AccessDenied', eve: 'AccessDenied', idle: 'AccessDenied' }],
  ['another resource',                     [statement('*', { Resource: `${EventBusArn}-2` })],                       { ada: 'AccessDenied', eve: 'AccessDenied', idle: 'AccessDenied' }],
  ['the source of the event',              [statement('*', OF_APP)],                                                 { ada: 'allowed',                    eve: 'allowed',                    idle: 'AccessDenied' }],
  ['a Deny for a user of the owner',       [statement('*'), statement({ AWS: owner.userArn('ada') }, { Sid: 'd', Effect: 'Deny' })], { ada: 'AccessDenied', eve: 'allowed', idle: 'AccessDenied' }],
  ['a Deny for the other account',         [statement('*'), statement(OTHER, { Sid: 'd', Effect: 'Deny' })],         { ada: 'allowed',                    eve: 'AccessDenied', idle: 'AccessDenied' }],
];
for (const [title, statements, outcomes] of ROWS) {
  test(`bus policy: a policy with ${title} decides about PutEvents`, async () => {
    await events.send(new RemovePermissionCommand({ EventBusName: 'shared', RemoveAllPermissions: true }));
    if (statements.length > 0) await setPolicy(...statements);
    assert.deepEqual({ ada: await put(ada), eve: await put(eve), idle: await put(idle) }, outcomes);
  });
}

test('bus policy: the condition key of the source selects events', async () => {
  await setPolicy(statement('*', OF_APP));
  assert.equal(await put(ada, 'app'), 'allowed');
  assert.match(await put(ada, 'other'), /^AccessDenied/);
});

test('bus policy: DescribeEventBus shows the names of users, and a new user with a name gets no access', async () => {
  await owner.user('bob');
  await setPolicy(statement({ AWS: owner.userArn('bob') }));
  const { Policy = '' } = await events.send(new DescribeEventBusCommand({ Name: 'shared' }));
  assert.deepEqual(JSON.parse(Policy).Statement[0].Principal, { AWS: owner.userArn('bob') });
});

test('bus policy: a rule on a bus of another account is denied, and not implemented if the policy allows it', async () => {
  const asEve = new EventBridgeClient(owner.client(eve));
  const command = new PutRuleCommand({ Name: 'r', EventBusName: EventBusArn, EventPattern: '{"source":["app"]}' });
  assert.match(await outcomeOf(asEve.send(command)), /^AccessDenied/);
  const rules = EventBusArn.replace('event-bus/shared', 'rule/shared/*');
  await setPolicy(statement('*', { Action: ['events:PutRule', 'events:DeleteRule'], Resource: rules }));
  assert.equal(await outcomeOf(asEve.send(command)), 'NotYetImplemented');
  assert.equal(await outcomeOf(asEve.send(new DeleteRuleCommand({ Name: 'r', EventBusName: EventBusArn }))), 'NotYetImplemented');
});

test('bus policy: an explicit denial also applies to a caller of the same account whose own policies allow the operation', async () => {
  await events.send(new RemovePermissionCommand({ EventBusName: 'shared', RemoveAllPermissions: true }));
  const archive = (ArchiveName: string) =>
    outcomeOf(new EventBridgeClient(owner.client(mia)).send(new CreateArchiveCommand({ ArchiveName, EventSourceArn: EventBusArn })));
  assert.deepEqual([await put(mia), await archive('before')], ['allowed', 'allowed']);
  await setPolicy(statement({ AWS: owner.userArn('mia') }, { Effect: 'Deny', Action: ['events:PutEvents', 'events:CreateArchive'] }));
  assert.deepEqual([await put(mia), await archive('after')], ['AccessDenied', 'AccessDenied']);
});
