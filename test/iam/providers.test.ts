import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IamApi } from '#model/generated/iam.ts';
import { ACCOUNT, openIam, START } from './fixture.ts';

const CERTIFICATE = 'A'.repeat(1000);
const METADATA = `<EntityDescriptor validUntil="2030-01-02T03:04:05Z"><X509Certificate>${CERTIFICATE}</X509Certificate></EntityDescriptor>`;
const SAML = `arn:aws:iam::${ACCOUNT}:saml-provider/Okta`;
const OIDC = `arn:aws:iam::${ACCOUNT}:oidc-provider/login.example.com/tenant/`;
const URL = 'https://login.example.com/tenant/';
const THUMBPRINT = 'a'.repeat(40);

async function withProviders() {
  const iam = await openIam();
  await iam.run('CreateSAMLProvider', { Name: 'Okta', SAMLMetadataDocument: METADATA });
  await iam.run('CreateOpenIDConnectProvider', { Url: URL, ClientIDList: ['app'], ThumbprintList: [THUMBPRINT] });
  return iam;
}

type Row = {
  [Name in keyof IamApi]: readonly [title: string, name: Name, input: IamApi[Name]['input'], code: string, text: string];
}[keyof IamApi];
// biome-ignore format: a table
const ROWS: readonly Row[] = [
  // condition                     operation                      input                                                              code                            message
  ['a private key',                'CreateSAMLProvider',          { Name: 'okta', SAMLMetadataDocument: '', AddPrivateKey: 'k' },    'InvalidInputException',        'Belfry does not support encrypted SAML assertions.'],
  ['invalid metadata',             'CreateSAMLProvider',          { Name: 'okta', SAMLMetadataDocument: 'x'.repeat(1000) },          'InvalidInputException',        'Could not parse metadata'],
  ['metadata with a DTD',          'CreateSAMLProvider',          { Name: 'new', SAMLMetadataDocument: `<!DOCTYPE x>${METADATA}` },  'InvalidInputException',        'Could not parse metadata'],
  ['metadata with a DTD, in lower case', 'CreateSAMLProvider',    { Name: 'new', SAMLMetadataDocument: `<!doctype x>${METADATA}` },  'InvalidInputException',        'Could not parse metadata'],
  ['a used name, in another case', 'CreateSAMLProvider',          { Name: 'OKTA', SAMLMetadataDocument: METADATA },                  'EntityAlreadyExistsException', 'SAMLProvider with name OKTA already exists.'],
  ['an unknown provider',          'GetSAMLProvider',             { SAMLProviderArn: `${SAML}x` },                                   'NoSuchEntityException',        `Manifest not found for arn ${SAML}x`],
  ['an unknown provider',          'DeleteSAMLProvider',          { SAMLProviderArn: `${SAML}x` },                                   'NoSuchEntityException',        `Manifest not found for arn ${SAML}x`],
  ['http',                         'CreateOpenIDConnectProvider', { Url: 'http://login.example.com' },                               'ValidationError',              'Invalid Open ID Connect Provider URL'],
  ['a query',                      'CreateOpenIDConnectProvider', { Url: 'https://login.example.com?a=b' },                          'ValidationError',              'Invalid Open ID Connect Provider URL'],
  ['an invalid thumbprint',        'CreateOpenIDConnectProvider', { Url: URL, ThumbprintList: ['x'.repeat(40)] },                    'InvalidInputException',        'Thumbprints must be 40 hexadecimal digits.'],
  ['six thumbprints',              'CreateOpenIDConnectProvider', { Url: URL, ThumbprintList: new Array(6).fill(THUMBPRINT) },       'InvalidInputException',        'Thumbprint list must contain fewer than 5 entries.'],
  ['101 audiences',                'CreateOpenIDConnectProvider', { Url: 'https://a.example', ClientIDList: Array.from({ length: 101 }, (_, i) => `${i}`) }, 'LimitExceededException', 'Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100'],
  ['an existing issuer',           'CreateOpenIDConnectProvider', { Url: URL },                                                      'EntityAlreadyExistsException', 'Provider with url https://login.example.com/tenant/ already exists.'],
  ['an unknown provider',          'DeleteOpenIDConnectProvider', { OpenIDConnectProviderArn: `${OIDC}x` },                          'NoSuchEntityException',        `OpenId connect Provider ${OIDC}x cannot be found.`],
  ['a private key',                'CreateSAMLProvider',          { Name: 'new', SAMLMetadataDocument: METADATA, AddPrivateKey: 'k' }, 'InvalidInputException',      'Belfry does not support encrypted SAML assertions.'],
  ['required encryption',          'CreateSAMLProvider',          { Name: 'new', SAMLMetadataDocument: METADATA, AssertionEncryptionMode: 'Required' }, 'InvalidInputException', 'Belfry does not support encrypted SAML assertions.'],
  ['a private key',                'UpdateSAMLProvider',          { SAMLProviderArn: SAML, AddPrivateKey: 'k' },                     'InvalidInputException',        'Belfry does not support encrypted SAML assertions.'],
  ['required encryption',          'UpdateSAMLProvider',          { SAMLProviderArn: SAML, AssertionEncryptionMode: 'Required' },    'InvalidInputException',        'Belfry does not support encrypted SAML assertions.'],
  ['an unknown private key',       'UpdateSAMLProvider',          { SAMLProviderArn: SAML, RemovePrivateKey: 'k'.repeat(22) },       'InvalidInputException',        'Belfry does not support encrypted SAML assertions.'],
  ['an unknown provider',          'GetOpenIDConnectProvider',    { OpenIDConnectProviderArn: `${OIDC}x` },                          'NoSuchEntityException',        `OpenIDConnect Provider not found for arn ${OIDC}x`],
];

