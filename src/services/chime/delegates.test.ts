import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { ACCOUNT, OTHER_ACCOUNT, openFixture, START } from './fixture.ts';
import { delegates } from './tables/delegates.ts';

const { store, run, account } = await openFixture();
const there = { accountId: OTHER_ACCOUNT };
const EmailAddress = 'ada@example.com';
const UNKNOWN = '0'.repeat(43);
const invite = (AccountId: string, DelegateAwsAccountId: string = OTHER_ACCOUNT) =>
  run('InviteDelegate', { AccountId, DelegateAwsAccountId, EmailAddress });

/** Returns the tokens that were sent for a delegation, oldest first. */
async function tokensOf(DelegateId: string): Promise<readonly string[]> {
  const messages = await store.transaction((tx) => tx.sql.rows<{ readonly body: string }>('SELECT body FROM outgoing ORDER BY number'));
  return messages.filter(({ body }) => body.includes(DelegateId)).map(({ body }) => /Token: (\S+)/.exec(body)?.[1] ?? '');
}

test('InviteDelegate: errors in the order of the checks, and one invitation for each AWS account', async () => {
  const AccountId = await account();
  for (const [input, code] of [
    [{ AccountId: 'unknown', DelegateAwsAccountId: ACCOUNT, EmailAddress: 'ada@example.com,eve@example.com' }, 'BadRequestException'],
    [{ AccountId: 'unknown', DelegateAwsAccountId: ACCOUNT, EmailAddress }, 'NotFoundException'],
    [{ AccountId, DelegateAwsAccountId: ACCOUNT, EmailAddress }, 'BadRequestException'],
  ] as const)
    await assert.rejects(run('InviteDelegate', input), { code }, JSON.stringify(input));
  await invite(AccountId);
  await assert.rejects(invite(AccountId), { code: 'ConflictException' });
  for (let i = 1; i < 20; i++) await invite(AccountId, String(200_000_000_000 + i));
  await assert.rejects(invite(AccountId, '300000000000'), { code: 'ResourceLimitExceededException' });
  const pages = [await run('ListDelegates', { AccountId, MaxResults: 12 })];
  pages.push(await run('ListDelegates', { AccountId, MaxResults: 12, NextToken: pages[0]?.NextToken as string }));
  const listed = pages.flatMap(({ Delegates = [] }) => Delegates.map(({ DelegateAwsAccountId }) => DelegateAwsAccountId));
  assert.deepEqual([listed.length, new Set(listed).size, pages[1]?.NextToken], [20, 20, undefined]);
});

test('AcceptDelegate: only the invited AWS account with the newest token, within 7 days', async () => {
  const AccountId = await account();
  const { Delegate } = await invite(AccountId);
  const DelegateId = Delegate?.DelegateId as string;
  const [first = ''] = await tokensOf(DelegateId);
  await run('RenewDelegate', { AccountId, DelegateId });
  const InvitationToken = (await tokensOf(DelegateId)).find((token) => token !== first) ?? '';
  const accept = (token: string, as: object) => run('AcceptDelegate', { DelegateId, InvitationToken: token }, as);
  for (const [token, as, code] of [
    [InvitationToken, {}, 'NotFoundException'],
    [InvitationToken, { accountId: '999988887777' as AccountId }, 'NotFoundException'],
    [first, there, 'NotFoundException'],
    [UNKNOWN, there, 'NotFoundException'],
    [InvitationToken, { ...there, now: instant(START + 7 * DAY_MS) }, 'BadRequestException'],
  ] as const)
    await assert.rejects(accept(token, as), { code });
  const isStored = await store.transaction(async (tx) => JSON.stringify(await tx.of(delegates).find(DelegateId)));
  assert.ok(!isStored.includes(InvitationToken));

  const owners: string[] = [];
  const accepted = await accept(InvitationToken, {
    ...there,
    now: instant(START + 1),
    actsFor: (owner: string) => void owners.push(owner),
  });
  assert.deepEqual([accepted.Delegate?.DelegateStatus, accepted.Delegate?.OwnerAwsAccountId, owners], ['Active', ACCOUNT, [ACCOUNT]]);
  const again = await accept(InvitationToken, { ...there, now: instant(START + 30 * DAY_MS) });
  assert.deepEqual(again, accepted);
  await assert.rejects(run('RenewDelegate', { AccountId, DelegateId }), { code: 'ConflictException' });
  for (const name of ['RenewDelegate', 'DeleteDelegate'] as const)
    await assert.rejects(run(name, { AccountId, DelegateId: 'unknown' }), { code: 'NotFoundException' });
});

test('Delegates: an account that its owner has deleted has none', async () => {
  const AccountId = await account();
  const DelegateId = (await invite(AccountId)).Delegate?.DelegateId as string;
  const [InvitationToken = ''] = await tokensOf(DelegateId);
  await run('AcceptDelegate', { DelegateId, InvitationToken }, there);
  await run('GetAccount', { AccountId }, there);
  await run('DeleteAccount', { AccountId });
  await assert.rejects(run('GetAccount', { AccountId }, there), { code: 'NotFoundException' });
  await assert.rejects(run('AcceptDelegate', { DelegateId, InvitationToken }, there), { code: 'NotFoundException' });
});
