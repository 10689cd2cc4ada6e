import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { arnForm, arnInputsOf } from './arn-inputs.ts';
import { loadModel } from './load.ts';
import type { OperationModel } from './model.ts';
import type { ServiceName } from './services.ts';

const APP = 'arn:aws:chime:us-east-1:111122223333:app-instance/a1b2c3d4';

describe('arnForm', () => {
  // biome-ignore format: a table
  const ROWS: readonly (readonly [type: string, text: string, canonical: boolean])[] = [
    // type                                         text                                                                    canonical
    ['chime:app-instance',                          APP,                                                                    true ],
    ['chime:app-instance',                          `${APP}/user/ada`,                                                      false],
    ['chime:app-instance-user',                     `${APP}/user/ada:b.c@d-e_f`,                                            true ],
    ['chime:app-instance-user',                     `${APP}/user/ada:`,                                                     false],
    ['chime:app-instance-user',                     `${APP}/bot/ada`,                                                       false],
    ['chime:channel',                               `${APP}/channel/general/x`,                                             false],
    ['chime:channel',                               `${APP}/channel/*`,                                                     false],
    ['chime:meeting',                               'arn:aws:chime::111122223333:meeting/a1b2',                             false],
    ['chime:meeting',                               'arn:aws:chime:us-gov-west-1:111122223333:meeting/a1b2',                true ],
    ['chime:voice-connector',                       'arn:aws:chime:us-east-1:111122223333:vc/abcdefghij1234567890',         true ],
    ['chime:media-insights-pipeline-configuration', 'arn:aws:chime:us-east-1:111122223333:media-insights-pipeline-configuration/-a.b_c', true ],
    ['iam:role',                                    'arn:aws:iam::111122223333:role/path/to/Name',                          true ],
    ['iam:role',                                    'arn:aws:iam::111122223333:role/',                                      false],
    ['iam:role',                                    'arn:aws:iam::aws:role/Name',                                           false],
    ['iam:role',                                    'arn:aws:iam::11112222333:role/Name',                                   false],
    ['iam:policy',                                  'arn:aws:iam::aws:policy/service-role/Name',                            true ],
    ['iam:policy',                                  'arn:aws:iam:::policy/Name',                                            false],
    ['iam:mfa',                                     'arn:aws:iam::111122223333:mfa/BreakGlass',                             true ],
    ['iam:mfa',                                     'arn:aws:iam::111122223333:MFA/BreakGlass',                             false],
    ['hardware serial',                             'GAHT12345678',                                                         true ],
    ['hardware serial',                             'ARN:aws:iam::111122223333:mfa/BreakGlass',                             false],
    ['iam:oidc-provider',                           'arn:aws:iam::111122223333:oidc-provider/idp.example.com:8443/path',    true ],
    ['iam:oidc-provider',                           'arn:aws:iam::111122223333:oidc-provider/IDP.example.com',              false],
    ['arn',                                         'arn:aws:iam::123456789:role/Name',                                     true ],
    ['arn',                                         'arn:a:b:::c',                                                          true ],
    ['arn',                                         'arn::b:::c',                                                           false],
    ['arn',                                         'arn:a:b::c:',                                                          false],
    ['arn',                                         'ARN:aws:iam::111122223333:role/Name',                                  false],
    ['elsewhere',                                   'arn:aws:s3:::bucket/folder',                                           true ],
    ['elsewhere',                                   'arn:aws:lambda:us-east-1:111122223333:function:name:1',                true ],
    ['elsewhere',                                   'arn:aws:sqs:US-EAST-1:111122223333:queue',                             false],
    ['elsewhere',                                   'arn:aws:sqs:us-east-1:111122223333:queue\n',                           false],
  ];
  for (const [type, text, canonical] of ROWS) {
    test(`${JSON.stringify(text)} is ${canonical ? 'a' : 'not a'} canonical ARN of ${type}`, () => {
      assert.equal(arnForm([type]).test(text), canonical);
    });
  }
});

describe('arnInputsOf', () => {
  const typesOf = (service: ServiceName, operation: string) => {
    const model = loadModel(service);
    return Object.fromEntries(
      arnInputsOf(model, model.operations[operation] as OperationModel).map(({ path, types }) => [path.join('.'), types.join(' ')]),
    );
  };
  const members = 'chime:app-instance-user chime:app-instance-bot';

  // biome-ignore format: a table
  for (const [service, operation, expected] of [
    ['chime-sdk-messaging', 'CreateChannel',   { AppInstanceArn: 'chime:app-instance', ChimeBearer: members, 'MemberArns.[]': members, 'ModeratorArns.[]': members }],
    ['chime-sdk-identity',  'DescribeAppInstanceUser', { AppInstanceUserArn: 'chime:app-instance-user' }],
    ['iam',                 'AttachRolePolicy', { PolicyArn: 'iam:policy' }],
    ['iam',                 'ListPoliciesGrantingServiceAccess', { Arn: 'iam:group iam:role iam:user' }],
    ['sts',                 'AssumeRoleWithSAML', { RoleArn: 'sts:role arn', PrincipalArn: 'iam:saml-provider', 'PolicyArns.[].arn': 'iam:policy' }],
    ['organizations',       'TagResource',     {}],
    ['cloudtrail',          'CreateTrail',     {}],
  ] as const) {
    test(`arnInputsOf: the ARN members of ${operation} have the expected resource types`, () => {
      assert.deepEqual(typesOf(service, operation), expected);
    });
  }
});
