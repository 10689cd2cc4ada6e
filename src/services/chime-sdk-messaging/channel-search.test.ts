/** Searches of channels by members that are in many other channels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APP_INSTANCE_ID, openFixture, userArn } from './fixture.ts';

test('SearchChannels: a page of members with many other channels ends early, and the token continues', async () => {
  const { store, run, channel } = await openFixture();
  const expected = [await channel([userArn('bert')]), await channel([userArn('bert')])].toSorted();
  await channel([userArn('carl')]);
  // Channels of one of the members each. Their keys come before those of the channels above.
  await store.transaction(({ sql }) =>
    sql.run(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999) INSERT INTO channel_membership
      (channel_key, sub_channel_id, member, app_instance_id, type, invited_by, created_at_ms, updated_at_ms)
      SELECT '!' || (1000000 + i), '', CASE WHEN i % 2 = 0 THEN 'user/ada' ELSE 'user/bert' END, '${APP_INSTANCE_ID}', 'DEFAULT', 'x', 0, 0 FROM n`),
  );
  const Fields = [{ Key: 'MEMBERS', Operator: 'INCLUDES', Values: [userArn('ada'), userArn('bert')] }] as const;
  const pages: (readonly (string | undefined)[])[] = [];
  let NextToken: string | undefined;
  do {
    const page = await run('SearchChannels', {
      ...{ ChimeBearer: userArn('root'), Fields: [...Fields], MaxResults: 1 },
      ...(NextToken !== undefined && { NextToken }),
    });
    pages.push((page.Channels ?? []).map(({ ChannelArn }) => ChannelArn));
    NextToken = page.NextToken;
    assert.ok(pages.length < 9, 'the pages do not end');
  } while (NextToken !== undefined);
  assert.deepEqual(pages.flat().toSorted(), expected);
  assert.deepEqual(
    pages.map(({ length }) => length),
    [0, 0, 1, 1],
  );
});
