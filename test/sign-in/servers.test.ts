/**
 * Sign-ins on two servers with one PostgreSQL database: both servers count failures together, and names cannot be
 * enumerated.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CreateLoginProfileCommand } from '@aws-sdk/client-iam';
import { accountOn } from '../kit/account.ts';
import { allow } from '../kit/policy.ts';
import { startSecondServer, startTestServer } from '../kit/server.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { browser } from './browser.ts';
import { FREE, untilRefused } from './wrong-passwords.ts';

const postgres = await testPostgres();
const environment = { BELFRY_DATABASE: postgres.url, BELFRY_SIGN_IN_FAILURES: '40' };
const first = await startTestServer(environment);
const second = await startSecondServer(first, environment);
after(() => postgres.stop());

const account = accountOn(first);
const GOOD = 'Correct-Horse-7';
for (const UserName of ['ada', 'bob', 'carol']) {
  await account.user(UserName, allow('*'));
  await account.admin.send(new CreateLoginProfileCommand({ UserName, Password: GOOD }));
}

async function attempt(server: typeof first, body: object) {
  const page = await browser(server.endpoint).post('/_belfry/sign-in', body);
  return { status: page.status, text: page.text };
}

test('Sign-in: on two servers, known and unknown names and accounts get the same responses', async () => {
  const sequences = [];
  for (const [accountName, userName] of [
    [account.accountId, 'ada'],
    [account.accountId, 'unknown'],
    ['999999999999', 'ada'],
    ['no-such-alias', 'ada'],
  ]) {
    const wrong = { account: accountName, userName, password: 'wrong' };
    sequences.push(await untilRefused((failures) => attempt(failures < FREE ? first : second, wrong)));
  }
  const [known] = sequences;
  assert.equal(known?.refusal.status, 429);
  for (const { failures, refusal } of sequences) {
    for (const failure of failures) assert.deepEqual(failure, known?.failures[0]);
    assert.deepEqual(refusal, known?.refusal);
  }
});

test('Sign-in: a source that failed with many names must wait on every server, even with right passwords', async () => {
  // A source regains one failure a minute, so a slow machine needs a few more.
  const answers: number[] = [];
  while (answers.at(-1) !== 429 && answers.length < 60) {
    const server = answers.length % 2 === 0 ? first : second;
    answers.push((await attempt(server, { account: account.accountId, userName: `spray${answers.length}`, password: 'wrong' })).status);
  }
  assert.deepEqual([...new Set(answers)], [401, 429], answers.join(' '));
  for (const server of [first, second])
    assert.equal((await attempt(server, { account: account.accountId, userName: 'bob', password: GOOD })).status, 429);
});

test('Sign-in: concurrent attempts from many sources on two servers all get responses', async () => {
  const { request } = await import('node:http');
  const from = (localAddress: string, server: typeof first, body: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', origin: server.endpoint };
      const sent = request(`${server.endpoint}/_belfry/sign-in`, { method: 'POST', headers, localAddress, agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const statuses = await Promise.all(
    Array.from({ length: 24 }, (_, i) => {
      const body = JSON.stringify({ account: account.accountId, userName: `crowd${i}`, password: 'wrong' });
      return from(`127.0.1.${i + 1}`, i % 2 === 0 ? first : second, body);
    }),
  );
  assert.deepEqual(new Set(statuses), new Set([401]));
});

// biome-ignore format: a table
const BODIES: readonly (readonly [what: string, body: string])[] = [
  ['NUL in the account',              '{"account":"a\\u0000","userName":"ada","password":"x"}'],
  ['NUL in the name',                 '{"account":"tower","userName":"a\\u0000","password":"x"}'],
  ['NUL in the password',             '{"account":"tower","userName":"ada","password":"x\\u0000"}'],
  ['a lone surrogate in the account', '{"account":"\\ud800","userName":"ada","password":"x"}'],
  ['a lone surrogate in the name',    '{"account":"tower","userName":"\\udc00","password":"x"}'],
  ['a code with NUL',                 '{"account":"tower","userName":"ada","password":"x","mfaCode":"12345\\u0000"}'],
  ['a name of 65 characters',         `{"account":"tower","userName":"${'a'.repeat(65)}","password":"x"}`],
  ['an account of 64 characters',     `{"account":"${'a'.repeat(64)}","userName":"ada","password":"x"}`],
  ['a password of 129 characters',    `{"account":"tower","userName":"ada","password":"${'x'.repeat(129)}"}`],
  ['a list as the name',              '{"account":"tower","userName":["ada"],"password":"x"}'],
  ['a number as the account',         '{"account":111122223333,"userName":"ada","password":"x"}'],
  ['an object as the password',       '{"account":"tower","userName":"ada","password":{"toString":"x"}}'],
  ['two passwords',                   '{"account":"tower","userName":"ada","password":"x","password":"y"}'],
  ['no password',                     '{"account":"tower","userName":"ada"}'],
  ['null',                            'null'],
];

for (const [what, body] of BODIES) {
  test(`Sign-in on PostgreSQL: ${what} is 400`, async () => {
    const page = await browser(first.endpoint).send(
      'POST',
      '/_belfry/sign-in',
      { 'content-type': 'application/json', origin: first.endpoint },
      body,
    );
    assert.deepEqual([page.status, page.json()['code']], [400, 'InvalidRequest']);
  });
}

// biome-ignore format: a table
const FORMS: readonly (readonly [what: string, path: string, form: string, status: number])[] = [
  ['/federation: NUL in Action',                     '/federation', 'Action=login%00',                                                           400],
  ['/federation: two Actions',                       '/federation', 'Action=getSigninToken&Action=getSigninToken',                               400],
  ['/federation: NUL in Session',                    '/federation', 'Action=getSigninToken&Session=%7B%22sessionId%22%3A%22%00',                 400],
  ['/federation: escaped NUL in Session',            '/federation', `Action=getSigninToken&Session=${encodeURIComponent('{"sessionId":"a\\u0000","sessionKey":"b","sessionToken":"c"}')}`, 400],
  ['/federation: a Session of other types',          '/federation', `Action=getSigninToken&Session=${encodeURIComponent('{"sessionId":1,"sessionKey":"b","sessionToken":"c"}')}`, 400],
  ['/federation: a lone surrogate in Session',       '/federation', `Action=getSigninToken&Session=${encodeURIComponent('{"sessionId":"\\ud800","sessionKey":"b","sessionToken":"c"}')}`, 400],
  ['/federation: an unknown Session',                '/federation', `Action=getSigninToken&Session=${encodeURIComponent('{"sessionId":"ASIAAAAAAAAAAAAAAAAA","sessionKey":"b","sessionToken":"c"}')}`, 400],
  ['/federation: a long Session',                    '/federation', `Action=getSigninToken&Session=${'x'.repeat(400_000)}`,                      400],
  ['/federation: a million fields',                  '/federation', `Action=login${'&a'.repeat(500_000)}`,                                      400],
  ['/saml: NUL in the assertion',                    '/saml',       'SAMLResponse=PHg%2B%00',                                                   400],
  ['/saml: two assertions',                          '/saml',       'SAMLResponse=PHg%2B&SAMLResponse=PHg%2B',                                  400],
  ['/saml: an assertion that is too long',           '/saml',       `SAMLResponse=${'A'.repeat(100_001)}`,                                      400],
  ['/saml: an assertion of bytes that are not UTF-8', '/saml',      'SAMLResponse=%ff',                                                         400],
  ['/saml: no assertion',                            '/saml',       'RelayState=%2F',                                                           400],
  ['/saml: an assertion of NUL bytes',               '/saml',       `SAMLResponse=${encodeURIComponent(Buffer.alloc(64).toString('base64'))}`,   403],
];

for (const [what, path, form, status] of FORMS) {
  test(`Sign-in on PostgreSQL: ${what} is ${status}`, async () => {
    assert.equal((await browser(second.endpoint).post(path, form)).status, status);
  });
}
