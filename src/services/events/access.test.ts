import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, accessOf, OTHER_ACCOUNT } from '../kit/fixture.ts';
import { isNotYet } from '../kit/not-yet.ts';
import { busArnOf, DEFAULT_ARN, openEvents, QUEUE } from './fixture.ts';

const arn = (resource: string) => `arn:aws:events:us-east-1:${ACCOUNT}:${resource}`;
const BUS = busArnOf('orders');
const RULE = arn('rule/orders/r');
const CONNECTION = arn('connection/c/uuid');
const ARCHIVE = arn('archive/a');

/** Input with every member that determines the required permissions. */
const RULES = { EventBusName: 'orders', Rule: 'r', Name: 'r', Targets: [{ Id: 't', Arn: QUEUE }] };

/** Resources of each operation. The action is always the operation's own. Source: Service Authorization Reference, "Amazon EventBridge". */
// biome-ignore format: a table
const RESOURCES: Readonly<Record<string, readonly [input: object, resources: readonly string[]]>> = {
  CreateEventBus:         [{ Name: 'orders' },                 [BUS]],
  UpdateEventBus:         [{ Name: 'orders' },                 [BUS]],
  DeleteEventBus:         [{ Name: 'orders' },                 [BUS]],
  DescribeEventBus:       [{},                                 [DEFAULT_ARN]],
  ListEventBuses:         [{},                                 ['*']],
  PutRule:                [RULES,                              [RULE]],
  DeleteRule:             [RULES,                              [RULE]],
  DescribeRule:           [{ Name: 'r' },                      [arn('rule/r')]],
  EnableRule:             [{ Name: 'r', EventBusName: BUS },   [RULE]],
  DisableRule:            [RULES,                              [RULE]],
  ListRules:              [RULES,                              ['*']],
  ListRuleNamesByTarget:  [RULES,                              ['*']],
  PutTargets:             [RULES,                              [RULE]],
  RemoveTargets:          [RULES,                              [RULE]],
  ListTargetsByRule:      [RULES,                              [RULE]],
  TagResource:            [{ ResourceARN: RULE },              [RULE]],
  UntagResource:          [{ ResourceARN: BUS, TagKeys: [] },  [BUS]],
  ListTagsForResource:    [{ ResourceARN: RULE },              [RULE]],
  PutPermission:          [{ EventBusName: 'orders' },         ['*']],
  RemovePermission:       [{ EventBusName: 'orders' },         ['*']],
  TestEventPattern:       [{ Event: '{}', EventPattern: '{}' },   ['*']],
  PutEvents:              [{ Entries: [{}, { EventBusName: 'orders' }, { EventBusName: BUS }, { Source: 's' }, { Source: 's' }] }, [DEFAULT_ARN, BUS, DEFAULT_ARN]],
  CreateArchive:          [{ ArchiveName: 'a', EventSourceArn: BUS }, [ARCHIVE, BUS]],
  UpdateArchive:          [{ ArchiveName: 'a' },               [ARCHIVE]],
  DeleteArchive:          [{ ArchiveName: 'a' },               [ARCHIVE]],
  DescribeArchive:        [{ ArchiveName: 'a' },               [ARCHIVE]],
  ListArchives:           [{},                                 ['*']],
  StartReplay:            [{ ReplayName: 'p', EventSourceArn: ARCHIVE, Destination: { Arn: BUS } }, [ARCHIVE, arn('replay/p'), BUS]],
  CancelReplay:           [{ ReplayName: 'p' },                [arn('replay/p')]],
  DescribeReplay:         [{ ReplayName: 'p' },                [arn('replay/p')]],
  ListReplays:            [{},                                 ['*']],
  CreateConnection:       [{ Name: 'c' },                      [arn('connection/c')]],
  UpdateConnection:       [{ Name: 'c' },                      [arn('connection/c')]],
  DeauthorizeConnection:  [{ Name: 'c' },                      [arn('connection/c')]],
  DeleteConnection:       [{ Name: 'c' },                      [arn('connection/c')]],
  DescribeConnection:     [{ Name: 'c' },                      [arn('connection/c')]],
  ListConnections:        [{},                                 ['*']],
  CreateApiDestination:   [{ Name: 'd', ConnectionArn: CONNECTION }, [arn('api-destination/d'), arn('connection/c')]],
  UpdateApiDestination:   [{ Name: 'd' },                      [arn('api-destination/d')]],
  DeleteApiDestination:   [{ Name: 'd' },                      [arn('api-destination/d')]],
  DescribeApiDestination: [{ Name: 'd' },                      [arn('api-destination/d')]],
  ListApiDestinations:    [{},                                 ['*']],
};