// biome-ignore format: a table
const MARKUP: readonly [title: string, metadata: string][] = [
  ['a comment',        `<!-- signed in 2026 -->${METADATA}`                                                                     ],
  ['CDATA',            METADATA.replace(CERTIFICATE, `<![CDATA[${CERTIFICATE}]]>`)                                              ],
  ['a declaration',    `<?xml version="1.0" encoding="UTF-8"?>\n${METADATA}`                                                    ],
];

for (const [title, SAMLMetadataDocument] of MARKUP) {
  test(`CreateSAMLProvider: metadata with ${title} is accepted`, async () => {
    const { run } = await openIam();
    const { SAMLProviderArn } = await run('CreateSAMLProvider', { Name: 'Okta', SAMLMetadataDocument });
    assert.equal((await run('GetSAMLProvider', { SAMLProviderArn: SAMLProviderArn as string })).SAMLMetadataDocument, SAMLMetadataDocument);
  });
}

for (const [title, name, input, code, message] of ROWS) {
  test(`${name}: ${title} is ${code}, and nothing changes`, async () => {
    const { run, requiredAccess, identityState } = await withProviders();
    const before = await identityState();
    await assert.rejects(
      async () => {
        await requiredAccess(name, input as never);
        await run(name, input as never);
      },
      { code, message },
    );
    assert.equal(await identityState(), before);
  });
}

