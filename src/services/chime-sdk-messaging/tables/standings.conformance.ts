import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Suite } from '#store/conformance-fixtures.ts';
import { added, channel, members, standing } from './conformance-fixtures.ts';
import { standings } from './standings.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('standings', () => {
    test('standings: moderators and bans are separate, and can be listed, counted and removed', async () => {
      const here = channel(fresh(), 'a');
      const other = channel(here.accountId, 'b');
      const read = await within(async (tx) => {
        await added(tx, here, other);
        const first = standing(here, 'moderator', 'user/ada');
        const outcomes = [await tx.of(standings).add(first), await tx.of(standings).add({ ...first, createdBy: 'user/bob' })];
        for (const member of ['user/c', 'user/b']) await tx.of(standings).add(standing(here, 'banned', member));
        await tx.of(standings).add(standing(other, 'banned', 'user/b'));
        return [
          ...outcomes,
          (await tx.of(standings).get(here.channelKey, 'moderator', 'user/ada'))?.createdBy,
          await tx.of(standings).get(here.channelKey, 'banned', 'user/ada'),
          members(await tx.of(standings).getSome(here.channelKey, 'banned', ['user/ada', 'user/b'])),
          members(await tx.of(standings).list(here.channelKey, 'banned', 9)),
          members(await tx.of(standings).list(here.channelKey, 'banned', 9, 'user/b')),
          (await tx.of(standings).listOfMember(here.appInstanceId, 'banned', 'user/b', 9)).map((each) => each.channelKey),
          (await tx.of(standings).listOfMember(here.appInstanceId, 'banned', 'user/b', 9, here.channelKey)).map((each) => each.channelKey),
          await tx.of(standings).count(here.channelKey, 'banned', 9),
          await tx.of(standings).count(here.channelKey, 'banned', 1),
          await tx.of(standings).remove(here.channelKey, 'banned', 'user/b'),
          await tx.of(standings).remove(here.channelKey, 'banned', 'user/b'),
        ];
      });
      const both = [here.channelKey, other.channelKey];
      const lists = [['user/b', 'user/c'], ['user/c'], both, [other.channelKey]];
      assert.deepEqual(read, ['added', 'exists', 'user/ada', undefined, ['user/b'], ...lists, 2, 1, 'removed', 'absent']);
    });
  });
}
