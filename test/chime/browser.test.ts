/** People of Amazon Chime in a real browser, by keyboard only: invitation, sign-in, sign-out, a refusal, and a real OpenID provider. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchSuspendUserCommand, ChimeClient, CreateAccountCommand, InviteUsersCommand, ListUsersCommand } from '@aws-sdk/client-chime';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callChime } from '../../src/cli/chime-operations.ts';
import { SCREENSHOTS, startChromium, type Tab } from '../kit/chromium.ts';
import { startServerProcess } from '../kit/process.ts';
import { until } from '../kit/until.ts';
import { linkTo } from './mailbox.ts';
import { startPeopleProvider } from './people-provider.ts';
import { verifyDomain } from './register.ts';

const provider = await startPeopleProvider();
const server = await startServerProcess({ NODE_EXTRA_CA_CERTS: provider.caFile, BELFRY_INTERNAL_ISSUERS: provider.host });
const { endpoint, httpsEndpoint, credentials } = server;
const chime = new ChimeClient({ region: 'us-east-1', credentials, maxAttempts: 1, endpoint: `${endpoint}/_chime` });
const chromium = await startChromium();
const GOOD = 'Correct-Horse-7';
const SMALL = 360;

async function newAccount(Name: string): Promise<string> {
  return (await chime.send(new CreateAccountCommand({ Name }))).Account?.AccountId as string;
}

async function done(name: string, input: object): Promise<Readonly<Record<string, unknown>>> {
  const to = { endpoint, region: 'us-east-1', credentials };
  const { status, body } = await callChime(to, loadModel('chime').operations[name] as OperationModel, input);
  assert.equal(status, 200, `${name} ${JSON.stringify(body)}`);
  return body as Readonly<Record<string, unknown>>;
}

/** Presses Tab for each label, and compares the labels of the elements that get the focus. A text after a label is written there. */
async function fill(tab: Tab, ...fields: readonly (readonly [label: string, text?: string])[]): Promise<void> {
  for (const [i, [label, text]] of fields.entries()) {
    if (i > 0) await tab.press('Tab');
    let focused: unknown;
    // The page that is shown may be the one before, and the browser sets the focus after the text.
    await until(
      async () => (focused = await tab.focus()) === label,
      () => `'${label}' has no focus, but '${focused}'`,
    );
    if (text !== undefined) await tab.write(text);
  }
}

/** Looks of the screenshots. Without screenshots, only the first one is tested. */
const LOOKS = [
  [SMALL, 'dark'],
  [SMALL, 'light'],
  [1_280, 'light'],
] as const;

/** Compares the page with the rules of all pages: it fits a small screen, has its style, and labels all fields. */
async function looksRight(tab: Tab, name: string): Promise<void> {
  for (const [width, scheme] of SCREENSHOTS === undefined ? LOOKS.slice(0, 1) : LOOKS) {
    await tab.look(width, scheme);
    await tab.screenshot(`${name}-${width}-${scheme}`);
    assert.ok(Number(await tab.evaluate('document.documentElement.scrollWidth')) <= width, `${name} fits ${width} px`);
  }
  const unlabeled = "[...document.querySelectorAll('input:not([type=hidden])')].filter((each) => each.labels.length === 0).length";
  const styled = "getComputedStyle(document.querySelector('main')).borderRadius !== '0px'";
  assert.deepEqual([await tab.evaluate(unlabeled), await tab.evaluate(styled)], [0, true], name);
}

/** Reports whether a report is about a page of the provider, which loads a font. The URL of a callback names the provider only in its query. */
function isOfProvider(problem: string): boolean {
  return problem.includes(`//${provider.host}`) || problem.includes('//fonts.');
}

/** Compares the reports of the browser with the refusals that a test expects. Reports about pages of the provider do not count. */
function reportsOnly(tab: Tab, ...refusals: readonly string[]): void {
  const refusal = /^Failed to load resource: the server responded with a status of (\d{3}) \(.*\) https:\/\/[^/]*(\/[^?]*).*$/;
  const own = tab.problems.filter((problem) => !isOfProvider(problem));
  assert.deepEqual(
    own.map((problem) => problem.replace(refusal, '$1 $2')),
    refusals,
  );
}

