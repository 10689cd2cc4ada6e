import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelEvent, MessageEventType } from '#services/chime-kit/events.ts';
import { type Memberships, newAudience } from './audience.ts';
import { APP, inChannel, membership, message, user } from './fixture.ts';

/**
 * Returns an audience with the connected users ada, bob and eve. The user zoe is not connected.
 *
 * The channel `general` has the members ada and bob, and `empty` has no members.
 * `big` has the sub-channel `one` with ada and bob, and the sub-channel `two` with ada and eve.
 */
function audience() {
  const connected = newAudience();
  const joined = { general: ['ada', 'bob'], one: ['ada', 'bob'], two: ['ada', 'eve'] };
  for (const id of ['ada', 'bob', 'eve']) {
    connected.connect(user(id), APP, [
      ...(joined.general.includes(id) ? [{ channelId: 'general', subChannelId: '' }] : []),
      ...(['one', 'two'] as const).filter((sub) => joined[sub].includes(id)).map((subChannelId) => ({ channelId: 'big', subChannelId })),
    ]);
  }
  return connected;
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
const deleted = (more: object): ChannelEvent =>
  ({ ...message('general', 'x', { Sender: { Arn: user('bob') }, ...more }), type: 'DELETE_CHANNEL_MESSAGE' }) as ChannelEvent;
const batch = (Type: 'DEFAULT' | 'HIDDEN', ...ids: readonly string[]): ChannelEvent => ({
  type: 'BATCH_CREATE_CHANNEL_MEMBERSHIP',
  ...inChannel('general'),
  memberships: { Type, Members: ids.map((id) => ({ Arn: user(id) })) },
});
const to = (...ids: readonly string[]) => ({ Target: ids.map((id) => ({ MemberArn: user(id) })) });

// biome-ignore format: a table
const CASES: readonly (readonly [title: string, event: ChannelEvent, current: Memberships, received: readonly string[], next: readonly string[]])[] = [
  // title                                                       event                                                     current memberships         received by            next message received by
  ['all members receive a message',                               message('general', 'x'),                                  NONE,                       ['ada', 'bob'],        ['ada', 'bob']],
  ['only members of a sub-channel receive its message',           message('big', 'x', { SubChannelId: 'two' }),             NONE,                       ['ada', 'eve'],        ['ada', 'bob', 'eve']],
  ['only target and sender receive a targeted message',           message('general', 'x', { ...to('bob'), Sender: { Arn: user('ada') } }), NONE,        ['ada', 'bob'],        ['ada', 'bob']],
  ['only the sender receives a message to a non-member target',   message('general', 'x', { ...to('eve'), Sender: { Arn: user('ada') } }), NONE,        ['ada'],               ['ada', 'bob']],
  ['only the sender receives a failed message',                   failed('bob'),                                            NONE,                       ['bob'],               ['ada', 'bob']],
  ['a sender who is not a member receives a failed message',      failed('eve'),                                            NONE,                       ['eve'],               ['ada', 'bob']],
  ['only the sender receives the deletion of a failed message',   failed('bob', 'DELETE_CHANNEL_MESSAGE'),                  NONE,                       ['bob'],               ['ada', 'bob']],
  ['only the sender receives the deletion of a pending message',  deleted({ Status: { Value: 'PENDING' } }),                NONE,                       ['bob'],               ['ada', 'bob']],
  ['all members receive the deletion of a sent message',          deleted({ Status: { Value: 'SENT' } }),                   NONE,                       ['ada', 'bob'],        ['ada', 'bob']],
  ['no user receives a message of a channel without members',     message('empty', 'x'),                                    NONE,                       [],                    []],
  ['all members receive the change of a channel',                 channel('UPDATE_CHANNEL', 'general'),                     NONE,                       ['ada', 'bob'],        ['ada', 'bob']],
  ['the deletion of a channel is the last event of its members',  channel('DELETE_CHANNEL', 'general'),                     NONE,                       ['ada', 'bob'],        []],
  ['all members and the new member receive a new membership',     membership('CREATE', 'general', 'eve'),                   read('general', 'eve', ''), ['ada', 'bob', 'eve'], ['ada', 'bob', 'eve']],
  ['a member removed meanwhile receives only its membership event', membership('CREATE', 'general', 'eve'),                 read('general', 'eve'),     ['ada', 'bob', 'eve'], ['ada', 'bob']],
  ['all members receive the membership of an unconnected user',   membership('CREATE', 'general', 'zoe'),                   NONE,                       ['ada', 'bob'],        ['ada', 'bob']],
  ['the removal is the last event of the removed member',         membership('DELETE', 'general', 'bob'),                   NONE,                       ['ada', 'bob'],        ['ada']],
  ['only a hidden member receives its membership',                membership('CREATE', 'general', 'eve', { Type: 'HIDDEN' }), read('general', 'eve', ''), ['eve'],             ['ada', 'bob', 'eve']],
  ['only a hidden member receives its removal',                   membership('DELETE', 'general', 'bob', { Type: 'HIDDEN' }), NONE,                     ['bob'],               ['ada']],
  ['only the moved member receives the move',                     membership('UPDATE', 'big', 'bob', { SubChannelId: 'two' }), read('big', 'bob', 'two'), ['bob'],             ['ada', 'bob', 'eve']],
  ['a member that leaves one of two sub-channels stays in one',   membership('DELETE', 'big', 'ada', { SubChannelId: 'one' }), NONE,                    ['ada', 'bob'],        ['ada', 'bob', 'eve']],
  ['a member that leaves its only sub-channel is removed',        membership('DELETE', 'big', 'bob', { SubChannelId: 'one' }), NONE,                    ['ada', 'bob'],        ['ada', 'eve']],
  ['only a moderator receives the removal from a deleted sub-channel', { ...membership('DELETE', 'big', 'ada', { SubChannelId: 'one' }), reason: 'subchannel_DELETED' } as ChannelEvent, NONE, ['ada'], ['ada', 'bob', 'eve']],
  ['the members of a deleted sub-channel are removed',            { type: 'DELETE_SUB_CHANNEL', ...inChannel('big'), subChannelId: 'one' }, NONE,       [],                    ['ada', 'eve']],
  ['all members receive a batch of memberships',                  batch('DEFAULT', 'eve', 'zoe'),                           read('general', 'eve', ''), ['ada', 'bob', 'eve'], ['ada', 'bob', 'eve']],
  ['only the hidden members of a batch receive its event',        batch('HIDDEN', 'eve', 'zoe'),                            read('general', 'eve', ''), ['eve'],               ['ada', 'bob', 'eve']],
];

for (const [title, event, current, received, next] of CASES) {
  test(`Audience: ${title}`, () => {
    const one = audience();
    const named = (arns: readonly string[]) => arns.map((arn) => arn.slice(arn.lastIndexOf('/') + 1)).sort();
    assert.deepEqual(named(one.apply(event, current)), received);
    assert.deepEqual(named(one.apply(message(event.channelId, 'next'), NONE)), next);
  });
}

test('Audience: after a user disconnects, the user receives nothing and has no state in memory', () => {
  const one = audience();
  one.disconnect(user('bob'));
  assert.deepEqual(one.apply(message('general', 'x'), NONE), [user('ada')]);
  assert.equal(one.isConnected(user('bob')), false);
});
