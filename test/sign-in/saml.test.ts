/** Browser sign-in with the SAML assertion of a simulated identity provider. Requirement FED-1. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateSAMLProviderCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { startAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { allow, trustProvider } from '../kit/policy.ts';
import { readUnproven } from '../kit/trail.ts';
import { type AssertionContent, samlProvider } from '../sts/saml-provider.ts';
import { type Browser, browser, type Page } from './browser.ts';

const ENTITY = 'https://idp.example/saml';
const idp = await samlProvider(ENTITY);
const forger = await samlProvider(ENTITY);
const account = await startAccount();
const { accountId, server } = account;
const { SAMLProviderArn } = await account.admin.send(new CreateSAMLProviderCommand({ Name: 'Corp', SAMLMetadataDocument: idp.metadata }));
const provider = SAMLProviderArn as string;

const trusted = (more: object = {}) =>
  trustProvider(provider, 'sts:AssumeRoleWithSAML', {
    Condition: { StringEquals: { 'SAML:aud': 'https://signin.aws.amazon.com/saml', ...more } },
  });
const desk = await account.role('desk', trusted(), allow('iam:ListUsers'));
const closed = await account.role('closed', trusted({ 'SAML:sub': 'somebody-else' }), allow('iam:ListUsers'));

/** Returns an assertion whose `Role` attribute contains these roles. */
function offering(roles: readonly string[], { attributes, ...content }: AssertionContent = {}, by = idp): string {
  const Role = roles.map((role) => `${role},${provider}`);
  return by.assertion({ ...content, attributes: { Role, RoleSessionName: ['ada@example'], ...attributes } });
}
async function post(
  SAMLResponse: string,
  more: Readonly<Record<string, string>> = {},
  at: Browser = browser(server.endpoint),
): Promise<Page> {
  // The request comes from a page of the identity provider.
  return await at.post('/saml', `${new URLSearchParams({ SAMLResponse, ...more })}`, { origin: 'https://idp.example' });
}
const lastEvent = async (name: string) => (await account.records(name))[0];
const SESSION = `arn:aws:sts::${accountId}:assumed-role/desk/ada@example`;

test('SAML sign-in: an assertion with one role signs the user in, and redirects to the RelayState', async () => {
  const at = browser(server.endpoint);
  const page = await post(offering([desk]), { RelayState: '/console/meetings' }, at);
  assert.deepEqual([page.status, page.headers.location], [303, '/console/meetings']);
  assert.equal((await at.get('/_belfry/sign-in')).json()['principalArn'], SESSION);
  const { accessKeyId, secretAccessKey, sessionToken } = (
    await at.post('/_belfry/sign-in/credentials')
  ).json() as unknown as Required<Keys>;
  const keys = { accessKeyId, secretAccessKey, sessionToken };
  assert.equal((await account.sts(keys).send(new GetCallerIdentityCommand({}))).Arn, SESSION);
  await account.iam(keys).send(new ListUsersCommand({}));

  const login = await lastEvent('ConsoleLogin');
  assert.deepEqual(login['responseElements'], { ConsoleLogin: 'Success' });
  assert.equal(login['userIdentity']?.['arn'], SESSION);
  assert.equal((await lastEvent('AssumeRoleWithSAML'))['userIdentity']?.['type'], 'SAMLUser');
});

test('SAML sign-in: with several roles, a page lists them and accepts only a listed role', async () => {
  const assertion = offering([closed, desk]);
  const at = browser(server.endpoint);
  const page = await post(assertion, { RelayState: '/console/?a="><script>' }, at);
  assert.equal(page.status, 200);
  assert.equal(page.headers['set-cookie'], undefined);
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'.*form-action 'self'/);
  for (const offered of [desk, closed]) assert.ok(page.text.includes(`value="${offered},${provider}"`));
  assert.equal(page.text.includes('<script>'), false);

  const other = await account.role('other', trusted(), allow('iam:ListUsers'));
  assert.equal((await post(assertion, { role: `${other},${provider}` }, at)).status, 200);
  assert.equal(at.cookie, undefined);
  const chosen = await post(assertion, { role: `${desk},${provider}` }, at);
  assert.deepEqual([chosen.status, chosen.headers.location], [303, '/']);
  assert.equal((await at.get('/_belfry/sign-in')).json()['principalArn'], SESSION);
});

