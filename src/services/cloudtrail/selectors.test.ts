import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdvancedFieldSelector, EventSelector, PutEventSelectorsRequest } from '#model/generated/cloudtrail.ts';
import { ACCOUNT } from '../kit/fixture.ts';
import { ARN, ELSEWHERE, openTrails, REQUEST } from './fixture.ts';
import { trails } from './tables/trails.ts';

const TrailName = 'audit';
const DEFAULT = { ReadWriteType: 'All', IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] } as const;

async function openTrail() {
  const opened = await openTrails();
  await opened.run('CreateTrail', REQUEST);
  return opened;
}

const s3 = (...Values: readonly string[]) => ({ DataResources: [{ Type: 'AWS::S3::Object', Values }] });
const s3Values = (count: number) => s3(...Array.from({ length: count }, (_, i) => `arn:aws:s3:::b/${i}`));

// biome-ignore format: a table
const BASIC: readonly [title: string, selectors: readonly EventSelector[], message: string | undefined][] = [
  ['no selectors',                     [],                              'Specify a valid number of selectors (1 to 5) for your trail.'],
  ['6 selectors',                      Array(6).fill({}),               'Specify a valid number of selectors (1 to 5) for your trail.'],
  ['5 selectors',                      Array(5).fill({}),               undefined],
  ['251 values in two selectors',      [s3Values(125), s3Values(126)],  'Specify a valid number of data resources (1 to 250) for your trail.'],
  ['250 values in two selectors',      [s3Values(125), s3Values(125)],  undefined],
  ['an unknown type',                  [{ DataResources: [{ Type: 'AWS::SNS::Topic', Values: ['arn:aws:sns'] }] }], 'Value AWS::SNS::Topic for DataResources.Type is invalid.'],
  ['a type of an object\'s prototype', [{ DataResources: [{ Type: 'toString', Values: ['a'] }] }], 'Value toString for DataResources.Type is invalid.'],
  ['a type without values',            [{ DataResources: [{ Type: 'AWS::S3::Object' }] }], 'DataResources.Values must have at least one value.'],
  ['a wildcard',                       [s3('arn:aws:s3:::*')],          'Value arn:aws:s3:::* for DataResources.Values is invalid.'],
  ['a wildcard in a key',              [s3('arn:aws:s3:::b/*')],        'Value arn:aws:s3:::b/* for DataResources.Values is invalid.'],
  ['all functions with a wildcard',    [{ DataResources: [{ Type: 'AWS::Lambda::Function', Values: ['arn:aws:lambda:*'] }] }], 'Value arn:aws:lambda:* for DataResources.Values is invalid.'],
  ['objects, functions and tables',    [{ DataResources: [
    { Type: 'AWS::S3::Object', Values: ['arn:aws:s3', 'arn:aws:s3:::b/', 'arn:aws:s3:::b/p'] },
    { Type: 'AWS::Lambda::Function', Values: ['arn:aws:lambda', `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`] },
    { Type: 'AWS::DynamoDB::Table', Values: ['arn:aws:dynamodb', `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/t`] },
  ] }],                                                                 undefined],
  ['an unknown excluded source',       [{ ExcludeManagementEventSources: ['iam.amazonaws.com'] }], 'Value iam.amazonaws.com for ExcludeManagementEventSources is invalid.'],
  ['the two excludable sources',       [{ ExcludeManagementEventSources: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] }], undefined],
];

