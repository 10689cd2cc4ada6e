import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Target } from '#model/generated/events.ts';
import { ACCOUNT, OTHER_ACCOUNT } from '../kit/fixture.ts';
import { busArnOf, DEFAULT_ARN, openEvents, PATTERN, QUEUE, TARGET } from './fixture.ts';
import { rulesOf, usesOf } from './routing.ts';

const RULE_ARN = `arn:aws:events:us-east-1:${ACCOUNT}:rule/r`;
const DEFAULT = { accountId: ACCOUNT, region: 'us-east-1', busName: 'default' } as const;
const NO_RULE = { code: 'ResourceNotFoundException', message: 'Rule none does not exist on EventBus default.' };
const NO_BUS = { code: 'ResourceNotFoundException', message: 'Event bus none does not exist.' };

test('CreateEventBus: the response has the ARN and settings, and a second bus with the name is refused', async () => {
  const { run } = await openEvents();
  const created = await run('CreateEventBus', { Name: 'orders', Description: 'd', LogConfig: { Level: 'OFF' } });
  assert.deepEqual(created, { EventBusArn: busArnOf('orders'), Description: 'd', LogConfig: { Level: 'OFF' } });
  const message = 'Event bus orders already exists.';
  await assert.rejects(run('CreateEventBus', { Name: 'orders' }), { code: 'ResourceAlreadyExistsException', message });
  const updated = await run('UpdateEventBus', { Name: 'orders', Description: 'e' });
  assert.deepEqual(updated, { Arn: busArnOf('orders'), Name: 'orders', Description: 'e', LogConfig: { Level: 'OFF' } });
  assert.equal((await run('DescribeEventBus', { Name: busArnOf('orders') })).Description, 'e');
});

// biome-ignore format: a table
const BUS_REFUSED: readonly [title: string, input: object, code: string, message: string][] = [
  ['the name of the default bus', { Name: 'default' },                                       'ResourceAlreadyExistsException', 'Event bus default already exists.'],
  ['a slash',                     { Name: 'a/b' },                                           'ValidationError',                "Event bus name must not contain '/'."],
  ['a partner event source',      { Name: 'a', EventSourceName: 'aws.partner/a/b' },         'ResourceNotFoundException',      'Event source aws.partner/a/b does not exist.'],
  ['a KMS key',                   { Name: 'a', KmsKeyIdentifier: 'alias/a' },                'ValidationError',                'Parameter KmsKeyIdentifier is not valid. Reason: Belfry has no KMS keys.'],
  ['a topic for dead letters',    { Name: 'a', DeadLetterConfig: { Arn: QUEUE.replace('sqs', 'sns') } }, 'ValidationError',    'sns is not supported as a dead letter resource.'],
  ['a reserved tag',              { Name: 'a', Tags: [{ Key: 'aws:a', Value: '' }] },        'ValidationError',                'Tag keys may not begin with aws:, which is reserved.'],
];
for (const [title, input, code, message] of BUS_REFUSED) {
  test(`CreateEventBus: ${title} is ${code}`, async () => {
    const { run } = await openEvents();
    await assert.rejects(run('CreateEventBus', input as never), { code, message });
    assert.deepEqual(
      (await run('ListEventBuses', {})).EventBuses?.map(({ Name }) => Name),
      ['default'],
    );
  });
}

test('CreateEventBus: a region has at most 100 buses besides the default bus', async () => {
  const { run } = await openEvents();
  await run('UpdateEventBus', { Description: 'the default bus has a row now' });
  for (let i = 0; i < 100; i++) await run('CreateEventBus', { Name: `b${i}` });
  const message = 'The requested resource exceeds the maximum number allowed.';
  await assert.rejects(run('CreateEventBus', { Name: 'b100' }), { code: 'LimitExceededException', message });
  await run('CreateEventBus', { Name: 'b100' }, { region: 'eu-west-1' });
});

