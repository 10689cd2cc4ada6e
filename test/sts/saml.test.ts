/** AssumeRoleWithSAML over the wire, with assertions of a local provider. Requirement FED-1. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CreateSAMLProviderCommand, DeleteSAMLProviderCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { type AssumeRoleWithSAMLCommandInput, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { keysOf } from '../kit/keys.ts';
import { assertRefused } from '../kit/outcome.ts';
import { allow, type Statement, trust, trustProvider } from '../kit/policy.ts';
import { ENTITY, startFederation } from './federation.ts';
import { type AssertionContent, samlProvider } from './saml-provider.ts';

const federation = await startFederation();
const { accountId, admin, idp, samlArn, sts } = federation;
const forger = await samlProvider(ENTITY);
const strangers = await Promise.all(Array.from({ length: 10 }, () => samlProvider(ENTITY)));
/** Pattern of the base64 certificate in the metadata. */
const CERTIFICATE = /(?<=X509Certificate>)[^<]+/;
const KEY = /<md:KeyDescriptor.*<\/md:KeyDescriptor>/s;

/** Creates a role that trusts the provider under a condition. */
function role(
  RoleName: string,
  Condition: object = {},
  actions: readonly string[] = ['sts:AssumeRoleWithSAML'],
  ...statements: Statement[]
) {
  return federation.role(RoleName, trustProvider(samlArn, actions, { Condition }), ...statements);
}
const open = await role('open', { StringEquals: { 'SAML:aud': 'https://signin.aws.amazon.com/saml' } });

const assume = (assertion: string, { RoleArn = open, ...more }: Partial<AssumeRoleWithSAMLCommandInput> = {}) =>
  federation.assumeWithAssertion(RoleArn, assertion, more);
/**
 * Returns the content of an assertion. The `Role` attribute has the ARNs of the role and of the SAML provider. The
 * default session name is `ada@example`.
 */
const offering = (RoleArn: string, { attributes, ...content }: AssertionContent = {}) =>
  federation.offering(RoleArn, { ...content, attributes: { RoleSessionName: ['ada@example'], ...attributes } });

for (const signed of ['assertion', 'response'] as const) {
  test(`AssumeRoleWithSAML: if the ${signed} is signed, the caller can assume a role in the assertion`, async () => {
    const answer = await assume(idp.assertion(offering(open), signed));
    assert.equal(answer.AssumedRoleUser?.Arn, `arn:aws:sts::${accountId}:assumed-role/open/ada@example`);
    assert.deepEqual(
      [answer.Subject, answer.SubjectType, answer.Issuer, answer.Audience],
      ['ada', 'persistent', ENTITY, 'https://signin.aws.amazon.com/saml'],
    );
    assert.equal(answer.NameQualifier, createHash('sha1').update(`${ENTITY}${accountId}/Corp`).digest('base64'));
    const who = await sts(keysOf(answer.Credentials)).send(new GetCallerIdentityCommand({}));
    assert.equal(who.Arn, `arn:aws:sts::${accountId}:assumed-role/open/ada@example`);
  });
}

test('AssumeRoleWithSAML: the second use of an assertion is an error', async () => {
  const assertion = idp.assertion(offering(open));
  await assume(assertion);
  await assertRefused(assume(assertion), 'InvalidIdentityTokenException', 'The assertion has been used before.');
});

/** Returns a response in which a forged assertion hides the signed assertion (signature wrapping). */
function wrapped(place: 'before' | 'after'): string {
  const xml = Buffer.from(idp.assertion(offering(open)), 'base64').toString('utf8');
  const from = xml.indexOf('<saml:Assertion');
  const to = xml.indexOf('</saml:Assertion>') + '</saml:Assertion>'.length;
  const signed = xml.slice(from, to);
  const evil = signed
    .replace(/<ds:Signature.*<\/ds:Signature>/s, '')
    .replace('>ada<', '>root<')
    .replace(/ID="_a[^"]*"/, 'ID="_evil"');
  const both = place === 'before' ? evil + signed : signed + evil;
  return Buffer.from(xml.slice(0, from) + both + xml.slice(to)).toString('base64');
}
function nested(): string {
  const xml = Buffer.from(idp.assertion(offering(open)), 'base64').toString('utf8');
  const from = xml.indexOf('<saml:Assertion');
  const to = xml.indexOf('</saml:Assertion>') + '</saml:Assertion>'.length;
  const signed = xml.slice(from, to);
  const evil = signed
    .replace('>ada<', '>root<')
    .replace(/ID="_a[^"]*"/, 'ID="_evil"')
    .replace('</ds:Signature>', `<ds:Object>${signed}</ds:Object></ds:Signature>`);
  return Buffer.from(xml.slice(0, from) + evil + xml.slice(to)).toString('base64');
}
function altered(): string {
  const xml = Buffer.from(idp.assertion(offering(open)), 'base64').toString('utf8');
  return Buffer.from(xml.replace('>ada<', '>root<')).toString('base64');
}
function commented(): string {
  const xml = Buffer.from(idp.assertion(offering(open, { nameId: 'ada.evil' })), 'base64').toString('utf8');
  return Buffer.from(xml.replace('>ada.evil<', '>ada<!-- -->.evil<')).toString('base64');
}
/** Returns the content of an assertion with `attributes` attributes, which have `count` values each. */
function values(count: number, attributes = 1): AssertionContent {
  return { attributes: Object.fromEntries(Array.from({ length: attributes }, (_, i) => [`urn:a${i}`, Array<string>(count).fill('v')])) };
}
const STATUS = 'urn:oasis:names:tc:SAML:2.0:status:';
const declared = () =>
  Buffer.from(
    '<!DOCTYPE x [<!ENTITY a "aaaa">]><samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">&a;</samlp:Response>',
  ).toString('base64');

