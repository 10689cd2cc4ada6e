import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireFilterRule } from './filter-rules.ts';
import { openFixture, userArn } from './fixture.ts';

const [ada, bert] = [userArn('ada'), userArn('bert')];
const names = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);
const alternatives = (count: number) => JSON.stringify({ $or: names(count).map((name) => ({ [name]: ['x'] })) });

// Source: Chime SDK Developer Guide, "Using filter rules to filter messages": its examples and its limits.
// biome-ignore format: a table
const RULES: readonly (readonly [title: string, rule: string, reason?: RegExp])[] = [
  ['a value that is required',          '{"mention":["Bob"]}'],
  ['a value that is excluded',          '{"type":[{"anything-but": ["Room"]}]}'],
  ['two keys',                          '{"type":[{"anything-but": ["Room"]}],"mention":["Bob"]}'],
  ['two alternatives',                  '{"$or":[{"mention":["Bob"]},{"type":[{"anything-but": ["Room"]}]}]}'],
  ['2048 bytes',                        JSON.stringify({ a: ['x'.repeat(2038)] })],
  ['2049 bytes',                        JSON.stringify({ a: ['x'.repeat(2039)] }),                  /2048 bytes/],
  ['2049 bytes in fewer characters',    JSON.stringify({ a: [`ä${'x'.repeat(2037)}`] }),            /2048 bytes/],
  ['5 alternatives',                    alternatives(5)],
  ['6 alternatives',                    alternatives(6),                                            /more than 5 rules/],
  ['complexity 20',                     JSON.stringify({ a: names(19) })],
  ['complexity 21',                     JSON.stringify({ a: names(20) }),                           /complexity/],
  ['complexity 20 of excluded values',  JSON.stringify({ a: [{ 'anything-but': names(19) }] })],
  ['complexity 21 of excluded values',  JSON.stringify({ a: [{ 'anything-but': names(20) }] }),     /complexity/],
  ['complexity 21 in alternatives',     JSON.stringify({ $or: [{ a: names(10) }, { b: names(9) }] }), /complexity/],
  ['text that is not JSON',             '{mention:Bob}',                                            /not valid JSON/],
  ['a string',                          '"mention"',                                                /must be a JSON object/],
  ['a list',                            '[{"mention":["Bob"]}]',                                    /must be a JSON object/],
  ['null',                              'null',                                                     /must be a JSON object/],
  ['a key without a list',              '{"mention":"Bob"}',                                        /list of values/],
  ['a key with an empty list',          '{"mention":[]}',                                           /list of values/],
  ['a number',                          '{"mention":[1]}',                                          /must be a string/],
  ['a prefix instead of a string',      '{"mention":[{"prefix":"B"}]}',                             /must be a string/],
  ['an excluded prefix',                '{"mention":[{"anything-but":[{"prefix":"B"}]}]}',          /must be a string/],
  ['an excluded value without a list',  '{"mention":[{"anything-but":"Bob"}]}',                     /must be a string/],
  ['two conditions in one value',       '{"mention":[{"anything-but":["Bob"],"exists":true}]}',     /must be a string/],
  ['an alternative that is a string',   '{"$or":["Bob"]}',                                          /must be a JSON object/],
];

for (const [title, rule, reason] of RULES) {
  test(`requireFilterRule: a rule with ${title} is ${reason ? 'BadRequestException' : 'valid'}`, () => {
    if (reason === undefined) requireFilterRule(rule);
    else assert.throws(() => requireFilterRule(rule), { code: 'BadRequestException', message: reason });
  });
}

test('PutChannelMembershipPreferences: an invalid filter rule is BadRequestException and changes nothing', async () => {
  const { run, channel } = await openFixture();
  const own = { ChannelArn: await channel([bert]), MemberArn: bert, ChimeBearer: bert };
  const put = (FilterRule: string) =>
    run('PutChannelMembershipPreferences', { ...own, Preferences: { PushNotifications: { AllowNotifications: 'FILTERED', FilterRule } } });
  const { Preferences } = await put('{"mention":["Bob"]}');
  await assert.rejects(put('{"mention":"Bob"}'), { code: 'BadRequestException' });
  assert.deepEqual((await run('GetChannelMembershipPreferences', own)).Preferences, Preferences);
});

// Source: Chime SDK Developer Guide, "Using elastic channels to host live events": no membership preferences and no read markers.
test('Elastic channels: preferences are BadRequestException, read markers are ForbiddenException', async () => {
  const { run, channel } = await openFixture();
  const ElasticChannelConfiguration = { MaximumSubChannels: 2, TargetMembershipsPerSubChannel: 2, MinimumMembershipPercentage: 1 };
  const ChannelArn = await channel([], { ElasticChannelConfiguration });
  await run('CreateChannelMembership', { ChannelArn, MemberArn: bert, Type: 'DEFAULT', ChimeBearer: ada });
  const Preferences = { PushNotifications: { AllowNotifications: 'NONE' } } as const;
  const put = run('PutChannelMembershipPreferences', { ChannelArn, MemberArn: bert, ChimeBearer: bert, Preferences });
  await assert.rejects(put, { code: 'BadRequestException' });
  await assert.rejects(run('UpdateChannelReadMarker', { ChannelArn, ChimeBearer: bert }), { code: 'ForbiddenException' });
  const describe = run('DescribeChannelModeratedByAppInstanceUser', { ChannelArn, AppInstanceUserArn: ada, ChimeBearer: ada });
  await assert.rejects(describe, { code: 'ForbiddenException' });
});

test('SendChannelMessage: attributes of 1024 bytes are valid, and one more byte is BadRequestException', async () => {
  const { channel, send } = await openFixture();
  const ChannelArn = await channel();
  const attributes = (last: string) => ({ MessageAttributes: { ab: { StringValues: ['x'.repeat(511), 'ä'.repeat(255), last] }, c: {} } });
  await send(ChannelArn, 'hello', attributes(''));
  await assert.rejects(send(ChannelArn, 'hello', attributes('x')), { code: 'BadRequestException', message: /1024 bytes/ });
});