test('DeleteEventBus: deletes the rules with the bus, ignores unknown buses, and refuses the default bus', async () => {
  const { run } = await openEvents();
  await run('CreateEventBus', { Name: 'orders' });
  await run('PutRule', { Name: 'r', EventBusName: 'orders', EventPattern: PATTERN });
  await run('PutTargets', { Rule: 'r', EventBusName: 'orders', Targets: [TARGET] });
  await run('DeleteEventBus', { Name: 'orders' });
  await run('DeleteEventBus', { Name: 'orders' });
  await run('CreateEventBus', { Name: 'orders' });
  assert.deepEqual(await run('ListRules', { EventBusName: 'orders' }), { Rules: [] });
  await assert.rejects(run('DeleteEventBus', { Name: 'default' }), {
    code: 'ValidationError',
    message: 'Cannot delete event bus default.',
  });
});

test('ListEventBuses: pages have the default bus at its place, and a prefix selects names', async () => {
  const { run } = await openEvents();
  for (const Name of ['a', 'defer', 'z']) await run('CreateEventBus', { Name });
  const names = async (input: object) => {
    const { EventBuses = [], NextToken } = await run('ListEventBuses', input);
    return [EventBuses.map(({ Name }) => Name), NextToken] as const;
  };
  assert.deepEqual((await names({}))[0], ['a', 'default', 'defer', 'z']);
  assert.deepEqual((await names({ NamePrefix: 'def' }))[0], ['default', 'defer']);
  const [first, NextToken] = await names({ Limit: 2 });
  assert.deepEqual(first, ['a', 'default']);
  assert.deepEqual(await names({ Limit: 2, NextToken }), [['defer', 'z'], undefined]);
  await assert.rejects(run('ListEventBuses', { NextToken: 'x' }), { code: 'ValidationError' });
});

test('DescribeEventBus: the default bus exists in every region, and others do not', async () => {
  const { run } = await openEvents();
  assert.deepEqual(await run('DescribeEventBus', {}), { Name: 'default', Arn: DEFAULT_ARN });
  await assert.rejects(run('DescribeEventBus', { Name: 'none' }), NO_BUS);
  await run('CreateEventBus', { Name: 'none' }, { region: 'eu-west-1' });
  await assert.rejects(run('DescribeEventBus', { Name: busArnOf('none') }), NO_BUS);
});

test('PutRule: an existing rule keeps its targets and tags, and loses omitted members', async () => {
  const { run } = await openEvents();
  const Tags = [{ Key: 'a', Value: 'b' }];
  assert.deepEqual(await run('PutRule', { Name: 'r', EventPattern: PATTERN, Description: 'd', Tags }), { RuleArn: RULE_ARN });
  await run('PutTargets', { Rule: 'r', Targets: [TARGET] });
  await run('PutRule', { Name: 'r', EventPattern: '{"source":["b"]}', State: 'DISABLED', Tags: [{ Key: 'c', Value: '' }] });
  const described = { Name: 'r', Arn: RULE_ARN, EventPattern: '{"source":["b"]}', State: 'DISABLED', EventBusName: 'default' };
  assert.deepEqual(await run('DescribeRule', { Name: 'r' }), { ...described, CreatedBy: ACCOUNT });
  assert.deepEqual(await run('ListTargetsByRule', { Rule: 'r' }), { Targets: [TARGET] });
  assert.deepEqual(await run('ListTagsForResource', { ResourceARN: RULE_ARN }), { Tags });
  assert.deepEqual(await run('ListRules', {}), { Rules: [described] });
});