const { operations } = await openEvents();

test('Access: every implemented operation is in the table', () => {
  const implemented = Object.entries(operations).flatMap(([name, operation]) => (isNotYet(operation) ? [] : [name]));
  assert.deepEqual(Object.keys(RESOURCES).sort(), implemented.sort());
});

for (const [name, [input, resources]] of Object.entries(RESOURCES)) {
  test(`Access: ${name} requires its own action on ${resources.join(' and ')}`, () => {
    const access = accessOf(operations, name, input);
    assert.deepEqual([...new Set(access.map(({ action }) => action))], [`events:${name}`]);
    assert.deepEqual(
      access.flatMap((each) => each.resources),
      resources,
    );
  });
}

const CREATOR = ['events:creatoraccount', ACCOUNT] as const;
const TAGS = [{ Key: 'a', Value: 'b' }];
const TAG_KEYS = [
  ['aws:requesttag/a', 'b'],
  ['aws:tagkeys', ['a']],
] as const;
const PATTERN = JSON.stringify({
  source: ['aws.chime', { prefix: 'x' }],
  'detail-type': ['D'],
  detail: { service: ['EC2'], eventTypeCode: [{ exists: true }], userIdentity: { principalId: ['p'] } },
});

// biome-ignore format: a table
const CONTEXTS: readonly [title: string, operation: string, input: object, context: readonly (readonly [string, unknown])[]][] = [
  ['a rule',             'DeleteRule',     { Name: 'r' },                          [CREATOR]],
  ['a pattern',          'PutRule',        { Name: 'r', EventPattern: PATTERN },   [CREATOR, ['events:source', ['aws.chime']], ['events:detail-type', ['D']], ['events:detail.service', ['EC2']], ['events:detail.useridentity.principalid', ['p']]]],
  ['an invalid pattern', 'PutRule',        { Name: 'r', EventPattern: '{' },       [CREATOR]],
  ['tags of a rule',     'PutRule',        { Name: 'r', Tags: TAGS },              [CREATOR, ...TAG_KEYS]],
  ['tags of a bus',      'CreateEventBus', { Name: 'b', Tags: TAGS },              TAG_KEYS],
  ['targets',            'PutTargets',     RULES,                                  [CREATOR, ['events:targetarn', [QUEUE]]]],
  ['removed tags',       'UntagResource',  { ResourceARN: BUS, TagKeys: ['a'] },   [['aws:tagkeys', ['a']]]],
  ['events',             'PutEvents',      { Entries: [{ Source: 's', DetailType: 'd' }, { Source: 's' }, { Source: 't' }] }, [['events:source', 's'], ['events:detail-type', 'd'], ['events:eventbusinvocation', 'false']]],
];
for (const [title, operation, input, context] of CONTEXTS) {
  test(`Access: the condition keys of ${operation} contain ${title}`, () => {
    assert.deepEqual([...(accessOf(operations, operation, input)[0]?.context ?? [])], context);
  });
}

test('Access: tags of a new rule or bus also require events:TagResource', () => {
  for (const [name, input] of [
    ['PutRule', { Name: 'r', Tags: TAGS }],
    ['CreateEventBus', { Name: 'b', Tags: TAGS }],
  ] as const) {
    assert.deepEqual(
      accessOf(operations, name, input).map(({ action }) => action),
      [`events:${name}`, 'events:TagResource'],
    );
  }
});

test('Access: the ARN of a bus of another account is in the permission, and its policy decides', async () => {
  const { requiredAccess, run, store } = await openEvents();
  const EventBusName = BUS.replace(ACCOUNT, OTHER_ACCOUNT);
  const [required] = await requiredAccess('PutEvents', { Entries: [{ EventBusName }] });
  assert.deepEqual(required?.resources, [EventBusName]);
  await run('CreateEventBus', { Name: 'orders' }, { accountId: OTHER_ACCOUNT });
  const other = { accountId: OTHER_ACCOUNT };
  await run('PutPermission', { EventBusName: 'orders', Action: 'events:PutEvents', Principal: ACCOUNT, StatementId: 's' }, other);
  const [access] = accessOf(operations, 'PutEvents', { Entries: [{ EventBusName }] });
  const policy = await store.transaction(async (tx) => await access?.resourcePolicy?.(tx));
  assert.match(policy ?? '', /"AWS":"arn:aws:iam::111122223333:root"/);
});

test('Access: the tag operations reject a string that is not the ARN of a bus or rule', () => {
  assert.throws(() => accessOf(operations, 'ListTagsForResource', { ResourceARN: QUEUE }), { code: 'ValidationError' });
});