test('SAML provider: a provider can be read, tagged and deleted, and its metadata can be replaced', async () => {
  const { run } = await withProviders();
  const provider = await run('GetSAMLProvider', { SAMLProviderArn: SAML });
  assert.equal(provider.SAMLMetadataDocument, METADATA);
  assert.equal(provider.ValidUntil, Date.UTC(2030, 0, 2, 3, 4, 5));
  assert.match(provider.SAMLProviderUUID ?? '', /^[A-Z0-9]{22,64}$/);
  assert.deepEqual([provider.AssertionEncryptionMode, provider.PrivateKeyList], ['Allowed', []]);
  await run('UpdateSAMLProvider', { SAMLProviderArn: SAML, AssertionEncryptionMode: 'Allowed' });
  assert.deepEqual(await run('GetSAMLProvider', { SAMLProviderArn: SAML }), provider);
  const undated = METADATA.replace(' validUntil="2030-01-02T03:04:05Z"', '');
  await run('UpdateSAMLProvider', { SAMLProviderArn: SAML, SAMLMetadataDocument: undated });
  assert.deepEqual((await run('ListSAMLProviders', {})).SAMLProviderList, [
    { Arn: SAML, ValidUntil: Date.UTC(2126, 10, 22), CreateDate: START },
  ]);
  await run('TagSAMLProvider', { SAMLProviderArn: SAML, Tags: [{ Key: 'a', Value: 'b' }] });
  assert.deepEqual((await run('ListSAMLProviderTags', { SAMLProviderArn: SAML })).Tags, [{ Key: 'a', Value: 'b' }]);
  await run('UntagSAMLProvider', { SAMLProviderArn: SAML, TagKeys: ['A'] });
  assert.deepEqual((await run('GetSAMLProvider', { SAMLProviderArn: SAML })).Tags, []);
  await run('DeleteSAMLProvider', { SAMLProviderArn: SAML });
  assert.deepEqual((await run('ListSAMLProviders', {})).SAMLProviderList, []);
});

// biome-ignore format: a table
const ISSUERS: readonly [url: string, name: string][] = [
  // Source: mozilla-iam/mozilla-aws-cli, README: the provider of https://auth.mozilla.auth0.com/ and its condition keys.
  ['https://auth.mozilla.auth0.com/',    'auth.mozilla.auth0.com/' ],
  ['https://auth.mozilla.auth0.com',     'auth.mozilla.auth0.com'  ],
  ['HTTPS://IDP.Example',                'idp.example'             ],
  ['https://idp.example/a',              'idp.example/a'           ],
  ['https://idp.example/a/',             'idp.example/a/'          ],
  ['https://idp.example:8443/',          'idp.example:8443/'       ],
];

for (const [url, name] of ISSUERS) {
  test(`CreateOpenIDConnectProvider: the provider of ${url} is ${name}`, async () => {
    const { run } = await openIam();
    const OpenIDConnectProviderArn = `arn:aws:iam::${ACCOUNT}:oidc-provider/${name}`;
    assert.deepEqual(await run('CreateOpenIDConnectProvider', { Url: url }), { OpenIDConnectProviderArn });
    assert.equal((await run('GetOpenIDConnectProvider', { OpenIDConnectProviderArn })).Url, name);
  });
}

test('OpenID Connect provider: client IDs, thumbprints and tags can change, and a provider can be deleted', async () => {
  const { run } = await withProviders();
  const of = { OpenIDConnectProviderArn: OIDC };
  await run('AddClientIDToOpenIDConnectProvider', { ...of, ClientID: 'web' });
  await run('AddClientIDToOpenIDConnectProvider', { ...of, ClientID: 'web' });
  await run('RemoveClientIDFromOpenIDConnectProvider', { ...of, ClientID: 'app' });
  await run('UpdateOpenIDConnectProviderThumbprint', { ...of, ThumbprintList: ['b'.repeat(40)] });
  await run('TagOpenIDConnectProvider', { ...of, Tags: [{ Key: 'a', Value: 'b' }] });
  assert.deepEqual(await run('GetOpenIDConnectProvider', of), {
    Url: 'login.example.com/tenant/',
    ClientIDList: ['web'],
    ThumbprintList: ['b'.repeat(40)],
    CreateDate: START,
    Tags: [{ Key: 'a', Value: 'b' }],
  });
  await run('UntagOpenIDConnectProvider', { ...of, TagKeys: ['a'] });
  assert.deepEqual((await run('GetOpenIDConnectProvider', of)).Tags, []);
  assert.deepEqual((await run('ListOpenIDConnectProviderTags', of)).Tags, []);
  await run('DeleteOpenIDConnectProvider', of);
  assert.deepEqual((await run('ListOpenIDConnectProviders', {})).OpenIDConnectProviderList, []);
});