// biome-ignore format: a table
const REFUSED: readonly [name: string, assertion: () => string, code: string, message: string | RegExp][] = [
  // title                                  assertion                                                                              code                    message
  ['that is not XML',                       () => Buffer.from('nothing').toString('base64'),                                       'InvalidIdentityTokenException', 'Response signature invalid'],
  ['with a document type',                  declared,                                                                              'InvalidIdentityTokenException', 'Invalid base64 SAMLResponse'],
  ['without a signature',                   () => idp.assertion(offering(open), 'nothing'),                                        'InvalidIdentityTokenException', 'Response signature invalid'],
  ['signed with another key',               () => forger.assertion(offering(open)),                                                'InvalidIdentityTokenException', 'Response signature invalid'],
  ['with a changed subject',                altered,                                                                               'InvalidIdentityTokenException', 'Response signature invalid'],
  ['after an unsigned assertion',           () => wrapped('before'),                                                               'InvalidIdentityTokenException', 'Response signature invalid'],
  ['before an unsigned assertion',          () => wrapped('after'),                                                                'InvalidIdentityTokenException', 'Response signature invalid'],
  ['within an unsigned assertion',          nested,                                                                                'InvalidIdentityTokenException', 'Response signature invalid'],
  ['of another issuer',                     () => idp.assertion(offering(open, { issuer: 'https://other.example' })),              'InvalidIdentityTokenException', 'Issuer not present in specified provider'],
  ['for another recipient',                 () => idp.assertion(offering(open, { recipient: 'https://sp.example/acs' })),          'InvalidIdentityTokenException', 'Response does not contain the required audience'],
  ['for another audience',                  () => idp.assertion(offering(open, { audience: 'urn:other' })),                        'InvalidIdentityTokenException', 'Response does not contain the required audience'],
  ['without an audience',                   () => idp.assertion(offering(open, { audience: 'none' })),                             'InvalidIdentityTokenException', 'Response does not contain the required audience'],
  ['signed with SHA-1',                     () => idp.assertion(offering(open), 'assertion', { signature: 'sha1', digest: 'sha256' }), 'InvalidIdentityTokenException', 'Response signature invalid'],
  ['with a digest of SHA-1',                () => idp.assertion(offering(open), 'assertion', { signature: 'sha256', digest: 'sha1' }), 'InvalidIdentityTokenException', 'Response signature invalid'],
  ['in a response of the status Responder', () => idp.assertion(offering(open, { status: [`${STATUS}Responder`] })),                'IDPRejectedClaimException',     'The identity provider reported that authentication failed.'],
  ['in a response of a nested Success',     () => idp.assertion(offering(open, { status: [`${STATUS}Requester`, `${STATUS}Success`] })), 'IDPRejectedClaimException', 'The identity provider reported that authentication failed.'],
  ['in a response without a status',        () => idp.assertion(offering(open, { status: [] })),                                    'IDPRejectedClaimException',     'The identity provider reported that authentication failed.'],
  ['with 401 values of an attribute',       () => idp.assertion(offering(open, values(401))),                                      'InvalidIdentityTokenException', 'Response signature invalid'],
  ['with 1,600 tags',                       () => idp.assertion(offering(open, values(400, 2))),                                   'InvalidIdentityTokenException', 'Response signature invalid'],
  ['that has expired',                      () => idp.assertion(offering(open, { notOnOrAfter: -120 })),                           'ExpiredTokenException',         'Token is expired'],
  ['more than six minutes old',             () => idp.assertion(offering(open, { issued: -370 })),                                 'ExpiredTokenException',         'Token must be redeemed within 5 minutes of issuance'],
  ['issued in ten minutes',                 () => idp.assertion(offering(open, { issued: 600, notOnOrAfter: 900 })),               'InvalidIdentityTokenException', 'The assertion is not yet valid.'],
  ['of an expired session',                 () => idp.assertion(offering(open, { sessionNotOnOrAfter: -1 })),                      'ExpiredTokenException',         'Token is expired'],
  ['without a session name',                () => idp.assertion({ attributes: { Role: [`${open},${samlArn}`] } }),                'InvalidIdentityTokenException', 'RoleSessionName is required in AuthnResponse'],
  ['with a blank in the session name',      () => idp.assertion(offering(open, { attributes: { RoleSessionName: ['a b'] } })),     'InvalidIdentityTokenException', 'RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}'],
  ['that offers no role',                   () => idp.assertion({ attributes: { RoleSessionName: ['ada'] } }),                     'AccessDenied',         'Not authorized to perform sts:AssumeRoleWithSAML'],
  ['that offers another role',              () => idp.assertion(offering(`${open}-not`)),                                          'AccessDenied',         'Not authorized to perform sts:AssumeRoleWithSAML'],
  ['that offers it with another provider',  () => idp.assertion(offering(open, { attributes: { Role: [`${open},${samlArn}x`] } })), 'AccessDenied',       'Not authorized to perform sts:AssumeRoleWithSAML'],
];

