import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { oidcProviderOperations } from '../iam/oidc-providers.ts';
import { callOf } from '../kit/fixture.ts';
import { nextLookup } from './domain-checks.ts';
import { ACCOUNT, openFixture, START, TOKENS } from './fixture.ts';
import { openConfirmation, openInvitation } from './people.ts';
import { people } from './tables/people.ts';
import { users } from './tables/users.ts';

const at = (ms: number) => instant(START + ms);

test('openInvitation: an invitation expires after 30 days, and the next InviteUsers begins another one', async () => {
  const { store, run, account } = await openFixture();
  const AccountId = await account();
  const invite = async (now = instant(START)) => {
    await run('InviteUsers', { AccountId, UserEmailList: ['ada@example.com'] }, { now });
    const user = await store.transaction((tx) => tx.of(users).getByEmail(AccountId, 'ada@example.com'));
    const { userId = '', invitedAt = at(-1) } = user ?? {};
    return TOKENS.issue({ accountId: ACCOUNT, chimeAccountId: AccountId, userId, invitedAt });
  };
  const isOpen = async (token: string, now: number) =>
    (await store.transaction((tx) => openInvitation(tx, TOKENS, token, at(now)))) !== undefined;
  const first = await invite();
  assert.equal(await invite(at(30 * DAY_MS - 1)), first, 'the mail of an open invitation has the same link');
  assert.deepEqual([await isOpen(first, 30 * DAY_MS - 1), await isOpen(first, 30 * DAY_MS)], [true, false]);
  const second = await invite(at(30 * DAY_MS));
  assert.notEqual(second, first);
  assert.deepEqual([await isOpen(first, 30 * DAY_MS), await isOpen(second, 30 * DAY_MS)], [false, true]);
});

test('openConfirmation: a link is valid for 24 hours and for one change of the password, and is not an invitation', async () => {
  const { store } = await openFixture();
  const person = { email: 'ada@example.com', personId: 'p', displayName: 'Ada', passwordHash: 'h', changedAt: at(1) };
  const token = TOKENS.issueConfirmation({ email: person.email, issuedAt: at(2), changedAt: at(1) });
  const isOpen = async (now: number, given = token) =>
    (await store.transaction((tx) => openConfirmation(tx, TOKENS, given, at(now)))) !== undefined;
  assert.equal(await isOpen(3), false, 'an unknown person in an unclaimed domain has nothing to confirm');
  await store.transaction((tx) => tx.of(people).put(person));
  assert.deepEqual([await isOpen(3), await isOpen(DAY_MS + 1), await isOpen(DAY_MS + 2)], [true, true, false]);
  const invitation = TOKENS.issue({ accountId: ACCOUNT, chimeAccountId: 'c', userId: 'u', invitedAt: at(0) });
  assert.deepEqual([await isOpen(3, invitation), TOKENS.verify(token)], [false, undefined]);
  await store.transaction((tx) => tx.of(people).put({ ...person, changedAt: at(5) }));
  assert.equal(await isOpen(6), false);
});

test('nextLookup: the wait doubles from a minute to an hour, and ends 24 hours after the claim', () => {
  const createdAt = instant(START);
  const waits: number[] = [];
  let now = createdAt;
  for (let failures = 0; ; failures++) {
    const next = nextLookup({ createdAt, failures }, now);
    if (next === undefined) break;
    waits.push((next - now) / 60_000);
    now = next;
  }
  assert.deepEqual(waits.slice(0, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
  assert.equal(waits.length, 28);
  assert.ok(now < createdAt + DAY_MS);
});

test('ResetAccountResource: a changed provider also requires the permission of IAM to change it', async () => {
  const { store, run } = await openFixture();
  const Url = `https://chime.example.org/chime/openid/${ACCOUNT}`;
  await store.transaction((tx) => oidcProviderOperations.CreateOpenIDConnectProvider.handle(callOf(tx), { Url, ClientIDList: ['other'] }));
  const clientIds = async () =>
    (await store.transaction((tx) => tx.identity.get(ACCOUNT, 'oidc-provider', Url.slice('https://'.length))))?.clientIds;
  const asked: unknown[] = [];
  const allowed = (answer: boolean) => ({
    allows: (access: { readonly action?: string; readonly resources: readonly string[] }) => {
      asked.push([access.action, ...access.resources]);
      return Promise.resolve(answer);
    },
  });
  await assert.rejects(run('ResetAccountResource', {}, allowed(false)), { code: 'ForbiddenException' });
  assert.deepEqual(await clientIds(), ['other']);
  await run('ResetAccountResource', {}, allowed(true));
  assert.equal((await clientIds())?.length, 2);
  const access = [
    'iam:AddClientIDToOpenIDConnectProvider',
    `arn:aws:iam::${ACCOUNT}:oidc-provider/chime.example.org/chime/openid/${ACCOUNT}`,
  ];
  assert.deepEqual(asked, [access, access]);
});