// biome-ignore format: a table
const LIVES: readonly (readonly [title: string, content: AssertionContent, seconds: number])[] = [
  ['without SessionDuration',                    {},                                                                    3600],
  ['with SessionDuration',                       { attributes: { SessionDuration: ['900'] } },                            900],
  ['with an end of the provider\'s own session', { attributes: { SessionDuration: ['3600'] }, sessionNotOnOrAfter: 600 }, 600],
];

for (const [title, content, wanted] of LIVES) {
  test(`SAML sign-in: an assertion ${title} creates a sign-in of ${wanted} seconds`, async () => {
    const at = browser(server.endpoint);
    assert.equal((await post(offering([desk], content), {}, at)).status, 303);
    const { expiration } = (await at.get('/_belfry/sign-in')).json();
    const seconds = (Date.parse(expiration as string) - Date.now()) / 1000;
    assert.ok(seconds > wanted - 60 && seconds <= wanted + 1, String(seconds));
  });
}

const altered = (assertion: string) => {
  const xml = Buffer.from(assertion, 'base64').toString('utf8').replace('ada@example', 'eve@example');
  return Buffer.from(xml).toString('base64');
};
// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, assertion: () => string, status: number])[] = [
  ['signed with another key',               () => offering([desk], {}, forger),                                        403],
  ['without a signature',                   () => idp.assertion({ attributes: { Role: [`${desk},${provider}`], RoleSessionName: ['ada@example'] } }, 'nothing'), 403],
  ['altered',                               () => altered(offering([desk])),                                           403],
  ['for another service',                   () => offering([desk], { audience: 'https://elsewhere.example' }),         403],
  ['that has expired',                      () => offering([desk], { issued: -900, notOnOrAfter: -600 }),              403],
  ['for a role that does not trust the user', () => offering([closed]),                                               403],
  ['for an unknown role',                   () => offering([`arn:aws:iam::${accountId}:role/gone`]),                   403],
  ['without a role',                        () => offering([]),                                                        403],
  ['of an unknown provider',                () => idp.assertion({ attributes: { Role: [`${desk},${provider}x`], RoleSessionName: ['ada'] } }), 403],
  ['with a SessionDuration of a minute',    () => offering([desk], { attributes: { SessionDuration: ['60'] } }),       403],
  ['with a SessionDuration above the maximum of the role', () => offering([desk], { attributes: { SessionDuration: ['43200'] } }),   400],
  ['that is not XML',                       () => Buffer.from(`<a ${provider}`).toString('base64'),                    403],
  ['that is empty',                         () => '',                                                                  400],
  ['that is too long',                      () => 'A'.repeat(100_001),                                                 400],
];

for (const [title, assertion, status] of REFUSED) {
  test(`SAML sign-in: an assertion ${title} is rejected`, async () => {
    const page = await post(assertion(), { RelayState: '/console/' });
    assert.deepEqual([page.status, page.headers['set-cookie'], page.headers.location], [status, undefined, undefined]);
    assert.match(page.text, /Sign-in failed/);
  });
}

test('SAML sign-in: a RelayState that is not a path of this server is ignored', async () => {
  for (const RelayState of ['https://evil.example/', '//evil.example', 'opaque-state-of-the-provider']) {
    assert.equal((await post(offering([desk]), { RelayState })).headers.location, '/');
  }
});

test('SAML sign-in: an assertion with an invalid signature is recorded without an account', async () => {
  await post(offering([desk], {}, forger));
  const [event] = await readUnproven(server.dataFolder);
  assert.deepEqual(event?.['responseElements'], { ConsoleLogin: 'Failure' });
  assert.equal(event?.['errorMessage'], 'Response signature invalid');
});
