import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ALICE, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type DomainRecord, domains } from './domains.ts';

const claim = (chimeAccountId: string, domain: string, more: Partial<DomainRecord> = {}): DomainRecord => ({
  chimeAccountId,
  domain,
  accountId: ALICE,
  recordValue: 'value',
  isVerified: false,
  createdAt: NOON,
  failures: 0,
  ...more,
});

export function conformance({ within, fresh }: Suite): void {
  describe('chime domains', () => {
    test('domains: a claim is read back as added, counted, listed by domain, changed and deleted', async () => {
      const [here, there] = [fresh(), fresh()];
      const first = claim(here, `a.${here}`);
      const second = claim(here, `b.${here}`);
      const changed = { ...first, checkedAt: NOON, checkResult: 'WrongValue', failures: 1, dueAt: instant(NOON + 5) } as const;
      const read = await within(async (tx) => {
        const repository = tx.of(domains);
        const added = [await repository.add(second), await repository.add(first), await repository.add({ ...first, failures: 7 })];
        const got = [await repository.get(here, first.domain), await repository.get(there, first.domain)];
        const counts = [await repository.count(here), await repository.count(there)];
        const lists = [await repository.list(here, 9), await repository.list(here, 1), await repository.list(here, 9, first.domain)];
        const put = [await repository.put(changed), await repository.put({ ...changed, chimeAccountId: there })];
        const removed = [await repository.remove(here, second.domain), await repository.remove(here, second.domain)];
        const left = await repository.list(here, 9);
        await repository.removeOf(here);
        return { added, got, counts, lists, put, removed, left, end: await repository.count(here) };
      });
      assert.deepEqual(read, {
        added: ['added', 'added', 'exists'],
        got: [first, undefined],
        counts: [2, 0],
        lists: [[first, second], [first], [second]],
        put: ['changed', 'absent'],
        removed: ['removed', 'absent'],
        left: [changed],
        end: 0,
      });
    });

    test('domains: only one account verifies a domain, and only its claim is found by the domain', async () => {
      const [here, there] = [fresh(), fresh()];
      const domain = `example.${here}`;
      const verified = claim(here, domain, { isVerified: true, verifiedAt: NOON });
      const read = await within(async (tx) => {
        const repository = tx.of(domains);
        await repository.add(claim(there, domain));
        const none = [await repository.owner(domain), await repository.owners([domain])];
        await repository.add(verified);
        return [none, await repository.owner(domain), await repository.owners(['other', domain]), await repository.owners([])];
      });
      assert.deepEqual(read, [[undefined, []], verified, [verified], []]);
      await assert.rejects(within((tx) => tx.of(domains).put(claim(there, domain, { isVerified: true }))));
    });

    test('domains: due look-ups are returned in the order of their times', async () => {
      const here = fresh();
      const at = (ms: number) => claim(here, `${ms}.${here}`, { dueAt: instant(ms) });
      const due = await within(async (tx) => {
        const repository = tx.of(domains);
        for (const each of [at(3), at(1), at(2), claim(here, `none.${here}`)]) await repository.add(each);
        const found = [await repository.due(instant(2), 9), await repository.due(instant(2), 1), await repository.due(instant(0), 9)];
        await repository.removeOf(here);
        return found;
      });
      assert.deepEqual(due, [[at(1), at(2)], [at(1)], []]);
    });
  });
}
