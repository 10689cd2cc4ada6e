import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFixture, userArn } from './fixture.ts';

test('Preferences and read markers: both are stored without an event in a channel that is not elastic', async () => {
  const { run, channel, emitted } = await openFixture();
  const ChannelArn = await channel([userArn('bert')]);
  const own = { ChannelArn, ChimeBearer: userArn('bert') };
  const Preferences = { PushNotifications: { AllowNotifications: 'NONE' } } as const;
  emitted.length = 0;
  await run('UpdateChannelReadMarker', own);
  await run('PutChannelMembershipPreferences', { ...own, MemberArn: userArn('bert'), Preferences });
  assert.deepEqual(emitted, []);
  assert.deepEqual((await run('GetChannelMembershipPreferences', { ...own, MemberArn: userArn('bert') })).Preferences, Preferences);
  const { ChannelMembership } = await run('DescribeChannelMembershipForAppInstanceUser', { ...own, AppInstanceUserArn: userArn('bert') });
  assert.ok(ChannelMembership?.AppInstanceUserMembershipSummary?.ReadMarkerTimestamp);
});
