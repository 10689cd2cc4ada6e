import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_SELECTORS } from '#services/cloudtrail/basic-selectors.ts';
import { trailRow } from '#store/conformance-fixtures.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { compileSelectors, type EventFacts, factsOfRow, type Selectors } from './selectors.ts';

const object = (key: string, bucket = 'logs'): Partial<TrailRow> => ({
  category: 'Data',
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  readOnly: true,
  resources: [
    { type: 'AWS::S3::Object', name: `arn:aws:s3:::${bucket}/${key}` },
    { type: 'AWS::S3::Bucket', name: `arn:aws:s3:::${bucket}` },
  ],
});
const DOCUMENT = JSON.stringify({
  eventType: 'AwsApiCall',
  sessionCredentialFromConsole: 'true',
  userIdentity: { arn: 'arn:aws:iam::111122223333:user/ann' },
});

const EVENTS = {
  read: { readOnly: true },
  write: {},
  kms: { eventSource: 'kms.amazonaws.com' },
  service: { document: '{"eventType":"AwsServiceEvent"}' },
  getA: { ...object('a/1'), document: DOCUMENT },
  putA: { ...object('a/1'), eventName: 'PutObject', readOnly: false },
  getB: object('b/1'),
  getOther: object('a/1', 'logs2'),
} as const satisfies Record<string, Partial<TrailRow>>;
type EventName = keyof typeof EVENTS;

const factsOf = (name: EventName): EventFacts => factsOfRow(trailRow('1', 0, { document: '{}', ...EVENTS[name] }));

const data = (...Values: string[]) => ({ IncludeManagementEvents: false, DataResources: [{ Type: 'AWS::S3::Object', Values }] });
const advanced = (...selectors: readonly Readonly<Record<string, object>>[]): Selectors => ({
  advanced: selectors.map((fields) => ({
    FieldSelectors: Object.entries(fields).map(([Field, conditions]) => ({ Field, ...conditions })),
  })),
});
const DATA = { eventCategory: { Equals: ['Data'] }, 'resources.type': { Equals: ['AWS::S3::Object'] } };
const MANAGEMENT = { eventCategory: { Equals: ['Management'] } };
const A = 'arn:aws:s3:::logs/a/';

// biome-ignore format: a table
const ROWS: readonly [title: string, selectors: Selectors, selected: readonly EventName[]][] = [
  ['the default selects management events',                { basic: DEFAULT_SELECTORS },                                              ['read', 'write', 'kms', 'service']],
  ['absent members have the defaults',                     { basic: [{}] },                                                           ['read', 'write', 'kms', 'service']],
  ['ReadOnly',                                             { basic: [{ ReadWriteType: 'ReadOnly' }] },                                ['read']],
  ['WriteOnly',                                            { basic: [{ ReadWriteType: 'WriteOnly' }] },                               ['write', 'kms', 'service']],
  ['an excluded source',                                   { basic: [{ ExcludeManagementEventSources: ['kms.amazonaws.com'] }] },     ['read', 'write', 'service']],
  ['no management events',                                 { basic: [{ IncludeManagementEvents: false }] },                           []],
  ['two selectors select what either selects',             { basic: [{ ReadWriteType: 'ReadOnly' }, data('arn:aws:s3:::logs/b/')] },  ['read', 'getB']],
  ['all objects',                                          { basic: [data('arn:aws:s3')] },                                           ['getA', 'putA', 'getB', 'getOther']],
  ['all objects of a bucket, not of a longer name',        { basic: [data('arn:aws:s3:::logs/')] },                                   ['getA', 'putA', 'getB']],
  ['a bucket without a slash, not of a longer name',       { basic: [data('arn:aws:s3:::logs')] },                                    ['getA', 'putA', 'getB']],
  ['a prefix of keys',                                     { basic: [data('arn:aws:s3:::logs/a')] },                                  ['getA', 'putA']],
  ['WriteOnly applies to data events',                     { basic: [{ ...data('arn:aws:s3'), ReadWriteType: 'WriteOnly' }] },        ['putA']],
  ['excluded sources do not apply to data events',         { basic: [{ ...data(A), ExcludeManagementEventSources: ['s3.amazonaws.com'] }] }, ['getA', 'putA']],
  ['another type of data resource',                        { basic: [{ ...data(), DataResources: [{ Type: 'AWS::Lambda::Function', Values: ['arn:aws:s3'] }] }] }, []],
  ['advanced: management events',                          advanced(MANAGEMENT),                                                      ['read', 'write', 'kms', 'service']],
  ['advanced: without a category, nothing',                advanced({ readOnly: { Equals: ['true'] } }),                              []],
  ['advanced: a selector without fields, nothing',         advanced({}),                                                              []],
  ['advanced: an unknown field, nothing',                  advanced({ ...MANAGEMENT, unknown: { NotEquals: ['x'] } }),                []],
  ['advanced: a field of Object.prototype, nothing',       advanced({ ...MANAGEMENT, constructor: { NotEquals: ['x'] } }),            []],
  ['advanced: readOnly',                                   advanced({ ...MANAGEMENT, readOnly: { Equals: ['true'] } }),               ['read']],
  ['advanced: NotEquals of two values is AND',             advanced({ ...MANAGEMENT, eventSource: { NotEquals: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] } }), ['read', 'write', 'service']],
  ['advanced: eventType',                                  advanced({ ...MANAGEMENT, eventType: { Equals: ['AwsServiceEvent'] } }),   ['service']],
  ['advanced: all objects',                                advanced(DATA),                                                            ['getA', 'putA', 'getB', 'getOther']],
  ['advanced: fields are AND',                             advanced({ ...DATA, eventName: { Equals: ['PutObject'] }, readOnly: { Equals: ['true'] } }), []],
  ['advanced: positive operators of a field are OR',       advanced({ ...DATA, 'resources.ARN': { StartsWith: [A], EndsWith: ['b/1'] } }), ['getA', 'putA', 'getB']],
  ['advanced: negative operators of a field are AND',      advanced({ ...DATA, 'resources.ARN': { NotStartsWith: [A], NotEndsWith: ['b/1'] } }), ['getOther']],
  ['advanced: positive and negative operators of a field', advanced({ ...DATA, eventName: { StartsWith: ['Get', 'Put'], NotEquals: ['GetObject'] } }), ['putA']],
  ['advanced: the conditions hold for one resource',       advanced({ ...DATA, 'resources.ARN': { Equals: ['arn:aws:s3:::logs'] } }), []],
  ['advanced: userIdentity.arn',                           advanced({ ...DATA, 'userIdentity.arn': { EndsWith: ['user/ann'] } }),     ['getA']],
  ['advanced: sessionCredentialFromConsole',               advanced({ ...DATA, sessionCredentialFromConsole: { Equals: ['true'] } }), ['getA']],
  ['advanced: selectors are OR',                           advanced({ ...MANAGEMENT, readOnly: { Equals: ['true'] } }, { ...DATA, eventName: { Equals: ['PutObject'] } }), ['read', 'putA']],
  ['advanced: network activity events do not exist',       advanced({ eventCategory: { Equals: ['NetworkActivity'] } }),              []],
];

for (const [title, selectors, selected] of ROWS) {
  test(`selectors: ${title}`, () => {
    const selects = compileSelectors(selectors);
    assert.deepEqual(
      (Object.keys(EVENTS) as EventName[]).filter((name) => selects(factsOf(name))),
      selected,
    );
  });
}
