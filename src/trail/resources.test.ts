import assert from 'node:assert/strict';
import { test } from 'node:test';
import { omitUndefined } from '#core/omit-undefined.ts';
import { createdResource, lookupResource, trailResource } from './resources.ts';

// biome-ignore format: a table
const TYPES: readonly [arn: string, type: string | undefined, name: string][] = [
  // ARN                                                        type                            name in LookupEvents
  ['arn:aws:iam::111122223333:user/path/ada',                   'AWS::IAM::User',               'ada'                                                      ],
  ['arn:aws:iam::111122223333:role/Host',                       'AWS::IAM::Role',               'Host'                                                     ],
  ['arn:aws:iam::111122223333:oidc-provider/idp.example/',      'AWS::IAM::OIDCProvider',       'arn:aws:iam::111122223333:oidc-provider/idp.example/'     ],
  ['arn:aws:iam::aws:policy/AmazonChimeFullAccess',             'AWS::IAM::Policy',             'arn:aws:iam::aws:policy/AmazonChimeFullAccess'            ],
  ['arn:aws:chime:us-east-1:111122223333:meeting/m',            'AWS::Chime::Meeting',          'arn:aws:chime:us-east-1:111122223333:meeting/m'           ],
  ['arn:aws:chime:us-east-1:111122223333:app-instance/i',       'AWS::Chime::AppInstance',      'arn:aws:chime:us-east-1:111122223333:app-instance/i'      ],
  ['arn:aws:chime:us-east-1:111122223333:app-instance/i/user/u','AWS::Chime::AppInstanceUser',  'arn:aws:chime:us-east-1:111122223333:app-instance/i/user/u'],
  ['arn:aws:chime:us-east-1:111122223333:media-insights-pipeline-configuration/c', 'AWS::Chime::MediaInsightsPipelineConfiguration', 'arn:aws:chime:us-east-1:111122223333:media-insights-pipeline-configuration/c'],
  ['arn:aws:sns:us-east-1:111122223333:topic',                  undefined,                      'arn:aws:sns:us-east-1:111122223333:topic'                 ],
];

for (const [arn, type, name] of TYPES) {
  test(`Trail resource: ${arn} has ${type === undefined ? 'no type' : `type ${type}`}`, () => {
    const resource = trailResource(arn);
    assert.ok(resource);
    assert.equal(resource.type, type);
    assert.deepEqual(lookupResource(resource, 'iam'), omitUndefined({ type, name }));
  });
}

test('lookupResource: in events of STS, a role is listed by its ARN', () => {
  const arn = 'arn:aws:iam::111122223333:role/Host';
  assert.equal(lookupResource({ arn, accountId: '111122223333', type: 'AWS::IAM::Role' }, 'sts').name, arn);
});

for (const pattern of ['*', 'arn:aws:chime:us-east-1:111122223333:meeting/*', 'arn:aws:iam::111122223333:user/path/', 'no arn']) {
  test(`trailResource: '${pattern}' does not identify one resource, so the result is undefined`, () => {
    assert.equal(trailResource(pattern), undefined);
  });
}

test('createdResource: the ARN is at the top level of the output, or one level below', () => {
  assert.equal(createdResource({ ChannelArn: 'arn:c' }), 'arn:c');
  assert.equal(createdResource({ User: { Path: '/', Arn: 'arn:u' } }), 'arn:u');
  assert.equal(createdResource({ A: { B: { Arn: 'arn:deep' } }, List: ['arn:l'], Arn: 'no arn' }), undefined);
});
