import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowsEverything, publicActions } from './open-statements.ts';

const policy = (...statements: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });

// biome-ignore format: a table
const EVERYTHING: readonly (readonly [title: string, statement: object, expected: boolean])[] = [
  ['* on *',                     { Effect: 'Allow', Action: '*', Resource: '*' },                                         true ],
  ['lists that contain *',       { Effect: 'Allow', Action: ['iam:GetUser', '*'], Resource: ['arn:aws:s3:::a', '*'] },    true ],
  ['other forms of *',           { Effect: 'Allow', Action: '*:**', Resource: '**' },                                     true ],
  ['wildcards that match all',   { Effect: 'Allow', Action: '*:?*', Resource: '?*' },                                     true ],
  ['wildcards of some lengths',  { Effect: 'Allow', Action: '*:?????????*', Resource: '*' },                              false],
  ['a condition',                { Effect: 'Allow', Action: '*', Resource: '*', Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } }, true ],
  ['Deny',                       { Effect: 'Deny', Action: '*', Resource: '*' },                                          false],
  ['every action of a service',  { Effect: 'Allow', Action: 'iam:*', Resource: '*' },                                     false],
  ['every action on a resource', { Effect: 'Allow', Action: '*', Resource: 'arn:aws:s3:::a' },                            false],
  ['NotAction',                  { Effect: 'Allow', NotAction: 'iam:*', Resource: '*' },                                  false],
  ['NotResource',                { Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::a' },                         false],
];

for (const [title, statement, expected] of EVERYTHING) {
  test(`allowsEverything: ${title} is ${expected}`, () => {
    assert.equal(allowsEverything(policy({ Effect: 'Allow', Action: 'chime:*', Resource: '*' }, statement)), expected);
    assert.equal(allowsEverything(JSON.stringify({ Version: '2012-10-17', Statement: statement })), expected);
  });
}

const anyone = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' };
const when = (operator: string, key: string, value: unknown) => ({ ...anyone, Condition: { [operator]: { [key]: value } } });

// biome-ignore format: a table
const PUBLIC: readonly (readonly [title: string, statement: object, expected: readonly string[]])[] = [
  ['everyone',                               anyone,                                                                       ['s3:GetObject']],
  ['everyone as AWS principal',              { ...anyone, Principal: { AWS: ['111122223333', '*'] } },                     ['s3:GetObject']],
  ['users of a public provider',             { ...anyone, Principal: { Federated: 'graph.facebook.com' } },                ['s3:GetObject']],
  ['NotPrincipal',                           { ...anyone, Principal: undefined, NotPrincipal: { AWS: '111122223333' } },   ['s3:GetObject']],
  ['NotAction',                              { ...anyone, Action: undefined, NotAction: 's3:PutObject' },                  ['*']],
  ['an account',                             { ...anyone, Principal: { AWS: '111122223333' } },                            []],
  ['a service',                              { ...anyone, Principal: { Service: 'cloudtrail.amazonaws.com' } },            []],
  ['a SAML provider',                        { ...anyone, Principal: { Federated: 'arn:aws:iam::111122223333:saml-provider/idp' } }, []],
  ['Deny for everyone',                      { ...anyone, Effect: 'Deny' },                                                []],
  ['a fixed VPC',                            when('StringEquals', 'aws:SourceVpc', 'vpc-91237329'),                        []],
  ['a key in another case',                  when('StringEquals', 'AWS:sourcevpc', 'vpc-91237329'),                        []],
  ['any VPC',                                when('StringLike', 'aws:SourceVpc', 'vpc-*'),                                 ['s3:GetObject']],
  ['a VPC in a variable',                    when('StringEquals', 'aws:SourceVpc', `$${'{aws:SourceVpc}'}`),               ['s3:GetObject']],
  ['one fixed and one open value',           when('StringLike', 'aws:SourceVpc', ['vpc-91237329', 'vpc-*']),               ['s3:GetObject']],
  ['an organization',                        when('StringEquals', 'aws:PrincipalOrgID', 'o-0123456789'),                   []],
  ['an organization if present',             when('StringEqualsIfExists', 'aws:PrincipalOrgID', 'o-0123456789'),           ['s3:GetObject']],
  ['an organization for all values',         when('ForAllValues:StringEquals', 'aws:PrincipalOrgID', 'o-0123456789'),      ['s3:GetObject']],
  ['all but an organization',                when('StringNotEquals', 'aws:PrincipalOrgID', 'o-0123456789'),                ['s3:GetObject']],
  ['another key',                            when('StringEquals', 'aws:UserAgent', 'x'),                                   ['s3:GetObject']],
  ['a network',                              when('IpAddress', 'aws:SourceIp', '203.0.113.0/24'),                          []],
  ['an address',                             when('IpAddress', 'aws:SourceIp', '203.0.113.7'),                             []],
  ['the broadest network that is private',   when('IpAddress', 'aws:SourceIp', '10.0.0.0/8'),                              []],
  ['a broader network',                      when('IpAddress', 'aws:SourceIp', ['203.0.113.0/24', '16.0.0.0/7']),          ['s3:GetObject']],
  ['an IPv6 network',                        when('IpAddress', 'aws:SourceIp', '2001:db8::/32'),                           []],
  ['a broader IPv6 network',                 when('IpAddress', 'aws:SourceIp', '2001:d00::/24'),                           ['s3:GetObject']],
  ['all but a network',                      when('NotIpAddress', 'aws:SourceIp', '203.0.113.0/24'),                       ['s3:GetObject']],
  ['access points of an account',            when('StringLike', 's3:DataAccessPointArn', 'arn:aws:s3:us-west-2:123456789012:accesspoint/*'), []],
  ['access points of every account',         when('StringLike', 's3:DataAccessPointArn', 'arn:aws:s3:us-west-2:*:accesspoint/*'), ['s3:GetObject']],
  ['sessions of a role by user ID',          when('StringLike', 'aws:userid', 'AROAEXAMPLE:*'),                            ['s3:GetObject']],
  ['a tag whose key ends as a key of a token', when('StringEquals', 'aws:PrincipalTag/team:sub', 'a'),                   ['s3:GetObject']],
  ['each identity pool of Cognito',          { ...when('ForAnyValue:StringLike', 'cognito-identity.amazonaws.com:amr', 'authenticated'), Principal: { Federated: 'cognito-identity.amazonaws.com' } }, ['s3:GetObject']],
  ['an identity pool of Cognito',            { ...when('StringEquals', 'cognito-identity.amazonaws.com:aud', 'us-east-1:12345678'), Principal: { Federated: 'cognito-identity.amazonaws.com' } }, []],
  ['an application at a public provider',    { ...when('StringEquals', 'graph.facebook.com:app_id', '1234'), Principal: { Federated: 'graph.facebook.com' } }, []],
  ['a public provider in another case',      { ...anyone, Principal: { Federated: 'Graph.Facebook.com' } },                ['s3:GetObject']],
  ['an application at another provider',     { ...when('StringEquals', 'graph.facebook.com:app_id', '1234'), Principal: { Federated: 'accounts.google.com' } }, ['s3:GetObject']],
  ['an application at one of two providers', { ...when('StringEquals', 'graph.facebook.com:app_id', '1234'), Principal: { Federated: ['graph.facebook.com', 'accounts.google.com'] } }, ['s3:GetObject']],
  ['everyone with a token of a provider',    when('StringEquals', 'accounts.google.com:aud', '1234'),                      ['s3:GetObject']],
  ['everyone with a SAML assertion',         when('StringEquals', 'SAML:aud', 'https://signin.aws.amazon.com/saml'),       ['s3:GetObject']],
];

for (const [title, statement, expected] of PUBLIC) {
  test(`publicActions: ${title} ${expected.length === 0 ? 'is not public' : 'is public'}`, () => {
    const named = { Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: '*', Resource: '*' };
    assert.deepEqual(publicActions(policy(named, statement)), expected);
  });
}
