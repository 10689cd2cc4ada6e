import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import type { Criterion } from '#model/generated/accessanalyzer.ts';
import { ACCOUNT, START } from '../../kit/fixture.ts';
import type { Filter } from '../tables/analyzers.ts';
import type { FindingRecord } from '../tables/findings.ts';
import { matches, validateFilter } from './filters.ts';

const FINDING: FindingRecord = {
  ...{ analyzerId: 'a', id: 'f-1', resource: 'arn:aws:s3:::bucket', accessKey: 'k', resourceType: 'AWS::S3::Bucket' },
  ...{ ownerAccount: ACCOUNT as AccountId, findingType: 'ExternalAccess', status: 'ACTIVE', isPublic: false },
  ...{ createdAt: START, analyzedAt: START, updatedAt: START },
  details: [
    {
      ...{ findingType: 'ExternalAccess', action: ['s3:GetObject'], isPublic: false },
      principal: { AWS: '999988887777' },
      condition: { 'aws:PrincipalOrgID': 'o-abcdefghij' },
    },
  ],
};

// biome-ignore format: a table
const CRITERIA: readonly (readonly [title: string, key: string, criterion: Criterion, isMet: boolean])[] = [
  // title                              key                               criterion                                   met
  ['eq: the value',                     'resource',                       { eq: ['arn:aws:s3:::bucket'] },            true ],
  ['eq: one of several values',         'status',                         { eq: ['ARCHIVED', 'ACTIVE'] },             true ],
  ['eq: another value',                 'resourceType',                   { eq: ['AWS::IAM::Role'] },                 false],
  ['eq: case matters',                  'status',                         { eq: ['active'] },                         false],
  ['neq: another value',                'id',                             { neq: ['f-2'] },                           true ],
  ['neq: the value',                    'id',                             { neq: ['f-2', 'f-1'] },                    false],
  ['contains: a part',                  'resource',                       { contains: ['s3', 'x'] },                  true ],
  ['contains: no part',                 'resource',                       { contains: ['x'] },                        false],
  ['isPublic is a string',              'isPublic',                       { eq: ['false'] },                          true ],
  ['principal.AWS',                     'principal.AWS',                  { eq: ['999988887777'] },                   true ],
  ['an absent principal fails eq',      'principal.Federated',            { eq: ['999988887777'] },                   false],
  ['an absent principal passes neq',    'principal.Federated',            { neq: ['999988887777'] },                  true ],
  ['an absent value fails contains',    'principal.Federated',            { contains: [''] },                         false],
  ['exists: present',                   'condition.aws:PrincipalOrgID',   { exists: true },                           true ],
  ['exists: absent',                    'condition.aws:SourceIp',         { exists: true },                           false],
  ['exists false: absent',              'error',                          { exists: false },                          true ],
  ['exists false: present',             'principal.AWS',                  { exists: false },                          false],
  ['condition value',                   'condition.aws:PrincipalOrgID',   { eq: ['o-abcdefghij'] },                   true ],
  ['names of object members are absent', 'condition.constructor',         { exists: true },                           false],
  ['all operators of a criterion',      'resource',                       { contains: ['s3'], neq: ['x'] },           true ],
  ['one operator that does not hold',   'resource',                       { contains: ['s3'], eq: ['x'] },            false],
];

for (const [title, key, criterion, isMet] of CRITERIA) {
  test(`Filter: ${title}`, () => {
    validateFilter({ [key]: criterion }, 'list');
    assert.equal(matches({ [key]: criterion }, FINDING), isMet);
  });
}

test('Filter: all keys must match', () => {
  assert.equal(matches({ status: { eq: ['ACTIVE'] }, isPublic: { eq: ['true'] } }, FINDING), false);
  assert.equal(matches({}, FINDING), true);
});

// Source: IAM User Guide, "Archive rules": the values of a filter are not validated.
// biome-ignore format: a table
const UNCHECKED: readonly (readonly [key: string, value: string])[] = [
  ['resourceType',         'AWS::S3::Buket'],
  ['resourceOwnerAccount', '12'],
  ['findingType',          'UnusedRole'],
  ['isPublic',             'maybe'],
  ['principal.AWS',        'not an account'],
];

for (const [key, value] of UNCHECKED) {
  test(`Filter: '${value}' as ${key} is valid, and matches no finding`, () => {
    for (const use of ['list', 'rule', 'preview'] as const) validateFilter({ [key]: { eq: [value] } }, use);
    assert.equal(matches({ [key]: { eq: [value] } }, FINDING), false);
  });
}

const EQ = { eq: ['x'] };
// biome-ignore format: a table
const INVALID: readonly (readonly [title: string, filter: Filter, use: 'list' | 'rule', message: RegExp])[] = [
  ['an archive rule without criteria',        {},                                                     'rule', /at least one criterion/],
  ['an unknown key',                          { color: EQ },                                          'list', /Invalid filter key: color/],
  ['a name of object members',                { constructor: EQ },                                    'list', /Invalid filter key/],
  ['status in an archive rule',               { status: EQ },                                         'rule', /Invalid filter key: status/],
  ['id in an archive rule',                   { id: EQ },                                             'rule', /Invalid filter key: id/],
  ['an unknown type of principals',           { 'principal.Service': EQ },                            'list', /Invalid filter key/],
  ['a condition without a key',               { 'condition.': EQ },                                   'list', /Invalid filter key/],
  ['a criterion without operators',           { resource: {} },                                       'list', /must contain eq, neq, contains or exists/],
  ['a long value',                            { resource: { contains: ['x'.repeat(2_049)] } },        'list', /at most 2048 characters/],
  ['many keys', Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`condition.k${i}`, EQ])),    'list', /at most 50 criteria/],
];

for (const [title, filter, use, message] of INVALID) {
  test(`Filter: ${title} is ValidationException`, () => {
    assert.throws(() => validateFilter(filter, use), { code: 'ValidationException', message });
  });
}
