import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelEvent, MessageEventType } from '#services/chime/events.ts';
import { type Memberships, newAudience } from './audience.ts';
import { APP, inChannel, membership, message, user } from './fixture.ts';

/** In `general`: ada and bob. In the sub-channels of `big`: ada in both, bob in one, eve in two. Nobody is in `empty`; zoe is not connected. */
function audience() {
  const made = newAudience();
  const joined = { general: ['ada', 'bob'], one: ['ada', 'bob'], two: ['ada', 'eve'] };
  for (const id of ['ada', 'bob', 'eve']) {
    made.connect(user(id), APP, [
      ...(joined.general.includes(id) ? [{ channelId: 'general', subChannelId: '' }] : []),
      ...(['one', 'two'] as const).filter((sub) => joined[sub].includes(id)).map((subChannelId) => ({ channelId: 'big', subChannelId })),
    ]);
  }
  return made;
}

const NONE: Memberships = new Map();
const read = (channelId: string, id: string, ...subs: readonly string[]): Memberships =>
  new Map([[`${APP}/${channelId} ${user(id)}`, new Set(subs)]]);
const channel = (type: 'UPDATE_CHANNEL' | 'DELETE_CHANNEL', channelId: string): ChannelEvent => ({
  type,
  ...inChannel(channelId),
  channel: {},
});
const failed = (id: string, type: MessageEventType = 'FAILED_CREATE_CHANNEL_MESSAGE'): ChannelEvent =>
  ({ ...message('general', 'x', { Sender: { Arn: user(id) }, Status: { Value: 'FAILED' } }), type }) as ChannelEvent;
const batch = (Type: 'DEFAULT' | 'HIDDEN', ...ids: readonly string[]): ChannelEvent => ({
  type: 'BATCH_CREATE_CHANNEL_MEMBERSHIP',
  ...inChannel('general'),
  memberships: { Type, Members: ids.map((id) => ({ Arn: user(id) })) },
});
const to = (...ids: readonly string[]) => ({ Target: ids.map((id) => ({ MemberArn: user(id) })) });

// biome-ignore format: a table
const CASES: readonly (readonly [title: string, event: ChannelEvent, memberships: Memberships, heard: readonly string[], then: readonly string[]])[] = [
  // what happens                                           event                                                     what was read               who hears it         who hears the next in general, or big
  ['a message is heard by the members',                     message('general', 'x'),                                  NONE,                       ['ada', 'bob'],        ['ada', 'bob']],
  ['one of a sub-channel by the members of that',           message('big', 'x', { SubChannelId: 'two' }),             NONE,                       ['ada', 'eve'],        ['ada', 'bob', 'eve']],
  ['one for some by those and who sent it',                 message('general', 'x', { ...to('bob'), Sender: { Arn: user('ada') } }), NONE,        ['ada', 'bob'],        ['ada', 'bob']],
  ['one for who is no member by its sender alone',          message('general', 'x', { ...to('eve'), Sender: { Arn: user('ada') } }), NONE,        ['ada'],               ['ada', 'bob']],
  ['one that failed by its sender alone',                   failed('bob'),                                            NONE,                       ['bob'],               ['ada', 'bob']],
  ['one that failed by its sender, no member any more',     failed('eve'),                                            NONE,                       ['eve'],               ['ada', 'bob']],
  ['one that failed, and is deleted, by its sender alone',  failed('bob', 'DELETE_CHANNEL_MESSAGE'),                  NONE,                       ['bob'],               ['ada', 'bob']],
  ['one where nobody is by nobody',                         message('empty', 'x'),                                    NONE,                       [],                    []],
  ['a changed channel is heard of by the members',          channel('UPDATE_CHANNEL', 'general'),                     NONE,                       ['ada', 'bob'],        ['ada', 'bob']],
  ['a deleted one by the members, for the last time',       channel('DELETE_CHANNEL', 'general'),                     NONE,                       ['ada', 'bob'],        []],
  ['who comes is heard of by all, himself included',        membership('CREATE', 'general', 'eve'),                   read('general', 'eve', ''), ['ada', 'bob', 'eve'], ['ada', 'bob', 'eve']],
  ['who is not there any more is heard of, and hears that', membership('CREATE', 'general', 'eve'),                   read('general', 'eve'),     ['ada', 'bob', 'eve'], ['ada', 'bob']],
  ['who is not connected is heard of by the others',        membership('CREATE', 'general', 'zoe'),                   NONE,                       ['ada', 'bob'],        ['ada', 'bob']],
  ['who goes is heard of by all, himself included',         membership('DELETE', 'general', 'bob'),                   NONE,                       ['ada', 'bob'],        ['ada']],
  ['a hidden member comes unheard',                         membership('CREATE', 'general', 'eve', { Type: 'HIDDEN' }), read('general', 'eve', ''), ['eve'],             ['ada', 'bob', 'eve']],
  ['a hidden member goes unheard',                          membership('DELETE', 'general', 'bob', { Type: 'HIDDEN' }), NONE,                     ['bob'],               ['ada']],
  ['who is moved hears it alone',                           membership('UPDATE', 'big', 'bob', { SubChannelId: 'two' }), read('big', 'bob', 'two'), ['bob'],             ['ada', 'bob', 'eve']],
  ['who leaves one sub-channel is still in the other',      membership('DELETE', 'big', 'ada', { SubChannelId: 'one' }), NONE,                    ['ada', 'bob'],        ['ada', 'bob', 'eve']],
  ['who leaves the last sub-channel is in none',            membership('DELETE', 'big', 'bob', { SubChannelId: 'one' }), NONE,                    ['ada', 'bob'],        ['ada', 'eve']],
  ['a deleted sub-channel has no members',                  { type: 'DELETE_SUB_CHANNEL', ...inChannel('big'), subChannelId: 'one' }, NONE,       [],                    ['ada', 'eve']],
  ['several who come are heard of by all',                  batch('DEFAULT', 'eve', 'zoe'),                           read('general', 'eve', ''), ['ada', 'bob', 'eve'], ['ada', 'bob', 'eve']],
  ['several hidden ones by themselves',                     batch('HIDDEN', 'eve', 'zoe'),                            read('general', 'eve', ''), ['eve'],               ['ada', 'bob', 'eve']],
];

for (const [title, event, memberships, heard, then] of CASES) {
  test(`The audience: ${title}`, () => {
    const one = audience();
    const named = (arns: readonly string[]) => arns.map((arn) => arn.slice(arn.lastIndexOf('/') + 1)).sort();
    assert.deepEqual(named(one.apply(event, memberships)), heard);
    assert.deepEqual(named(one.apply(message(event.channelId, 'next'), NONE)), then);
  });
}

test('The audience: who is not connected any more hears nothing, and leaves nothing behind', () => {
  const one = audience();
  one.disconnect(user('bob'));
  assert.deepEqual(one.apply(message('general', 'x'), NONE), [user('ada')]);
  assert.equal(one.isConnected(user('bob')), false);
});
