import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, accessOf } from '../kit/fixture.ts';
import { isNotYet } from '../kit/not-yet.ts';
import { ARN, ELSEWHERE, openTrails } from './fixture.ts';

const STORE = `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:eventdatastore/a`;
/** Input with every member that determines the required permissions. */
const INPUT = {
  Name: 'audit',
  TrailName: 'audit',
  ResourceId: ARN,
  ResourceIdList: [ARN, `${ARN}-2`],
  TagsList: [{ Key: 'a', Value: 'b' }],
};

/** Resources of each operation. The action is always the operation's own. Source: Service Authorization Reference, "AWS CloudTrail". */
// biome-ignore format: a table
const RESOURCES: Readonly<Record<string, readonly string[]>> = {
  LookupEvents:                         ['*'],
  CreateTrail:                          [ARN],
  UpdateTrail:                          [ARN],
  DeleteTrail:                          [ARN],
  GetTrail:                             [ARN],
  DescribeTrails:                       ['*'],
  ListTrails:                           ['*'],
  GetTrailStatus:                       [ARN],
  StartLogging:                         [ARN],
  StopLogging:                          [ARN],
  PutEventSelectors:                    [ARN],
  GetEventSelectors:                    [ARN],
  PutInsightSelectors:                  [ARN],
  GetInsightSelectors:                  [ARN],
  PutEventConfiguration:                [ARN],
  GetEventConfiguration:                [ARN],
  AddTags:                              [ARN],
  RemoveTags:                           [ARN],
  ListTags:                             [ARN, `${ARN}-2`],
  ListPublicKeys:                       ['*'],
  RegisterOrganizationDelegatedAdmin:   ['*'],
  DeregisterOrganizationDelegatedAdmin: ['*'],
};

const { operations } = await openTrails();

test('Access: every implemented operation is in the table', () => {
  const implemented = Object.entries(operations).flatMap(([name, operation]) => (isNotYet(operation) ? [] : [name]));
  assert.deepEqual(Object.keys(RESOURCES).sort(), implemented.sort());
});

for (const [name, resources] of Object.entries(RESOURCES)) {
  test(`Access: ${name} requires its own action on ${resources.join(' and ')}`, () => {
    const access = accessOf(operations, name, INPUT).map((each) => [each.action, each.resources]);
    assert.deepEqual(access, [[`cloudtrail:${name}`, resources]]);
  });
}

const HERE = `arn:aws:cloudtrail:eu-west-1:${ACCOUNT}:trail/audit`;

// biome-ignore format: a table
const NAMES: readonly [title: string, operation: string, input: object, resources: readonly string[]][] = [
  ['a name in another region',   'StopLogging',         { Name: 'audit' },                                  [HERE]],
  ['an ARN in another region',   'StopLogging',         { Name: ARN },                                      [ARN]],
  ['an event data store',        'GetInsightSelectors', { EventDataStore: STORE },                          [STORE]],
  ['the ID of a data store',     'GetInsightSelectors', { EventDataStore: 'a' },                            [STORE.replace('us-east-1', 'eu-west-1')]],
  ['a trail and a data store',   'PutInsightSelectors', { TrailName: ARN, EventDataStore: STORE },          [ARN, STORE]],
  ['neither',                    'GetEventConfiguration', {},                                               ['*']],
  ['no ARNs',                    'ListTags',            { ResourceIdList: [] },                             ['*']],
  ['a data store with tags',     'AddTags',             { ResourceId: STORE, TagsList: [] },                [STORE]],
];

for (const [title, operation, input, resources] of NAMES) {
  test(`Access: ${operation} with ${title} requires permission on ${resources.join(' and ')}`, () => {
    assert.deepEqual(
      accessOf(operations, operation, input, ELSEWHERE).flatMap((each) => each.resources),
      resources,
    );
  });
}

// biome-ignore format: a table
const CONTEXTS: readonly [operation: string, context: readonly (readonly [string, string | readonly string[]])[]][] = [
  ['CreateTrail', [['aws:requesttag/a', 'b'], ['aws:tagkeys', ['a']]]],
  ['AddTags',     [['aws:requesttag/a', 'b'], ['aws:tagkeys', ['a']]]],
  ['RemoveTags',  [['aws:tagkeys', ['a']]]],
];

for (const [operation, context] of CONTEXTS) {
  test(`Access: ${operation} has the condition keys of its tags`, () => {
    assert.deepEqual([...(accessOf(operations, operation, INPUT)[0]?.context ?? [])], context);
  });
}

for (const [operation, input] of [
  ['GetTrail', { Name: 'arn:aws:s3:::logs' }],
  ['AddTags', { ResourceId: 'audit', TagsList: [] }],
  ['ListTags', { ResourceIdList: [ARN, `arn:aws:s3:us-east-1:${ACCOUNT}:trail/audit`] }],
] as const) {
  test(`Access: ${operation} rejects a string that is not the ARN of a CloudTrail resource`, () => {
    assert.throws(() => accessOf(operations, operation, input), { code: 'CloudTrailARNInvalidException' });
  });
}