for (const [name, assertion, code, message] of REFUSED) {
  test(`AssumeRoleWithSAML: an assertion ${name} is ${code}`, async () => assertRefused(assume(assertion()), code, message));
}

for (const algorithms of [
  { signature: 'sha256', digest: 'sha512' },
  { signature: 'sha512', digest: 'sha256' },
] as const) {
  test(`AssumeRoleWithSAML: an assertion signed with ${algorithms.signature} over ${algorithms.digest} is accepted`, async () => {
    assert.equal((await assume(idp.assertion(offering(open), 'assertion', algorithms))).Subject, 'ada');
  });
}

// biome-ignore format: a table
const METADATA: readonly [title: string, metadata: string, outcome: RegExp | undefined][] = [
  ['a certificate 20 times', repeated(20),                                                  undefined],
  ['10 certificates',  others(9),                                                           undefined],
  ['11 certificates',  others(10),                                                          /more than 10 signing certificates/],
  ['comments',         idp.metadata.replace(CERTIFICATE, (text) => `<!-- key -->${text.slice(0, 20)}<!-- of 2026 -->${text.slice(20)}`), undefined],
  ['CDATA',            idp.metadata.replace(CERTIFICATE, (text) => `<![CDATA[${text}]]>`),  undefined],
  ['20,000 tags',      idp.metadata.replace('</md:Ent', `${'<a/>'.repeat(20_000)}</md:Ent`),   /metadata is too large/],
];
/** Returns the provider's metadata with `count` certificates of other keys before the provider's certificate. */
function others(count: number): string {
  const keys = strangers.slice(0, count).map(({ metadata }) => KEY.exec(metadata)?.[0]);
  return idp.metadata.replace(KEY, (own) => keys.join('') + own);
}
/** Returns the provider's metadata with the certificate repeated `times` times. */
function repeated(times: number): string {
  return idp.metadata.replace(KEY, (key) => key.repeat(times));
}

for (const [i, [title, SAMLMetadataDocument, outcome]] of METADATA.entries()) {
  test(`AssumeRoleWithSAML: metadata with ${title} is ${outcome === undefined ? 'read' : 'InvalidIdentityTokenException'}`, async () => {
    const { SAMLProviderArn } = await admin.send(new CreateSAMLProviderCommand({ Name: `Big${i}`, SAMLMetadataDocument }));
    const PrincipalArn = SAMLProviderArn as string;
    const RoleArn = await federation.role(`big-${i}`, trustProvider(PrincipalArn, 'sts:AssumeRoleWithSAML'));
    const assertion = idp.assertion({ attributes: { Role: [`${RoleArn},${PrincipalArn}`], RoleSessionName: ['ada'] } });
    const sent = assume(assertion, { RoleArn, PrincipalArn });
    if (outcome === undefined) await sent;
    else await assertRefused(sent, 'InvalidIdentityTokenException', outcome);
  });
}

test('AssumeRoleWithSAML: an assertion with 400 values of an attribute is accepted', async () => {
  assert.equal((await assume(idp.assertion(offering(open, values(400))))).Subject, 'ada');
});

