import assert from 'node:assert/strict';
import { test } from 'node:test';
import { surveyedEntities } from '#services/iam/covered-entities.ts';
import type { Call } from '#services/kit/operation.ts';
import type { Tx } from '#store/store.ts';
import { ACCOUNT, openIam, START } from './fixture.ts';

test('surveyedEntities: for a report about a policy, each attachment of the policy is read once', async () => {
  const { run, store } = await openIam();
  const PolicyDocument = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"chime:*","Resource":"*"}}';
  const { Policy } = await run('CreatePolicy', { PolicyName: 'p', PolicyDocument });
  const PolicyArn = Policy?.Arn as string;
  const users = Array.from({ length: 250 }, (_, i) => `user-${i}`);
  for (const UserName of users) {
    await run('CreateUser', { UserName });
    await run('AttachUserPolicy', { UserName, PolicyArn });
  }

  const listed: string[] = [];
  const counting = (tx: Tx): Tx => {
    const summaries: Tx['identity']['summaries'] = async (accountId, kind, selection) => {
      const found = await tx.identity.summaries(accountId, kind, selection);
      listed.push(...found.map(({ key }) => key));
      return found;
    };
    const read: Pick<Tx, 'identity' | 'lastUses'> = { identity: { ...tx.identity, summaries }, lastUses: tx.lastUses };
    return read as Tx;
  };
  let items: Promise<readonly string[]> | undefined;
  const call = {
    accountId: ACCOUNT,
    now: START,
    survey: (_name: string, read: (from: object) => Promise<readonly string[]>) => {
      items = read({ transaction: (work: (tx: Tx) => unknown) => store.transaction(async (tx) => work(counting(tx))) });
      return [];
    },
  } as unknown as Call;
  await surveyedEntities(call, PolicyArn, (entities) => entities.map(({ found }) => found.record.arn));

  const arns = users.map((name) => `arn:aws:iam::${ACCOUNT}:user/${name}`);
  assert.deepEqual([...((await items) ?? [])].sort(), arns.sort());
  assert.equal(listed.length, users.length);
  assert.equal(new Set(listed).size, users.length);
});