// biome-ignore format: a table
const RULE_REFUSED: readonly [title: string, input: object, code: string, message: string][] = [
  ['no trigger',              {},                                                                 'ValidationError',              'Parameter(s) EventPattern or ScheduleExpression must be specified.'],
  ['a schedule elsewhere',    { ScheduleExpression: 'rate(1 minute)', EventBusName: 'none' },     'ValidationError',              'ScheduleExpression is supported only on the default event bus.'],
  ['an invalid schedule',     { ScheduleExpression: 'rate(1 minutes)' },                          'ValidationError',              'Parameter ScheduleExpression is not valid.'],
  ['an invalid pattern',      { EventPattern: '{"source":[]}' },                                  'InvalidEventPatternException', 'Event pattern is not valid. Reason: Empty arrays are not allowed\n at [Source: (String)"{"source":[]}"; line: 1, column: 13]'],
  ['a repeated tag',          { EventPattern: PATTERN, Tags: [{ Key: 'a', Value: '' }, { Key: 'A', Value: '' }] }, 'ValidationError', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'],
  ['an unknown bus',          { EventPattern: PATTERN, EventBusName: 'none' },                    'ResourceNotFoundException',    'Event bus none does not exist.'],
  ['a bus of another account', { EventPattern: PATTERN, EventBusName: DEFAULT_ARN.replace(ACCOUNT, OTHER_ACCOUNT) }, 'NotYetImplementedException', 'An operation on rules and event buses of another account is not implemented yet by Belfry.'],
];
for (const [title, input, code, message] of RULE_REFUSED) {
  test(`PutRule: ${title} is ${code}`, async () => {
    const { run } = await openEvents();
    await assert.rejects(run('PutRule', { Name: 'r', ...input }), { code, message });
    assert.deepEqual(await run('ListRules', {}), { Rules: [] });
  });
}

test('EnableRule, DisableRule: they change the state, and clear and set the time of a schedule', async () => {
  const { run, store } = await openEvents();
  await run('PutRule', { Name: 'r', ScheduleExpression: 'rate(5 minutes)' });
  const scheduled = () =>
    store.transaction(
      async (tx) => (await tx.sql.row<{ readonly at: number | null }>('SELECT schedule_at_ms AS at FROM event_rule', []))?.at,
    );
  assert.equal(typeof (await scheduled()), 'number');
  await run('DisableRule', { Name: 'r' });
  assert.deepEqual([(await run('DescribeRule', { Name: 'r' })).State, await scheduled()], ['DISABLED', null]);
  await run('EnableRule', { Name: 'r' });
  assert.deepEqual([(await run('DescribeRule', { Name: 'r' })).State, typeof (await scheduled())], ['ENABLED', 'number']);
});

for (const operation of ['DescribeRule', 'EnableRule', 'DisableRule'] as const) {
  test(`${operation}: an unknown rule or bus is ResourceNotFoundException`, async () => {
    const { run } = await openEvents();
    await assert.rejects(run(operation, { Name: 'none' }), NO_RULE);
    await assert.rejects(run(operation, { Name: 'r', EventBusName: 'none' }), NO_BUS);
  });
}

test('DeleteRule: refuses a rule with targets without Force, and ignores unknown rules', async () => {
  const { run } = await openEvents();
  await run('DeleteRule', { Name: 'r' });
  await assert.rejects(run('DeleteRule', { Name: 'r', EventBusName: 'none' }), NO_BUS);
  await run('PutRule', { Name: 'r', EventPattern: PATTERN });
  await run('PutTargets', { Rule: 'r', Targets: [TARGET] });
  const message = "Rule can't be deleted since it has targets.";
  await assert.rejects(run('DeleteRule', { Name: 'r' }), { code: 'ValidationError', message });
  await run('DeleteRule', { Name: 'r', Force: true });
  await run('PutRule', { Name: 'r', EventPattern: PATTERN });
  assert.deepEqual(await run('ListTargetsByRule', { Rule: 'r' }), { Targets: [] });
});

test('ListRules, ListRuleNamesByTarget: prefixes, pages and targets select rules', async () => {
  const { run } = await openEvents();
  for (const Name of ['a-1', 'a-2', 'b-1']) {
    await run('PutRule', { Name, EventPattern: PATTERN });
    await run('PutTargets', { Rule: Name, Targets: [TARGET, { Id: 'other', Arn: `${QUEUE}-${Name}` }, { Id: 'u', Arn: QUEUE }] });
  }
  const names = async (input: object) => (await run('ListRules', input)).Rules?.map(({ Name }) => Name);
  assert.deepEqual(await names({ NamePrefix: 'a-' }), ['a-1', 'a-2']);
  const { NextToken } = await run('ListRules', { Limit: 1, NamePrefix: 'a-' });
  assert.deepEqual(await names({ Limit: 1, NamePrefix: 'a-', NextToken }), ['a-2']);
  assert.deepEqual(await run('ListRuleNamesByTarget', { TargetArn: QUEUE }), { RuleNames: ['a-1', 'a-2', 'b-1'] });
  assert.deepEqual(await run('ListRuleNamesByTarget', { TargetArn: `${QUEUE}-b-1` }), { RuleNames: ['b-1'] });
  await assert.rejects(run('ListRules', { EventBusName: 'none' }), NO_BUS);
});

const TEMPLATE = (InputTemplate: string, InputPathsMap: Record<string, string> = {}) => ({
  InputTransformer: { InputTemplate, InputPathsMap },
});
const OTHER_BUS = DEFAULT_ARN.replace(ACCOUNT, OTHER_ACCOUNT);
const KINESIS = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/s`;

// biome-ignore format: a table
const TARGET_REFUSED: readonly [title: string, target: Partial<Target>, message: string][] = [
  ['no ARN',                       { Arn: 'queue' },                                          'Parameter queue is not valid. Reason: Provided Arn is not in correct format.'],
  ['a bucket',                     { Arn: 'arn:aws:s3:::bucket' },                            'Parameter arn:aws:s3:::bucket is not valid. Reason: Provided Arn is not in correct format.'],
  ['a job of Glue',                { Arn: `arn:aws:glue:us-east-1:${ACCOUNT}:job/j` },        `Parameter arn:aws:glue:us-east-1:${ACCOUNT}:job/j is not valid. Reason: Provided Arn is not in correct format.`],
  ['a FIFO queue without group',   { Arn: `${QUEUE}.fifo` },                                  'Parameter(s) SqsParameters must be specified for target: t.'],
  ['parameters of another service', { EcsParameters: { TaskDefinitionArn: 'a' } },            'Parameter(s) EcsParameters not supported for target: t.'],
  ['two kinds of input',           { Input: '1', InputPath: '$' },                            'Only one of Input, InputPath, or InputTransformer must be provided for target t.'],
  ['an input that is not JSON',     { Input: 'word' },                                         'JSON syntax error in input for target t.'],
  ['a path without $',             { InputPath: 'detail' },                                   'InputPath for target t is invalid.'],
  ['a path with quoted names',     { InputPath: "$.detail['a']" },                            'InputPath for target t is invalid.'],
  ['an invalid path in the map',   TEMPLATE('"<a>"', { a: 'detail' }),                        'InputPath for target t is invalid.'],
  ['an unknown placeholder',       TEMPLATE('"<a> <b>"', { a: '$' }),                         'InputTemplate for target t contains invalid placeholder b.'],
  ['an unknown reserved name',     TEMPLATE('"<aws.events.x>"'),                              'InputTemplate for target t contains invalid placeholder aws.events.x.'],
  ['the whole event in a list',    TEMPLATE('[<aws.events.event.json>]'),                     'InputTemplate for target t contains placeholder aws.events.event.json valid only for JSON template.'],
  ['a template that is not JSON',   TEMPLATE('{"a": }'),                                       'InputTemplate for target t is not valid JSON, and not a list of quoted strings.'],
  ['a FIFO queue of dead letters', { DeadLetterConfig: { Arn: `${QUEUE}.fifo` } },            'SQS FIFO is not supported by Dead Letter Queues.'],
  ['a queue of another region',    { DeadLetterConfig: { Arn: QUEUE.replace('us-east-1', 'eu-west-1') } }, `Parameter ${QUEUE.replace('us-east-1', 'eu-west-1')} is not valid. Reason: Provided Arn is not in correct format.`],
  ['a stream without role',        { Arn: KINESIS },                                          `RoleArn is required for target ${KINESIS}.`],
  ['a bus of another account',     { Arn: OTHER_BUS },                                        `RoleArn is required for target ${OTHER_BUS}.`],
];
for (const [title, target, message] of TARGET_REFUSED) {
  test(`PutTargets: ${title} is ValidationException, and nothing changes`, async () => {
    const { run } = await openEvents();
    await run('PutRule', { Name: 'r', EventPattern: PATTERN });
    await assert.rejects(
      run('PutTargets', {
        Rule: 'r',
        Targets: [
          { Id: 's', Arn: QUEUE },
          { ...TARGET, ...target },
        ],
      }),
      {
        code: 'ValidationError',
        message,
      },
    );
    assert.deepEqual(await run('ListTargetsByRule', { Rule: 'r' }), { Targets: [] });
  });
}

test('PutTargets: a target to which Belfry cannot deliver is in FailedEntries, and the others are added', async () => {
  const { run } = await openEvents();
  await run('PutRule', { Name: 'r', EventPattern: PATTERN });
  const machine = { Id: 'm', Arn: `arn:aws:states:us-east-1:${ACCOUNT}:stateMachine:m` };
  const ErrorMessage = "Belfry does not deliver to 'states'. It delivers to sqs, sns, lambda, kinesis, logs, events.";
  assert.deepEqual(await run('PutTargets', { Rule: 'r', Targets: [machine, TARGET] }), {
    FailedEntryCount: 1,
    FailedEntries: [{ TargetId: 'm', ErrorCode: 'NotYetImplementedException', ErrorMessage }],
  });
  assert.deepEqual(await run('ListTargetsByRule', { Rule: 'r' }), { Targets: [TARGET] });
});

test('PutTargets: an equal ID replaces a target, and a rule has at most 5', async () => {
  const { run } = await openEvents();
  await run('PutRule', { Name: 'r', EventPattern: PATTERN });
  const five = [1, 2, 3, 4, 5].map((i) => ({ Id: `${i}`, Arn: QUEUE }));
  assert.deepEqual(await run('PutTargets', { Rule: 'r', Targets: five }), { FailedEntryCount: 0, FailedEntries: [] });
  await run('PutTargets', { Rule: 'r', Targets: [{ Id: '1', Arn: QUEUE, Input: '"x"' }] });
  const message = 'The requested resource exceeds the maximum number allowed.';
  await assert.rejects(run('PutTargets', { Rule: 'r', Targets: [{ Id: '6', Arn: QUEUE }] }), { code: 'LimitExceededException', message });
  assert.deepEqual((await run('ListTargetsByRule', { Rule: 'r' })).Targets?.[0], { Id: '1', Arn: QUEUE, Input: '"x"' });
  const removed = await run('RemoveTargets', { Rule: 'r', Ids: ['1', 'none'] });
  const ErrorMessage = "Rule 'r' does not have a target with the Id 'none'.";
  const FailedEntries = [{ TargetId: 'none', ErrorCode: 'ResourceNotFoundException', ErrorMessage }];
  assert.deepEqual(removed, { FailedEntryCount: 1, FailedEntries });
});

for (const [operation, more] of [
  ['PutTargets', { Targets: [TARGET] }],
  ['RemoveTargets', { Ids: ['t'] }],
  ['ListTargetsByRule', {}],
] as const) {
  test(`${operation}: an unknown rule or bus is ResourceNotFoundException`, async () => {
    const { run } = await openEvents();
    await assert.rejects(run(operation, { Rule: 'none', ...more } as never), NO_RULE);
    await assert.rejects(run(operation, { Rule: 'r', EventBusName: 'none', ...more } as never), NO_BUS);
  });
}

test('routing: a change of a rule or target changes the version, and only enabled rules with a pattern are routed', async () => {
  const { run, store } = await openEvents();
  const version = async () => (await store.transaction((tx) => usesOf(tx, DEFAULT)))?.version;
  const seen = new Set([await version()]);
  const changes = [
    () => run('PutRule', { Name: 'r', EventPattern: PATTERN }),
    () => run('PutTargets', { Rule: 'r', Targets: [TARGET] }),
    () => run('PutRule', { Name: 'off', EventPattern: PATTERN, State: 'DISABLED' }),
    () => run('PutTargets', { Rule: 'off', Targets: [TARGET] }),
    () => run('PutRule', { Name: 'timed', ScheduleExpression: 'rate(1 minute)' }),
    () => run('DisableRule', { Name: 'timed' }),
    () => run('PutRule', { Name: 'alone', EventPattern: PATTERN }),
    () => run('RemoveTargets', { Rule: 'off', Ids: ['t'] }),
    () => run('DeleteRule', { Name: 'off' }),
  ];
  for (const change of changes) {
    await change();
    seen.add(await version());
  }
  assert.equal(seen.size, changes.length + 1);
  const rules = await store.transaction((tx) => rulesOf(tx, DEFAULT));
  assert.deepEqual(
    rules.map(({ ruleName }) => ruleName),
    ['alone', 'r'],
  );
});

test('tags: buses and rules have tags, and other ARNs are refused', async () => {
  const { run } = await openEvents();
  await run('PutRule', { Name: 'r', EventPattern: PATTERN });
  for (const ResourceARN of [RULE_ARN, DEFAULT_ARN]) {
    await run('TagResource', {
      ResourceARN,
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    });
    await run('TagResource', { ResourceARN, Tags: [{ Key: 'a', Value: '3' }] });
    await run('UntagResource', { ResourceARN, TagKeys: ['b', 'none'] });
    assert.deepEqual(await run('ListTagsForResource', { ResourceARN }), { Tags: [{ Key: 'a', Value: '3' }] });
    const many = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    await assert.rejects(run('TagResource', { ResourceARN, Tags: many }), { code: 'LimitExceededException' });
  }
  const message = `Parameter ${QUEUE} is not valid. Reason: Provided Arn is not in correct format.`;
  await assert.rejects(run('ListTagsForResource', { ResourceARN: QUEUE }), { code: 'ValidationError', message });
  await assert.rejects(run('TagResource', { ResourceARN: busArnOf('none'), Tags: [] }), NO_BUS);
  await assert.rejects(run('UntagResource', { ResourceARN: RULE_ARN.replace('rule/r', 'rule/none'), TagKeys: [] }), NO_RULE);
});

test('PutRule: the patterns of a bus have a limit together, which deleted rules and archives give back', async () => {
  const { run } = await openEvents();
  const alternatives = Array.from({ length: 10 }, () => ({ $or: [{ a: [1] }, { a: [2] }] }));
  // Each `$or` at another path doubles the branches.
  const large = (n: number) => JSON.stringify({ n: [n], ...Object.fromEntries(alternatives.slice(0, 9).map((or, i) => [`f${i}`, or])) });
  const limit = { code: 'LimitExceededException' };
  let added = 0;
  for (; added < 100; added++) {
    const failed = await run('PutRule', { Name: `r${added}`, EventPattern: large(added) }).then(
      () => false,
      () => true,
    );
    if (failed) break;
  }
  assert.ok(added > 5 && added < 100, `${added} rules`);
  const another = { EventPattern: large(-1) };
  await assert.rejects(run('PutRule', { Name: 'more', ...another }), limit);
  await assert.rejects(run('CreateArchive', { ArchiveName: 'a', EventSourceArn: DEFAULT_ARN, ...another }), limit);
  await run('PutRule', { Name: 'r0', ...another });
  await run('PutRule', { Name: 'small', EventPattern: PATTERN });
  await run('DeleteRule', { Name: 'r1' });
  await run('CreateArchive', { ArchiveName: 'a', EventSourceArn: DEFAULT_ARN, ...another });
  await assert.rejects(run('PutRule', { Name: 'more', ...another }), limit);
  await run('UpdateArchive', { ArchiveName: 'a', EventPattern: PATTERN });
  await run('PutRule', { Name: 'more', ...another });
  await assert.rejects(run('UpdateArchive', { ArchiveName: 'a', ...another }), limit);
});