/** Condition keys whose values are not from attributes, but from other parts of the assertion. */
const NOT_FROM_ATTRIBUTES = ['saml:aud', 'saml:doc', 'saml:iss', 'saml:namequalifier', 'saml:sub', 'saml:sub_type'];

// biome-ignore format: a table
const ATTRIBUTES: readonly [attribute: string, key: string, type: 'text' | 'list'][] = [
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.1',   'saml:edupersonaffiliation',           'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.2',   'saml:edupersonnickname',              'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.3',   'saml:edupersonorgdn',                 'text'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.4',   'saml:edupersonorgunitdn',             'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.5',   'saml:edupersonprimaryaffiliation',    'text'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.6',   'saml:edupersonprincipalname',         'text'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.7',   'saml:edupersonentitlement',           'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.8',   'saml:edupersonprimaryorgunitdn',      'text'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.9',   'saml:edupersonscopedaffiliation',     'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.10',  'saml:edupersontargetedid',            'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.1.1.11',  'saml:edupersonassurance',             'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.2.1.2',   'saml:eduorghomepageuri',              'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.2.1.3',   'saml:eduorgidentityauthnpolicyuri',   'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.2.1.4',   'saml:eduorglegalname',                'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.2.1.5',   'saml:eduorgsuperioruri',              'list'],
  ['urn:oid:1.3.6.1.4.1.5923.1.2.1.6',   'saml:eduorgwhitepagesuri',            'list'],
  ['urn:oid:2.5.4.3',                    'saml:cn',                             'list'],
  ['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',              'saml:name',             'text'],
  ['http://schemas.xmlsoap.org/claims/CommonName',                            'saml:commonName',       'text'],
  ['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname',         'saml:givenName',        'text'],
  ['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname',           'saml:surname',          'text'],
  ['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',      'saml:mail',             'text'],
  ['http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid', 'saml:primaryGroupSID',  'text'],
  ['2.5.4.3',                            'saml:commonName',                     'text'],
  ['2.5.4.4',                            'saml:surname',                        'text'],
  ['2.5.4.42',                           'saml:givenName',                      'text'],
  ['2.4.5.42',                           'saml:givenName',                      'text'],
  ['2.5.4.45',                           'saml:x500UniqueIdentifier',           'text'],
  ['0.9.2342.19200300.100.1.1',          'saml:uid',                            'text'],
  ['0.9.2342.19200300100.1.1',           'saml:uid',                            'text'],
  ['0.9.2342.19200300.100.1.3',          'saml:mail',                           'text'],
  ['0.9.2342.19200300100.1.3',           'saml:mail',                           'text'],
  ['0.9.2342.19200300.100.1.45',         'saml:organizationStatus',             'text'],
  ['urn:oid:2.5.4.4',                    'saml:surname',                        'text'],
  ['urn:oid:2.5.4.42',                   'saml:givenName',                      'text'],
  ['urn:oid:2.5.4.45',                   'saml:x500UniqueIdentifier',           'text'],
  ['urn:oid:0.9.2342.19200300.100.1.1',  'saml:uid',                            'text'],
  ['urn:oid:0.9.2342.19200300.100.1.3',  'saml:mail',                           'text'],
  ['urn:oid:0.9.2342.19200300.100.1.45', 'saml:organizationStatus',             'text'],
];

test('AssumeRoleWithSAML: ATTRIBUTES lists every condition key whose value is from a SAML attribute', () => {
  const path = new URL('../../src/model/generated/authorization.json', import.meta.url);
  const { conditionKeys } = JSON.parse(readFileSync(path, 'utf8')) as { readonly conditionKeys: Readonly<Record<string, string>> };
  const listed = Object.keys(conditionKeys).filter((key) => key.startsWith('saml:') && !NOT_FROM_ATTRIBUTES.includes(key));
  const known = ATTRIBUTES.map(([, key]) => key);
  assert.deepEqual(
    listed.filter((key) => !known.includes(key)),
    [],
  );
});

for (const [i, [attribute, key, type]] of ATTRIBUTES.entries()) {
  test(`AssumeRoleWithSAML: ${attribute.slice(attribute.lastIndexOf('/') + 1)} sets ${key}`, async () => {
    const operator = type === 'list' ? 'ForAnyValue:StringEquals' : 'StringEquals';
    const RoleArn = await role(`attribute-${i}`, { [operator]: { [key]: 'right' } });
    const content = (value: string) => idp.assertion(offering(RoleArn, { attributes: { [attribute]: [value] } }));
    await assume(content('right'), { RoleArn });
    await assertRefused(assume(content('wrong'), { RoleArn }), 'AccessDenied', /^Not authorized/);
  });
}

