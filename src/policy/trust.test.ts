import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { compilePolicy, isPolicyTextError } from './compile.ts';
import { decideTrust, type TrustCaller } from './trust.ts';

const ACCOUNT = '111122223333' as AccountId;
const OTHER = '444455556666' as AccountId;
const USER = 'arn:aws:iam::111122223333:user/bob';
const ROLE = 'arn:aws:iam::111122223333:role/path/r';
const SESSION = 'arn:aws:sts::111122223333:assumed-role/r/s';
const SAML = 'arn:aws:iam::111122223333:saml-provider/idp';

const BOB: TrustCaller = { accountId: ACCOUNT, arn: USER, uniqueId: 'AIDABOB' };
const STRANGER: TrustCaller = { accountId: OTHER, arn: 'arn:aws:iam::444455556666:user/bob', uniqueId: 'AIDAOTHER' };
const IN_ROLE: TrustCaller = { accountId: ACCOUNT, arn: SESSION, roleArn: ROLE, uniqueId: 'AROAR' };
const ROOT: TrustCaller = { accountId: ACCOUNT, arn: 'arn:aws:iam::111122223333:root' };
const CHIME: TrustCaller = { service: 'messaging.chime.amazonaws.com' };
const TOKEN: TrustCaller = { federated: SAML };
const BOUND: TrustCaller = { ...BOB, hasBoundary: true };

type Answer = 'principal' | 'role' | 'account' | 'implicit' | 'explicit';

// biome-ignore format: a table
const ROWS: readonly [title: string, statements: unknown, caller: TrustCaller, answer: Answer, action?: string][] = [
  // case                                                                  the statement's own members                                                   caller     answer
  ['an account allows its principals if their own policies do',            { Principal: { AWS: ACCOUNT } },                                              BOB,       'account'  ],
  ['the ARN of the root user names the whole account',                     { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } },                       IN_ROLE,   'account'  ],
  ['the ARN of the root user names the root user',                         { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } },                       ROOT,      'principal'],
  ['another account is not named',                                         { Principal: { AWS: ACCOUNT } },                                              STRANGER,  'implicit' ],
  ['the ARN of a user names the user',                                     { Principal: { AWS: USER } },                                                 BOB,       'principal'],
  ['the unique ID of a user names the user',                               { Principal: { AWS: 'AIDABOB' } },                                            BOB,       'principal'],
  ['a new user with a reused name has another unique ID',                  { Principal: { AWS: 'AIDAOLDBOB' } },                                         BOB,       'implicit' ],
  ['the ARN of a role names its sessions',                                 { Principal: { AWS: ROLE } },                                                 IN_ROLE,   'role'     ],
  ['the unique ID of a role names its sessions',                           { Principal: { AWS: 'AROAR' } },                                              IN_ROLE,   'role'     ],
  ['AWS * names the role of a session',                                    { Principal: { AWS: '*' } },                                                  IN_ROLE,   'role'     ],
  ['the ARN of a session has precedence over its role',                    { Principal: { AWS: [ROLE, SESSION, ACCOUNT] } },                             IN_ROLE,   'principal'],
  ['the role of a session has precedence over its account',                { Principal: { AWS: [ACCOUNT, ROLE] } },                                      IN_ROLE,   'role'     ],
  ['the ARN of a session names the session',                               { Principal: { AWS: SESSION } },                                              IN_ROLE,   'principal'],
  ['the ARN of a principal has precedence over its account',               { Principal: { AWS: [ACCOUNT, USER] } },                                      BOB,       'principal'],
  ['there is no wildcard inside a principal',                              { Principal: { AWS: 'arn:aws:iam::111122223333:user/*' } },                   BOB,       'implicit' ],
  ['a group cannot be a principal',                                        { Principal: { AWS: 'arn:aws:iam::111122223333:group/g' } },                  BOB,       'implicit' ],
  ['AWS * names every caller with credentials',                            { Principal: { AWS: '*' } },                                                  STRANGER,  'principal'],
  ['AWS * does not name a caller with only a token',                       { Principal: { AWS: '*' } },                                                  TOKEN,     'implicit' ],
  ['AWS * does not name a service',                                        { Principal: { AWS: '*' } },                                                  CHIME,     'implicit' ],
  ['a Deny for * also denies a service',                                   [{ Principal: { Service: CHIME.service } }, { Effect: 'Deny', Principal: '*' }], CHIME,  'explicit' ],
  ['a service principal names only the service itself',                    { Principal: { Service: 'messaging.chime.amazonaws.com' } },                  CHIME,     'principal'],
  ['another service is not named',                                         { Principal: { Service: 'chime.amazonaws.com' } },                            CHIME,     'implicit' ],
  ['an identity provider names the callers with its tokens',               { Principal: { Federated: SAML }, Action: 'sts:AssumeRoleWithSAML' },         TOKEN,     'principal', 'sts:AssumeRoleWithSAML'],
  ['an Allow of one action does not allow another action',                 { Principal: { Federated: SAML }, Action: 'sts:AssumeRoleWithSAML' },         TOKEN,     'implicit' ],
  ['session tags need sts:TagSession',                                     { Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' },                    BOB,       'implicit',  'sts:TagSession'],
  ['a Deny has precedence over an Allow',                                  [{ Principal: { AWS: ACCOUNT } }, { Effect: 'Deny', Principal: { AWS: USER } }], BOB,    'explicit' ],
  ['a Deny of the account denies its users',                               [{ Principal: { AWS: USER } }, { Effect: 'Deny', Principal: { AWS: ACCOUNT } }], BOB,    'explicit' ],
  ['Deny with NotPrincipal exempts a user listed with the account',        [{ Principal: { AWS: USER } }, { Effect: 'Deny', NotPrincipal: { AWS: [USER, ACCOUNT] } }], BOB, 'principal'],
  ['Deny with NotPrincipal denies a user listed without the account',      [{ Principal: { AWS: USER } }, { Effect: 'Deny', NotPrincipal: { AWS: [USER] } }], BOB,  'explicit' ],
  ['Deny with NotPrincipal denies a session if only its role is listed',   [{ Principal: { AWS: ROLE } }, { Effect: 'Deny', NotPrincipal: { AWS: [ROLE, ACCOUNT] } }], IN_ROLE, 'explicit'],
  ['Deny with NotPrincipal exempts a listed session with a listed role',   [{ Principal: { AWS: ROLE } }, { Effect: 'Deny', NotPrincipal: { AWS: [ROLE, SESSION, ACCOUNT] } }], IN_ROLE, 'role'],
  ['Deny with NotPrincipal always denies a user with a boundary',          [{ Principal: { AWS: USER } }, { Effect: 'Deny', NotPrincipal: { AWS: [USER, ACCOUNT] } }], BOUND, 'explicit'],
  ['ExternalId is an ordinary condition: an equal value is allowed',       { Principal: { AWS: OTHER }, Condition: { StringEquals: { 'sts:ExternalId': 'e1' } } }, STRANGER, 'account'],
  ['ExternalId is an ordinary condition: another value is denied',         { Principal: { AWS: OTHER }, Condition: { StringEquals: { 'sts:ExternalId': 'e2' } } }, STRANGER, 'implicit'],
  ['a statement without Principal names no caller',                        { Resource: '*' },                                                            BOB,       'implicit' ],
  ['a Deny without Principal denies every caller',                         [{ Principal: { AWS: USER } }, { Effect: 'Deny', Resource: '*' }],            BOB,       'explicit' ],
];

for (const [title, statements, caller, answer, action = 'sts:AssumeRole'] of ROWS) {
  test(`decideTrust: ${title}`, () => {
    const all = (Array.isArray(statements) ? statements : [statements]).map((one: object) => ({
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      ...one,
    }));
    const trust = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: all }));
    const decision = decideTrust(trust, caller, { action, resources: [ROLE], context: new Map([['sts:externalid', 'e1']]) });
    assert.equal(decision.effect === 'Allow' ? decision.grantee : decision.kind, answer);
  });
}

