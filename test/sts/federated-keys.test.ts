/** Condition keys of an identity provider's token, in the trust policy and in requests of the session. Requirements FED-1, FED-2. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateOpenIDConnectProviderCommand, CreateUserCommand, GetUserCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { type Keys, messageOf, outcomeOf, startFederation } from './federation-rig.ts';

const rig = await startFederation();
const { accountId, issuer, oidcArn, samlArn } = rig;
const ASSUME = ['sts:AssumeRoleWithWebIdentity', 'sts:AssumeRoleWithSAML', 'sts:TagSession'];
const FEDERATED = { Effect: 'Allow', Principal: { Federated: [oidcArn, samlArn] }, Action: ASSUME };
const LIST = { Effect: 'Allow', Action: 'iam:ListUsers', Resource: '*' };
const list = (keys: Keys) => outcomeOf(rig.iam(keys).send(new ListUsersCommand({})));

const CLAIMS = { sub: 'user-1', aud: ['client-1'], amr: ['pwd', 'otp'], email: 'ada@example.com' };
const web = (roleArn: string) => rig.withToken(roleArn, CLAIMS);
const saml = (roleArn: string) => rig.withAssertion(roleArn, { nameId: 'ada' });

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
  test(`${key.replace(issuer, 'ISSUER')}: is in the trust policy, and ${stays ? 'stays in' : 'is not in'} the session`, async () => {
    const Condition = { [operator]: { [key]: value } };
    const roleArn = await rig.role(`key-${i}`, [{ ...FEDERATED, Condition }], [LIST, { ...LIST, Effect: 'Deny', Condition }]);
    assert.equal(await list(await enter(roleArn)), stays ? 'AccessDenied' : 'allowed');

    const closed = await rig.role(`key-${i}-deny`, [FEDERATED, { ...FEDERATED, Effect: 'Deny', Condition }]);
    assert.equal(await outcomeOf(enter(closed)), 'AccessDenied');
  });
}

test('An issuer with a slash at the end: the slash is in the provider ARN and in the keys, and distinguishes providers', async () => {
  const url = `https://${rig.oidc.host}/tenant/`;
  const configuration = { issuer: url, jwks_uri: `https://${rig.oidc.host}/keys` };
  rig.oidc.documents.set('/tenant/.well-known/openid-configuration', configuration);
  const provider = { ClientIDList: ['client-1'], ThumbprintList: [rig.oidc.thumbprint] };
  await rig.admin.send(new CreateOpenIDConnectProviderCommand({ ...provider, Url: url.slice(0, -1) }));
  const roleArn = await rig.role('slash-a', [
    { ...FEDERATED, Principal: { Federated: `arn:aws:iam::${accountId}:oidc-provider/${rig.oidc.host}/tenant` } },
  ]);
  const unknown = `No OpenIDConnect provider found in your account for ${url}`;
  assert.equal(await messageOf(rig.withToken(roleArn, { iss: url })), `InvalidIdentityTokenException: ${unknown}`);

  const { OpenIDConnectProviderArn } = await rig.admin.send(new CreateOpenIDConnectProviderCommand({ ...provider, Url: url }));
  assert.equal(OpenIDConnectProviderArn, `arn:aws:iam::${accountId}:oidc-provider/${rig.oidc.host}/tenant/`);
  const Condition = { StringEquals: { [`${rig.oidc.host}/tenant/:aud`]: 'client-1' } };
  const trust = { ...FEDERATED, Principal: { Federated: OpenIDConnectProviderArn }, Condition };
  const trusting = await rig.role('slash-b', [trust], [LIST, { ...LIST, Effect: 'Deny', Condition }]);
  assert.equal(await outcomeOf(rig.withToken(roleArn, { iss: url })), 'AccessDenied');
  assert.equal(await list(await rig.withToken(trusting, { iss: url })), 'AccessDenied');
});

test('Resource: a variable of the token resolves in the policies of the session', async () => {
  await rig.admin.send(new CreateUserCommand({ UserName: 'user-1' }));
  await rig.admin.send(new CreateUserCommand({ UserName: 'user-2' }));
  for (const [name, enter, variable] of [
    ['web', () => rig.withToken(`arn:aws:iam::${accountId}:role/own-web`), `${issuer}:sub`],
    ['saml', () => rig.withAssertion(`arn:aws:iam::${accountId}:role/own-saml`, { nameId: 'user-1' }), 'saml:sub'],
  ] as const) {
    const own = { Effect: 'Allow', Action: 'iam:GetUser', Resource: `arn:aws:iam::*:user/\${${variable}}` };
    await rig.role(`own-${name}`, [FEDERATED], [own]);
    const iam = rig.iam(await enter());
    assert.equal((await iam.send(new GetUserCommand({ UserName: 'user-1' }))).User?.UserName, 'user-1');
    assert.equal(await outcomeOf(iam.send(new GetUserCommand({ UserName: 'user-2' }))), 'AccessDenied');
  }
});

test('Role chaining: the keys apply to the trust policy of the next role, not to its session', async () => {
  const Condition = { StringEquals: { [`${issuer}:sub`]: 'user-1' } };
  const first = await rig.role('first', [FEDERATED], [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }]);
  const trust = { Effect: 'Allow', Principal: { AWS: first }, Action: 'sts:AssumeRole', Condition };
  const next = await rig.role('next', [trust], [LIST, { ...LIST, Effect: 'Deny', Condition }]);
  assert.equal(await list(await rig.assume(await rig.withToken(first, CLAIMS), next)), 'allowed');
  const stranger = await rig.withToken(first, { ...CLAIMS, sub: 'user-2' });
  assert.equal(await outcomeOf(rig.assume(stranger, next)), 'AccessDenied');
});

test('Federation: a subject that does not fit into a session token is PackedPolicyTooLarge', async () => {
  const roleArn = await rig.role('long', [FEDERATED]);
  // Source: mozilla-iam/mozilla-aws-cli, README, "Details".
  const message = /^PackedPolicyTooLarge(?:Exception)?: Serialized token too large for session$/;
  assert.match(await messageOf(rig.withToken(roleArn, { sub: 'x'.repeat(1024) })), message);
  assert.match(await messageOf(rig.withToken(roleArn, { amr: Array(300).fill('pwd') })), message);
  assert.match(await messageOf(rig.withAssertion(roleArn, { nameId: 'x'.repeat(1024) })), message);
  await rig.withToken(roleArn, { sub: 'ü'.repeat(255), amr: ['pwd', 'otp'] });
});

const pinned = await rig.role('pinned', [FEDERATED]);
const asking = await rig.role('asking', [{ ...FEDERATED, Condition: { Bool: { 'sts:RoleAuthorizedByIdp': 'true' } } }]);
const ROLES = 'https://aws.amazon.com/roles';
const ABSENT = 'InvalidIdentityToken: The target role ARN is not present in the roles claim of the identity token';
const DENIED = 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity';

// biome-ignore format: a table
const PINNING: readonly [roles: string, claim: unknown, openRole: string, askingRole: string][] = [
  // the claim            its value                          without the key                                                               with the key
  ['absent',              undefined,                         'allowed',                                                                    DENIED   ],
  ['null',                null,                              'allowed',                                                                    DENIED   ],
  ['the roles',           [pinned, asking],                  'allowed',                                                                    'allowed'],
  ['the roles as text',   `${pinned};${asking}`,             'allowed',                                                                    'allowed'],
  ['another role',        [`${pinned}2`],                    ABSENT,                                                                       ABSENT   ],
  ['one other role',      `${pinned}2`,                      ABSENT,                                                                       ABSENT   ],
  ['a pattern',           [`${pinned.slice(0, -6)}*`],       'InvalidIdentityToken: The roles claim contains no valid role ARNs',          'InvalidIdentityToken: The roles claim contains no valid role ARNs'],
  ['a name',              ['pinned'],                        'InvalidIdentityToken: The roles claim contains no valid role ARNs',          'InvalidIdentityToken: The roles claim contains no valid role ARNs'],
  ['empty',               [],                                'InvalidIdentityToken: The roles claim contains no valid role ARNs',          'InvalidIdentityToken: The roles claim contains no valid role ARNs'],
  ['an object',           { pinned },                        'InvalidIdentityToken: The roles claim is not in a supported format',         'InvalidIdentityToken: The roles claim is not in a supported format'],
];

for (const [roles, claim, openRole, askingRole] of PINNING) {
  test(`Role pinning: a roles claim that is ${roles} limits the role`, async () => {
    const enter = async (roleArn: string) => {
      const sent = () => rig.withToken(roleArn, { [ROLES]: claim });
      return (await outcomeOf(sent())) === 'allowed' ? 'allowed' : (await messageOf(sent())).replace('Exception:', ':');
    };
    assert.deepEqual([await enter(pinned), await enter(asking)], [openRole, askingRole]);
  });
}

test('Role pinning: the claim is enforced before a trust policy that denies', async () => {
  const closed = await rig.role('closed', [{ Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }]);
  const sent = rig.withToken(closed, { [ROLES]: [pinned] });
  assert.equal((await messageOf(sent)).replace('Exception:', ':'), ABSENT);
});

const TAGS = 'https://aws.amazon.com/tags';
const untagged = await rig.role('untagged', [{ ...FEDERATED, Action: 'sts:AssumeRoleWithWebIdentity' }]);
const BLUE = { StringEquals: { 'aws:PrincipalTag/Team': 'blue' } };
const chained = await rig.role(
  'chained',
  [{ Effect: 'Allow', Principal: { AWS: accountId }, Action: ['sts:AssumeRole', 'sts:TagSession'] }],
  [{ ...LIST, Condition: BLUE }],
);
const tagged = await rig.role(
  'tagged',
  [FEDERATED],
  [
    { ...LIST, Condition: BLUE },
    { Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession'], Resource: '*' },
  ],
);

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
  test(`Tags of a token, ${form}: are in the session, and require sts:TagSession`, async () => {
    assert.equal(await messageOf(rig.withToken(untagged, claims)), 'AccessDenied: Not authorized to perform sts:TagSession');
    const keys = await rig.withToken(tagged, claims);
    assert.equal(await list(keys), 'allowed');
    assert.equal(await list(await rig.assume(keys, chained)), transitive ? 'allowed' : 'AccessDenied');
  });
}

// biome-ignore format: a table
const MALFORMED: readonly [title: string, claims: Readonly<Record<string, unknown>>, error: string][] = [
  // the token has                     the claims                                                                                           error
  ['tags that are a string',           { [TAGS]: 'Team=blue' },                                                                             'InvalidIdentityToken'],
  ['principal tags that are a list',   { [TAGS]: { principal_tags: ['Team'] } },                                                            'InvalidIdentityToken'],
  ['a tag that is a number',           { [`${TAGS}/principal_tags/Team`]: 7 },                                                              'InvalidIdentityToken'],
  ['a flattened tag of two values',    { [`${TAGS}/principal_tags/Team`]: ['blue', 'red'] },                                                'InvalidIdentityToken'],
  ['a tag without a key',              { [`${TAGS}/principal_tags/`]: 'blue' },                                                             'InvalidIdentityToken'],
  ['a transitive key that is an object', { [`${TAGS}/principal_tags/Team`]: 'blue', [`${TAGS}/transitive_tag_keys`]: {} },                  'InvalidIdentityToken'],
  ['one key in both forms',            { [TAGS]: { principal_tags: { team: ['red'] } }, [`${TAGS}/principal_tags/Team`]: 'blue' },          'InvalidParameterValue'],
];

for (const [title, claims, error] of MALFORMED) {
  test(`A token with ${title} is ${error}`, async () => {
    assert.equal(await outcomeOf(rig.withToken(tagged, claims)), error);
  });
}

test('AssumeRole: a trust policy can deny a session of a token by its subject', async () => {
  const first = await rig.role('other-first', [FEDERATED], [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }]);
  const root = { AWS: accountId };
  const next = await rig.role('other-next', [
    { Effect: 'Allow', Principal: root, Action: 'sts:AssumeRole' },
    { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:AssumeRole', Condition: { StringEquals: { 'saml:sub': 'mallory' } } },
  ]);
  const enter = async (nameId: string) => {
    const keys = await rig.withAssertion(first, { nameId });
    return await outcomeOf(rig.sts(keys).send(new AssumeRoleCommand({ RoleArn: next, RoleSessionName: 'me' })));
  };
  assert.deepEqual([await enter('ada'), await enter('mallory')], ['allowed', 'AccessDenied']);
});