test('AssumeRoleWithSAML: a comment in the subject neither truncates it nor breaks the signature', async () => {
  assert.equal((await assume(commented())).Subject, 'ada.evil');
});

test('AssumeRoleWithSAML: an unknown provider is InvalidIdentityToken', async () => {
  await assertRefused(
    assume(idp.assertion(offering(open)), { PrincipalArn: `arn:aws:iam::${accountId}:saml-provider/absent` }),
    'InvalidIdentityTokenException',
    "Specified provider doesn't exist",
  );
});

test('AssumeRoleWithSAML: a role in the assertion is AccessDenied if the role does not trust the provider', async () => {
  const closed = await federation.role('closed', trust(accountId));
  for (const RoleArn of [closed, `arn:aws:iam::${accountId}:role/absent`]) {
    await assertRefused(
      assume(idp.assertion(offering(RoleArn)), { RoleArn }),
      'AccessDenied',
      'Not authorized to perform sts:AssumeRoleWithSAML',
    );
  }
});

test('AssumeRoleWithSAML: a trust policy can require subject, subject type and affiliation', async () => {
  const RoleArn = await role('asks', {
    StringEquals: { 'saml:sub': 'ada', 'saml:sub_type': 'persistent', 'saml:doc': `${accountId}/Corp` },
    'ForAnyValue:StringEquals': { 'saml:eduPersonAffiliation': 'staff' },
  });
  const affiliation = (...values: string[]) => ({ attributes: { 'urn:oid:1.3.6.1.4.1.5923.1.1.1.1': values } });
  await assume(idp.assertion(offering(RoleArn, affiliation('member', 'staff'))), { RoleArn });
  await assertRefused(assume(idp.assertion(offering(RoleArn, affiliation('member'))), { RoleArn }), 'AccessDenied', /^Not authorized/);
  await assertRefused(
    assume(idp.assertion(offering(RoleArn, { ...affiliation('staff'), nameId: 'eve' })), { RoleArn }),
    'AccessDenied',
    /^Not authorized/,
  );
});

test('AssumeRoleWithSAML: the session has tags and source identity if the trust policy allows them', async () => {
  const blue = { StringEquals: { 'aws:PrincipalTag/team': 'blue', 'aws:SourceIdentity': 'ada', 'aws:FederatedProvider': samlArn } };
  const actions = ['sts:AssumeRoleWithSAML', 'sts:TagSession', 'sts:SetSourceIdentity'];
  const RoleArn = await role('tagged', {}, actions, allow('iam:ListUsers', '*', { Condition: blue }));
  const passing = { attributes: { 'PrincipalTag:team': ['blue'], TransitiveTagKeys: ['team'], SourceIdentity: ['ada'] } };
  const answer = await assume(idp.assertion(offering(RoleArn, passing)), { RoleArn });
  assert.equal(answer.SourceIdentity, 'ada');
  await federation.iam(keysOf(answer.Credentials)).send(new ListUsersCommand({}));
  const untagged = await role('untagged');
  await assertRefused(
    assume(idp.assertion(offering(untagged, passing)), { RoleArn: untagged }),
    'AccessDenied',
    'Not authorized to perform sts:TagSession',
  );
});

test('AssumeRoleWithSAML: the session ends at the earlier of duration and SessionNotOnOrAfter', async () => {
  const lifeSeconds = async (content: AssertionContent, DurationSeconds: number) => {
    const { Credentials } = await assume(idp.assertion(offering(open, content)), { DurationSeconds });
    return ((Credentials?.Expiration?.getTime() as number) - Date.now()) / 1000;
  };
  const early = await lifeSeconds({ sessionNotOnOrAfter: 1200 }, 3600);
  assert.ok(early > 1100 && early <= 1200, `${early}`);
  const shortened = await lifeSeconds({ sessionNotOnOrAfter: 1200, attributes: { SessionDuration: ['900'] } }, 3600);
  assert.ok(shortened > 800 && shortened <= 900, `${shortened}`);
  const late = await lifeSeconds({ sessionNotOnOrAfter: 7200, attributes: { SessionDuration: ['7200'] } }, 3600);
  assert.ok(late > 3500 && late <= 3600, `${late}`);
});

test('AssumeRoleWithSAML: after a provider is deleted, its assertions fail at once', async () => {
  const assertion = idp.assertion(offering(open));
  await assume(assertion);
  await admin.send(new DeleteSAMLProviderCommand({ SAMLProviderArn: samlArn }));
  await assertRefused(assume(assertion), 'InvalidIdentityTokenException', "Specified provider doesn't exist");
});
