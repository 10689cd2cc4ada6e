import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tokenKeys } from './provider-claims.ts';

const GITHUB = [
  'actor',
  'actor_id',
  'enterprise_id',
  'environment',
  'job_workflow_ref',
  'ref',
  'repository',
  'repository_id',
  'repository_owner_id',
  'workflow',
];
const BUILDKITE = ['build_branch', 'cluster_id', 'cluster_name', 'organization_id', 'organization_slug', 'pipeline_id', 'pipeline_slug'];

// biome-ignore format: a table
const PROVIDERS: readonly [provider: string, listed: string, claims: readonly string[]][] = [
  // provider                                       listed as (`*`: variable part)                  claims that set keys
  ['token.actions.githubusercontent.com',           'token.actions.githubusercontent.com',          GITHUB],
  ['token.actions.githubusercontent.com/octo',      'token.actions.githubusercontent.com/*',        GITHUB],
  ['token.actions.octo.ghe.com',                    'token.actions.*.ghe.com',                      GITHUB],
  ['github.com/enterprises/octo',                   'github.com/enterprises/*',                     GITHUB],
  ['gitlab.com',                                    'gitlab.com',                                   ['namespace_id', 'pipeline_source', 'project_id', 'ref_protected', 'runner_environment', 'user_access_level', 'user_email', 'user_id', 'user_login']],
  ['agent.buildkite.com',                           'agent.buildkite.com',                          BUILDKITE],
  ['agent.octo.buildkite.dev',                      'agent.*.buildkite.dev',                        BUILDKITE],
  ['agent.octo.buildkite.site',                     'agent.*.buildkite.site',                       BUILDKITE],
  ['oidc.circleci.com/org/b1c2',                    'oidc.circleci.com/org/*',                      ['oidc.circleci.com/project-id']],
  ['idcs-9f1.identity.oraclecloud.com',             'idcs-*.identity.oraclecloud.com',              ['rpst_id']],
  ['accounts.google.com',                           'accounts.google.com',                          ['google/organization_number']],
  ['cognito-identity.amazonaws.com',                'cognito-identity.amazonaws.com',               []],
  ['graph.facebook.com',                            'graph.facebook.com',                           ['app_id', 'id']],
  ['www.amazon.com',                                'www.amazon.com',                               ['app_id', 'user_id']],
];
/** Claims that set condition keys for every provider. */
const GENERIC = ['amr', 'aud', 'email', 'oaud', 'sub'];

function contextOf(provider: string, claims: Readonly<Record<string, unknown>>) {
  return tokenKeys(provider, { sub: 'user-1', aud: 'client-1', ...claims }, 'client-1');
}

for (const [provider, , claims] of PROVIDERS) {
  test(`tokenKeys: a token of ${provider} sets keys only for the listed claims`, () => {
    const named = (claim: string) => (claim === 'google/organization_number' ? 'google:organization_number' : claim);
    const payload = Object.fromEntries([...claims.map((claim) => [named(claim), `its ${claim}`]), ['unlisted', 'x']]);
    const { context, sessionContext } = contextOf(provider, payload);
    const expected = [...claims.map((claim) => [`${provider}:${claim}`, `its ${claim}`] as const)];
    assert.deepEqual([...context].filter(([key]) => !GENERIC.some((name) => key === `${provider}:${name}`)).sort(), expected.sort());
    assert.deepEqual([...sessionContext.keys()].sort(), [`${provider}:aud`, `${provider}:sub`]);
  });
}

test('tokenKeys: every provider and claim in the authorization reference is tested', () => {
  const path = new URL('../model/generated/authorization.json', import.meta.url);
  const { conditionKeys } = JSON.parse(readFileSync(path, 'utf8')) as { readonly conditionKeys: Readonly<Record<string, string>> };
  const listed = Object.keys(conditionKeys)
    .filter((key) => key.slice(0, key.indexOf(':')).includes('.'))
    .map((key) => key.replaceAll(/\$\{[^}]+\}/g, '*'));
  const known = PROVIDERS.flatMap(([, name, claims]) => [...claims, ...GENERIC].map((claim) => `${name}:${claim}`));
  assert.deepEqual(
    listed.filter((key) => !known.includes(key)),
    [],
  );
});

// biome-ignore format: a table
const OTHERS: readonly [title: string, provider: string][] = [
  ['an unknown provider',                              'idp.example'],
  ['a provider whose name ends like a listed one',     'evil.example/token.actions.githubusercontent.com'],
  ['a provider whose name begins like a listed one',   'token.actions.githubusercontent.com.evil.example'],
  ['a name with a slash in place of a placeholder',    'token.actions.evil.example/x.ghe.com'],
  ['a name with a letter in place of a dot',           'gitlabxcom'],
];

for (const [title, provider] of OTHERS) {
  test(`tokenKeys: ${title} sets only the keys that every provider has`, () => {
    const claims = { repository: 'octo/x', project_id: '7', email: 'ada@example.com', amr: ['otp'] };
    assert.deepEqual(
      contextOf(provider, claims).context,
      new Map<string, string | readonly string[]>([
        [`${provider}:amr`, ['otp']],
        [`${provider}:aud`, 'client-1'],
        [`${provider}:email`, 'ada@example.com'],
        [`${provider}:oaud`, 'client-1'],
        [`${provider}:sub`, 'user-1'],
      ]),
    );
  });
}

// biome-ignore format: a table
const VALUES: readonly [title: string, value: unknown, expected: string | undefined][] = [
  ['a string',        'octo/x',          'octo/x'],
  ['a number',        7,                 '7'     ],
  ['a boolean',       false,             'false' ],
  ['a list',          ['octo/x'],        undefined],
  ['an object',       { a: 'octo/x' },   undefined],
  ['null',            null,              undefined],
];

for (const [title, value, expected] of VALUES) {
  test(`tokenKeys: a claim that is ${title} ${expected === undefined ? 'sets no key' : 'sets its key'}`, () => {
    const github = 'token.actions.githubusercontent.com';
    assert.equal(contextOf(github, { repository: value }).context.get(`${github}:repository`), expected);
  });
}

test("tokenKeys: Google's organization number is read from a nested claim", () => {
  const { context } = contextOf('accounts.google.com', { google: { organization_number: 42 } });
  assert.equal(context.get('accounts.google.com:google/organization_number'), '42');
});

test('tokenKeys: the key aud is the authorized party, and oaud has the audiences of the token', () => {
  const { context } = tokenKeys('idp.example', { sub: 'u', aud: ['a', 'b'], azp: 'c' }, 'c');
  assert.deepEqual([context.get('idp.example:aud'), context.get('idp.example:oaud')], ['c', ['a', 'b']]);
});
