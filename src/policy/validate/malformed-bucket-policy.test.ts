// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { OPERATORS } from '../operators.ts';
import { malformedBucketPolicy } from './malformed-bucket-policy.ts';

const BUCKET = 'arn:aws:s3:::logs';
const policy = (...statements: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const one = (more: object = {}): string =>
  policy({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${BUCKET}/*`, ...more });
const when = (operator: string, key: string, value: unknown = 'x', more: object = {}): string =>
  one({ Condition: { [operator]: { [key]: value } }, ...more });

const PRINCIPAL = 'Invalid principal in policy';
const ACTION = 'Policy has invalid action';
const RESOURCE = 'Policy has invalid resource';
const MISMATCH = 'Action does not apply to any resource(s) in statement';
const JSON_ERROR = 'This policy contains invalid Json';
const FIRST_BYTE = "Policies must be valid JSON and the first byte must be '{'";
const SYNTAX = 'Invalid policy syntax.';
const CONDITION = 'Conditions do not apply to combination of actions and resources in statement';

// biome-ignore format: a table
const ROWS: readonly (readonly [title: string, text: string, message: string | undefined])[] = [
  // case                                       document                                                          message, or undefined for a valid policy
  ['C5, row 12: no JSON',                       'false',                                                          FIRST_BYTE],
  ['an empty document',                         '',                                                               FIRST_BYTE],
  ['white space before the document',           ` ${one()}`,                                                      FIRST_BYTE],
  ['a list',                                    '[]',                                                             FIRST_BYTE],
  ['C5, row 13: an empty object',               '{}',                                                             'Missing required field Statement'],
  ['broken JSON',                               '{true}',                                                         JSON_ERROR],
  ['a truncated document',                      one().slice(0, -1),                                               JSON_ERROR],
  ['a repeated name',                           '{"Statement":[],"Statement":[]}',                                JSON_ERROR],
  ['a character above U+00FF',                  one({ Sid: 'Ā' }),                                                JSON_ERROR],
  ['no statements',                             '{"Statement":[]}',                                               'Could not parse the policy: Statement is empty!'],
  ['an unknown version',                        JSON.stringify({ Version: '2020-01-01', Statement: [] }),         'The policy must contain a valid version string'],
  ['an unknown element',                        one({ condition: {} }),                                           'Unknown field condition'],
  ['a statement that is a string',              '{"Statement":["x"]}',                                            SYNTAX],
  ['a repeated Sid',                            policy(...['a', 'a'].map((Sid) => JSON.parse(one({ Sid })).Statement[0])), 'The Statement Ids in the policy are not unique'],
  ['20 KB',                                     sized(20_480),                                                    undefined],
  ['more than 20 KB',                           sized(20_481),                                                    'Normalized policy document exceeds the maximum allowed size of 20480 bytes'],
  ['more than the maximum of any policy',       sized(140_000),                                                   'Normalized policy document exceeds the maximum allowed size of 20480 bytes'],

  ['no Effect',                                 one({ Effect: undefined }),                                       'Missing required field Effect'],
  ['an unknown Effect',                         one({ Effect: 'allow' }),                                         'Invalid effect: allow'],

  ['no Principal',                              one({ Principal: undefined }),                                    'Missing required field Principal'],
  ['an empty map of principals',                one({ Principal: {} }),                                           'Missing required field Principal cannot be empty!'],
  ['an empty string as Principal',              one({ Principal: '' }),                                           PRINCIPAL],
  ['a list as Principal',                       one({ Principal: ['*'] }),                                        PRINCIPAL],
  ['an empty string in the map',                one({ Principal: { AWS: '' } }),                                  PRINCIPAL],
  ['an empty list in the map',                  one({ Principal: { AWS: [] } }),                                  PRINCIPAL],
  ['a number in the map',                       one({ Principal: { AWS: 111122223333 } }),                        PRINCIPAL],
  ['AWS *',                                     one({ Principal: { AWS: '*' } }),                                 undefined],
  ['an account',                                one({ Principal: { AWS: '111122223333' } }),                      undefined],
  ['a role session',                            one({ Principal: { AWS: 'arn:aws:sts::111122223333:assumed-role/r/s' } }), undefined],
  ['a federated user',                          one({ Principal: { AWS: 'arn:aws:sts::111122223333:federated-user/f' } }), undefined],
  ['a wildcard inside a principal',             one({ Principal: { AWS: 'arn:aws:iam::111122223333:user/*' } }),  PRINCIPAL],
  ['a group',                                   one({ Principal: { AWS: 'arn:aws:iam::111122223333:group/g' } }), PRINCIPAL],
  ['a principal of another partition',          one({ Principal: { AWS: 'arn:aws-cn:iam::111122223333:root' } }), PRINCIPAL],
  ['a service',                                 one({ Principal: { Service: 'cloudtrail.amazonaws.com' } }),      undefined],
  ['every service',                             one({ Principal: { Service: '*' } }),                             PRINCIPAL],
  ['every identity provider',                   one({ Principal: { Federated: '*' } }),                           PRINCIPAL],
  ['an identity provider',                      one({ Principal: { Federated: 'arn:aws:iam::111122223333:saml-provider/p' } }), undefined],
  ['a canonical user',                          one({ Principal: { CanonicalUser: 'a'.repeat(64) } }),            PRINCIPAL],
  ['an unknown type of principal',              one({ Principal: { aws: '*' } }),                                 PRINCIPAL],
  ['Allow with NotPrincipal',                   one({ Principal: undefined, NotPrincipal: { AWS: '111122223333' } }), 'Allow with NotPrincipal is not allowed.'],
  ['Deny with NotPrincipal',                    one({ Effect: 'Deny', Principal: undefined, NotPrincipal: { AWS: '111122223333' } }), undefined],
  ['Principal and NotPrincipal',                one({ Effect: 'Deny', NotPrincipal: { AWS: '111122223333' } }),   SYNTAX],

  ['no Action',                                 one({ Action: undefined }),                                       'Missing required field Action'],
  ['an empty list of actions',                  one({ Action: [] }),                                              ACTION],
  ['every action',                              one({ Action: '*' }),                                             undefined],
  ['an action in lower case',                   one({ Action: 's3:getobject' }),                                  undefined],
  ...['', 'invalid', 's3', 's3:', 's4:GetObject', 'ss3:GetObject', ':GetObject', 's3::GetObject', 's3:Put-Object', 's3:????', '*GetObject',
    's3:ListAllMyBuckets', 's3:CreateBucket', 's3:HeadObject', 'iam:GetUser'].map((Action) => [`the action '${Action}'`, one({ Action }), ACTION] as const),
  ['one valid and one invalid action',          one({ Action: ['s3:GetObject', 's3:Nothing'] }),                  ACTION],
  ['a number as Action',                        one({ Action: 5 }),                                               ACTION],
  ['Action and NotAction',                      one({ NotAction: 's3:PutObject' }),                               SYNTAX],

  ['no Resource',                               one({ Resource: undefined }),                                     'Missing required field Resource'],
  ['an empty list of resources',                one({ Resource: [] }),                                            RESOURCE],
  ...['', '*', 'logs/*', 'arn:aws:iam:::logs', 'arn:aws:s3:::/logs', 'arn:aws:s3:::prefix-logs/*', 'arn:aws:s3:::log/*', 'arn:aws-cn:s3:::logs/*',
    'arn:aws:s3:us-east-1::logs/*', 'arn:aws:s3:::${aws:username}/*'].map((Resource) => [`the resource '${Resource}'`, one({ Resource }), RESOURCE] as const),
  ['a pattern that matches the bucket',         one({ Resource: 'arn:aws:s3:::lo*' }),                            undefined],
  ['a variable in the key',                     one({ Resource: `${BUCKET}/\${aws:username}/*` }),                undefined],
  ['a variable that is not closed',             one({ Resource: `${BUCKET}/\${aws:username` }),                   SYNTAX],
  ['the resource twice',                        one({ Resource: [`${BUCKET}/*`, `${BUCKET}/*`] }),                undefined],
  ['another bucket in the list',                one({ Resource: [`${BUCKET}/*`, 'arn:aws:s3:::other/*'] }),       RESOURCE],
  ['Resource and NotResource',                  one({ NotResource: `${BUCKET}/x` }),                              SYNTAX],
  ['NotResource',                               one({ Resource: undefined, NotResource: `${BUCKET}/x`, Action: 's3:ListBucket' }), undefined],

  ...['s3:GetObject', 's3:PutObjectTagging', 's3:GetObjec?', 's3:Abort*', 's3:???Object']
    .map((Action) => [`${Action} on a bucket`, one({ Action, Resource: BUCKET }), MISMATCH] as const),
  ...['s3:ListBucket', 's3:GetBucketTagging', 's3:???BucketVersioning', 's3:GetBucket*']
    .map((Action) => [`${Action} on objects`, one({ Action }), MISMATCH] as const),
  ['one of two actions does not apply',         one({ Action: ['s3:GetObject', 's3:ListBucket'] }),               MISMATCH],
  ['both actions apply to one of two resources', one({ Action: ['s3:GetObject', 's3:ListBucket'], Resource: [BUCKET, `${BUCKET}/*`] }), undefined],
  ['every action of S3 on objects only',        one({ Action: 's3:*' }),                                          undefined],

  ['a global key',                              when('IpAddress', 'aws:SourceIp', '10.0.0.0/8'),                  undefined],
  ['an unknown global key',                     when('StringEquals', 'aws:Unheard'),                              undefined],
  ['an unknown key',                            when('StringEquals', 's3:x-acl'),                                 'Policy has an invalid condition key'],
  ['a key of another service',                  when('StringEquals', 'iam:PassedToService'),                      'Policy has an invalid condition key'],
  ['a key without a vendor',                    when('StringEquals', 'prefix'),                                   'Policy has an invalid condition key'],
  ['a key that the action has',                 when('StringEquals', 's3:x-amz-acl', 'private', { Action: 's3:PutObject' }), undefined],
  ['a key that the action does not have',       when('StringEquals', 's3:prefix'),                                CONDITION],
  ['a key that one of two actions has',         when('StringEquals', 's3:prefix', 'x', { Action: ['s3:GetObject', 's3:ListBucket'], Resource: [BUCKET, `${BUCKET}/*`] }), CONDITION],
  ['a key that an action of a pattern has',     when('StringEquals', 's3:x-amz-acl', 'private', { Action: 's3:*' }), undefined],
  ['a key with the name of a tag',              when('StringEquals', 's3:ExistingObjectTag/team'),                undefined],
  ['a key with an empty name of a tag',         when('StringEquals', 's3:ExistingObjectTag/'),                    'Policy has an invalid condition key'],
  ['an unknown operator',                       when('StringIs', 'aws:UserAgent'),                                'Invalid Condition type : StringIs'],
  ['an operator in lower case',                 when('stringequals', 'aws:UserAgent'),                            'Invalid Condition type : stringequals'],
  ['a set operator',                            when('ForAnyValue:StringLikeIfExists', 'aws:TagKeys'),            undefined],
  ['an invalid address',                        when('NotIpAddress', 'aws:SourceIp', '10.0.0.0/33'),              'Invalid IP address in Conditions'],
  ['an invalid date',                           when('DateLessThan', 'aws:CurrentTime', 'yesterday'),             SYNTAX],
  ['a key twice in different case',             one({ Condition: { StringEquals: { 'aws:UserAgent': 'a', 'aws:useragent': 'b' } } }), SYNTAX],
];
for (const [title, text, message] of ROWS) {
  test(`PutBucketPolicy: ${title}`, () => {
    assert.equal(malformedBucketPolicy(text, 'logs', authorizationReference()), message);
  });
}

/** Returns a valid policy of so many bytes, with white space that does not count. */
function sized(bytes: number): string {
  const short = one({ Sid: '' });
  return short.replace('"Sid":""', `"Sid" :  "${'a'.repeat(bytes - short.length)}"`);
}

test('PutBucketPolicy: a policy of 20 KB is checked in a limited number of steps', () => {
  const patterns = Array.from({ length: 1_100 }, (_, i) => `s3:*${'?*'.repeat(4)}${'et'[i % 2]}*`);
  const operators = OPERATORS.flatMap(({ name, family }) => (family === 'text' || family === 'like' ? [name, `ForAnyValue:${name}`] : []));
  const Condition = Object.fromEntries(operators.map((name) => [name, { 's3:authType': 'REST-HEADER' }]));
  const checked = (more: object) => {
    const text = one(more);
    assert.ok(text.length < 20_480, `${text.length} characters`);
    return malformedBucketPolicy(text, 'logs', authorizationReference());
  };
  assert.equal(checked({ Action: patterns }), undefined);
  assert.equal(checked({ Action: Array(2_500).fill('s3:*'), Resource: [BUCKET, `${BUCKET}/*`], Condition }), 'The policy is too complex');
});
