// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables look like templates
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AnalyzedPolicy, externalAccess } from './external-access.ts';

const OWN = '111122223333';
const MEMBER = '222233334444';
const OUTSIDE = '999988887777';
const ROLE = `arn:aws:iam::${OWN}:role/shared`;
const BUCKET = 'arn:aws:s3:::shared';
const OBJECTS = `${BUCKET}/*`;
const SAML = `arn:aws:iam::${OWN}:saml-provider/idp`;

const ACCOUNT_ZONE = { accounts: (id: string) => id === OWN };
const ORGANIZATION_ZONE = { accounts: (id: string) => id === OWN || id === MEMBER, organizationId: 'o-own' };

type Statement = Readonly<Record<string, unknown>>;

function foundIn(statements: readonly Statement[], more: Partial<AnalyzedPolicy> = {}) {
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return externalAccess({ resourceType: 'AWS::S3::Bucket', arn: BUCKET, policy, zone: ACCOUNT_ZONE, ...more });
}

/** Returns findings in short: `PRINCIPAL ACTIONS CONDITION`, and `public` if the access is public. */
function short(statements: readonly Statement[], more: Partial<AnalyzedPolicy> = {}): readonly string[] {
  return foundIn(statements, more).map(({ principal, action, condition, isPublic }) => {
    const conditions = Object.entries(condition).map(([key, value]) => `${key}=${value}`);
    return [...Object.values(principal), action.join(), ...conditions, ...(isPublic ? ['public'] : [])].join(' ');
  });
}

const allow = (principal: unknown, more: Statement = {}): Statement => ({
  ...{ Effect: 'Allow', Principal: principal, Action: 's3:GetObject', Resource: OBJECTS },
  ...more,
});
const deny = (more: Statement): Statement => ({ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [BUCKET, OBJECTS], ...more });
const when = (operator: string, key: string, value: unknown): Statement => ({ Condition: { [operator]: { [key]: value } } });

