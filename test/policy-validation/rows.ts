// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables look like templates
import type { PolicyType } from '#policy/decision.ts';
import type { IssueCode } from '#policy/validate/issues.ts';

/** Issue code, with a policy that has the issue and a similar policy that does not have the issue. */
export type Row = readonly [code: IssueCode, policyType: PolicyType, found: unknown, notFound: unknown];

type Parts = Readonly<Record<string, unknown>>;

const ROLE = 'arn:aws:iam::111122223333:role/r';
const MEETING = 'arn:aws:chime:us-east-1:111122223333:meeting/m';
const base = { Effect: 'Allow', Action: 'chime:GetMeeting', Resource: MEETING };

/** Returns a policy document with the statements. */
export function policy(...statements: readonly unknown[]): unknown {
  return { Version: '2012-10-17', Statement: statements };
}
const one = (parts: Parts): unknown => policy({ ...base, ...parts });
const denied = (parts: Parts): unknown => one({ Effect: 'Deny', ...parts });
const action = (value: unknown): unknown => one({ Action: value, Resource: '*' });
const resource = (value: unknown): unknown => one({ Action: '*', Resource: value });
const when = (condition: unknown): unknown => one({ Action: '*', Resource: '*', Condition: condition });
const without = (...names: readonly string[]): unknown =>
  policy(Object.fromEntries(Object.entries(base).filter(([name]) => !names.includes(name))));

const trusting = { Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'sts:AssumeRole' };
const trust = (parts: Parts): unknown => policy({ ...trusting, ...parts });
const oidc = (parts: Parts, provider = 'oidc.example.com'): unknown =>
  trust({
    Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/${provider}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    ...parts,
  });
const GITHUB = 'token.actions.githubusercontent.com';
const github = (sub?: unknown, ref?: unknown): unknown =>
  oidc(
    sub === undefined
      ? {}
      : {
          Condition: {
            StringLike: { [`${GITHUB}:sub`]: sub, ...(ref === undefined ? {} : { [`${GITHUB}:ref`]: ref }) },
            StringEquals: { [`${GITHUB}:aud`]: 'sts.amazonaws.com' },
          },
        },
    GITHUB,
  );
const BUS = 'arn:aws:events:us-east-1:111122223333:event-bus/default';
const bus = (parts: Parts): unknown =>
  policy({ Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'events:PutEvents', Resource: BUS, ...parts });
const long = (characters: number, parts: Parts = base): unknown => policy({ Sid: 'a'.repeat(characters), ...parts });
const tagged = (key: string, value = 'x'): unknown => ({ StringEquals: { [key]: value } });

/**
 * Examples for all issue codes.
 *
 * Source: IAM User Guide, "Access Analyzer policy check reference". The examples are our own.
 */
