import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from '#core/instant.ts';
import type { CreateTrailRequest, UpdateTrailRequest } from '#model/generated/cloudtrail.ts';
import { ACCOUNT, type As, START } from '../kit/fixture.ts';
import { ARN, BUCKET, CLOSED_BUCKET, ELSEWHERE, GROUP, openTrails, REQUEST, ROLE, UNKNOWN_TOPIC } from './fixture.ts';
import { PERIODS_MAX, trails } from './tables/trails.ts';

const NAME_CHARACTERS =
  'Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).';
const MULTI_REGION = 'Multi-Region trail must include global service events.';
const TOPIC = 'SNS Topic does not exist or the topic policy is incorrect!';
const TOPIC_ARN = `arn:aws:sns:us-east-1:${ACCOUNT}:files`;
const INVALID_GROUP = "Check the log group ARN: CloudTrail can't validate it.";
const LONG = 'a'.repeat(201);

// The cases are in the order of the checks. Each one also breaks a later rule, so the table shows which error wins.
// biome-ignore format: a table
const REFUSED: readonly [title: string, input: Partial<CreateTrailRequest>, code: string, message: string][] = [
  ['a name with 1 character',        { Name: 'a', S3BucketName: 'none' },       'InvalidTrailNameException', 'Trail name too short. Minimum allowed length: 3 characters. Specified name length: 1 characters.'],
  ['a name with 129 characters',     { Name: `-${'a'.repeat(128)}` },           'InvalidTrailNameException', 'Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 characters.'],
  ['a first character -',            { Name: '-ab-' },                          'InvalidTrailNameException', 'Trail name must starts with a letter or number.'],
  ['a last character -',             { Name: 'a b-' },                          'InvalidTrailNameException', 'Trail name must ends with a letter or number.'],
  ['a name with a space',            { Name: 'a b..c' },                        'InvalidTrailNameException', NAME_CHARACTERS],
  ['an ARN as name',                 { Name: ARN },                             'InvalidTrailNameException', NAME_CHARACTERS],
  ['adjacent punctuation',           { Name: 'a.-b' },                          'InvalidTrailNameException', 'Trail name cannot have adjacent periods (.), hyphens (-), or underscores (_).'],
  ['an IP address as name',          { Name: '192.168.5.4', IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false }, 'InvalidTrailNameException', 'Trail name cannot be in IP address format.'],
  ['all regions without global events', { IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false, S3BucketName: 'A' }, 'InvalidParameterCombinationException', MULTI_REGION],
  ['an invalid bucket name',         { S3BucketName: 'A', S3KeyPrefix: LONG },  'InvalidS3BucketNameException', "The S3 bucket name 'A' is invalid."],
  ['a prefix with 201 characters',   { S3KeyPrefix: LONG, Name: 'taken' },      'InvalidS3PrefixException', 'S3 prefix is longer than maximum length: 200 characters.'],
  ['a prefix that leaves the bucket', { S3KeyPrefix: '../a', Name: 'taken' },    'InvalidS3PrefixException', "The S3 prefix '../a' must not contain the path segment '..'."],
  ['a repeated tag key',             { TagsList: [{ Key: 'a' }, { Key: 'A' }], Name: 'taken' }, 'InvalidTagParameterException', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'],
  ['51 tags',                        { TagsList: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}` })), Name: 'taken' }, 'TagsLimitExceededException', 'The number of tags exceeds the limit of 50 tags for a resource.'],
  ['the name of another trail',      { Name: 'taken', IsOrganizationTrail: true }, 'TrailAlreadyExistsException', `Trail taken already exists for customer: ${ACCOUNT}`],
  ['an organization trail without organization', { IsOrganizationTrail: true, S3BucketName: 'none' }, 'OrganizationsNotInUseException', 'Your account is not a member of an organization.'],
  ['an unknown bucket',              { S3BucketName: 'none', SnsTopicName: 't' }, 'S3BucketDoesNotExistException', 'S3 bucket none does not exist!'],
  ['a bucket whose policy denies',   { S3BucketName: CLOSED_BUCKET, SnsTopicName: 't' }, 'InsufficientS3BucketPolicyException', `Incorrect S3 bucket policy is detected for bucket: ${CLOSED_BUCKET}`],
  ['a topic with 257 characters',    { SnsTopicName: 't'.repeat(257) },         'InvalidSnsTopicNameException', 'SNS topic name is longer than maximum length: 256 characters.'],
  ['a topic with a space',           { SnsTopicName: 'a b', KmsKeyId: 'k' },    'InvalidSnsTopicNameException', "The SNS topic name 'a b' is invalid. Specify the name or the ARN of a standard topic."],
  ['a FIFO topic',                   { SnsTopicName: `${TOPIC_ARN}.fifo` },     'InvalidSnsTopicNameException', `The SNS topic name '${TOPIC_ARN}.fifo' is invalid. Specify the name or the ARN of a standard topic.`],
  ['the ARN of a queue as topic',    { SnsTopicName: TOPIC_ARN.replace('sns', 'sqs') }, 'InvalidSnsTopicNameException', `The SNS topic name '${TOPIC_ARN.replace('sns', 'sqs')}' is invalid. Specify the name or the ARN of a standard topic.`],
  ['a topic without endpoint',       { SnsTopicName: UNKNOWN_TOPIC, KmsKeyId: 'k' }, 'InsufficientSnsTopicPolicyException', TOPIC],
  ['a KMS key',                      { KmsKeyId: 'k', CloudWatchLogsLogGroupArn: 'g' }, 'KmsKeyNotFoundException', 'The KMS key does not exist, or is not in the same region as the S3 bucket.'],
  ['a log group without role',       { CloudWatchLogsLogGroupArn: 'g' },        'InvalidCloudWatchLogsRoleArnException', 'You must specify a role ARN as well as a log group.'],
  ['a role without log group',       { CloudWatchLogsRoleArn: ROLE },           'InvalidCloudWatchLogsLogGroupArnException', INVALID_GROUP],
  ['a string as log group',          { CloudWatchLogsLogGroupArn: 'g', CloudWatchLogsRoleArn: ROLE }, 'InvalidCloudWatchLogsLogGroupArnException', INVALID_GROUP],
  ['a log group without :*',         { CloudWatchLogsLogGroupArn: GROUP.slice(0, -2), CloudWatchLogsRoleArn: ROLE }, 'InvalidCloudWatchLogsLogGroupArnException', INVALID_GROUP],
  ['a log group of another region',  { CloudWatchLogsLogGroupArn: GROUP.replace('us-east-1', 'eu-west-1'), CloudWatchLogsRoleArn: ROLE }, 'InvalidCloudWatchLogsLogGroupArnException', INVALID_GROUP],
  ['an unknown log group',           { CloudWatchLogsLogGroupArn: GROUP.replace('trails', 'none'), CloudWatchLogsRoleArn: ROLE }, 'InvalidCloudWatchLogsLogGroupArnException', INVALID_GROUP],
  ['an unknown role',                { CloudWatchLogsLogGroupArn: GROUP, CloudWatchLogsRoleArn: ROLE.replace('ok', 'missing') }, 'InvalidCloudWatchLogsRoleArnException', 'Access denied. Check the trust relationships for your role.'],
  ['a role that does not trust CloudTrail', { CloudWatchLogsLogGroupArn: GROUP, CloudWatchLogsRoleArn: ROLE.replace('ok', 'distrusting') }, 'InvalidCloudWatchLogsRoleArnException', 'Access denied. Check the trust relationships for your role.'],
  ['a role without permissions',     { CloudWatchLogsLogGroupArn: GROUP, CloudWatchLogsRoleArn: ROLE.replace('ok', 'denied') }, 'InvalidCloudWatchLogsLogGroupArnException', 'Access denied. Check the permissions for your role.'],
];

for (const [title, input, code, message] of REFUSED) {
  test(`CreateTrail: ${title} is ${code}, and creates nothing`, async () => {
    const { run } = await openTrails();
    await run('CreateTrail', { ...REQUEST, Name: 'taken' });
    await assert.rejects(run('CreateTrail', { ...REQUEST, ...input }), { code, message });
    assert.deepEqual(
      (await run('ListTrails', {})).Trails?.map(({ Name }) => Name),
      ['taken'],
    );
  });
}

// biome-ignore format: a table
const UPDATE_REFUSED: readonly [title: string, input: Partial<UpdateTrailRequest>, as: As, code: string, message: string][] = [
  ['an ARN of another service',      { Name: ARN.replace('cloudtrail', 's3') }, {}, 'CloudTrailARNInvalidException', `The ARN '${ARN.replace('cloudtrail', 's3')}' is invalid. The following is the format of a trail ARN: arn:aws:cloudtrail:us-east-2:123456789012:trail/MyTrail`],
  ['an ARN of another partition',    { Name: ARN.replace('arn:aws', 'arn:aws-cn') }, {}, 'CloudTrailARNInvalidException', `The ARN '${ARN.replace('arn:aws', 'arn:aws-cn')}' is invalid. The following is the format of a trail ARN: arn:aws:cloudtrail:us-east-2:123456789012:trail/MyTrail`],
  ['a short name',                   { Name: 'a' },                             {}, 'InvalidTrailNameException', 'Trail name too short. Minimum allowed length: 3 characters. Specified name length: 1 characters.'],
  ['an unknown name',                { Name: 'none', S3BucketName: 'none' },    {}, 'TrailNotFoundException', `Unknown trail: none for the user: ${ACCOUNT}`],
  ['an ARN of another account',      { Name: ARN.replace(ACCOUNT, '444455556666') }, {}, 'TrailNotFoundException', `Unknown trail: ${ARN.replace(ACCOUNT, '444455556666')} for the user: ${ACCOUNT}`],
  ['a trail of another region',      { Name: ARN },                             ELSEWHERE, 'TrailNotFoundException', `Unknown trail: ${ARN} for the user: ${ACCOUNT}`],
  ['a name of another region',       {},                                        ELSEWHERE, 'TrailNotFoundException', `Unknown trail: audit for the user: ${ACCOUNT}`],
  ['a shadow trail',                 { Name: 'shadow' },                        ELSEWHERE, 'InvalidHomeRegionException', `The trail ${ARN.replace('audit', 'shadow')} can be changed only in its home region us-east-1, not in eu-west-1.`],
  ['the ARN of a shadow trail',      { Name: ARN.replace('audit', 'shadow') },  ELSEWHERE, 'InvalidHomeRegionException', `The trail ${ARN.replace('audit', 'shadow')} can be changed only in its home region us-east-1, not in eu-west-1.`],
  ['a shadow trail without global events', { Name: 'shadow', IncludeGlobalServiceEvents: false }, {}, 'InvalidParameterCombinationException', MULTI_REGION],
  ['an invalid bucket name',         { S3BucketName: '1.2.3.4' },               {}, 'InvalidS3BucketNameException', "The S3 bucket name '1.2.3.4' is invalid."],
  ['a prefix with 201 characters',   { S3KeyPrefix: LONG },                     {}, 'InvalidS3PrefixException', 'S3 prefix is longer than maximum length: 200 characters.'],
  ['an organization trail without organization', { IsOrganizationTrail: true }, {}, 'OrganizationsNotInUseException', 'Your account is not a member of an organization.'],
  ['an unknown bucket',              { S3BucketName: 'none' },                  {}, 'S3BucketDoesNotExistException', 'S3 bucket none does not exist!'],
  ['a bucket whose policy denies',   { S3BucketName: CLOSED_BUCKET },           {}, 'InsufficientS3BucketPolicyException', `Incorrect S3 bucket policy is detected for bucket: ${CLOSED_BUCKET}`],
  ['a topic without endpoint',       { SnsTopicName: UNKNOWN_TOPIC },           {}, 'InsufficientSnsTopicPolicyException', TOPIC],
  ['a log group without role',       { CloudWatchLogsLogGroupArn: GROUP },      {}, 'InvalidCloudWatchLogsRoleArnException', 'You must specify a role ARN as well as a log group.'],
  ['a role without permissions',     { CloudWatchLogsLogGroupArn: GROUP, CloudWatchLogsRoleArn: ROLE.replace('ok', 'denied') }, {}, 'InvalidCloudWatchLogsLogGroupArnException', 'Access denied. Check the permissions for your role.'],
];

for (const [title, input, as, code, message] of UPDATE_REFUSED) {
  test(`UpdateTrail: ${title} is ${code}, and changes nothing`, async () => {
    const { run } = await openTrails();
    await run('CreateTrail', REQUEST);
    await run('CreateTrail', { ...REQUEST, Name: 'shadow', IsMultiRegionTrail: true });
    const before = await run('DescribeTrails', {});
    await assert.rejects(run('UpdateTrail', { Name: 'audit', ...input }, as), { code, message });
    assert.deepEqual(await run('DescribeTrails', {}), before);
  });
}

const CREATED = {
  Name: 'audit',
  S3BucketName: BUCKET,
  IncludeGlobalServiceEvents: true,
  IsMultiRegionTrail: false,
  TrailARN: ARN,
  LogFileValidationEnabled: false,
  IsOrganizationTrail: false,
};
const READ = { ...CREATED, HomeRegion: 'us-east-1', HasCustomEventSelectors: false, HasInsightSelectors: false };

test('CreateTrail: the response has the defaults, and GetTrail returns the trail by name and by ARN', async () => {
  const { run } = await openTrails();
  assert.deepEqual(await run('CreateTrail', REQUEST), CREATED);
  for (const Name of ['audit', ARN]) assert.deepEqual(await run('GetTrail', { Name }), { Trail: READ });
});

test('Trails: a topic and a log group are stored, returned, and removed by empty strings', async () => {
  const { run } = await openTrails();
  const group = { CloudWatchLogsLogGroupArn: GROUP, CloudWatchLogsRoleArn: ROLE };
  const topic = { SnsTopicName: 'files', SnsTopicARN: TOPIC_ARN };
  assert.deepEqual(await run('CreateTrail', { ...REQUEST, SnsTopicName: 'files', ...group }), { ...CREATED, ...topic, ...group });
  assert.deepEqual(await run('GetTrail', { Name: 'audit' }), { Trail: { ...READ, ...topic, ...group } });
  assert.deepEqual(await run('UpdateTrail', { Name: 'audit', SnsTopicName: TOPIC_ARN }), {
    ...{ ...CREATED, ...group },
    ...{ SnsTopicName: TOPIC_ARN, SnsTopicARN: TOPIC_ARN },
  });
  await assert.rejects(run('UpdateTrail', { Name: 'audit', CloudWatchLogsRoleArn: '' }), { code: 'InvalidCloudWatchLogsRoleArnException' });
  const none = { SnsTopicName: '', CloudWatchLogsLogGroupArn: '', CloudWatchLogsRoleArn: '' };
  assert.deepEqual(await run('UpdateTrail', { Name: 'audit', ...none }), CREATED);
});

test('CreateTrail: the bucket is checked for all keys that the trail will write, before the trail exists', async () => {
  const { run, checked } = await openTrails();
  await run('CreateTrail', { ...REQUEST, S3KeyPrefix: 'p/q', EnableLogFileValidation: true });
  const keys = [`p/q/AWSLogs/${ACCOUNT}/CloudTrail/`, `p/q/AWSLogs/${ACCOUNT}/CloudTrail-Digest/`];
  assert.deepEqual(checked, [{ bucket: BUCKET, keys, trailArn: ARN, accountId: ACCOUNT }]);
});

test('UpdateTrail: omitted members stay, and an empty prefix removes the prefix', async () => {
  const { run, checked } = await openTrails();
  await run('CreateTrail', { ...REQUEST, S3KeyPrefix: 'p', SnsTopicName: '', KmsKeyId: '' });
  const updated = await run('UpdateTrail', { Name: ARN, EnableLogFileValidation: true, RecursiveLogging: false });
  assert.deepEqual(updated, { ...CREATED, S3KeyPrefix: 'p', LogFileValidationEnabled: true, RecursiveLogging: false });
  await run('UpdateTrail', { Name: 'audit', S3KeyPrefix: '' });
  assert.deepEqual((await run('GetTrail', { Name: 'audit' })).Trail, { ...READ, LogFileValidationEnabled: true, RecursiveLogging: false });
  assert.deepEqual(checked.at(-1)?.keys, [`AWSLogs/${ACCOUNT}/CloudTrail/`, `AWSLogs/${ACCOUNT}/CloudTrail-Digest/`]);
});

test('CreateTrail: a region has at most 5 trails, including trails of all regions', async () => {
  const { run } = await openTrails();
  await run('CreateTrail', { ...REQUEST, IsMultiRegionTrail: true });
  const sixth = { code: 'MaximumNumberOfTrailsExceededException', message: `User: ${ACCOUNT} already has 5 trails in eu-west-1.` };
  for (const Name of ['t-2', 't-3', 't-4', 't-5']) await run('CreateTrail', { ...REQUEST, Name }, ELSEWHERE);
  await assert.rejects(run('CreateTrail', { ...REQUEST, Name: 't-2' }, ELSEWHERE), sixth);
  await assert.rejects(run('CreateTrail', { ...REQUEST, Name: 't-6', IsMultiRegionTrail: true }), sixth);
  await run('CreateTrail', { ...REQUEST, Name: 't-6' });
});

test('CreateTrail: a name can be used in two regions, except the name of a trail of all regions', async () => {
  const { run } = await openTrails();
  await run('CreateTrail', REQUEST);
  await run('CreateTrail', REQUEST, ELSEWHERE);
  await run('CreateTrail', { ...REQUEST, Name: 'all', IsMultiRegionTrail: true });
  await assert.rejects(run('CreateTrail', { ...REQUEST, Name: 'all' }, ELSEWHERE), { code: 'TrailAlreadyExistsException' });
});

const ALL = ARN.replace('audit', 'all');
const THERE = `arn:aws:cloudtrail:eu-west-1:${ACCOUNT}:trail/there`;

// biome-ignore format: a table
const DESCRIBED: readonly [title: string, input: { trailNameList?: readonly string[]; includeShadowTrails?: boolean }, region: string, found: readonly string[]][] = [
  ['no names',                          {},                                        'us-east-1', [ALL, ARN]],
  ['no names in another region',        {},                                        'eu-west-1', [THERE, ALL]],
  ['no names, without shadow trails',   { includeShadowTrails: false },            'eu-west-1', [THERE]],
  ['no names in a third region',        {},                                        'eu-west-2', [ALL]],
  ['a name',                            { trailNameList: ['audit'] },              'us-east-1', [ARN]],
  ['the name of a shadow trail',        { trailNameList: ['all'] },                'eu-west-1', []],
  ['the ARN of a shadow trail',         { trailNameList: [ALL] },                  'eu-west-1', [ALL]],
  ['the ARN of another region\'s trail', { trailNameList: [ARN] },                 'eu-west-1', []],
  ['unknown names',                     { trailNameList: ['none', `${ARN}-2`] },   'us-east-1', []],
  ['a name and an ARN of one trail',    { trailNameList: ['audit', ARN, 'none'] }, 'us-east-1', [ARN]],
];

test('DescribeTrails: names, ARNs and regions select trails', async () => {
  const { run } = await openTrails();
  await run('CreateTrail', REQUEST);
  await run('CreateTrail', { ...REQUEST, Name: 'all', IsMultiRegionTrail: true });
  await run('CreateTrail', { ...REQUEST, Name: 'there' }, ELSEWHERE);
  for (const [title, input, region, expected] of DESCRIBED) {
    const { trailList = [] } = await run('DescribeTrails', input, { region });
    assert.deepEqual(
      trailList.map(({ TrailARN }) => TrailARN),
      expected,
      title,
    );
  }
  for (const [reference, code] of [
    ['a', 'InvalidTrailNameException'],
    ['arn:x', 'CloudTrailARNInvalidException'],
  ] as const) {
    await assert.rejects(run('DescribeTrails', { trailNameList: [reference] }), { code });
  }
  assert.deepEqual((await run('ListTrails', {}, ELSEWHERE)).Trails, [
    { TrailARN: THERE, Name: 'there', HomeRegion: 'eu-west-1' },
    { TrailARN: ALL, Name: 'all', HomeRegion: 'us-east-1' },
    { TrailARN: ARN, Name: 'audit', HomeRegion: 'us-east-1' },
  ]);
});

const NEVER = {
  LatestDeliveryAttemptTime: '',
  LatestDeliveryAttemptSucceeded: '',
  LatestNotificationAttemptTime: '',
  LatestNotificationAttemptSucceeded: '',
};

test('GetTrailStatus: a new trail does not log, and start and stop are idempotent', async () => {
  const { run } = await openTrails();
  await run('CreateTrail', { ...REQUEST, IsMultiRegionTrail: true });
  const status = (as: As = {}) => run('GetTrailStatus', { Name: ARN }, as);
  assert.deepEqual(await status(), { IsLogging: false, ...NEVER, TimeLoggingStarted: '', TimeLoggingStopped: '' });
  for (const at of [0, 1000]) await run('StartLogging', { Name: 'audit' }, { now: instant(START + at) });
  const started = { StartLoggingTime: START, TimeLoggingStarted: '2026-11-22T00:00:00Z' };
  assert.deepEqual(await status(ELSEWHERE), { IsLogging: true, ...started, ...NEVER, TimeLoggingStopped: '' });
  for (const at of [2000, 3000]) await run('StopLogging', { Name: ARN }, { now: instant(START + at) });
  const stopped = { StopLoggingTime: START + 2000, TimeLoggingStopped: '2026-11-22T00:00:02Z' };
  assert.deepEqual(await status(), { IsLogging: false, ...started, ...stopped, ...NEVER });
});

test('GetTrailStatus: it returns the delivery of the region in which it is called', async () => {
  const { run, store } = await openTrails();
  await run('CreateTrail', { ...REQUEST, IsMultiRegionTrail: true });
  await store.transaction(async (tx) => {
    const [trail] = await tx.of(trails).ofAccount(ACCOUNT);
    const { trailId = '' } = trail ?? {};
    await tx
      .of(trails)
      .putDelivery({ trailId, region: 'us-east-1', deliveredAt: START, attemptedAt: instant(START + 1000), deliveryError: 'AccessDenied' });
    await tx.of(trails).putDelivery({ trailId, region: 'eu-west-1', digestAt: START, digestError: 'NoSuchBucket' });
  });
  const { LatestDeliveryTime, LatestDeliveryError, LatestDeliveryAttemptTime, LatestDeliveryAttemptSucceeded, LatestDigestDeliveryTime } =
    await run('GetTrailStatus', { Name: ARN });
  assert.deepEqual(
    [LatestDeliveryTime, LatestDeliveryError, LatestDeliveryAttemptTime, LatestDeliveryAttemptSucceeded, LatestDigestDeliveryTime],
    [START, 'AccessDenied', '2026-11-22T00:00:01Z', '2026-11-22T00:00:00Z', undefined],
  );
  const elsewhere = await run('GetTrailStatus', { Name: ARN }, ELSEWHERE);
  assert.deepEqual(
    [elsewhere.LatestDeliveryError, elsewhere.LatestDigestDeliveryTime, elsewhere.LatestDigestDeliveryError],
    [undefined, START, 'NoSuchBucket'],
  );
});

for (const operation of ['StartLogging', 'StopLogging', 'DeleteTrail'] as const) {
  test(`${operation}: an unknown trail is TrailNotFoundException, a shadow trail InvalidHomeRegionException`, async () => {
    const { run } = await openTrails();
    await run('CreateTrail', { ...REQUEST, IsMultiRegionTrail: true });
    await assert.rejects(run(operation, { Name: 'none' }), { code: 'TrailNotFoundException' });
    for (const Name of ['audit', ARN]) await assert.rejects(run(operation, { Name }, ELSEWHERE), { code: 'InvalidHomeRegionException' });
    assert.equal((await run('GetTrailStatus', { Name: ARN })).IsLogging, false);
  });
}

test('GetTrailStatus: the message about an unknown name has an ARN, that of GetTrail has the name', async () => {
  const { run } = await openTrails();
  await assert.rejects(run('GetTrailStatus', { Name: 'audit' }), { message: `Unknown trail: ${ARN} for the user: ${ACCOUNT}` });
  await assert.rejects(run('GetTrail', { Name: 'audit' }), { message: `Unknown trail: audit for the user: ${ACCOUNT}` });
});

test('DeleteTrail: a logging trail disappears, but stays pending, and 5 such trails block the deletion of others', async () => {
  const { run, store } = await openTrails();
  for (let i = 0; i < 6; i++) {
    await run('CreateTrail', REQUEST);
    await run('StartLogging', { Name: 'audit' });
    if (i === 5) break;
    await run('DeleteTrail', { Name: 'audit' });
    await assert.rejects(run('GetTrail', { Name: 'audit' }), { code: 'TrailNotFoundException' });
  }
  await assert.rejects(run('DeleteTrail', { Name: 'audit' }), { code: 'ConflictException' });
  const pending = await store.transaction((tx) => tx.of(trails).pendingOf([ACCOUNT]));
  assert.deepEqual(pending.map(({ deletedAt, periods }) => [deletedAt !== undefined, periods.length, periods[0]?.stopRequestId]).sort(), [
    [false, 1, undefined],
    ...Array.from({ length: 5 }, () => [true, 1, 'r']),
  ]);
});

// biome-ignore format: a table
const CHANGES: readonly [title: string, operation: 'UpdateTrail' | 'PutEventSelectors' | 'PutInsightSelectors', input: object, periods: number][] = [
  ['a new prefix',             'UpdateTrail',         { S3KeyPrefix: 'q' },                                   2],
  ['log file validation',      'UpdateTrail',         { EnableLogFileValidation: true },                      2],
  ['the present configuration', 'UpdateTrail',        { S3BucketName: BUCKET },                               1],
  ['narrower selectors',       'PutEventSelectors',   { EventSelectors: [{ ReadWriteType: 'ReadOnly' }] },    2],
  ['advanced selectors',       'PutEventSelectors',   { AdvancedEventSelectors: [{ FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] }] }, 2],
  ['the default selectors',    'PutEventSelectors',   { EventSelectors: [{}] },                               1],
  ['insight selectors',        'PutInsightSelectors', { InsightSelectors: [] },                               1],
];
for (const [title, operation, input, periods] of CHANGES) {
  test(`${operation}: ${title} ${periods === 1 ? 'keeps' : 'ends'} the period of a trail that is logging`, async () => {
    const { run, store } = await openTrails();
    await run('CreateTrail', REQUEST);
    await run('StartLogging', { Name: 'audit' });
    const name = operation === 'UpdateTrail' ? { Name: 'audit' } : { TrailName: 'audit' };
    await run(operation, { ...name, ...input } as never);
    const [trail] = await store.transaction((tx) => tx.of(trails).ofAccount(ACCOUNT));
    assert.deepEqual([trail?.logging, trail?.periods.length], [true, periods]);
    assert.equal(trail?.periods[0]?.former === undefined, periods === 1);
  });
}

test('UpdateTrail, PutEventSelectors: more changes than periods are ConflictException and change nothing, but StopLogging works', async () => {
  const { run } = await openTrails();
  await run('CreateTrail', REQUEST);
  await run('StartLogging', { Name: 'audit' });
  for (let i = 1; i < PERIODS_MAX; i++) await run('UpdateTrail', { Name: 'audit', S3KeyPrefix: `p${i}` });
  const state = async () => [await run('GetTrail', { Name: 'audit' }), await run('GetEventSelectors', { TrailName: 'audit' })];
  const before = await state();
  await assert.rejects(run('UpdateTrail', { Name: 'audit', S3KeyPrefix: 'q' }), { code: 'ConflictException' });
  const EventSelectors = [{ ReadWriteType: 'ReadOnly' as const }];
  await assert.rejects(run('PutEventSelectors', { TrailName: 'audit', EventSelectors }), { code: 'ConflictException' });
  assert.deepEqual(await state(), before);
  await run('StopLogging', { Name: 'audit' });
  await assert.rejects(run('StartLogging', { Name: 'audit' }), { code: 'ConflictException' });
  await run('UpdateTrail', { Name: 'audit', S3KeyPrefix: 'q' });
  await run('DeleteTrail', { Name: 'audit' });
});
