// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables look like templates
import assert from 'node:assert/strict';
import test from 'node:test';
import { malformedPolicyText } from './malformed-policy-text.ts';
import { policySize } from './policy-size.ts';

const SYNTAX = 'Syntax errors in policy.';
const LEGACY = 'The policy failed legacy parsing';
const VERSION = 'Policy document must be version 2012-10-17 or greater.';
const VENDOR = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';
const COLON = 'Actions/Condition can contain only one colon.';
const ACTIONS = 'Policy statement must contain actions.';
const RESOURCES = 'Policy statement must contain resources.';
const SID_UNIQUE = 'Statement IDs (SID) in a single policy must be unique.';
const IAM_PATH =
  'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.';

const BUCKET = 'arn:aws:s3:::b';
const plain = { Effect: 'Allow', Action: 's3:ListBucket', Resource: BUCKET };

/** Returns a document of version 2012-10-17 with the statements. */
function policy(...statements: readonly unknown[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

function conditional(condition: unknown): string {
  return policy({ ...plain, Condition: condition });
}

// Source: moto, tests/test_iam/test_iam_policies.py, and versitygw, IAMPutUserPolicy tests; both were recorded from IAM.
// biome-ignore format: a table
const IDENTITY: readonly (readonly [title: string, text: string, message: string | undefined])[] = [
  // JSON and the shape of the document
  ['invalid JSON',                             'no policy',                                                              SYNTAX],
  ['an empty text',                            '',                                                                       SYNTAX],
  ['an empty object',                          '{}',                                                                     SYNTAX],
  ['a list as document',                       '[]',                                                                     SYNTAX],
  ['no Statement',                             '{"Version":"2012-10-17"}',                                               SYNTAX],
  ['null as Statement',                        '{"Version":"2012-10-17","Statement":null}',                              SYNTAX],
  ['an empty list of statements',              policy(),                                                                 SYNTAX],
  ['a string as statement',                    policy('x'),                                                              SYNTAX],
  ['a repeated member name',                   '{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}',         SYNTAX],
  ['an unknown top-level element',             JSON.stringify({ Version: '2012-10-17', Statement: plain, Extra: 'x' }),  SYNTAX],
  ['an unknown element',                       policy({ ...plain, Extra: 'x' }),                                         SYNTAX],
  ['an unknown version',                       JSON.stringify({ Version: '2013-10-17', Statement: plain }),              SYNTAX],
  ['a list as Id',                             JSON.stringify({ Version: '2012-10-17', Id: [], Statement: plain }),      SYNTAX],
  ['an object as Sid',                         policy({ ...plain, Sid: {} }),                                            SYNTAX],
  ['an unknown effect',                        policy({ ...plain, Effect: 'Maybe' }),                                    SYNTAX],
  ['no effect',                                policy({ Action: 's3:ListBucket', Resource: BUCKET }),                    SYNTAX],
  ['a number as action',                       policy({ ...plain, Action: 123 }),                                        SYNTAX],
  ['a list within Action',                     policy({ ...plain, Action: [[]] }),                                       SYNTAX],
  ['an object as action',                      policy({ ...plain, Action: {} }),                                         SYNTAX],
  ['an object as resource',                    policy({ ...plain, Resource: { a: BUCKET } }),                            SYNTAX],
  ['an object within Resource',                policy({ ...plain, Resource: ['adfdf', {}] }),                            SYNTAX],
  ['Action and NotAction',                     policy({ ...plain, NotAction: 's3:x' }),                                  SYNTAX],
  ['an empty Action and NotAction',            policy({ ...plain, Action: [], NotAction: 's3:x' }),                      SYNTAX],
  ['Resource and NotResource',                 policy({ ...plain, NotResource: '*' }),                                   SYNTAX],
  ['Resource and an empty NotResource',        policy({ ...plain, NotResource: [] }),                                    SYNTAX],
  ['a list as Condition',                      conditional([]),                                                          SYNTAX],
  ['a string as Condition',                    conditional('a'),                                                         SYNTAX],
  ['a string as operator block',               conditional({ a: 'b' }),                                                  SYNTAX],
  ['a list as operator block',                 conditional({ DateGreaterThan: [] }),                                     SYNTAX],
  ['an object as condition value',             conditional({ DateGreaterThan: { a: {} } }),                              SYNTAX],
  ['an unknown operator',                      conditional({ x: { a: '1' } }),                                           SYNTAX],
  ['a set prefix with two colons',             conditional({ 'ForAnyValue::StringEquals': { a: 'x' } }),                 SYNTAX],
  ['Null with IfExists',                       conditional({ NullIfExists: { 'aws:username': 'true' } }),                SYNTAX],
  ['one condition key in two cases',           conditional({ StringEquals: { 'aws:userid': 'a', 'aws:UserId': 'b' } }),  SYNTAX],
  // the version
  ['no version',                               JSON.stringify({ Statement: plain }),                                     VERSION],
  ['version 2008-10-17',                       JSON.stringify({ Version: '2008-10-17', Statement: plain }),              VERSION],
  ['no version and an effect in wrong case',   JSON.stringify({ Statement: { ...plain, Effect: 'denY' } }),              VERSION],
  // errors of IAM's legacy parser
  ['an effect in wrong case',                  policy({ ...plain, Effect: 'denY' }),                                     LEGACY],
  ['an effect in wrong case and a Sid twice',  policy({ ...plain, Sid: 'a', Effect: 'aLLow' }, { Sid: 'a', Effect: 'Allow' }), LEGACY],
  ['a short ARN with an empty field',          policy({ ...plain, Resource: 'arn:aws:s3::b' }),                          LEGACY],
  ['an empty ARN field in NotResource',        policy({ Effect: 'Allow', Action: 's3:x', NotResource: 'arn:aws:s3::b' }), LEGACY],
  ['an empty ARN field and no action',         policy({ Effect: 'Allow', Resource: 'arn:aws:s3::b' }),                   LEGACY],
  ['an empty vendor in an ARN',                policy({ ...plain, Resource: 'arn:aws::::b' }),                           LEGACY],
  ['an empty vendor in a short ARN',           policy({ ...plain, Resource: 'arn:aws::b' }),                             LEGACY],
  ['an empty vendor after a bad partition',    policy({ ...plain, Resource: 'arn:awss3::b/*' }),                         LEGACY],
  ['a variable as account',                    policy({ ...plain, Resource: 'arn:aws:iam::${aws:PrincipalAccount}:role/x' }), LEGACY],
  ['a string that is not a date',              conditional({ DateGreaterThan: { a: 'sdfdsf' } }),                        LEGACY],
  ['a year of three digits',                   conditional({ DateLessThanEquals: { a: '234-13' } }),                     LEGACY],
  ['a time zone with one digit',               conditional({ DateLessThanEquals: { a: '2016-12-13t2:00:00.593194+1' } }), LEGACY],
  ['a fraction of ten digits',                 conditional({ DateLessThanEquals: { a: '2016-12-13t2:00:00.1999999999+10:59' } }), LEGACY],
  ['seconds beyond 63 bits',                   conditional({ DateLessThan: { a: '9223372036854775808' } }),              LEGACY],
  ['an invalid date and no action',            policy({ Effect: 'Allow', Condition: { DateGreaterThan: { a: 'x' } } }),  LEGACY],
  // principals and statement IDs
  ['a principal',                              policy({ ...plain, Principal: '*' }),                                     'Policy document should not specify a principal.'],
  ['NotPrincipal',                             policy({ ...plain, NotPrincipal: { AWS: '*' } }),                         'Policy document should not specify a principal.'],
  ['a Sid twice',                              policy({ ...plain, Sid: 'sdf' }, { Sid: 'sdf', Effect: 'Allow' }),        SID_UNIQUE],
  ['a Sid with a hyphen',                      policy({ ...plain, Sid: 'a-b' }),                                         'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*'],
  // missing actions and resources
  ['only an effect',                           policy({ Effect: 'Allow' }),                                              ACTIONS],
  ['no actions',                               policy({ Effect: 'Allow', Resource: BUCKET }),                            ACTIONS],
  ['an empty list of actions',                 policy({ ...plain, Action: [] }),                                         ACTIONS],
  ['no actions in the first statement',        policy({ Effect: 'Deny' }, plain),                                        ACTIONS],
  ['no resources',                             policy({ Effect: 'Allow', Action: 's3:ListBucket' }),                     RESOURCES],
  ['an empty list of resources',               policy({ ...plain, Resource: [] }),                                       RESOURCES],
  ['no resources and an invalid action',       policy({ Effect: 'Allow', Action: 'invalid' }),                           VENDOR],
  ['no resources and an invalid NotAction',    policy({ Effect: 'Allow', NotAction: 's:3:x' }),                          COLON],
  // resources
  ['a resource without a colon',               policy({ ...plain, Resource: 'invalid resource' }),                       'Resource invalid resource must be in ARN format or "*".'],
  ['an empty resource',                        policy({ ...plain, Resource: '' }),                                       'Resource  must be in ARN format or "*".'],
  ['an invalid resource and action',           policy({ ...plain, Action: 's:3:x', Resource: 'sdfsadf' }),               'Resource sdfsadf must be in ARN format or "*".'],
  ['an ARN that ends at its partition',        policy({ ...plain, Resource: 'a:bsdfdsafsad' }),                          'Partition "bsdfdsafsad" is not valid for resource "arn:bsdfdsafsad:*:*:*:*".'],
  ['an unknown partition and a vendor',        policy({ ...plain, Resource: 'a:b:cadfsdf' }),                            'Partition "b" is not valid for resource "arn:b:cadfsdf:*:*:*".'],
  ['an unknown partition in eight fields',     policy({ ...plain, Resource: 'a:b:c:d:e:f:g:h' }),                        'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".'],
  ['an ARN without the prefix arn',            policy({ ...plain, Resource: 'aws:s3:::b' }),                             'Partition "s3" is not valid for resource "arn:s3:::b:*".'],
  ['an ARN of two fields',                     policy({ ...plain, Resource: 's3::b/*' }),                                'Partition "" is not valid for resource "arn::b/*:*:*:*".'],
  ['the partition of accounts in China',       policy({ ...plain, Resource: 'arn:aws-cn:s3:::b' }),                      'Partition "aws-cn" is not valid for resource "arn:aws-cn:s3:::b".'],
  ['a wildcard in the partition',              policy({ ...plain, Resource: 'arn:aws*:s3:::b' }),                        'Partition "aws*" is not valid for resource "arn:aws*:s3:::b".'],
  ['a short ARN of any partition',             policy({ ...plain, Resource: 'arn:*:s3::b' }),                            LEGACY],
  ['two invalid partitions',                   policy({ ...plain, Resource: ['arn:error:s3:::b', 'arn:error:s3::b'] }),  'Partition "error" is not valid for resource "arn:error:s3:::b".'],
  ['an ARN without a vendor',                  policy({ ...plain, Resource: 'arn:aws' }),                                'Resource vendor must be fully qualified and cannot contain regexes.'],
  ['a wildcard as vendor',                     policy({ ...plain, Resource: 'arn:aws:*:*:*:*' }),                        'Resource vendor must be fully qualified and cannot contain regexes.'],
  ['a region in an IAM resource',              policy({ ...plain, Resource: 'arn:aws:iam:us-east-1::b' }),               'IAM resource arn:aws:iam:us-east-1::b cannot contain region information.'],
  ['a region in a bucket',                     policy({ ...plain, Resource: 'arn:aws:s3:us-east-1::b' }),                'Resource arn:aws:s3:us-east-1::b can not contain region information.'],
  ['an IAM resource without a path',           policy({ ...plain, Resource: 'arn:aws:iam:::b' }),                        IAM_PATH],
  // actions
  ['an action without a vendor',               policy({ ...plain, Action: 'invalid' }),                                  VENDOR],
  ['an empty NotAction',                       policy({ Effect: 'Allow', NotAction: '', Resource: BUCKET }),             VENDOR],
  ['an empty vendor',                          policy({ ...plain, Action: ':GetObject' }),                               'Vendor  is not valid'],
  ['a space in the vendor',                    policy({ ...plain, Action: 'a a:ListBucket' }),                           'Vendor a a is not valid'],
  ['two colons',                               policy({ ...plain, Action: 's3:List:Bucket' }),                           COLON],
  ['two colons in the second statement',       policy({ ...plain, Action: 's3s:x' }, { ...plain, Action: 's:3s:x' }),    COLON],
  // policies that the engine cannot evaluate
  ['a variable as number',                     conditional({ NumericEquals: { 'aws:MultiFactorAuthAge': '${aws:EpochTime}' } }), LEGACY],
  ['an unclosed variable',                     policy({ ...plain, Resource: 'arn:aws:s3:::${aws:username' }),            LEGACY],
  ['a variable as region',                     policy({ ...plain, Resource: 'arn:aws:sqs:${aws:RequestedRegion}:1:q' }), LEGACY],
  // valid policies
  ['one statement without a list',             JSON.stringify({ Version: '2012-10-17', Statement: plain }),              undefined],
  ['an Id',                                    JSON.stringify({ Version: '2012-10-17', Id: 'x', Statement: plain }),     undefined],
  ['* as action and resource',                 policy({ Effect: 'Allow', Action: '*', Resource: '*' }),                  undefined],
  ['NotAction and NotResource',                policy({ Effect: 'Allow', NotAction: 's3:x', NotResource: '*' }),         undefined],
  ['an action name with spaces',               policy({ ...plain, Action: 'iam: asdf safdsf af ' }),                     undefined],
  ['an unknown service',                       policy({ ...plain, Action: 's3-s.x:ListBucket' }),                        undefined],
  ['an IAM user without an account',           policy({ ...plain, Resource: 'arn:aws:iam:::user/b' }),                   undefined],
  ['a variable in a resource',                 policy({ ...plain, Resource: 'arn:aws:iam::*:user/${aws:username}' }),    undefined],
  ['a short ARN',                              policy({ ...plain, Resource: 'arn:aws:sqs:*' }),                          undefined],
  ['an empty condition',                       conditional({}),                                                          undefined],
  ['an operator without keys',                 conditional({ DateGreaterThan: {} }),                                     undefined],
  ['an unknown operator without keys',         conditional({ a: {} }),                                                   undefined],
  ['two unknown operators without keys',       conditional({ x: {}, y: {} }),                                            undefined],
  ['a condition key without a vendor',         conditional({ StringEqualsIfExists: { a: 'asf' } }),                      undefined],
  ['a key without a vendor and values',        conditional({ DateGreaterThan: { a: [] } }),                              undefined],
  ['a key without values',                     conditional({ DateGreaterThan: { 'aws:CurrentTime': [] } }),              undefined],
  ['a set operator with IfExists',             conditional({ 'ForAnyValue:StringEqualsIfExists': { 'aws:TagKeys': 'x' } }), undefined],
  ['a date with a time',                       conditional({ DateLessThanEquals: { 'aws:CurrentTime': '2019-07-01T13:20:15Z' } }),       undefined],
  ['a date with a fraction and an offset',     conditional({ DateLessThanEquals: { 'aws:CurrentTime': '2016-12-13T21:20:37.593194+00:00' } }), undefined],
  ['seconds since the epoch',                  conditional({ DateLessThan: { 'aws:CurrentTime': '1262304000' } }),                       undefined],
  ['a year with a T',                          conditional({ DateGreaterThan: { a: '01T' } }),                           undefined],
  ['a time in short form',                     conditional({ DateLessThanEquals: { a: '2016-12-13t2:00:00.593194+23' } }), undefined],
  ['a negative year',                          conditional({ DateLessThan: { a: '-292275054' } }),                       undefined],
  ['any partition',                            policy({ ...plain, Resource: 'arn:*:chime:*:*:meeting/*' }),              undefined],
  ['two empty Sids',                           policy({ ...plain, Sid: '' }, { ...plain, Sid: '' }),                     undefined],
];

for (const [title, text, message] of IDENTITY) {
  test(`malformedPolicyText: an identity policy with ${title} is ${message === undefined ? 'valid' : 'rejected'}`, () => {
    assert.equal(malformedPolicyText(text, 'identity'), message);
    assert.equal(malformedPolicyText(text, 'boundary'), message);
    assert.equal(malformedPolicyText(text, 'service-control') === undefined, message === undefined);
  });
}

test('malformedPolicyText: an inline or session policy without a version is valid', () => {
  const text = JSON.stringify({ Statement: plain });
  assert.equal(malformedPolicyText(text, 'identity', 'inline'), undefined);
  assert.equal(malformedPolicyText(text, 'session'), undefined);
});

test('malformedPolicyText: the message about invalid JSON is different for a session policy', () => {
  assert.equal(malformedPolicyText('{', 'session'), 'The policy is not in the valid JSON format.');
});

const trust = { Effect: 'Allow', Principal: { AWS: '123456789012' }, Action: 'sts:AssumeRole' };
function trusting(principal: unknown): string {
  return policy({ ...trust, Principal: principal });
}
const FEDERATED = 'Federated principals must be valid domain names or SAML metadata ARNs';
const GITHUB = 'arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com';
const NOT_SCOPED = `Trust policy with trusted principal ${GITHUB} must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase, token.actions.githubusercontent.com:sub or token.actions.githubusercontent.com:job_workflow_ref which is not scoped to all.`;
function github(subject: string): string {
  const Condition = { StringLike: { 'token.actions.githubusercontent.com:sub': subject } };
  return policy({ ...trust, Principal: { Federated: GITHUB }, Action: 'sts:AssumeRoleWithWebIdentity', Condition });
}
const STS_ONLY = 'AssumeRole policy may only specify STS AssumeRole actions.';

// Source: versitygw, tests of CreateRole, recorded from IAM; IAM User Guide, "Principal".
// biome-ignore format: a table
const TRUST: readonly (readonly [title: string, text: string, message: string | undefined])[] = [
  ['invalid JSON',                         '{invalid',                                                       'This policy contains invalid Json'],
  ['an unknown version',                   JSON.stringify({ Version: '2013-10-17', Statement: trust }),      'The policy must contain a valid version string'],
  ['no statement',                         policy(),                                                         'Could not parse the policy: Statement is empty!'],
  ['no effect',                            policy({ ...trust, Effect: undefined }),                          'Missing required field Effect'],
  ['an unknown effect',                    policy({ ...trust, Effect: 'Maybe' }),                            'Invalid effect: Maybe'],
  ['no principal',                         policy({ ...trust, Principal: undefined }),                       'Missing required field Principal'],
  ['an empty principal',                   trusting({}),                                                     'Missing required field Principal cannot be empty!'],
  ['a bare * as principal',                trusting('*'),                                                    'AssumeRolepolicy contained an invalid principal: "STAR":"*".'],
  ['a string as principal',                trusting('arn:aws:iam::123456789012:root'),                       'Principal must be a JSON object.'],
  ['an unknown principal type',            trusting({ Group: 'x' }),                                         'Invalid principal in policy: "Group"'],
  ['a name as principal',                  trusting({ AWS: 'bob' }),                                         'Invalid principal in policy: "AWS":"bob"'],
  ['a group as principal',                 trusting({ AWS: 'arn:aws:iam::123456789012:group/g' }),           'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:group/g"'],
  ['a principal of another partition',     trusting({ AWS: 'arn:aws-cn:iam::123456789012:root' }),           'Invalid principal in policy: "AWS":"arn:aws-cn:iam::123456789012:root"'],
  ['a principal of any partition',         trusting({ AWS: 'arn:*:iam::123456789012:root' }),                'Invalid principal in policy: "AWS":"arn:*:iam::123456789012:root"'],
  ['a wildcard in a principal',            trusting({ AWS: 'arn:aws:iam::123456789012:role/*' }),            'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/*"'],
  ['a malformed service',                  trusting({ Service: 'chime' }),                                   'Invalid principal in policy: "SERVICE":"chime"'],
  ['* as service',                         trusting({ Service: '*' }),                                       'Invalid principal in policy: "SERVICE":"*"'],
  ['* as provider',                        trusting({ Federated: '*' }),                                     'Invalid principal in policy: "FEDERATED":"*"'],
  ['a malformed provider',                 trusting({ Federated: 'arn:aws:iam//x' }),                        FEDERATED],
  ['NotPrincipal and Allow',               policy({ ...trust, NotPrincipal: { AWS: '*' } }),                 'Allow with NotPrincipal is not allowed.'],
  ['NotPrincipal and Deny',                policy({ ...trust, Effect: 'Deny', NotPrincipal: { AWS: '*' } }), 'AssumeRole policy must not contain NotPrincipal field.'],
  ['an unknown operator',                  policy({ ...trust, Condition: { x: { a: 'b' } } }),               'Syntax error in policy.'],
  ['a string that is not a date',          policy({ ...trust, Condition: { DateLessThan: { a: 'x' } } }),    'Syntax error in policy.'],
  ['no action',                            policy({ ...trust, Action: [] }),                                 'Missing required field Action'],
  ['* as action',                          policy({ ...trust, Action: '*' }),                                STS_ONLY],
  ['sts:* as action',                      policy({ ...trust, Action: 'sts:*' }),                            STS_ONLY],
  ['an action of another service',         policy({ ...trust, Action: 'iam:PassRole' }),                     STS_ONLY],
  ['a resource',                           policy({ ...trust, Resource: '*' }),                              'Has prohibited field Resource'],
  ['NotResource',                          policy({ ...trust, NotResource: '*' }),                           'AssumeRole policy must not contain resources.'],
  ['a Sid twice',                          policy({ ...trust, Sid: 'a' }, { ...trust, Sid: 'a' }),           'The Statement Ids in the policy are not unique'],
  ['GitHub without a condition',           policy({ ...trust, Principal: { Federated: GITHUB }, Action: 'sts:AssumeRoleWithWebIdentity' }), NOT_SCOPED],
  ['GitHub with subject *',                github('*'),                                                      NOT_SCOPED],
  ['GitHub with one repository',           github('repo:o/r:*'),                                             undefined],
  ['an account',                           policy(trust),                                                    undefined],
  ['version 2008-10-17',                   JSON.stringify({ Version: '2008-10-17', Statement: trust }),      undefined],
  ['AWS: *',                               trusting({ AWS: '*' }),                                           undefined],
  ['a key without a vendor',               policy({ ...trust, Condition: { DateLessThan: { a: '01T' }, x: {} } }), undefined],
  ['an account root',                      trusting({ AWS: 'arn:aws:iam::123456789012:root' }),              undefined],
  ['a role with a path',                   trusting({ AWS: 'arn:aws:iam::123456789012:role/a/b' }),          undefined],
  ['a role session',                       trusting({ AWS: 'arn:aws:sts::123456789012:assumed-role/r/s' }),  undefined],
  ['a unique ID',                          trusting({ AWS: 'AIDACKCEVSQ6C2EXAMPLE' }),                       undefined],
  ['a service',                            trusting({ Service: ['chime.amazonaws.com', 'voiceconnector.chime.amazonaws.com'] }), undefined],
  ['a SAML provider',                      policy({ ...trust, Principal: { Federated: 'arn:aws:iam::123456789012:saml-provider/p' }, Action: ['sts:AssumeRoleWithSAML', 'sts:TagSession'] }), undefined],
  ['an OIDC provider',                     trusting({ Federated: 'arn:aws:iam::123456789012:oidc-provider/issuer.example.com/a' }), undefined],
  ['an OIDC provider with a slash at the end', trusting({ Federated: 'arn:aws:iam::123456789012:oidc-provider/tenant.auth0.com/' }), undefined],
  ['an OIDC provider without a name',      trusting({ Federated: 'arn:aws:iam::123456789012:oidc-provider/' }), 'Federated principals must be valid domain names or SAML metadata ARNs'],
  ['an OIDC issuer',                       trusting({ Federated: 'accounts.google.com' }),                   undefined],
];

for (const [title, text, message] of TRUST) {
  test(`malformedPolicyText: a trust policy with ${title} is ${message === undefined ? 'valid' : 'rejected'}`, () => {
    assert.equal(malformedPolicyText(text, 'trust'), message);
  });
}

// biome-ignore format: a table
const SIZES: readonly [title: string, text: string, size: number][] = [
  ['white space between elements does not count', '{ "Version":\t"2012-10-17"\r\n}', 24],
  ['white space inside a string counts',          '{ "Sid": "a  b" }',                14],
  ['an escaped quote does not end a string',      '{ "Sid": "a\\"  b" }',             16],
  ['an escaped backslash does not escape a quote','{ "Sid": "a\\\\"  , "b": "" }',     20],
];

for (const [title, text, size] of SIZES) {
  test(`policySize: ${title}`, () => {
    assert.equal(policySize(text), size);
  });
}

test('policySize: every character of a service control policy counts', () => {
  const text = '{ "Version":\t"2012-10-17"\r\n}';
  assert.equal(policySize(text, 'service-control'), text.length);
});