test('Team account: a person accepts an invitation, signs out, and signs in again', async () => {
  const AccountId = await newAccount('Tower & Bridge');
  await chime.send(new InviteUsersCommand({ AccountId, UserEmailList: ['ada@example.com'] }));
  const { mail } = await linkTo('ada@example.com', [server.dataFolder]);
  const tab = await chromium.tab();
  await tab.open(/https:\S+/.exec(mail.text)?.[0] as string);
  await tab.shows('is invited to the Amazon Chime account Tower & Bridge');
  assert.deepEqual([await tab.evaluate('location.hash'), await tab.evaluate('document.cookie')], ['', '']);
  await looksRight(tab, 'invitation');
  await fill(tab, ['Your name', 'Ada Lovelace'], ['Password', GOOD], ['Password again', 'other-password'], ['Accept the invitation']);
  await tab.press('Enter');
  await tab.shows('The two passwords differ.');
  await looksRight(tab, 'invitation-retry');
  await fill(tab, ['The two passwords differ.'], ['Your name'], ['Password', GOOD], ['Password again', GOOD]);
  await tab.press('Enter');
  await tab.shows('Personal meeting PIN');
  assert.deepEqual([await tab.evaluate('location.pathname'), await tab.evaluate('document.cookie')], ['/chime', '']);
  await looksRight(tab, 'person');
  await tab.press('Tab');
  await fill(tab, ['Sign out']);
  await tab.press('Enter');
  await tab.shows('Sign in to Amazon Chime');
  await looksRight(tab, 'sign-in');
  const order = [
    ['Email address', 'ada@example.com'],
    ['Password', 'Wrong-Horse-7'],
    ['Sign in'],
    ['Register, or choose a new password'],
    ['Email address'],
    ['Continue'],
  ] as const;
  await fill(tab, ...order);
  await tab.open(`${httpsEndpoint}/chime`);
  await tab.shows('Sign in to Amazon Chime');
  await fill(tab, ...order.slice(0, 3));
  await tab.press('Enter');
  await tab.shows('Your authentication information is incorrect.');
  await looksRight(tab, 'sign-in-retry');
  await tab.press('Tab');
  assert.equal(await tab.evaluate('document.activeElement.value'), 'ada@example.com');
  await fill(tab, ['Email address'], ['Password', GOOD]);
  await tab.press('Enter');
  await tab.shows('Ada Lovelace');
  reportsOnly(tab, '400 /chime/invitation', '401 /chime/sign-in');
});

test('Enterprise account: a suspended person sees the refusal, and is signed out', async () => {
  const AccountId = await newAccount('Suspended');
  await chime.send(new InviteUsersCommand({ AccountId, UserEmailList: ['bob@claimed.example'] }));
  const { mail } = await linkTo('bob@claimed.example', [server.dataFolder]);
  const tab = await chromium.tab();
  await tab.open(/https:\S+/.exec(mail.text)?.[0] as string);
  await tab.shows('is invited');
  await fill(tab, ['Your name', 'Bob'], ['Password', GOOD], ['Password again', GOOD]);
  await tab.press('Enter');
  await tab.shows('Personal meeting PIN');
  verifyDomain(server, AccountId, 'claimed.example');
  const { Users } = await chime.send(new ListUsersCommand({ AccountId }));
  await chime.send(new BatchSuspendUserCommand({ AccountId, UserIdList: [Users?.[0]?.UserId as string] }));
  await tab.open(`${httpsEndpoint}/chime`);
  await tab.shows('Sign in to Amazon Chime');
  await fill(tab, ['Email address', 'bob@claimed.example'], ['Password', GOOD]);
  await tab.press('Enter');
  await tab.shows('You cannot sign in. Contact the administrator of your account.');
  await looksRight(tab, 'suspended');
  await tab.open(/https:\S+/.exec(mail.text)?.[0] as string);
  await tab.shows('This link is not valid');
  await looksRight(tab, 'invalid-link');
  reportsOnly(tab, '403 /chime/sign-in', '403 /chime/invitation');
});

test('OpenID: a person signs in at the provider of the domain, and sees the refusal without a licensed group', async () => {
  const AccountId = await newAccount('Company');
  const domain = 'company.example';
  await done('AddDomain', { AccountId, DomainName: domain });
  verifyDomain(server, AccountId, domain);
  const config = { AccountId, Issuer: provider.issuer, ClientId: provider.client.id, ClientSecret: provider.client.secret };
  const { OpenIdConfig } = await done('UpdateAccountOpenIdConfig', config);
  provider.open((OpenIdConfig as { readonly RedirectUri: string }).RedirectUri);
  await done('AddOrUpdateGroups', { AccountId, Groups: [{ GroupName: 'Staff', License: 'Pro' }] });
  for (const [login, groups] of [
    ['kim', ['Staff']],
    ['lee', []],
  ] as const)
    provider.people.set(`${login}@${domain}`, { email: `${login}@${domain}`, email_verified: true, name: `Name of ${login}`, groups });
  for (const [login, shown] of [
    ['kim', 'Name of kim'],
    ['lee', 'You cannot sign in'],
  ] as const) {
    const tab = await chromium.tab();
    await tab.open(`${httpsEndpoint}/chime`);
    await tab.shows('Sign in to Amazon Chime');
    for (let i = 0; i < 4; i++) await tab.press('Tab');
    await fill(tab, ['Email address', `${login}@${domain}`]);
    await tab.press('Enter');
    await tab.shows('Sign-in');
    // The server passes the address to the provider, whose page contains it.
    await tab.evaluate("document.querySelector('[name=password]').focus()");
    await tab.write('any');
    await tab.press('Enter');
    await tab.shows('Authorize');
    await tab.evaluate("document.querySelector('button').focus()");
    await tab.press('Enter');
    await tab.shows(shown);
    await looksRight(tab, `provider-${login}`);
    if (login === 'kim') reportsOnly(tab);
    else reportsOnly(tab, `403 /chime/callback/${AccountId}`);
  }
});