// Source: IAM User Guide, "Reviewing findings" and "Understand how IAM Access Analyzer findings work".
// biome-ignore format: a table
const PRINCIPALS: readonly (readonly [title: string, statements: readonly Statement[], found: readonly string[]])[] = [
  ['an account',                    [allow({ AWS: OUTSIDE })],                                                        [`${OUTSIDE} s3:GetObject`]],
  ['the root user of an account',   [allow({ AWS: `arn:aws:iam::${OUTSIDE}:root` })],                                 [`${OUTSIDE} s3:GetObject`]],
  ['a user',                        [allow({ AWS: `arn:aws:iam::${OUTSIDE}:user/ada` })],                             [`arn:aws:iam::${OUTSIDE}:user/ada s3:GetObject`]],
  ['the own account',               [allow({ AWS: OWN })],                                                            []],
  ['a role of the own account',     [allow({ AWS: `arn:aws:iam::${OWN}:role/r` })],                                   []],
  ['a unique ID',                   [allow({ AWS: 'AROAEXAMPLEEXAMPLE' })],                                           ['AROAEXAMPLEEXAMPLE s3:GetObject']],
  ['a service',                     [allow({ Service: 'cloudtrail.amazonaws.com' })],                                 []],
  ['a canonical user',              [allow({ CanonicalUser: 'abc' })],                                                ['abc s3:GetObject']],
  ['a provider of the own account', [allow({ Federated: SAML })],                                                     [`${SAML} s3:GetObject`]],
  ['a provider shared by all',      [allow({ Federated: 'graph.facebook.com' })],                                     ['graph.facebook.com s3:GetObject public']],
  ['everyone',                      [allow('*')],                                                                     ['* s3:GetObject public']],
  ['everyone, as AWS',              [allow({ AWS: ['*', OUTSIDE] })],                                                 ['* s3:GetObject public']],
  ['everyone and a provider',       [allow({ AWS: '*', Federated: SAML })],                                           ['* s3:GetObject public', `${SAML} s3:GetObject`]],
  ['a role, of a Deny for all except a user of its account',
    [allow({ AWS: `arn:aws:iam::${OUTSIDE}:role/r` }), deny({ Principal: undefined, NotPrincipal: { AWS: [OUTSIDE, `arn:aws:iam::${OUTSIDE}:user/ada`] } })], []],
  ['a role, of a Deny that exempts the role without its sessions',
    [allow({ AWS: `arn:aws:iam::${OUTSIDE}:role/r` }), deny({ Principal: undefined, NotPrincipal: { AWS: [OUTSIDE, `arn:aws:iam::${OUTSIDE}:role/r`] } })], []],
  ['a role, of a Deny that exempts a session of it',
    [
      allow({ AWS: `arn:aws:iam::${OUTSIDE}:role/r` }),
      deny({ Principal: undefined, NotPrincipal: { AWS: [OUTSIDE, `arn:aws:iam::${OUTSIDE}:role/r`, `arn:aws:sts::${OUTSIDE}:assumed-role/r/s`] } }),
    ],
    [`arn:aws:iam::${OUTSIDE}:role/r s3:GetObject`]],
  ['a role, of a Deny for all except a unique ID of its account',
    [allow({ AWS: `arn:aws:iam::${OUTSIDE}:role/r` }), deny({ Principal: undefined, NotPrincipal: { AWS: [OUTSIDE, 'AROAEXAMPLEEXAMPLE'] } })], []],
  ['a user, of a Deny for all except a unique ID of its account',
    [allow({ AWS: `arn:aws:iam::${OUTSIDE}:user/ada` }), deny({ Principal: undefined, NotPrincipal: { AWS: [OUTSIDE, 'AIDAEXAMPLEEXAMPLE'] } })],
    [`arn:aws:iam::${OUTSIDE}:user/ada s3:GetObject`]],
  ['everything that a Deny covers', [allow('*', { Resource: undefined, NotResource: `${BUCKET}/a/*` }), deny({ Resource: undefined, NotResource: `${BUCKET}/a/*` })], []],
  ['nothing that NotAction of a Deny leaves', [allow('*', { Action: undefined, NotAction: 's3:Get*' }), deny({ Action: undefined, NotAction: ['iam:*', 's3:GetObject'] })], []],
  ['several principals',            [allow({ AWS: [OUTSIDE, OWN, MEMBER], Federated: SAML })],                        [`${OUTSIDE} s3:GetObject`, `${MEMBER} s3:GetObject`, `${SAML} s3:GetObject`]],
  ['one principal twice',           [allow({ AWS: [OUTSIDE, `arn:aws:iam::${OUTSIDE}:root`] })],                      [`${OUTSIDE} s3:GetObject`]],
  ['equal statements',              [allow('*'), allow('*')],                                                         ['* s3:GetObject public']],
  ['two statements',                [allow({ AWS: OUTSIDE }), allow({ AWS: OUTSIDE }, { Action: 's3:ListBucket', Resource: BUCKET })], [`${OUTSIDE} s3:GetObject`, `${OUTSIDE} s3:ListBucket`]],
  ['NotPrincipal',                  [{ Effect: 'Allow', NotPrincipal: { AWS: OWN }, Action: 's3:GetObject', Resource: OBJECTS }], ['* s3:GetObject public']],
  ['no principal',                  [{ Effect: 'Allow', Action: 's3:GetObject', Resource: OBJECTS }],                 []],
  ['another service',               [allow('*', { Action: ['ec2:*', 'sqs:SendMessage'] })],                           []],
  ['one action of this service',    [allow('*', { Action: ['ec2:*', 's3:Get*'] })],                                   ['* s3:Get* public']],
  ['all actions',                   [allow('*', { Action: '*' })],                                                    ['* * public']],
  ['another bucket',                [allow('*', { Resource: 'arn:aws:s3:::other/*' })],                               []],
  ['NotResource with all of it',    [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', NotResource: `${BUCKET}*` }], []],
  ['NotResource with a part of it', [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', NotResource: `${BUCKET}/a/*` }], ['* s3:GetObject public']],
  ['an invalid policy',             [{ Effect: 'Permit' }],                                                           []],
];

for (const [title, statements, found] of PRINCIPALS) {
  test(`External access by principals: ${title}`, () => assert.deepEqual(short(statements), found));
}

test('External access: NotAction lists the actions of the resource type that remain', () => {
  const [found] = foundIn([{ Effect: 'Allow', Principal: '*', NotAction: ['s3:Get*', 's3:Put*', 's3:Delete*'], Resource: '*' }]);
  const action = found?.action ?? [];
  assert.ok(action.includes('s3:ListBucket') && action.includes('s3:RestoreObject'));
  assert.ok(
    action.every((each) => /^s3:(?!Get|Put|Delete|ListAllMyBuckets)/.test(each)),
    action.join(),
  );
});

test('External access: a role', () => {
  const role = { resourceType: 'AWS::IAM::Role', arn: ROLE } as const;
  const statement = { Effect: 'Allow', Principal: { AWS: OUTSIDE, Federated: SAML }, Action: ['sts:AssumeRole', 'sts:AssumeRoleWithSAML'] };
  const [byAccount, byProvider] = foundIn([{ ...statement, ...when('StringEquals', 'SAML:aud', 'https://app') }], role);
  const common = { findingType: 'ExternalAccess', action: ['sts:AssumeRole', 'sts:AssumeRoleWithSAML'], isPublic: false };
  assert.deepEqual(byAccount, { ...common, principal: { AWS: OUTSIDE }, condition: {} });
  assert.deepEqual(byProvider, { ...common, principal: { Federated: SAML }, condition: { 'SAML:aud': 'https://app' } });
});

test('External access: a condition that the caller meets by its request is not listed', () => {
  const role = { resourceType: 'AWS::IAM::Role', arn: ROLE } as const;
  const statement = { Effect: 'Allow', Principal: { AWS: OUTSIDE }, Action: 'sts:AssumeRole' };
  const conditions = { StringEquals: { 'sts:ExternalId': 'customer-7', 'aws:PrincipalOrgID': 'o-other' } };
  const [found] = foundIn([{ ...statement, Condition: conditions }], role);
  assert.deepEqual([found?.condition, found?.isPublic], [{ 'aws:PrincipalOrgID': 'o-other' }, false]);
});

test('External access: a resource without a policy has none', () => {
  assert.deepEqual(externalAccess({ resourceType: 'AWS::S3::Bucket', arn: BUCKET, zone: ACCOUNT_ZONE }), []);
});

// Source: Amazon S3 User Guide, "The meaning of public"; IAM User Guide, "IAM Access Analyzer filter keys".
// biome-ignore format: a table
const CONDITIONS: readonly (readonly [title: string, condition: Statement, ofAccount: readonly string[], ofOrganization: readonly string[]])[] = [
  // title                              condition of an Allow for everyone                                              account analyzer                                  organization analyzer
  ['the own organization',              when('StringEquals', 'aws:PrincipalOrgID', 'o-own'),                            ['* aws:PrincipalOrgID=o-own'],                   []],
  ['another organization',              when('StringEquals', 'aws:PrincipalOrgID', 'o-other'),                          ['* aws:PrincipalOrgID=o-other'],                 ['* aws:PrincipalOrgID=o-other']],
  ['two organizations',                 when('StringEquals', 'aws:PrincipalOrgID', ['o-own', 'o-other']),               ['* aws:PrincipalOrgID=o-own,o-other'],           ['* aws:PrincipalOrgID=o-other']],
  ['a pattern of organizations',        when('StringLike', 'aws:PrincipalOrgID', 'o-*'),                                ['* aws:PrincipalOrgID=o-* public'],              ['* aws:PrincipalOrgID=o-* public']],
  ['not an organization',               when('StringNotEquals', 'aws:PrincipalOrgID', 'o-other'),                       ['* public'],                                     ['* public']],
  ['an organization, if known',         when('StringEqualsIfExists', 'aws:PrincipalOrgID', 'o-own'),                    ['* public'],                                     ['* public']],
  ['a path of the own organization',    when('ForAnyValue:StringLike', 'aws:PrincipalOrgPaths', 'o-own/r-1/*'),         ['* aws:PrincipalOrgPaths=o-own/r-1/*'],          []],
  ['all paths, or none',                when('ForAllValues:StringLike', 'aws:PrincipalOrgPaths', 'o-own/r-1/*'),        ['* public'],                                     ['* public']],
  ['a path with an open organization',  when('ForAnyValue:StringLike', 'aws:PrincipalOrgPaths', 'o-own*/r-1/*'),        ['* aws:PrincipalOrgPaths=o-own*/r-1/* public'],  ['* aws:PrincipalOrgPaths=o-own*/r-1/* public']],
  ['the own account',                   when('StringEquals', 'aws:PrincipalAccount', OWN),                              [],                                               []],
  ['a member account',                  when('StringEquals', 'aws:PrincipalAccount', MEMBER),                           [`* aws:PrincipalAccount=${MEMBER}`],             []],
  ['an ARN of the own account',         when('ArnLike', 'aws:PrincipalArn', `arn:aws:iam::${OWN}:role/*`),              [],                                               []],
  ['an ARN of any account',             when('ArnLike', 'aws:PrincipalArn', 'arn:aws:iam::*:role/admin'),               ['* aws:PrincipalArn=arn:aws:iam::*:role/admin public'], ['* aws:PrincipalArn=arn:aws:iam::*:role/admin public']],
  ['an ARN of another account',         when('ArnLike', 'aws:PrincipalArn', `arn:aws:iam::${OUTSIDE}:*`),               [`* aws:PrincipalArn=arn:aws:iam::${OUTSIDE}:*`], [`* aws:PrincipalArn=arn:aws:iam::${OUTSIDE}:*`]],
  ['a source in the own account',       when('StringEquals', 'aws:SourceAccount', OWN),                                 [],                                               []],
  ['a source in another account',       when('StringEquals', 'aws:SourceAccount', OUTSIDE),                             [`* aws:SourceAccount=${OUTSIDE}`],               [`* aws:SourceAccount=${OUTSIDE}`]],
  ['an access point of the account',    when('StringEquals', 's3:DataAccessPointAccount', OWN),                         [],                                               []],
  ['addresses',                         when('IpAddress', 'aws:SourceIp', ['203.0.113.0/24', '10.0.0.0/8']),            ['* aws:SourceIp=203.0.113.0/24,10.0.0.0/8'],     ['* aws:SourceIp=203.0.113.0/24,10.0.0.0/8']],
  ['a broad range of addresses',        when('IpAddress', 'aws:SourceIp', '0.0.0.0/1'),                                 ['* aws:SourceIp=0.0.0.0/1 public'],              ['* aws:SourceIp=0.0.0.0/1 public']],
  ['a broad IPv6 range',                when('IpAddress', 'aws:SourceIp', '2000::/3'),                                  ['* aws:SourceIp=2000::/3 public'],               ['* aws:SourceIp=2000::/3 public']],
  ['other addresses',                   when('NotIpAddress', 'aws:SourceIp', '203.0.113.0/24'),                         ['* public'],                                     ['* public']],
  ['a network',                         when('StringEquals', 'aws:SourceVpc', 'vpc-1'),                                 ['* aws:SourceVpc=vpc-1'],                        ['* aws:SourceVpc=vpc-1']],
  ['any network',                       when('StringLike', 'aws:SourceVpc', 'vpc-*'),                                   ['* aws:SourceVpc=vpc-* public'],                 ['* aws:SourceVpc=vpc-* public']],
  ['a variable',                        when('StringEquals', 'aws:SourceVpc', '${aws:PrincipalTag/vpc}'),               ['* aws:SourceVpc=${aws:principaltag/vpc} public'], ['* aws:SourceVpc=${aws:principaltag/vpc} public']],
  ['a user ID',                         when('StringEquals', 'aws:userid', 'AIDAEXAMPLE'),                              ['* aws:UserId=AIDAEXAMPLE'],                     ['* aws:UserId=AIDAEXAMPLE']],
  ['sessions of a role ID',             when('StringLike', 'aws:userid', 'AROAEXAMPLE:*'),                              ['* aws:UserId=AROAEXAMPLE:* public'],            ['* aws:UserId=AROAEXAMPLE:* public']],
  ['a key that the caller chooses',     when('StringEquals', 'aws:UserAgent', 'secret'),                                ['* public'],                                     ['* public']],
  ['no value',                          when('StringEquals', 'aws:SourceVpc', []),                                      [],                                               []],
  ['services only',                     when('Bool', 'aws:PrincipalIsAWSService', 'true'),                              [],                                               []],
];

for (const [title, condition, ofAccount, ofOrganization] of CONDITIONS) {
  test(`External access with a condition: ${title}`, () => {
    const inShort = (zone: AnalyzedPolicy['zone']) =>
      short([allow('*', condition)], { zone }).map((text) => text.replace(' s3:GetObject', ''));
    assert.deepEqual([inShort(ACCOUNT_ZONE), inShort(ORGANIZATION_ZONE)], [ofAccount, ofOrganization]);
  });
}

const ALL_ACTIONS = { Action: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'], Resource: '*' };
const NOT_OWN_ORGANIZATION = { StringNotEquals: { 'aws:PrincipalOrgID': 'o-own' } };

// biome-ignore format: a table
const DENIALS: readonly (readonly [title: string, denial: Statement, found: readonly string[]])[] = [
  // title                                  a Deny, after an Allow for everyone                                                       found by an organization analyzer
  ['of everything',                         deny({}),                                                                                 []],
  ['of one action',                         deny({ Action: 's3:Put*' }),                                                              ['* s3:GetObject,s3:ListBucket public']],
  ['of all other actions',                  deny({ Action: undefined, NotAction: 's3:GetObject' }),                                   ['* s3:GetObject public']],
  ['of all except another service',         deny({ Action: undefined, NotAction: 'iam:*' }),                                          []],
  ['of a part of the bucket',               deny({ Resource: [BUCKET, `${BUCKET}/a/*`] }),                                            ['* s3:GetObject,s3:PutObject,s3:ListBucket public']],
  ['of all but a part of the bucket',       deny({ Resource: undefined, NotResource: `${BUCKET}/a/*` }),                              ['* s3:GetObject,s3:PutObject,s3:ListBucket public']],
  ['of one account',                        deny({ Principal: { AWS: OUTSIDE } }),                                                    ['* s3:GetObject,s3:PutObject,s3:ListBucket public']],
  ['of all except the own account',         deny({ Principal: undefined, NotPrincipal: { AWS: OWN } }),                               []],
  ['of all except another account',         deny({ Principal: undefined, NotPrincipal: { AWS: [OWN, OUTSIDE] } }),                    ['* s3:GetObject,s3:PutObject,s3:ListBucket public']],
  ['outside of the organization',           deny({ Condition: NOT_OWN_ORGANIZATION }),                                                []],
  ['outside, except for services',          deny({ Condition: { ...NOT_OWN_ORGANIZATION, BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' } } }), []],
  ['outside of another organization',       deny(when('StringNotEquals', 'aws:PrincipalOrgID', 'o-other')),                           ['* s3:GetObject,s3:PutObject,s3:ListBucket aws:PrincipalOrgID=o-other']],
  ['outside of a network',                  deny(when('StringNotEquals', 'aws:SourceVpc', 'vpc-1')),                                  ['* s3:GetObject,s3:PutObject,s3:ListBucket aws:SourceVpc=vpc-1']],
  ['outside of a network, for one action',  deny({ Action: 's3:GetObject', ...when('StringNotEquals', 'aws:SourceVpc', 'vpc-1') }),   ['* s3:GetObject,s3:PutObject,s3:ListBucket public']],
  ['without TLS',                           deny(when('Bool', 'aws:SecureTransport', 'false')),                                       ['* s3:GetObject,s3:PutObject,s3:ListBucket public']],
  ['only of services',                      deny(when('Bool', 'aws:PrincipalIsAWSService', 'true')),                                  ['* s3:GetObject,s3:PutObject,s3:ListBucket public']],
];

for (const [title, denial, found] of DENIALS) {
  test(`External access with a Deny: ${title}`, () => {
    assert.deepEqual(short([allow('*', ALL_ACTIONS), denial], { zone: ORGANIZATION_ZONE }), found);
  });
}

// Source: Amazon S3 User Guide, "How Amazon S3 evaluates a bucket policy that contains both public and non-public access grants".
// biome-ignore format: a table
const RESTRICTED: readonly (readonly [title: string, statements: readonly Statement[], found: readonly string[]])[] = [
  ['a public policy gives no access to others', [allow({ AWS: OUTSIDE }), allow('*')],                                      []],
  ['a policy that is not public remains',       [allow({ AWS: OUTSIDE })],                                                  [`${OUTSIDE} s3:GetObject`]],
  ['a policy that is perhaps public',           [allow({ AWS: OUTSIDE }), allow('*', when('StringLike', 'aws:SourceVpc', 'vpc-*'))], [`${OUTSIDE} s3:GetObject`]],
];

for (const [title, statements, found] of RESTRICTED) {
  test(`External access with RestrictPublicBuckets: ${title}`, () => {
    assert.deepEqual(short(statements, { publicAccessBlock: { ignorePublicAcls: true, restrictPublicBuckets: true } }), found);
  });
}

test('External access: a policy whose proofs exceed the limit is reported without regard to Deny statements', () => {
  const resources = Array.from({ length: 40 }, (_, i) => `${BUCKET}/${'*a'.repeat(150)}${i}`);
  const unrelated = resources.map((Resource) => deny({ Resource: `${Resource}?` }));
  const denied = (more: readonly Statement[]) => short([allow({ AWS: OUTSIDE }, { Resource: resources }), ...more, deny({})]);
  assert.deepEqual(denied([]), []);
  assert.deepEqual(denied(unrelated), [`${OUTSIDE} s3:GetObject`]);
});

// Each statement has up to 20 KiB, and is repeated for each principal.
const MANY = { AWS: Array.from({ length: 680 }, (_, i) => String(200_000_000_000 + i)) };
const LONG_LIST = Array.from({ length: 500 }, (_, i) => `s3:Get*${i}*`);
const ADDRESSES = Array.from({ length: 500 }, (_, i) => `203.0.${i % 250}.${i % 100}/32`);

// biome-ignore format: a table
const LARGE: readonly (readonly [title: string, statement: Statement, action: readonly string[], condition: Readonly<Record<string, string>>])[] = [
  ['a list of actions', allow(MANY, { Action: LONG_LIST }),                                         ['s3:*'],         {}],
  ['NotAction',         allow(MANY, { Action: undefined, NotAction: 's3:PutObject' }),              ['s3:*'],         {}],
  ['a list of values',  allow(MANY, { Condition: { IpAddress: { 'aws:SourceIp': ADDRESSES } } }),   ['s3:GetObject'], { 'aws:SourceIp': '*' }],
];

for (const [title, statement, action, condition] of LARGE) {
  test(`External access of many principals: ${title} becomes a wildcard if the findings are too large`, () => {
    const found = foundIn([statement]);
    assert.equal(found.length, 680);
    assert.deepEqual([found[0]?.action, found[0]?.condition, found[0]?.isPublic], [action, condition, false]);
    assert.ok(JSON.stringify(found).length < 2 ** 19);

    const [whole] = foundIn([{ ...statement, Principal: { AWS: MANY.AWS.slice(0, 5) } }]);
    assert.ok(JSON.stringify(whole).length > 2_000, 'the findings of few principals have the whole list');
  });
}
