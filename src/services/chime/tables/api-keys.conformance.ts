import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ALICE, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type ApiKeyRecord, apiKeys } from './api-keys.ts';

const key = (chimeAccountId: string, apiKeyId: string, createdAt: number): ApiKeyRecord => ({
  ...{ chimeAccountId, apiKeyId, accountId: ALICE, digest: `digest of ${apiKeyId}`, createdAt: instant(createdAt) },
});

export function conformance({ within, fresh }: Suite): void {
  describe('chime api keys', () => {
    test('api keys: a key is found by its ID, listed by age, marked as used and deleted', async () => {
      const [here, there] = [fresh(), fresh()];
      const [young, old, other] = [key(here, `${here} a`, 2), key(here, `${here} b`, 1), key(there, `${there} a`, 1)];
      const read = await within(async (tx) => {
        const repository = tx.of(apiKeys);
        for (const each of [young, old, other]) await repository.add(each);
        await repository.setUsed(old, NOON);
        const found = [await repository.find(old.apiKeyId), await repository.find('unknown')];
        const lists = [await repository.list(here, 9, old), await repository.list(here, 1)];
        const counts = [await repository.count(here)];
        const removed = [await repository.remove(there, old.apiKeyId), await repository.remove(here, old.apiKeyId)];
        counts.push(await repository.count(here));
        await repository.removeOf(here);
        counts.push(await repository.count(here), await repository.count(there));
        return { found, lists, counts, removed };
      });
      const used = { ...old, usedAt: NOON };
      assert.deepEqual(read, { found: [used, undefined], lists: [[young], [used]], counts: [2, 1, 0, 1], removed: ['absent', 'removed'] });
    });
  });
}
