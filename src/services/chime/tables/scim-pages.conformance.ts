import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ALICE, NOON, type Suite } from '#store/conformance-fixtures.ts';
import { scimUsers } from './scim.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('chime scim: pages', () => {
    test('scim users: every page is the same as that of a sorted array, after additions and deletions', async () => {
      const id = fc.tuple(fc.constantFrom('00', '0a', '7f', 'ff'), fc.integer({ min: 0, max: 9 })).map(([bucket, i]) => `${bucket}${i}`);
      const step = fc.record({ what: fc.constantFrom('add', 'add', 'remove', 'domain'), id });
      const page = fc.record({ offset: fc.integer({ min: 0, max: 24 }), limit: fc.integer({ min: 0, max: 9 }) });
      const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.array(page, { maxLength: 6 }), async (steps, pages) => {
        const here = fresh();
        const expected = new Set<string>();
        await within(async (tx) => {
          const repository = tx.of(scimUsers);
          for (const each of steps) {
            // Users with an even number are in the domain that is removed.
            const domain = Number(each.id.at(-1)) % 2 === 0 ? 'even.example' : 'odd.example';
            if (each.what === 'add' && !expected.has(each.id)) {
              const email = `${each.id}@${domain}`;
              await repository.add({
                ...{ chimeAccountId: here, scimId: each.id, accountId: ALICE, email, isActive: true, isDue: false },
                ...{ createdAt: NOON, updatedAt: NOON, document: { userName: email } },
              });
              expected.add(each.id);
            } else if (each.what === 'remove') {
              await repository.remove(here, each.id);
              expected.delete(each.id);
            } else if (each.what === 'domain') {
              await repository.removeOfDomain(here, 'even.example');
              for (const known of expected) if (Number(known.at(-1)) % 2 === 0) expected.delete(known);
            }
          }
          const sorted = [...expected].sort();
          assert.equal(await repository.count(here), sorted.length);
          for (const slice of pages) {
            const found = (await repository.list(here, slice)).map(({ scimId }) => scimId);
            assert.deepEqual(found, sorted.slice(slice.offset, slice.offset + slice.limit), JSON.stringify(slice));
          }
        });
      });
      await fc.assert(property, { numRuns: 40 });
    });
  });
}