// biome-ignore format: a table
export const ROWS: readonly Row[] = [
  // issues of the whole document, finding type ERROR
  ['JSON_SYNTAX_ERROR',               'identity', '{"Version": "2012-10-17",',                                                           one({})],
  ['JSON_SYNTAX_ERROR',               'identity', '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}',                 one({})],
  ['DATA_TYPE_MISMATCH',              'identity', one({ Action: 5 }),                                                                    one({})],
  ['DATA_TYPE_MISMATCH',              'identity', one({ Resource: [MEETING, { a: 1 }] }),                                                 one({ Resource: [MEETING] })],
  ['DATA_TYPE_MISMATCH',              'identity', policy(base, [base]),                                                                  policy(base, base)],
  ['INVALID_POLICY_ELEMENT',          'identity', { ...(one({}) as object), Statements: [] },                                            one({})],
  ['INVALID_POLICY_ELEMENT',          'identity', one({ Actoin: 'x' }),                                                                  one({})],
  ['UNSUPPORTED_ELEMENT_COMBINATION', 'identity', one({ NotAction: 'chime:GetMeeting' }),                                                one({})],
  ['MISSING_STATEMENT',               'identity', { Version: '2012-10-17' },                                                             one({})],
  ['MISSING_STATEMENT',               'identity', policy(),                                                                              one({})],
  ['MISSING_EFFECT',                  'identity', without('Effect'),                                                                     one({})],
  ['MISSING_ACTION',                  'identity', without('Action'),                                                                     one({})],
  ['MISSING_RESOURCE',                'identity', without('Resource'),                                                                   one({})],
  ['MISSING_PRINCIPAL',               'trust',    policy({ Effect: 'Allow', Action: 'sts:AssumeRole' }),                                 trust({})],
  ['INVALID_EFFECT',                  'identity', one({ Effect: 'allow' }),                                                              one({})],
  ['INVALID_VERSION',                 'identity', { Version: '2012-10-18', Statement: base },                                            one({})],
  ['UNSUPPORTED_SID',                 'identity', one({ Sid: 'a-b' }),                                                                   one({ Sid: 'aB9' })],
  ['UNIQUE_SIDS_REQUIRED',            'identity', policy({ ...base, Sid: 'a' }, { ...base, Sid: 'a', Effect: 'Deny' }),                  policy({ ...base, Sid: 'a' }, { ...base, Sid: 'A', Effect: 'Deny' })],
  ['POLICY_SIZE_EXCEEDS_SCP_QUOTA',   'service-control', long(10_240),                                                                   long(9_000)],
  ['SCP_SYNTAX_ERROR_PRINCIPAL',      'service-control', one({ Principal: '*' }),                                                        one({})],
  // issues of the whole document, other finding types
  ['MISSING_VERSION',                 'identity', { Statement: base },                                                                   one({})],
  ['UNIQUE_SIDS_RECOMMENDED',         'resource', policy({ ...base, Sid: 'a' }, { ...base, Sid: 'a', Effect: 'Deny' }),                  policy({ ...base, Sid: 'a' }, base)],
  ['EMPTY_SID_VALUE',                 'identity', one({ Sid: '' }),                                                                      one({ Sid: 'a' })],
  ['EMPTY_ARRAY_ACTION',              'identity', one({ Action: [] }),                                                                   one({})],
  ['EMPTY_ARRAY_RESOURCE',            'identity', one({ Resource: [] }),                                                                 one({})],
  ['EMPTY_OBJECT_CONDITION',          'identity', when({}),                                                                              when({ Bool: { 'aws:SecureTransport': 'true' } })],
  ['EMPTY_OBJECT_CONDITION',          'identity', when({ StringEquals: {} }),                                                            when({ Bool: { 'aws:SecureTransport': true } })],
  ['REDUNDANT_STATEMENT',             'identity', policy({ ...base, Sid: 'a' }, { Resource: [MEETING], Action: 'chime:GetMeeting', Effect: 'Allow' }), policy(base, { ...base, Effect: 'Deny' })],
  ['POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA',   'identity', long(10_240),                                                              long(9_000)],
  ['POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA',   'resource', long(10_240, { ...base, Principal: '*' }),                                 long(9_000, { ...base, Principal: '*' })],
  ['POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA', 'trust',    long(2_048, trusting),                                                     long(1_800, trusting)],
  // actions
  ['INVALID_ACTION',                  'identity', action('chime:GetMeting'),                                                             action('chime:GETMEETING')],
  ['INVALID_ACTION',                  'identity', action('chime:Fetch*'),                                                                action('chime:Get*')],
  ['INVALID_ACTION',                  'identity', action('sqs:'),                                                                        action('sqs:Anything')],
  ['INVALID_ACTION',                  'identity', action('s3:Anything'),                                                                 action('s3:GetObject')],
  ['INVALID_SERVICE_IN_ACTION',       'identity', action('chimes:GetMeeting'),                                                           action('Chime:GetMeeting')],
  ['INVALID_SERVICE',                 'identity', resource('arn:aws:chimes:us-east-1:111122223333:meeting/m'),                           resource(MEETING)],
  ['INVALID_SERVICE',                 'identity', when({ StringEquals: { 'chimes:Key': 'x' } }),                                         when({ StringEquals: { 'oidc.example.com:sub': 'x' } })],
  ['UNSUPPORTED_ACTION_IN_POLICY',    'trust',    trust({ Action: 'chime:GetMeeting' }),                                                 trust({})],
  ['MISSING_ACTION_FOR_CONDITION_KEY', 'identity', one({ Action: 'iam:GetRole', Resource: ROLE, Condition: { StringEquals: { 'iam:PassedToService': 'chime.amazonaws.com' } } }), one({ Action: 'iam:PassRole', Resource: ROLE, Condition: { StringEquals: { 'iam:PassedToService': 'chime.amazonaws.com' } } })],
  ['UNSUPPORTED_ACTION_FOR_CONDITION_KEY', 'identity', one({ Action: ['iam:PassRole', 'iam:GetRole'], Resource: ROLE, Condition: { StringEquals: { 'iam:PassedToService': 'chime.amazonaws.com' } } }), one({ Action: 'iam:PassRole', Resource: ROLE, Condition: { StringEquals: { 'iam:PassedToService': 'chime.amazonaws.com' } } })],
  ['WILDCARD_IN_SERVICE_NAME',        'identity', action('chi*:GetMeeting'),                                                             action('*')],
  ['WILDCARD_IN_SERVICE_NAME',        'identity', resource('arn:aws:*chime*::111122223333:*'),                                           resource('*')],
  ['REDUNDANT_ACTION',                'identity', action(['chime:Get*', 'chime:List*', 'chime:GetMeeting']),                             action(['chime:Get*', 'chime:*Meeting'])],
  ['REDUNDANT_ACTION',                'identity', action(['chime:GetMeeting', 'chime:getmeeting']),                                      action(['chime:GetMeeting', 'chime:GetAttendee'])],
  // resources
  ['INVALID_ARN_PREFIX',              'identity', resource('aws:chime:us-east-1:111122223333:meeting/m'),                                resource(MEETING)],
  ['MISSING_ARN_FIELD',               'identity', resource('arn:aws:chime:us-east-1:111122223333'),                                      resource(MEETING)],
  ['INVALID_PARTITION',               'identity', resource('arn:aws2:chime:us-east-1:111122223333:meeting/m'),                           resource('arn:aws-cn:chime:cn-north-1:111122223333:meeting/m')],
  ['INVALID_ARN_SERVICE_CASE',        'identity', resource('arn:aws:Chime:us-east-1:111122223333:meeting/m'),                            resource(MEETING)],
  ['INVALID_ARN_REGION',              'identity', resource('arn:aws:chime:us_east:111122223333:meeting/m'),                              resource('arn:aws:chime:us-*:111122223333:meeting/m')],
  ['MISSING_ARN_REGION',              'identity', resource('arn:aws:chime::111122223333:meeting/m'),                                     resource(MEETING)],
  ['ARN_REGION_NOT_ALLOWED',          'identity', resource('arn:aws:iam:us-east-1:111122223333:role/r'),                                 resource(ROLE)],
  ['INVALID_ARN_ACCOUNT',             'identity', resource('arn:aws:iam::1234:role/r'),                                                  resource('arn:aws:iam::*:role/r')],
  ['MISSING_ARN_ACCOUNT',             'identity', resource('arn:aws:iam:::role/r'),                                                      resource(ROLE)],
  ['ARN_ACCOUNT_NOT_ALLOWED',         'identity', resource('arn:aws:events:us-east-1:111122223333:event-source/aws.partner/x'),          resource('arn:aws:events:us-east-1::event-source/aws.partner/x')],
  ['INVALID_ARN_RESOURCE',            'identity', resource('arn:aws:chime:us-east-1:111122223333:meetings/m'),                           resource('arn:aws:chime:us-east-1:111122223333:app-instance/a/user/${aws:username}')],
  ['UNSUPPORTED_RESOURCE_ARN_IN_POLICY', 'resource', bus({ Resource: MEETING }),                                                         bus({})],
  ['REDUNDANT_RESOURCE',              'identity', resource([`${ROLE}*`, `${ROLE}1`]),                                                    resource([`${ROLE}*`, 'arn:aws:iam::111122223333:role/q'])],
  // condition operators and keys
  ['INVALID_CONDITION_OPERATOR',      'identity', when({ StringEqual: { 'aws:username': 'a' } }),                                        when({ stringequals: { 'aws:username': 'a' } })],
  ['NULL_WITH_IF_EXISTS',             'identity', when({ NullIfExists: { 'aws:username': 'true' } }),                                    when({ Null: { 'aws:username': 'true' } })],
  ['NULL_WITH_QUALIFIER',             'identity', when({ 'ForAllValues:Null': { 'aws:TagKeys': 'true' } }),                              when({ Null: { 'aws:TagKeys': 'true' } })],
  ['INVALID_CONDITION_KEY_FORMAT',    'identity', when({ StringEquals: { username: 'a' } }),                                             when({ StringEquals: { 'aws:username': 'a' } })],
  ['INVALID_GLOBAL_CONDITION_KEY',    'identity', when({ StringEquals: { 'aws:user': 'a' } }),                                           when({ StringEquals: { 'aws:PrincipalTag/team': 'a' } })],
  ['INVALID_SERVICE_CONDITION_KEY',   'identity', when({ StringEquals: { 'iam:PasedToService': 'a' } }),                                 when({ StringEquals: { 'iam:PassedToService': 'a' } })],
  ['UNSUPPORTED_GLOBAL_CONDITION_KEY', 'identity', when({ ArnLike: { 'aws:ARN': ROLE } }),                                               when({ ArnLike: { 'aws:PrincipalArn': ROLE } })],
  ['STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS', 'identity', denied({ Condition: { StringNotLike: { 'aws:PrincipalArn': ROLE } } }), denied({ Condition: { StringLike: { 'aws:PrincipalArn': ROLE } } })],
  ['RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL', 'resource', bus({ Principal: { Service: 'chime.amazonaws.com' }, Condition: { StringLike: { 'aws:Referer': 'https://a/*' } } }), bus({ Condition: { StringLike: { 'aws:Referer': 'https://a/*' } } })],
  ['UNSUPPORTED_ACTION_FOR_CONDITION_KEY', 'trust', oidc({ Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'], Condition: { StringEquals: { 'cognito-identity.amazonaws.com:aud': 'x' } } }), oidc({ Condition: { StringEquals: { 'cognito-identity.amazonaws.com:aud': 'x' } } })],
  ['UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL', 'resource', bus({ Principal: { Service: 'chime.amazonaws.com' }, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a' } } }), bus({ Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a' } } })],
  ['DUPLICATE_KEYS_WITH_DIFFERENT_CASE', 'identity', when({ StringEquals: { 'aws:username': 'a', 'aws:UserName': 'b' } }),               when({ StringEquals: { 'aws:username': 'a', 'aws:userid': 'b' } })],
  ['MISSING_TAG_KEY_IN_CONDITION',    'identity', when({ StringEquals: { 'aws:PrincipalTag/': 'a' } }),                                  when({ StringEquals: { 'aws:PrincipalTag/a': 'a' } })],
  ['MISSING_QUALIFIER',               'identity', when({ StringEquals: { 'aws:TagKeys': 'a' } }),                                        when({ 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'a' } })],
  ['FORALLVALUES_WITH_SINGLE_VALUED_KEY', 'identity', denied({ Condition: { 'ForAllValues:StringNotEquals': { 'aws:username': 'a' } } }), denied({ Condition: { 'ForAnyValue:StringNotEquals': { 'aws:username': 'a' } } })],
  ['FORALLVALUES_WITH_SINGLE_VALUED_KEY', 'identity', when({ 'ForAllValues:StringEquals': { 'aws:username': 'a' } }),                    when({ 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' } })],
  ['UNTRUSTWORTHY_CONDITION_KEY',     'identity', when({ StringLike: { 'aws:Referer': 'https://a/*' } }),                                denied({ Condition: { StringLike: { 'aws:Referer': 'https://a/*' } } })],
  ['STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS', 'identity', when({ StringLike: { 'aws:PrincipalArn': ROLE } }),                       when({ ArnLike: { 'aws:PrincipalArn': ROLE } })],
  ['TYPE_MISMATCH',                   'identity', when({ StringEquals: { 'aws:SecureTransport': 'true' } }),                             when({ Bool: { 'aws:SecureTransport': 'true' } })],
  ['IRRELEVANT_CONDITION_KEY_IN_POLICY', 'resource', bus({ Condition: { StringEquals: { 'aws:ResourceOrgID': 'o-a' } } }),               bus({ Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a' } } })],
  ['EMPTY_ARRAY_CONDITION',           'identity', when({ StringEquals: { 'aws:username': [] } }),                                        when({ StringEquals: { 'aws:username': ['a'] } })],
  ['EMPTY_ARRAY_CONDITION_FORALLVALUES', 'identity', when({ 'ForAllValues:StringEquals': { 'aws:TagKeys': [] } }),                       when({ 'ForAnyValue:StringEquals': { 'aws:TagKeys': [] } })],
  ['EMPTY_ARRAY_CONDITION_FORANYVALUE', 'identity', when({ 'ForAnyValue:StringEquals': { 'aws:TagKeys': [] } }),                         when({ 'ForAllValues:StringEquals': { 'aws:TagKeys': [] } })],
  ['EMPTY_ARRAY_CONDITION_IFEXISTS',  'identity', when({ StringEqualsIfExists: { 'aws:username': [] } }),                                when({ StringEquals: { 'aws:username': [] } })],
  // condition values
  ['INVALID_CONDITION_DATA_TYPE',     'identity', when({ NumericEquals: { 'aws:MultiFactorAuthAge': [5, '6'] } }),                       when({ NumericEquals: { 'aws:MultiFactorAuthAge': ['5', '6'] } })],
  ['INVALID_CONDITION_MULTIPLE_BOOLEAN', 'identity', when({ Bool: { 'aws:SecureTransport': ['true', 'false'] } }),                       when({ Bool: { 'aws:SecureTransport': ['true'] } })],
  ['INVALID_REGION',                  'identity', when({ StringEquals: { 'aws:RequestedRegion': 'frankfurt' } }),                        when({ StringLike: { 'aws:RequestedRegion': 'eu-*' } })],
  ['INVALID_VPC_FORMAT',              'identity', when({ StringEquals: { 'aws:SourceVpc': 'vpc-1' } }),                                  when({ StringEquals: { 'aws:SourceVpc': 'vpc-0123abcd' } })],
  ['INVALID_VPCE_FORMAT',             'identity', when({ StringEquals: { 'aws:SourceVpce': 'vpc-0123abcd' } }),                          when({ StringEquals: { 'aws:SourceVpce': 'vpce-0123abcd' } })],
  ['TYPE_MISMATCH_IP_RANGE',          'identity', when({ IpAddress: { 'aws:SourceIp': '203.0.113.0/33' } }),                             when({ IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } })],
  ['TYPE_MISMATCH_BOOLEAN',           'identity', when({ Bool: { 'aws:SecureTransport': 'yes' } }),                                      when({ Bool: { 'aws:SecureTransport': 'TRUE' } })],
  ['TYPE_MISMATCH_DATE',              'identity', when({ DateLessThan: { 'aws:CurrentTime': 'tomorrow' } }),                             when({ DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } })],
  ['TYPE_MISMATCH_NUMBER',            'identity', when({ NumericLessThan: { 'aws:MultiFactorAuthAge': 'old' } }),                        when({ NumericLessThan: { 'aws:MultiFactorAuthAge': '3600' } })],
  ['TYPE_MISMATCH_STRING',            'identity', when({ BinaryEquals: { 'aws:username': '%%' } }),                                      when({ BinaryEquals: { 'aws:username': 'QQ==' } })],
  ['INVALID_DATE_VALUE',              'identity', when({ DateLessThan: { 'aws:CurrentTime': '1893456000' } }),                           when({ DateLessThan: { 'aws:CurrentTime': '2030-01-01' } })],
  ['IMPROVE_IP_RANGE',                'identity', when({ IpAddress: { 'aws:SourceIp': '203.0.113.7/24' } }),                             when({ IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } })],
  ['PRIVATE_IP_ADDRESS',              'identity', when({ IpAddress: { 'aws:SourceIp': ['10.1.0.0/16', 'fd00::/8'] } }),                  when({ IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '10.0.0.0/8'] } })],
  ['PRIVATE_NOT_IP_ADDRESS',          'identity', when({ NotIpAddress: { 'aws:SourceIp': '192.168.1.1' } }),                             when({ NotIpAddress: { 'aws:SourceIp': '203.0.113.1' } })],
  ['PRIVATE_IP_ADDRESS_SUBSET',       'identity', when({ IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '10.0.0.0/8'] } }),             when({ IpAddress: { 'aws:SourceIp': ['10.0.0.0/8'] } })],
  ['PRIVATE_NOT_IP_ADDRESS_SUBSET',   'identity', when({ NotIpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '10.0.0.0/8'] } }),          when({ NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/7'] } })],
  ['WILDCARD_WITHOUT_LIKE_OPERATOR',  'identity', when({ StringEquals: { 'aws:username': 'a*' } }),                                      when({ StringEquals: { 'aws:username': 'a${*}' } })],
  ['WILDCARD_USAGE_TOO_PERMISSIVE',   'identity', when({ StringLike: { 'aws:userid': 'AROA*' } }),                                       when({ StringLike: { 'aws:userid': 'AROACKCEVSQ6C2EXAMPLE:*' } })],
  ['WILDCARD_USAGE_TOO_PERMISSIVE',   'identity', when({ StringLike: { 'aws:userid': 'AROACKCEVSQ6C2EXAMPL?:s' } }),                      when({ StringLike: { 'aws:userid': '*:s' } })],
  ['WILDCARD_USAGE_TOO_PERMISSIVE',   'identity', when({ StringLike: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e*' } }),                         when({ StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e*' } })],
  ['WILDCARD_USAGE_TOO_PERMISSIVE',   'identity', denied({ Condition: { StringNotLike: { 'aws:ResourceAccount': '11112222*' } } }),        denied({ Condition: { StringLike: { 'aws:ResourceAccount': '11112222*' } } })],
  ['WILDCARD_USAGE_TOO_PERMISSIVE',   'identity', when({ 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-a*' } }),                when({ 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-a1b2c3d4e5/*' } })],
  ['VARIABLE_USAGE_TOO_PERMISSIVE',   'identity', when({ StringLike: { 'aws:userid': '${aws:username}' } }),                             when({ StringLike: { 'aws:userid': 'AROACKCEVSQ6C2EXAMPLE:${aws:username}' } })],
  ['VARIABLE_USAGE_TOO_PERMISSIVE',   'identity', when({ StringLike: { 'aws:userid': 'A${aws:userid}:*' } }),                             when({ StringLike: { 'aws:userid': '${aws:userid}:*' } })],
  ['VARIABLE_USAGE_TOO_PERMISSIVE',   'identity', when({ StringLike: { 'aws:PrincipalAccount': '${aws:ResourceAccount}' } }),             when({ StringEquals: { 'aws:PrincipalAccount': '${aws:ResourceAccount}' } })],
  ['VARIABLE_USAGE_TOO_PERMISSIVE',   'identity', when({ 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': '${aws:PrincipalOrgID}/' } }), when({ 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-a1b2c3d4e5/${aws:PrincipalTag/unit}/' } })],
  ['REDUNDANT_CONDITION_VALUE_NUM',   'identity', when({ NumericLessThan: { 'aws:MultiFactorAuthAge': ['2700', '3600'] } }),             when({ NumericEquals: { 'aws:MultiFactorAuthAge': ['2700', '3600'] } })],
  ['EQUIVALENT_TO_NULL_FALSE',        'identity', when({ StringLike: { 'aws:username': '*' } }),                                         when({ StringLike: { 'aws:username': 'a*' } })],
  ['EQUIVALENT_TO_NULL_FALSE',        'identity', when({ 'ForAnyValue:StringLike': { 'aws:TagKeys': '*' } }),                            when({ 'ForAllValues:StringLike': { 'aws:TagKeys': '*' } })],
  ['EQUIVALENT_TO_NULL_FALSE',        'identity', when({ 'ForAnyValue:StringLikeIfExists': { 'aws:TagKeys': '*' } }),                    when({ 'ForAnyValue:StringLikeIfExists': { 'aws:TagKeys': 'a*' } })],
  ['REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION', 'identity', when({ 'ForAnyValue:StringNotLikeIfExists': { 'aws:TagKeys': '*' } }), when({ 'ForAllValues:StringNotLikeIfExists': { 'aws:TagKeys': '*' } })],
  ['EQUIVALENT_TO_NULL_TRUE',         'identity', when({ StringNotLike: { 'aws:username': '*' } }),                                      when({ StringNotLike: { 'aws:username': 'a*' } })],
  ['REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION', 'identity', when({ StringLikeIfExists: { 'aws:username': '*' } }),                              when({ StringLike: { 'aws:username': 'a*' } })],
  ['REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION', 'identity', when({ 'ForAnyValue:StringNotLike': { 'aws:TagKeys': '*' } }),        when({ StringNotLike: { 'aws:username': '*' } })],
  // variables
  ['VARIABLE_UNSUPPORTED_IN_VERSION', 'identity', { Version: '2008-10-17', Statement: { ...base, Resource: 'arn:aws:iam::*:user/${aws:username}' } }, resource('arn:aws:iam::*:user/${aws:username}')],
  ['VARIABLE_UNSUPPORTED_IN_ELEMENT', 'identity', action('chime:${aws:username}'),                                                       resource('arn:aws:iam::*:user/${aws:username}')],
  ['INVALID_VARIABLE_FOR_OPERATOR',   'identity', when({ NumericEquals: { 'aws:MultiFactorAuthAge': '${aws:EpochTime}' } }),             when({ StringEquals: { 'aws:userid': '${aws:username}' } })],
  ['MISSING_BRACE_IN_VARIABLE',       'identity', resource('arn:aws:iam::*:user/${aws:username'),                                        resource('arn:aws:iam::*:user/${aws:username}')],
  ['MISSING_QUOTE_IN_VARIABLE',       'identity', resource("arn:aws:iam::*:user/${aws:username, 'nobody}"),                              resource("arn:aws:iam::*:user/${aws:username, 'nobody'}")],
  ['UNSUPPORTED_SPACE_IN_VARIABLE',   'identity', resource('arn:aws:iam::*:user/${ aws:username}'),                                      resource('arn:aws:iam::*:user/${aws:PrincipalTag/my team}')],
  ['UNSUPPORTED_SYMBOL_IN_VARIABLE',  'identity', resource('arn:aws:iam::*:user/${aws:user#name}'),                                      resource('arn:aws:iam::*:user/${?}')],
  ['EMPTY_VARIABLE',                  'identity', resource('arn:aws:iam::*:user/${}'),                                                   resource('arn:aws:iam::*:user/${$}')],
  // principals
  ['INVALID_PRINCIPAL_FORMAT',        'trust',    trust({ Principal: '111122223333' }),                                                  trust({})],
  ['INVALID_PRINCIPAL_FORMAT',        'trust',    trust({ Principal: { AWS: 'arn:aws:iam::111122223333:group/g' } }),                    trust({ Principal: { AWS: 'arn:aws:iam::111122223333:user/u' } })],
  ['INVALID_PRINCIPAL_KEY',           'trust',    trust({ Principal: { User: 'u' } }),                                                   trust({})],
  ['UNSUPPORTED_PRINCIPAL',           'identity', one({ Principal: '*' }),                                                               one({})],
  ['UNSUPPORTED_WILDCARD_IN_PRINCIPAL', 'trust',  trust({ Principal: { AWS: 'arn:aws:iam::111122223333:role/*' } }),                     trust({ Principal: { AWS: '*' } })],
  ['INVALID_SERVICE_PRINCIPAL_FORMAT', 'trust',   trust({ Principal: { Service: 'chime' } }),                                            trust({ Principal: { Service: 'chime.amazonaws.com' } })],
  ['INVALID_SERVICE_PRINCIPAL_FORMAT', 'identity', when({ 'ForAnyValue:StringEquals': { 'aws:CalledVia': ['athena.amazonaws.com', 'athena'] } }), when({ 'ForAnyValue:StringEquals': { 'aws:CalledVia': ['athena.amazonaws.com', 'delivery.logs.amazonaws.com'] } })],
  ['INVALID_SERVICE_PRINCIPAL_FORMAT', 'identity', when({ StringEquals: { 'aws:CalledViaFirst': 'Athena.amazonaws.com' } }),               when({ Null: { 'aws:CalledViaFirst': 'false' } })],
  ['INVALID_SERVICE_PRINCIPAL_FORMAT', 'identity', when({ StringNotEquals: { 'aws:CalledViaLast': 'arn:aws:athena' } }),                    when({ StringLike: { 'aws:CalledViaLast': '*.athena' } })],
  ['INVALID_SERVICE_PRINCIPAL_FORMAT', 'identity', when({ StringEquals: { 'kms:ViaService': 's3.amazonaws.com' } }),                        when({ StringEquals: { 'kms:ViaService': ['s3.eu-west-1.amazonaws.com', '${aws:PrincipalTag/via}'] } })],
  ['FEDERATED_PRINCIPAL_NOT_SUPPORTED', 'resource', bus({ Principal: { Federated: 'accounts.google.com' } }),                            bus({})],
  ['ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL', 'trust', trust({ NotPrincipal: { AWS: '111122223333' } }),                             trust({})],
  ['ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE', 'trust', trust({ Resource: '*' }),                                                         trust({})],
  ['ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL', 'trust', trust({ Principal: '*' }),                                            trust({ Principal: { AWS: '*' } })],
  ['EMPTY_OBJECT_PRINCIPAL',          'trust',    trust({ Principal: {} }),                                                              trust({})],
  ['EMPTY_ARRAY_PRINCIPAL',           'trust',    trust({ Principal: { AWS: [] } }),                                                     trust({})],
  ['INVALID_ROLE_REFERENCE',          'trust',    trust({ Principal: { AWS: 'AROACKCEVSQ6C2EXAMPLE' } }),                                trust({ Principal: { AWS: ROLE } })],
  ['INVALID_USER_REFERENCE',          'trust',    trust({ Principal: { AWS: 'AIDACKCEVSQ6C2EXAMPLE' } }),                                trust({ Principal: { AWS: ROLE } })],
  ['ALLOW_WITH_NOT_PRINCIPAL',        'resource', policy({ Effect: 'Allow', NotPrincipal: { AWS: '111122223333' }, Action: '*', Resource: BUS }), policy({ Effect: 'Deny', NotPrincipal: { AWS: '111122223333' }, Action: '*', Resource: BUS })],
  ['REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY', 'trust', trust({ Principal: { AWS: [ROLE, 'arn:aws:sts::111122223333:assumed-role/r/s'] } }), trust({ Principal: { AWS: [ROLE, 'arn:aws:sts::111122223333:assumed-role/q/s'] } })],
  ['RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL', 'resource', bus({ Principal: { Service: 'chime.amazonaws.com' } }),                           bus({ Principal: { Service: 'chime.amazonaws.com' }, Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } } })],
  ['RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL', 'trust', trust({ Principal: { Service: 'chime.amazonaws.com' }, Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } }), trust({ Principal: { Service: 'chime.amazonaws.com' }, Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } } })],
  ['MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY', 'trust', trust({ Principal: { Service: 'rolesanywhere.amazonaws.com' } }),          trust({ Principal: { Service: 'rolesanywhere.amazonaws.com' }, Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'] })],
  // federation
  ['INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY', 'trust', trust({ Principal: { Federated: 'google' } }),                    trust({ Principal: { Federated: 'accounts.google.com' } })],
  ['MISMATCHED_ACTION_FOR_PRINCIPAL', 'trust',    oidc({ Action: 'sts:AssumeRoleWithSAML' }),                                            oidc({})],
  ['MISMATCHED_ACTION_FOR_PRINCIPAL', 'trust',    trust({ Principal: { Federated: 'arn:aws:iam::111122223333:saml-provider/p' } }),      trust({ Principal: { Federated: 'arn:aws:iam::111122223333:saml-provider/p' }, Action: ['sts:AssumeRoleWithSAML', 'sts:TagSession'] })],
  ['MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL', 'trust', oidc({}),                                                                        oidc({ Condition: { StringEquals: { 'oidc.example.com:sub': 'x' } } })],
  ['MISSING_GITHUB_REPO_CONDITION_KEY', 'trust',  github(),                                                                              github('repo:o/r:ref:refs/heads/main')],
  ['MISSING_GITHUB_REPO_CONDITION_KEY', 'trust',  github('*'),                                                                           github('repo:o/*')],
  ['SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED', 'trust', github('repo:o/*'),                                                           github('repo:o/r:ref:refs/heads/main')],
  ['SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED', 'trust', github('repo:o/r:*'),                                                         github('repo:o/r:*', 'refs/heads/main')],
  ['SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED', 'trust', github('repo:o/*', 'refs/heads/main'),                                        github('repo:o/r:*', ['refs/heads/main', 'refs/heads/next'])],
  ['SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED', 'trust', github('repo:o/r:*', 'refs/heads/*'),                                         github('repo:o/r:environment:prod')],
  ['FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE', 'trust', oidc({ Condition: { 'ForAnyValue:StringEquals': { [`${GITHUB}:aud`]: 'x' } } }, GITHUB), oidc({ Condition: { StringEquals: { [`${GITHUB}:aud`]: 'x' } } }, GITHUB)],
  ['CONFIRM_AUDIENCE_CLAIM_TYPE',     'trust',    oidc({ Condition: { 'ForAnyValue:StringEquals': { 'oidc.example.com:aud': 'x' } } }),  oidc({ Condition: { StringEquals: { 'oidc.example.com:aud': 'x' } } })],
  ['CONFIRM_AUDIENCE_CLAIM_TYPE',     'trust',    oidc({ Condition: { 'ForAllValues:StringEquals': { [`${GITHUB}:aud`]: 'x' } } }, GITHUB), oidc({ Condition: { 'ForAnyValue:StringEquals': { [`${GITHUB}:aud`]: 'x' } } }, GITHUB)],
  // iam:PassRole and iam:CreateServiceLinkedRole
  ['PASS_ROLE_WITH_STAR_IN_RESOURCE', 'identity', action('iam:PassRole'),                                                                one({ Action: 'iam:PassRole', Resource: ROLE })],
  ['PASS_ROLE_WITH_STAR_IN_RESOURCE', 'identity', one({ Action: 'iam:PassRole', Resource: 'arn:aws:iam::*:role/*' }),                    one({ Action: 'iam:PassRole', Resource: 'arn:aws:iam::*:role/Service*' })],
  ['PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE', 'identity', action('iam:*'),                                                            one({ Action: '*', Resource: '*', Condition: { StringEquals: { 'iam:PassedToService': 'chime.amazonaws.com' } } })],
  ['PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION', 'identity', policy({ Effect: 'Allow', NotAction: 'chime:*', Resource: '*' }),       policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' })],
  ['PASS_ROLE_WITH_NOT_RESOURCE',     'identity', policy({ Effect: 'Allow', Action: 'iam:PassRole', NotResource: ROLE }),                 policy({ Effect: 'Deny', Action: 'iam:PassRole', NotResource: ROLE })],
  ['PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE', 'identity', policy({ Effect: 'Allow', Action: 'iam:P*', NotResource: ROLE }),       policy({ Effect: 'Allow', Action: 'iam:G*', NotResource: ROLE })],
  ['PASS_ROLE_WITH_NOT_ACTION_AND_NOT_RESOURCE', 'identity', policy({ Effect: 'Allow', NotAction: 'chime:*', NotResource: ROLE }),       policy({ Effect: 'Allow', NotAction: 'iam:PassRole', NotResource: ROLE })],
  ['CREATE_SLR_WITH_STAR_IN_RESOURCE', 'identity', action('iam:CreateServiceLinkedRole'),                                                one({ Action: 'iam:CreateServiceLinkedRole', Resource: 'arn:aws:iam::*:role/aws-service-role/chime.amazonaws.com/*' })],
  ['CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE', 'identity', action('*'),                                                               one({ Action: 'iam:*', Resource: '*', Condition: { StringLike: { 'iam:AWSServiceName': 'chime.amazonaws.com' } } })],
  ['CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION', 'identity', policy({ Effect: 'Allow', NotAction: 'chime:*', Resource: '*' }),      policy({ Effect: 'Allow', NotAction: 'iam:Create*', Resource: '*' })],
  ['CREATE_SLR_WITH_NOT_RESOURCE',    'identity', policy({ Effect: 'Allow', Action: 'iam:CreateServiceLinkedRole', NotResource: ROLE }), one({ Action: 'iam:CreateServiceLinkedRole', Resource: ROLE })],
  ['CREATE_SLR_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE', 'identity', policy({ Effect: 'Allow', Action: 'iam:C*', NotResource: ROLE }),      policy({ Effect: 'Allow', Action: 'iam:G*', NotResource: ROLE })],
  ['CREATE_SLR_WITH_NOT_ACTION_AND_NOT_RESOURCE', 'identity', policy({ Effect: 'Allow', NotAction: 'chime:*', NotResource: ROLE }),      policy({ Effect: 'Allow', NotAction: 'iam:*', NotResource: ROLE })],
  // tags, requirement TAG-3: classic actions of Chime do not support tags
  ['DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', 'identity', denied({ Action: 'chime:*', Resource: '*', Condition: tagged('aws:ResourceTag/x') }), denied({ Action: 'chime:GetMeeting', Resource: '*', Condition: tagged('aws:ResourceTag/x') })],
  ['DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', 'identity', denied({ Action: 'chime:ListUsers', Resource: '*', Condition: tagged('aws:ResourceTag/x') }), denied({ Action: 'chime:ListUsers', Resource: '*', Condition: { StringNotEquals: { 'aws:ResourceTag/x': 'y' } } })],
  ['DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', 'identity', policy({ Effect: 'Deny', NotAction: 'iam:*', Resource: '*', Condition: tagged('aws:ResourceTag/x') }), policy({ Effect: 'Deny', NotAction: 'iam:*', Resource: '*', Condition: tagged('aws:PrincipalTag/x') })],
  ['ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', 'identity', one({ Action: 'chime:CreateUser', Resource: '*', Condition: tagged('aws:RequestTag/x') }), one({ Action: 'chime:CreateAppInstance', Resource: '*', Condition: tagged('aws:RequestTag/x') })],
  ['ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', 'identity', policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*', Condition: tagged('aws:ResourceTag/x') }), policy({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*', Condition: tagged('aws:PrincipalTag/x') })],
];
