import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFixture, userArn } from './fixture.ts';

// Source: Chime SDK Developer Guide, "Understanding message structures", x-amz-chime-event-reason.
test('SCALE_IN: a moderator of the deleted sub-channel loses the membership (subchannel_DELETED)', async () => {
  const { emitted, run, channel } = await openFixture();
  const ChannelArn = await channel([], {
    ElasticChannelConfiguration: { MaximumSubChannels: 2, TargetMembershipsPerSubChannel: 3, MinimumMembershipPercentage: 100 },
  });
  const ChimeBearer = userArn('ada');
  const add = async (name: Parameters<typeof userArn>[0], more: object = {}) => {
    const input = { ChannelArn, ChimeBearer, MemberArn: userArn(name), Type: 'DEFAULT' as const, ...more };
    return (await run('CreateChannelMembership', input)).SubChannelId as string;
  };
  const first = await add('bert');
  await add('carl');
  await add('dora');
  // The first sub-channel is full, so the server creates a second sub-channel and moves two members to it.
  const second = await add('root');
  assert.notEqual(second, first);
  await add('ada', { SubChannelId: second });
  const leave = (name: Parameters<typeof userArn>[0], SubChannelId?: string) =>
    run('DeleteChannelMembership', { ChannelArn, ChimeBearer, MemberArn: userArn(name), ...(SubChannelId && { SubChannelId }) });
  await leave('root');
  emitted.length = 0;
  await leave('bert');

  const events = emitted.map((event) =>
    'membership' in event
      ? [event.type, event.membership.Member?.Name, event.membership.SubChannelId, event.reason]
      : [event.type, 'subChannelId' in event ? event.subChannelId : undefined],
  );
  assert.deepEqual(events, [
    ['DELETE_CHANNEL_MEMBERSHIP', 'bert', second, undefined],
    ['UPDATE_CHANNEL_MEMBERSHIP', 'carl', first, undefined],
    ['DELETE_CHANNEL_MEMBERSHIP', 'ada', second, 'subchannel_DELETED'],
    ['DELETE_SUB_CHANNEL', second],
  ]);
  const { ChannelMemberships } = await run('ListChannelMemberships', { ChannelArn, ChimeBearer, SubChannelId: first });
  assert.deepEqual(ChannelMemberships?.map(({ Member }) => Member?.Name).sort(), ['carl', 'dora']);
  const { SubChannels } = await run('ListSubChannels', { ChannelArn, ChimeBearer });
  assert.deepEqual(SubChannels, [{ SubChannelId: first, MembershipCount: 2 }]);
});
