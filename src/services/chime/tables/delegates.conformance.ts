import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { ALICE, BOB, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type DelegateRecord, delegates } from './delegates.ts';

const delegate = (chimeAccountId: string, name: string, delegateAccountId: AccountId, createdAt: number): DelegateRecord => ({
  ...{ chimeAccountId, delegateId: `${chimeAccountId} ${name}`, accountId: ALICE, delegateAccountId, emailAddress: 'ada@example.com' },
  ...{ digest: `digest of ${name}`, createdAt: instant(createdAt), invitedAt: instant(createdAt) },
});

export function conformance({ within, fresh }: Suite): void {
  describe('chime delegates', () => {
    test('delegates: an AWS account has one of an account, which counts only after its acceptance', async () => {
      const [here, there] = [fresh(), fresh()];
      const third = '999988887777' as AccountId;
      const [young, old, other] = [delegate(here, 'a', BOB, 2), delegate(here, 'b', third, 1), delegate(there, 'a', BOB, 1)];
      const accepted = { ...young, digest: 'new', invitedAt: instant(3), acceptedAt: NOON };
      const read = await within(async (tx) => {
        const repository = tx.of(delegates);
        const added = [];
        for (const each of [young, old, other, delegate(here, 'c', BOB, 3)]) added.push(await repository.add(each));
        const pending = await repository.acceptedBy(here, BOB);
        const changed = [await repository.put(accepted), await repository.put(delegate(here, 'unknown', BOB, 1))];
        const active = [
          await repository.acceptedBy(here, BOB),
          await repository.acceptedBy(there, BOB),
          await repository.acceptedBy(here, third),
        ];
        const found = [
          await repository.find(old.delegateId),
          await repository.get(here, old.delegateId),
          await repository.get(there, old.delegateId),
        ];
        const all = await repository.all(here);
        const removed = [await repository.remove(there, old.delegateId), await repository.remove(here, old.delegateId)];
        await repository.removeOf(here);
        return { added, pending, changed, active, found, all, removed, left: [await repository.all(here), await repository.all(there)] };
      });
      assert.deepEqual(read, {
        added: ['added', 'added', 'added', 'exists'],
        pending: undefined,
        changed: ['changed', 'absent'],
        active: [accepted, undefined, undefined],
        found: [old, old, undefined],
        all: [old, accepted],
        removed: ['absent', 'removed'],
        left: [[], [other]],
      });
    });
  });
}