const equals = (Field: string, ...Equals: readonly string[]): AdvancedFieldSelector => ({ Field, Equals });
const DATA = [equals('eventCategory', 'Data'), equals('resources.type', 'AWS::S3::Object')];
const MANAGEMENT = equals('eventCategory', 'Management');
const CATEGORIES = 'The field eventCategory must equal one of: Management, Data, NetworkActivity.';
const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`);

// Each row has the fields of one selector.
// biome-ignore format: a table
const ADVANCED: readonly [title: string, fields: readonly AdvancedFieldSelector[], message: string | undefined][] = [
  ['501 values',                        [...DATA, equals('eventName', ...names(499))], 'Specify up to 500 values for all conditions of the advanced event selectors.'],
  ['500 values',                        [...DATA, equals('eventName', ...names(498))], undefined],
  ['a repeated field',                  [MANAGEMENT, MANAGEMENT],                      'A field must not appear more than once in a selector.'],
  ['no category',                       [equals('readOnly', 'true')],                  CATEGORIES],
  ['an unknown category',               [equals('eventCategory', 'Insight')],          CATEGORIES],
  ['a category of a prototype',         [equals('eventCategory', 'constructor')],      CATEGORIES],
  ['a category by NotEquals',           [{ Field: 'eventCategory', NotEquals: ['Data'] }], CATEGORIES],
  ['two categories',                    [equals('eventCategory', 'Management', 'Data')], 'The field eventCategory must have exactly one value.'],
  ['Data without a resource type',      [equals('eventCategory', 'Data')],             'A selector with the event category Data must have the field resources.type.'],
  ['network activity without source',   [equals('eventCategory', 'NetworkActivity')],  'A selector with the event category NetworkActivity must have the field eventSource.'],
  ['an unknown field',                  [MANAGEMENT, equals('errorCode', 'a')],        'Field errorCode is invalid for the event category Management.'],
  ['an event name of management events', [MANAGEMENT, equals('eventName', 'a')],       'Field eventName is invalid for the event category Management.'],
  ['a field without an operator',       [MANAGEMENT, { Field: 'readOnly' }],           'The field readOnly must have an operator with a value.'],
  ['readOnly by NotEquals',             [MANAGEMENT, { Field: 'readOnly', NotEquals: ['true'] }], 'Operator NotEquals is invalid for the field readOnly.'],
  ['readOnly with two values',          [MANAGEMENT, equals('readOnly', 'true', 'false')], 'The field readOnly must have exactly one value.'],
  ['readOnly with another value',       [MANAGEMENT, equals('readOnly', 'yes')],       'Value yes is invalid for the field readOnly.'],
  ['management events of a source',     [MANAGEMENT, equals('eventSource', 'kms.amazonaws.com')], 'Operator Equals is invalid for the field eventSource.'],
  ['management events without IAM',     [MANAGEMENT, { Field: 'eventSource', NotEquals: ['iam.amazonaws.com'] }], 'Value iam.amazonaws.com is invalid for the field eventSource.'],
  ['management events without KMS',     [MANAGEMENT, { Field: 'eventSource', NotEquals: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] }, equals('readOnly', 'false')], undefined],
  ['a resource type that is not a type',   [DATA[0] as AdvancedFieldSelector, equals('resources.type', 'S3')], 'Value S3 is invalid for the field resources.type.'],
  ['two resource types',                [DATA[0] as AdvancedFieldSelector, equals('resources.type', 'AWS::S3::Object', 'AWS::SNS::Topic')], 'The field resources.type must have exactly one value.'],
  ['a wildcard in an ARN',              [...DATA, { Field: 'resources.ARN', StartsWith: ['arn:aws:s3:::b/*'] }], 'Value arn:aws:s3:::b/* is invalid for the field resources.ARN.'],
  ['every operator of an ARN',          [...DATA, { Field: 'resources.ARN', Equals: ['a'], StartsWith: ['b'], EndsWith: ['c'], NotEquals: ['d'], NotStartsWith: ['e'], NotEndsWith: ['f'] }], undefined],
  ['every field of data events',        [...DATA, equals('readOnly', 'false'), equals('eventName', 'a'), equals('eventSource', 'a'), equals('eventType', 'a'), equals('userIdentity.arn', 'a'), equals('sessionCredentialFromConsole', 'true')], undefined],
];

const CASES: readonly (readonly [title: string, selectors: Omit<PutEventSelectorsRequest, 'TrailName'>, message: string | undefined])[] = [
  ['neither kind', {}, 'Specify either EventSelectors or AdvancedEventSelectors.'],
  ['both kinds', { EventSelectors: [], AdvancedEventSelectors: [] }, 'Specify either EventSelectors or AdvancedEventSelectors.'],
  ['no advanced selectors', { AdvancedEventSelectors: [] }, 'Specify at least one advanced event selector.'],
  ...BASIC.map(([title, EventSelectors, message]) => [title, { EventSelectors }, message] as const),
  ...ADVANCED.map(([title, FieldSelectors, message]) => [title, { AdvancedEventSelectors: [{ FieldSelectors }] }, message] as const),
];

for (const [title, selectors, message] of CASES) {
  test(`PutEventSelectors: ${title} ${message === undefined ? 'is valid' : 'is InvalidEventSelectorsException'}`, async () => {
    const { run } = await openTrail();
    const before = await run('GetEventSelectors', { TrailName });
    const put = run('PutEventSelectors', { TrailName, ...selectors });
    if (message === undefined) assert.deepEqual(await put, await run('GetEventSelectors', { TrailName }));
    else await assert.rejects(put, { code: 'InvalidEventSelectorsException', message });
    if (message !== undefined) assert.deepEqual(await run('GetEventSelectors', { TrailName }), before);
  });
}

test('GetEventSelectors: the default is all management events; each kind replaces the other', async () => {
  const { run } = await openTrail();
  const flag = async () => (await run('GetTrail', { Name: TrailName })).Trail?.HasCustomEventSelectors;
  assert.deepEqual(
    [await run('GetEventSelectors', { TrailName: ARN }), await flag()],
    [{ TrailARN: ARN, EventSelectors: [DEFAULT] }, false],
  );
  const AdvancedEventSelectors = [{ Name: 'all', FieldSelectors: [MANAGEMENT] }];
  await run('PutEventSelectors', { TrailName, AdvancedEventSelectors });
  assert.deepEqual([await run('GetEventSelectors', { TrailName }), await flag()], [{ TrailARN: ARN, AdvancedEventSelectors }, true]);
  await run('PutEventSelectors', { TrailName, EventSelectors: [{ ReadWriteType: 'WriteOnly' }] });
  const EventSelectors = [{ ...DEFAULT, ReadWriteType: 'WriteOnly' }];
  assert.deepEqual(await run('GetEventSelectors', { TrailName }), { TrailARN: ARN, EventSelectors });
});

test('PutEventSelectors: a logging trail selects data events exactly if a selector has some', async () => {
  const { run, store } = await openTrail();
  await run('StartLogging', { Name: TrailName });
  const selecting = async (selectors: Omit<PutEventSelectorsRequest, 'TrailName'>) => {
    await run('PutEventSelectors', { TrailName, ...selectors });
    return (await store.transaction((tx) => tx.of(trails).selectingData(ACCOUNT))).length;
  };
  const found = [];
  for (const selectors of [
    { EventSelectors: [{}] },
    { EventSelectors: [{}, s3('arn:aws:s3')] },
    { AdvancedEventSelectors: [{ FieldSelectors: [MANAGEMENT] }] },
    { AdvancedEventSelectors: [{ FieldSelectors: [MANAGEMENT] }, { FieldSelectors: DATA }] },
  ]) {
    found.push(await selecting(selectors));
  }
  assert.deepEqual(found, [0, 1, 0, 1]);
});

test('Selectors: changes need the home region, and reads of a shadow trail need its ARN', async () => {
  const { run } = await openTrails();
  await run('CreateTrail', { ...REQUEST, IsMultiRegionTrail: true });
  await assert.rejects(run('PutEventSelectors', { TrailName, EventSelectors: [{}] }, ELSEWHERE), { code: 'InvalidHomeRegionException' });
  await assert.rejects(run('PutInsightSelectors', { TrailName, InsightSelectors: [] }, ELSEWHERE), { code: 'InvalidHomeRegionException' });
  await assert.rejects(run('PutEventConfiguration', { TrailName }, ELSEWHERE), { code: 'InvalidHomeRegionException' });
  const message = `Unknown trail: ${ARN.replace('us-east-1', 'eu-west-1')} for the user: ${ACCOUNT}`;
  await assert.rejects(run('GetEventSelectors', { TrailName }, ELSEWHERE), { code: 'TrailNotFoundException', message });
  assert.deepEqual(await run('GetEventSelectors', { TrailName: ARN }, ELSEWHERE), { TrailARN: ARN, EventSelectors: [DEFAULT] });
});

test('Insight selectors: they are stored, and an empty list turns insights off', async () => {
  const { run } = await openTrail();
  const off = {
    code: 'InsightNotEnabledException',
    message: 'Trail audit does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again.',
  };
  const flag = async () => (await run('GetTrail', { Name: TrailName })).Trail?.HasInsightSelectors;
  await assert.rejects(run('GetInsightSelectors', { TrailName }), off);
  const InsightSelectors = [{ InsightType: 'ApiCallRateInsight' }, { InsightType: 'ApiErrorRateInsight' }] as const;
  assert.deepEqual(await run('PutInsightSelectors', { TrailName, InsightSelectors }), { TrailARN: ARN, InsightSelectors });
  assert.deepEqual([await run('GetInsightSelectors', { TrailName: ARN }), await flag()], [{ TrailARN: ARN, InsightSelectors }, true]);
  await run('PutInsightSelectors', { TrailName, InsightSelectors: [] });
  await assert.rejects(run('GetInsightSelectors', { TrailName }), off);
  assert.equal(await flag(), false);
});

test('Event configuration: it is stored, and omitted members stay', async () => {
  const { run } = await openTrail();
  const DEFAULTS = { TrailARN: ARN, MaxEventSize: 'Standard', ContextKeySelectors: [], AggregationConfigurations: [] };
  assert.deepEqual(await run('GetEventConfiguration', { TrailName }), DEFAULTS);
  const ContextKeySelectors = [{ Type: 'TagContext', Equals: ['team'] }] as const;
  await run('PutEventConfiguration', { TrailName, MaxEventSize: 'Large', ContextKeySelectors });
  const AggregationConfigurations = [{ Templates: ['API_ACTIVITY'], EventCategory: 'Data' }] as const;
  await run('PutEventConfiguration', { TrailName, AggregationConfigurations });
  const expected = { TrailARN: ARN, MaxEventSize: 'Large', ContextKeySelectors, AggregationConfigurations };
  assert.deepEqual(await run('GetEventConfiguration', { TrailName }), expected);
  await assert.rejects(run('PutEventConfiguration', { TrailName, MaxEventSize: 'Standard' }), { code: 'InvalidParameterException' });
  const twice = { ContextKeySelectors: [ContextKeySelectors[0], ContextKeySelectors[0]] };
  await assert.rejects(run('PutEventConfiguration', { TrailName, ...twice }), { code: 'InvalidParameterException' });
  assert.deepEqual(await run('GetEventConfiguration', { TrailName }), expected);
});

const STORE = 'arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d';
const REPEATED = [{ InsightType: 'ApiCallRateInsight' }, { InsightType: 'ApiCallRateInsight' }] as const;

// biome-ignore format: a table
const REFUSED = [
  ['PutInsightSelectors',   'no trail',                 { InsightSelectors: [] },                               'InvalidParameterCombinationException'],
  ['PutInsightSelectors',   'a trail and a data store', { TrailName, EventDataStore: STORE, InsightSelectors: [] }, 'InvalidParameterCombinationException'],
  ['PutInsightSelectors',   'a data store',             { EventDataStore: STORE, InsightSelectors: [] },        'InvalidParameterException'],
  ['PutInsightSelectors',   'a destination',            { TrailName, InsightsDestination: STORE, InsightSelectors: [] }, 'InvalidParameterException'],
  ['PutInsightSelectors',   'no type',                  { TrailName, InsightSelectors: [{}] },                  'InvalidInsightSelectorsException'],
  ['PutInsightSelectors',   'a repeated type',          { TrailName, InsightSelectors: REPEATED },              'InvalidInsightSelectorsException'],
  ['GetInsightSelectors',   'no trail',                 {},                                                     'InvalidParameterCombinationException'],
  ['GetInsightSelectors',   'an unknown trail',         { TrailName: 'none' },                                  'TrailNotFoundException'],
  ['PutEventConfiguration', 'no trail',                 {},                                                     'InvalidParameterCombinationException'],
  ['GetEventConfiguration', 'a data store',             { EventDataStore: STORE },                              'InvalidParameterException'],
  ['PutEventSelectors',     'an unknown trail',         { TrailName: 'none', EventSelectors: [] },              'TrailNotFoundException'],
] as const;

for (const [operation, title, input, code] of REFUSED) {
  test(`${operation}: ${title} is ${code}`, async () => {
    const { run } = await openTrail();
    await assert.rejects(run(operation, input as never), { code });
  });
}
