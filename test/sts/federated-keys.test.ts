/** Condition keys from an identity provider's token: in the trust policy, and in later requests of the session. FED-1, FED-2. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateOpenIDConnectProviderCommand, CreateUserCommand, GetUserCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import type { Keys } from '../kit/keys.ts';
import { messageOf, outcomeOf } from '../kit/outcome.ts';
import { allow, type Statement, trust, trustProvider } from '../kit/policy.ts';
import { startFederation } from './federation.ts';

const federation = await startFederation();
const { accountId, issuer, oidcArn, samlArn } = federation;
const ASSUME = ['sts:AssumeRoleWithWebIdentity', 'sts:AssumeRoleWithSAML', 'sts:TagSession'];
const FEDERATED: Statement = { Effect: 'Allow', Principal: { Federated: [oidcArn, samlArn] }, Action: ASSUME };
const LIST = allow('iam:ListUsers');
const list = (keys: Keys) => outcomeOf(federation.iam(keys).send(new ListUsersCommand({})));

const CLAIMS = { sub: 'user-1', aud: ['client-1'], amr: ['pwd', 'otp'], email: 'ada@example.com' };
const web = (roleArn: string) => federation.withToken(roleArn, CLAIMS);
const saml = (roleArn: string) => federation.withAssertion(roleArn, { nameId: 'ada' });

// biome-ignore format: a table
const SESSION_KEYS: readonly [key: string, enter: (roleArn: string) => Promise<Keys>, operator: string, value: string, stays: boolean][] = [
  // key of the token                    by      operator                     value                               stays in the session
  [`${issuer}:sub`,                      web,    'StringEquals',              'user-1',                           true ],
  [`${issuer}:aud`,                      web,    'StringEquals',              'client-1',                         true ],
  [`${issuer}:amr`,                      web,    'ForAnyValue:StringEquals',  'otp',                              true ],
  [`${issuer}:oaud`,                     web,    'StringEquals',              'client-1',                         false],
  [`${issuer}:email`,                    web,    'StringEquals',              'ada@example.com',                  false],
  ['sts:RoleAuthorizedByIdp',            web,    'Bool',                      'false',                            false],
  ['saml:sub',                           saml,   'StringEquals',              'ada',                              true ],
  ['saml:sub_type',                      saml,   'StringEquals',              'persistent',                       true ],
  ['saml:namequalifier',                 saml,   'StringLike',                '*=',                               true ],
  ['saml:aud',                           saml,   'StringLike',                'https://signin*',                  false],
  ['saml:iss',                           saml,   'StringEquals',              'https://idp.example/saml',         false],
  ['saml:doc',                           saml,   'StringEquals',              `${accountId}/Corp`,                false],
];

for (const [i, [key, enter, operator, value, stays]] of SESSION_KEYS.entries()) {
  test(`${key.replace(issuer, 'ISSUER')}: the trust policy can use the key, and the session ${stays ? 'has' : 'does not have'} it`, async () => {
    const Condition = { [operator]: { [key]: value } };
    const roleArn = await federation.role(`key-${i}`, { ...FEDERATED, Condition }, LIST, { ...LIST, Effect: 'Deny', Condition });
    assert.equal(await list(await enter(roleArn)), stays ? 'AccessDenied' : 'allowed');

    const closed = await federation.role(`key-${i}-deny`, [FEDERATED, { ...FEDERATED, Effect: 'Deny', Condition }]);
    assert.equal(await outcomeOf(enter(closed)), 'AccessDenied');
  });
}

test('OIDC issuers: a trailing slash is part of the provider ARN and of the condition keys', async () => {
  const url = `https://${federation.oidc.host}/tenant/`;
  const configuration = { issuer: url, jwks_uri: `https://${federation.oidc.host}/keys` };
  federation.oidc.documents.set('/tenant/.well-known/openid-configuration', configuration);
  const provider = { ClientIDList: ['client-1'], ThumbprintList: [federation.oidc.thumbprint] };
  await federation.admin.send(new CreateOpenIDConnectProviderCommand({ ...provider, Url: url.slice(0, -1) }));
  const tenant = `arn:aws:iam::${accountId}:oidc-provider/${federation.oidc.host}/tenant`;
  const roleArn = await federation.role('slash-a', trustProvider(tenant, ASSUME));
  const unknown = `No OpenIDConnect provider found in your account for ${url}`;
  assert.equal(await messageOf(federation.withToken(roleArn, { iss: url })), `InvalidIdentityTokenException: ${unknown}`);

  const { OpenIDConnectProviderArn } = await federation.admin.send(new CreateOpenIDConnectProviderCommand({ ...provider, Url: url }));
  assert.equal(OpenIDConnectProviderArn, `${tenant}/`);
  const Condition = { StringEquals: { [`${federation.oidc.host}/tenant/:aud`]: 'client-1' } };
  const trusted = trustProvider(OpenIDConnectProviderArn, ASSUME, { Condition });
  const trusting = await federation.role('slash-b', trusted, LIST, { ...LIST, Effect: 'Deny', Condition });
  assert.equal(await outcomeOf(federation.withToken(roleArn, { iss: url })), 'AccessDenied');
  assert.equal(await list(await federation.withToken(trusting, { iss: url })), 'AccessDenied');
});

test('Resource: a policy variable with a key of the token resolves in the policies of the session', async () => {
  await federation.admin.send(new CreateUserCommand({ UserName: 'user-1' }));
  await federation.admin.send(new CreateUserCommand({ UserName: 'user-2' }));
  for (const [name, enter, variable] of [
    ['web', () => federation.withToken(`arn:aws:iam::${accountId}:role/own-web`), `${issuer}:sub`],
    ['saml', () => federation.withAssertion(`arn:aws:iam::${accountId}:role/own-saml`, { nameId: 'user-1' }), 'saml:sub'],
  ] as const) {
    const own = allow('iam:GetUser', `arn:aws:iam::*:user/\${${variable}}`);
    await federation.role(`own-${name}`, FEDERATED, own);
    const iam = federation.iam(await enter());
    assert.equal((await iam.send(new GetUserCommand({ UserName: 'user-1' }))).User?.UserName, 'user-1');
    assert.equal(await outcomeOf(iam.send(new GetUserCommand({ UserName: 'user-2' }))), 'AccessDenied');
  }
});

test("Role chaining: keys of the token apply to the next role's trust policy, not to the next session", async () => {
  const Condition = { StringEquals: { [`${issuer}:sub`]: 'user-1' } };
  const first = await federation.role('first', FEDERATED, allow('sts:AssumeRole'));
  const next = await federation.role('next', trust(first, 'sts:AssumeRole', { Condition }), LIST, { ...LIST, Effect: 'Deny', Condition });
  assert.equal(await list(await federation.assume(await federation.withToken(first, CLAIMS), next)), 'allowed');
  const stranger = await federation.withToken(first, { ...CLAIMS, sub: 'user-2' });
  assert.equal(await outcomeOf(federation.assume(stranger, next)), 'AccessDenied');
});

test('Federation: a subject that does not fit into a session token is PackedPolicyTooLarge', async () => {
  const roleArn = await federation.role('long', FEDERATED);
  // Source: mozilla-iam/mozilla-aws-cli, README, "Details".
  const message = /^PackedPolicyTooLarge(?:Exception)?: Serialized token too large for session$/;
  assert.match(await messageOf(federation.withToken(roleArn, { sub: 'x'.repeat(1024) })), message);
  assert.match(await messageOf(federation.withToken(roleArn, { amr: Array(300).fill('pwd') })), message);
  assert.match(await messageOf(federation.withAssertion(roleArn, { nameId: 'x'.repeat(1024) })), message);
  await federation.withToken(roleArn, { sub: 'ü'.repeat(255), amr: ['pwd', 'otp'] });
});

const pinned = await federation.role('pinned', FEDERATED);
const asking = await federation.role('asking', { ...FEDERATED, Condition: { Bool: { 'sts:RoleAuthorizedByIdp': 'true' } } });
const ROLES = 'https://aws.amazon.com/roles';
const ABSENT = 'InvalidIdentityToken: The target role ARN is not present in the roles claim of the identity token';
const FORMAT = 'InvalidIdentityToken: The roles claim is not in a supported format';
const NO_ROLES = 'InvalidIdentityToken: The roles claim contains no valid role ARNs';
const DENIED = 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity';

// biome-ignore format: a table
const PINNING: readonly [roles: string, claim: unknown, openRole: string, askingRole: string][] = [
  // the claim            value                              role `pinned`                                                                 role `asking`
  ['absent',              undefined,                         'allowed',                                                                    DENIED   ],
  ['null',                null,                              FORMAT,                                                                       FORMAT   ],
  ['the roles',           [pinned, asking],                  'allowed',                                                                    'allowed'],
  ['the roles as text',   `${pinned};${asking}`,             'allowed',                                                                    'allowed'],
  ['another role',        [`${pinned}2`],                    ABSENT,                                                                       ABSENT   ],
  ['one other role',      `${pinned}2`,                      ABSENT,                                                                       ABSENT   ],
  ['a pattern',           [`${pinned.slice(0, -6)}*`],       NO_ROLES,                                                                     NO_ROLES ],
  ['a name',              ['pinned'],                        NO_ROLES,                                                                     NO_ROLES ],
  ['empty',               [],                                NO_ROLES,                                                                     NO_ROLES ],
  ['an object',           { pinned },                        FORMAT,                                                                       FORMAT   ],
  ['a number',            7,                                 FORMAT,                                                                       FORMAT   ],
  ['a role and a number', [pinned, asking, 7],               FORMAT,                                                                       FORMAT   ],
];

for (const [roles, claim, openRole, askingRole] of PINNING) {
  test(`Role pinning: with a roles claim that is ${roles}, the pinned role is ${openRole === 'allowed' ? 'allowed' : 'refused'}`, async () => {
    const enter = async (roleArn: string) => {
      const sent = () => federation.withToken(roleArn, { [ROLES]: claim });
      return (await outcomeOf(sent())) === 'allowed' ? 'allowed' : (await messageOf(sent())).replace('Exception:', ':');
    };
    assert.deepEqual([await enter(pinned), await enter(asking)], [openRole, askingRole]);
  });
}

test('Role pinning: the roles claim is checked before the trust policy', async () => {
  const closed = await federation.role('closed', trust(accountId));
  const sent = federation.withToken(closed, { [ROLES]: [pinned] });
  assert.equal((await messageOf(sent)).replace('Exception:', ':'), ABSENT);
});

const TAGS = 'https://aws.amazon.com/tags';
const untagged = await federation.role('untagged', { ...FEDERATED, Action: 'sts:AssumeRoleWithWebIdentity' });
const BLUE = { StringEquals: { 'aws:PrincipalTag/Team': 'blue' } };
const TAGGING = ['sts:AssumeRole', 'sts:TagSession'];
const chained = await federation.role('chained', trust(accountId, TAGGING), { ...LIST, Condition: BLUE });
const tagged = await federation.role('tagged', FEDERATED, { ...LIST, Condition: BLUE }, allow(TAGGING));

// biome-ignore format: a table
const TAGGED: readonly [form: string, claims: Readonly<Record<string, unknown>>, transitive: boolean][] = [
  ['nested',                 { [TAGS]: { principal_tags: { Team: ['blue'] } } },                                                    false],
  ['nested, transitive',     { [TAGS]: { principal_tags: { Team: ['blue'] }, transitive_tag_keys: ['Team'] } },                     true ],
  ['flattened',              { [`${TAGS}/principal_tags/Team`]: 'blue' },                                                           false],
  ['flattened, as a list',   { [`${TAGS}/principal_tags/Team`]: ['blue'] },                                                         false],
  ['flattened, transitive',  { [`${TAGS}/principal_tags/Team`]: 'blue', [`${TAGS}/transitive_tag_keys`]: ['Team'] },                true ],
  ['both for two keys',      { [TAGS]: { principal_tags: { Desk: '1' } }, [`${TAGS}/principal_tags/Team`]: 'blue' },                false],
];

for (const [form, claims, transitive] of TAGGED) {
  test(`Tags of a token, ${form}: the session has the tags, and the trust policy must allow sts:TagSession`, async () => {
    assert.equal(await messageOf(federation.withToken(untagged, claims)), 'AccessDenied: Not authorized to perform sts:TagSession');
    const keys = await federation.withToken(tagged, claims);
    assert.equal(await list(keys), 'allowed');
    assert.equal(await list(await federation.assume(keys, chained)), transitive ? 'allowed' : 'AccessDenied');
  });
}

// biome-ignore format: a table
const MALFORMED: readonly [title: string, claims: Readonly<Record<string, unknown>>, error: string][] = [
  // the token has                     the claims                                                                                           error
  ['tags that are a string',           { [TAGS]: 'Team=blue' },                                                                             'InvalidIdentityToken'],
  ['tags that are null',               { [TAGS]: null },                                                                                    'InvalidIdentityToken'],
  ['principal tags that are null',     { [TAGS]: { principal_tags: null } },                                                                'InvalidIdentityToken'],
  ['transitive keys that are null',    { [TAGS]: { principal_tags: { Team: ['blue'] }, transitive_tag_keys: null } },                       'InvalidIdentityToken'],
  ['flattened transitive keys that are null', { [`${TAGS}/principal_tags/Team`]: 'blue', [`${TAGS}/transitive_tag_keys`]: null },           'InvalidIdentityToken'],
  ['a source identity that is null',   { 'https://aws.amazon.com/source_identity': null },                                                  'InvalidIdentityToken'],
  ['principal tags that are a list',   { [TAGS]: { principal_tags: ['Team'] } },                                                            'InvalidIdentityToken'],
  ['a tag that is a number',           { [`${TAGS}/principal_tags/Team`]: 7 },                                                              'InvalidIdentityToken'],
  ['a flattened tag of two values',    { [`${TAGS}/principal_tags/Team`]: ['blue', 'red'] },                                                'InvalidIdentityToken'],
  ['a tag without a key',              { [`${TAGS}/principal_tags/`]: 'blue' },                                                             'InvalidIdentityToken'],
  ['a transitive key that is an object', { [`${TAGS}/principal_tags/Team`]: 'blue', [`${TAGS}/transitive_tag_keys`]: {} },                  'InvalidIdentityToken'],
  ['one key in both forms',            { [TAGS]: { principal_tags: { team: ['red'] } }, [`${TAGS}/principal_tags/Team`]: 'blue' },          'InvalidParameterValue'],
];

for (const [title, claims, error] of MALFORMED) {
  test(`AssumeRoleWithWebIdentity: a token with ${title} is ${error}`, async () => {
    assert.equal(await outcomeOf(federation.withToken(tagged, claims)), error);
  });
}

test('AssumeRole: a trust policy can deny a federated session by the subject of its token', async () => {
  const first = await federation.role('other-first', FEDERATED, allow('sts:AssumeRole'));
  const mallory = { StringEquals: { 'saml:sub': 'mallory' } };
  const next = await federation.role('other-next', [trust(accountId), { ...trust('*'), Effect: 'Deny', Condition: mallory }]);
  const enter = async (nameId: string) => {
    const keys = await federation.withAssertion(first, { nameId });
    return await outcomeOf(federation.assume(keys, next));
  };
  assert.deepEqual([await enter('ada'), await enter('mallory')], ['allowed', 'AccessDenied']);
});
