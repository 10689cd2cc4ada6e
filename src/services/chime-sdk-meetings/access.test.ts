import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChimeSdkMeetingsApi } from '#model/generated/chime-sdk-meetings.ts';
import { loadModel } from '#model/load.ts';
import { accessOf } from '../kit/fixture.ts';
import type { Access } from '../kit/operation.ts';
import { DEFAULT_LIMITS } from './deps.ts';
import { ACCOUNT, openFixture, TOKENS } from './fixture.ts';
import { meetingsOperations } from './operations.ts';

const ID = 'a6b1e9b0-0000-4000-8000-00000000000a';
const ARN = `arn:aws:chime:us-east-1:${ACCOUNT}:meeting/${ID}`;
const NEW = `arn:aws:chime:us-east-1:${ACCOUNT}:meeting/*`;
const TAGS = [{ Key: 'Team', Value: 'blue' }];

const OPERATIONS = meetingsOperations({
  mediaEndpoints: { signalingUrl: '', audioHost: '', httpUrl: '' },
  joinTokens: TOKENS,
  limits: DEFAULT_LIMITS,
});

const required = (name: string, input: object, profile: 'sdk' | 'classic' = 'sdk') => accessOf(OPERATIONS, name, input, { profile });

/** Input with every member that the `access` of an operation reads. */
const INPUT = { MeetingId: ID.toUpperCase(), ResourceARN: ARN, TagKeys: ['Team'], Tags: TAGS };

// biome-ignore format: a table
const RESOURCES: Readonly<Record<keyof ChimeSdkMeetingsApi, readonly [action: string, resource: string][]>> = {
  CreateMeeting:                         [['chime:CreateMeeting', NEW], ['chime:TagResource', NEW]],
  CreateMeetingWithAttendees:            [['chime:CreateMeetingWithAttendees', NEW], ['chime:TagResource', NEW]],
  GetMeeting:                            [['chime:GetMeeting', ARN]],
  DeleteMeeting:                         [['chime:DeleteMeeting', ARN]],
  CreateAttendee:                        [['chime:CreateAttendee', ARN]],
  BatchCreateAttendee:                   [['chime:BatchCreateAttendee', ARN]],
  GetAttendee:                           [['chime:GetAttendee', ARN]],
  ListAttendees:                         [['chime:ListAttendees', ARN]],
  DeleteAttendee:                        [['chime:DeleteAttendee', ARN]],
  UpdateAttendeeCapabilities:            [['chime:UpdateAttendeeCapabilities', ARN]],
  BatchUpdateAttendeeCapabilitiesExcept: [['chime:BatchUpdateAttendeeCapabilitiesExcept', ARN]],
  StartMeetingTranscription:             [['chime:StartMeetingTranscription', ARN]],
  StopMeetingTranscription:              [['chime:StopMeetingTranscription', ARN]],
  TagResource:                           [['chime:TagResource', ARN]],
  UntagResource:                         [['chime:UntagResource', ARN]],
  ListTagsForResource:                   [['chime:ListTagsForResource', ARN]],
};

test('Access: every operation of the model is in the operation table', () => {
  assert.deepEqual(Object.keys(OPERATIONS).sort(), Object.keys(loadModel('chime-sdk-meetings').operations).sort());
});

for (const [name, expected] of Object.entries(RESOURCES)) {
  test(`Access: ${name} requires its own action on the meeting, with the ID in lower case (CHM-3)`, () => {
    assert.deepEqual(
      required(name, INPUT).map(({ action, resources }) => [action, ...resources]),
      expected,
    );
  });

  test(`Access: in the older service chime, ${name} requires its action on *, without tags (CHM-1, TAG-2)`, () => {
    assert.deepEqual(required(name, INPUT, 'classic'), [{ action: expected[0]?.[0], resources: ['*'] }]);
  });
}

test('Access: a new meeting without tags requires only chime:CreateMeeting', () => {
  assert.deepEqual(required('CreateMeeting', {}), [{ action: 'chime:CreateMeeting', resources: [NEW] }]);
  assert.deepEqual(required('CreateMeeting', { Tags: [] }), [{ action: 'chime:CreateMeeting', resources: [NEW] }]);
});

test('Access: tag keys are in lower case in the names of aws:RequestTag, and unchanged in aws:TagKeys', () => {
  const context = new Map<string, unknown>([
    ['aws:tagkeys', ['Team']],
    ['aws:requesttag/team', 'blue'],
  ]);
  for (const { context: given } of [...required('CreateMeeting', INPUT), ...required('TagResource', INPUT)])
    assert.deepEqual(given, context);
  assert.deepEqual(required('UntagResource', INPUT)[0]?.context, new Map([['aws:tagkeys', ['Team']]]));
});

test('Access: a policy decision gets the tags of the meeting, and an unknown meeting has no tags', async () => {
  const { store, meeting } = await openFixture();
  const MeetingId = await meeting({ Tags: [...TAGS, { Key: '__proto__', Value: 'x' }] });
  const read = (access: Access | undefined) => store.transaction((tx) => access?.resourceTags?.(tx) ?? Promise.resolve([]));
  const tags = [
    Object.fromEntries([
      ['Team', 'blue'],
      ['__proto__', 'x'],
    ]),
  ];
  assert.deepEqual(await read(required('GetMeeting', { MeetingId: MeetingId.toUpperCase() })[0]), tags);
  assert.deepEqual(await read(required('ListTagsForResource', { ResourceARN: ARN.replace(ID, MeetingId) })[0]), tags);
  assert.deepEqual(await read(required('GetMeeting', { MeetingId: ID })[0]), [undefined]);
});