test('compilePolicy: an unknown type of principal makes the policy invalid', () => {
  const text = JSON.stringify({ Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { aws: '*' } } });
  assert.throws(() => compilePolicy(text), isPolicyTextError);
});

const OBJECT = 'arn:aws:s3:::logs/k';
const FEDERATED: TrustCaller = { accountId: ACCOUNT, arn: `arn:aws:sts::${ACCOUNT}:federated-user/v`, roleArn: USER, uniqueId: 'AIDABOB' };

// biome-ignore format: a table
const RESOURCE_ROWS: readonly [title: string, statements: unknown, caller: TrustCaller, answer: Answer][] = [
  // case                                                                  the statement's own members                                                   caller     answer
  ['* names a role session itself',                                        { Principal: '*' },                                                           IN_ROLE,   'principal'],
  ['* does not name a service',                                            { Principal: '*' },                                                           CHIME,     'implicit' ],
  ['NotPrincipal in an Allow does not name a service',                     { NotPrincipal: { AWS: OTHER } },                                             CHIME,     'implicit' ],
  ['a service principal names the service',                                { Principal: { Service: CHIME.service } },                                    CHIME,     'principal'],
  ['the IAM user of a federated user is named as a role is',               { Principal: { AWS: USER } },                                                 FEDERATED, 'role'     ],
  ['the unique ID of the IAM user also names its federated users',         { Principal: { AWS: 'AIDABOB' } },                                            FEDERATED, 'role'     ],
  ['the ARN of a federated user names the federated user',                 { Principal: { AWS: FEDERATED.arn } },                                        FEDERATED, 'principal'],
  ['a canonical user names no caller',                                     { Principal: { CanonicalUser: USER } },                                       BOB,       'implicit' ],
  ['another resource is not allowed',                                      { Principal: '*', Resource: 'arn:aws:s3:::logs' },                            BOB,       'implicit' ],
  ['a short ARN pattern matches nothing',                                  { Principal: '*', Resource: 'arn:aws:s3' },                                   BOB,       'implicit' ],
  ['NotResource allows all other resources',                               { Principal: '*', Resource: undefined, NotResource: 'arn:aws:s3:::logs' },    BOB,       'principal'],
  ['an Allow without Resource allows nothing',                             { Principal: '*', Resource: undefined },                                      BOB,       'implicit' ],
  ['a Deny without Resource denies every resource',                        [{ Principal: '*' }, { Effect: 'Deny', Principal: '*', Resource: undefined }], BOB,      'explicit' ],
  ['Deny with NotPrincipal denies a service that it does not list',        [{ Principal: { Service: CHIME.service } }, { Effect: 'Deny', NotPrincipal: { AWS: ACCOUNT } }], CHIME, 'explicit'],
];

for (const [title, statements, caller, answer] of RESOURCE_ROWS) {
  test(`decideTrust with a resource-based policy: ${title}`, () => {
    const all = (Array.isArray(statements) ? statements : [statements]).map((one: object) => {
      return { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::logs/*', ...one };
    });
    const policy = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: all }));
    const decision = decideTrust(policy, caller, { action: 's3:GetObject', resources: [OBJECT], context: new Map() }, 'resource');
    assert.equal(decision.effect === 'Allow' ? decision.grantee : decision.kind, answer);
  });
}
