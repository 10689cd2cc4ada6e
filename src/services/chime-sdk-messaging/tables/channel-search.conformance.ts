import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Suite } from '#store/conformance-fixtures.ts';
import { channelSearch } from './channel-search.ts';
import { added, channel, ids, membership } from './conformance-fixtures.ts';
import { memberships } from './memberships.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('channels: search', () => {
    test('channels: search finds channels with all members; `exactly` excludes channels with other members', async () => {
      const accountId = fresh();
      const app = `app of ${accountId}`;
      const [both, more, one] = [channel(accountId, 'both'), channel(accountId, 'more'), channel(accountId, 'one')];
      const read = await within(async (tx) => {
        await added(tx, both, more, one);
        for (const [here, ...those] of [
          [both, 'user/ada', 'user/bob'],
          [more, 'user/ada', 'user/bob', 'user/carol'],
          [one, 'user/ada'],
        ] as const) {
          for (const member of those) await tx.of(memberships).add(membership(here, member));
        }
        const found = async (exactly: boolean, limit: number, after: string | undefined, ...those: readonly string[]) =>
          ids((await tx.of(channelSearch).page({ appInstanceId: app, members: those, exactly }, limit, after)).found);
        return [
          await found(false, 9, undefined, 'user/ada', 'user/bob'),
          await found(true, 9, undefined, 'user/ada', 'user/bob'),
          await found(true, 9, undefined, 'user/ada'),
          await found(false, 1, both.channelKey, 'user/ada'),
          await found(false, 9, undefined, 'user/nobody'),
        ];
      });
      assert.deepEqual(read, [['both', 'more'], ['both'], ['one'], ['more'], []]);
    });

    test('channels: with `seenBy`, search ignores hidden members other than the member `seenBy`', async () => {
      const accountId = fresh();
      const app = `app of ${accountId}`;
      const here = channel(accountId, 'here');
      const read = await within(async (tx) => {
        await added(tx, here);
        for (const member of ['user/ada', 'user/bob']) await tx.of(memberships).add(membership(here, member));
        await tx.of(memberships).add({ ...membership(here, 'user/eve'), type: 'HIDDEN' });
        const found = async (exactly: boolean, seenBy: string | undefined, ...those: readonly string[]) =>
          (await tx.of(channelSearch).page({ appInstanceId: app, members: those, exactly, seenBy }, 9)).found.length;
        return [
          await found(true, 'user/ada', 'user/ada', 'user/bob'),
          await found(true, undefined, 'user/ada', 'user/bob'),
          await found(false, 'user/ada', 'user/ada', 'user/eve'),
          await found(false, 'user/ada', 'user/eve'),
          await found(true, 'user/eve', 'user/ada', 'user/bob', 'user/eve'),
          await found(false, undefined, 'user/eve'),
        ];
      });
      assert.deepEqual(read, [1, 0, 0, 0, 1, 1]);
    });

    test('channels: pages of a search with few candidates find the same channels as a loop over all channels', async () => {
      const MEMBERS = ['user/a', 'user/b', 'user/c', 'user/d'];
      const type = fc.constantFrom('DEFAULT', 'HIDDEN', 'elastic', undefined);
      const channelOf = fc.record({ types: fc.tuple(type, type, type, type), isDeleted: fc.boolean() });
      const searchOf = fc.record({
        members: fc.subarray(MEMBERS, { minLength: 1 }),
        exactly: fc.boolean(),
        seenBy: fc.option(fc.constantFrom(...MEMBERS), { nil: undefined }),
        limit: fc.integer({ min: 1, max: 4 }),
        candidates: fc.integer({ min: 1, max: 5 }),
      });
      const property = fc.asyncProperty(
        fc.array(channelOf, { maxLength: 12 }),
        fc.array(searchOf, { maxLength: 4 }),
        async (all, wanted) => {
          const accountId = fresh();
          const records = all.map((each, i) => ({ ...each, record: channel(accountId, `c${i}`) }));
          await within(async (tx) => {
            for (const { record, types, isDeleted } of records) {
              if (!isDeleted) await added(tx, record);
              for (const [i, each] of types.entries()) {
                if (each === undefined) continue;
                const elastic = each === 'elastic' ? { subChannelId: 'sub' } : { type: each };
                await tx.of(memberships).add(membership(record, MEMBERS[i] as string, elastic));
              }
            }
            for (const { limit, candidates, ...search } of wanted) {
              const { members, exactly, seenBy } = search;
              const expected = records.filter(({ types, isDeleted }) => {
                const counted = MEMBERS.filter((member, i) => {
                  const each = types[i];
                  return each === 'DEFAULT' || (each === 'HIDDEN' && (seenBy === undefined || seenBy === member));
                });
                const hasAll = members.every((member) => counted.includes(member));
                return !isDeleted && hasAll && (!exactly || counted.length === members.length);
              });
              const found: string[] = [];
              let after: string | undefined;
              for (let pages = 0; ; pages++) {
                assert.ok(pages <= 24, 'the search does not end');
                const page = await tx.of(channelSearch).page({ appInstanceId: `app of ${accountId}`, ...search }, limit, after, candidates);
                found.push(...ids(page.found));
                assert.ok(page.found.length <= limit);
                if (page.readTo === undefined) break;
                assert.ok(after === undefined || page.readTo > after);
                after = page.readTo;
              }
              assert.deepEqual(found, ids(expected.map(({ record }) => record)), JSON.stringify(search));
            }
          });
        },
      );
      await fc.assert(property, { numRuns: 60 });
    });
  });
}
