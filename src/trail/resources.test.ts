import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookupResource, madeResource, trailResource } from './resources.ts';

// biome-ignore format: a table
const TYPES: readonly [arn: string, type: string | undefined, name: string][] = [
  // the ARN                                                    its type                        what a look-up calls it
  ['arn:aws:iam::111122223333:user/path/ada',                   'AWS::IAM::User',               'ada'                                                      ],
  ['arn:aws:iam::111122223333:role/Host',                       'AWS::IAM::Role',               'Host'                                                     ],
  ['arn:aws:iam::aws:policy/AmazonChimeFullAccess',             'AWS::IAM::Policy',             'arn:aws:iam::aws:policy/AmazonChimeFullAccess'            ],
  ['arn:aws:chime:us-east-1:111122223333:meeting/m',            'AWS::Chime::Meeting',          'arn:aws:chime:us-east-1:111122223333:meeting/m'           ],
  ['arn:aws:chime:us-east-1:111122223333:app-instance/i',       'AWS::Chime::AppInstance',      'arn:aws:chime:us-east-1:111122223333:app-instance/i'      ],
  ['arn:aws:chime:us-east-1:111122223333:app-instance/i/user/u','AWS::Chime::AppInstanceUser',  'arn:aws:chime:us-east-1:111122223333:app-instance/i/user/u'],
  ['arn:aws:chime:us-east-1:111122223333:media-insights-pipeline-configuration/c', 'AWS::Chime::MediaInsightsPipelineConfiguration', 'arn:aws:chime:us-east-1:111122223333:media-insights-pipeline-configuration/c'],
  ['arn:aws:sns:us-east-1:111122223333:topic',                  undefined,                      'arn:aws:sns:us-east-1:111122223333:topic'                 ],
];

for (const [arn, type, name] of TYPES) {
  test(`A resource of the trail: ${arn} is of type ${type ?? 'none that is known'}`, () => {
    const resource = trailResource(arn);
    assert.ok(resource);
    assert.equal(resource.type, type);
    assert.deepEqual(lookupResource(resource, 'iam'), { ...(type !== undefined && { type }), name });
  });
}

test('A resource of the trail: a role that is assumed is looked up by its ARN', () => {
  const arn = 'arn:aws:iam::111122223333:role/Host';
  assert.equal(lookupResource({ arn, accountId: '111122223333', type: 'AWS::IAM::Role' }, 'sts').name, arn);
});

for (const none of ['*', 'arn:aws:chime:us-east-1:111122223333:meeting/*', 'no arn']) {
  test(`A resource of the trail: ${none} is none`, () => {
    assert.equal(trailResource(none), undefined);
  });
}

test('A resource of the trail: what was made is found at the top of an answer, or one level below', () => {
  assert.equal(madeResource({ ChannelArn: 'arn:c' }), 'arn:c');
  assert.equal(madeResource({ User: { Path: '/', Arn: 'arn:u' } }), 'arn:u');
  assert.equal(madeResource({ A: { B: { Arn: 'arn:deep' } }, List: ['arn:l'], Arn: 'no arn' }), undefined);
});
