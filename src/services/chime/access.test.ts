import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionOf } from '#model/authorization.ts';
import { loadModel } from '#model/load.ts';
import { accessOf } from '../kit/fixture.ts';
import { OPERATIONS } from './fixture.ts';

const MODEL = loadModel('chime');
/** Input with every ID that an `access` could read. */
const INPUT = { AccountId: 'a', UserId: 'u', RoomId: 'r', BotId: 'b', MeetingId: 'm', PhoneNumberId: 'p' };

/** Operations that also require permissions of other services, for what they create or delete. */
const CHAINED: ReadonlySet<string> = new Set(['ResetAccountResource', 'CreateCDRBucket', 'ListCDRBucket', 'DeleteCDRBucket']);

test('Access: every operation of the model is in the operation table, also the removed ones', () => {
  assert.deepEqual(Object.keys(OPERATIONS).sort(), [...Object.keys(MODEL.operations), ...Object.keys(MODEL.removed)].sort());
});

for (const name of Object.keys(MODEL.operations).filter((each) => !CHAINED.has(each))) {
  test(`Access: ${name} requires its own action on *, without condition keys (CHM-1, TAG-2)`, () => {
    assert.ok(actionOf('chime', name), 'the action is in the authorization reference');
    assert.deepEqual(accessOf(OPERATIONS, name, INPUT, { profile: 'classic' }), [{ action: `chime:${name}`, resources: ['*'] }]);
  });
}

// The exception is CreateMeetingDialOut, whose resource is `*` because of CHM-1.
test('Access: in the authorization reference, only CreateMeetingDialOut has a resource type', () => {
  const scoped = Object.keys(MODEL.operations).filter((name) => (actionOf('chime', name)?.resourceTypes.length ?? 0) > 0);
  assert.deepEqual(scoped, ['CreateMeetingDialOut']);
});

test('Access: ResetAccountResource also requires the permissions of IAM for what it creates', () => {
  const asked = accessOf(OPERATIONS, 'ResetAccountResource', {}, { profile: 'classic' });
  assert.deepEqual(
    asked.map(({ action, resources }) => [action, resources]),
    [
      ['chime:ResetAccountResource', ['*']],
      ['iam:CreateOpenIDConnectProvider', ['arn:aws:iam::111122223333:oidc-provider/chime.example.org/chime/openid/111122223333']],
      ...['iam:CreateRole', 'iam:PutRolePolicy', 'iam:PassRole'].map((action) => [
        action,
        ['arn:aws:iam::111122223333:role/AmazonChimePeople'],
      ]),
    ],
  );
});

test('Access: the operations on buckets also require the permissions of S3', () => {
  const on = (name: string) =>
    accessOf(OPERATIONS, name, { BucketName: 'records' }, { profile: 'classic' }).map(({ action, resources }) => [action, ...resources]);
  const bucket = 'arn:aws:s3:::records';
  assert.deepEqual(['CreateCDRBucket', 'ListCDRBucket', 'DeleteCDRBucket'].map(on), [
    [
      ['chime:CreateCDRBucket', '*'],
      ['s3:CreateBucket', bucket],
      ['s3:PutBucketPolicy', bucket],
    ],
    [
      ['chime:ListCDRBucket', '*'],
      ['s3:ListAllMyBuckets', '*'],
    ],
    [
      ['chime:DeleteCDRBucket', '*'],
      ['s3:DeleteBucket', bucket],
    ],
  ]);
});
