import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeAuthorizationMessageCommand } from '@aws-sdk/client-sts';
import { startAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { createMeeting } from '../kit/meeting.ts';
import { encodedDenialOf } from '../kit/outcome.ts';
import { allow, deny } from '../kit/policy.ts';

const { user, meetings, sts } = await startAccount();

/** Calls CreateMeeting and returns the encoded message of the denial. */
const deniedMessage = (keys: Keys): Promise<string> => encodedDenialOf(meetings(keys).send(createMeeting('explained')));

test('TS-8: the encoded message of a denial contains the deciding statement for an authorized caller', async () => {
  const message = await deniedMessage(
    await user('explicit', allow('*', '*', { Sid: 'All' }), deny('chime:Create*', '*', { Sid: 'NoMeetings' })),
  );
  const { DecodedMessage } = await sts().send(new DecodeAuthorizationMessageCommand({ EncodedMessage: message }));
  const decoded = JSON.parse(DecodedMessage as string);
  assert.equal(decoded.allowed, false);
  assert.equal(decoded.explicitDeny, true);
  assert.deepEqual(
    decoded.matchedStatements.items.map((each: { statementId: string; effect: string }) => [each.statementId, each.effect]),
    [['NoMeetings', 'DENY']],
  );
  assert.equal(decoded.context.action, 'chime:CreateMeeting');
});

test('TS-8: decoding is denied without permission, and an altered message is invalid', async () => {
  const guest = await user('unexplained');
  const message = await deniedMessage(guest);
  const decode = (EncodedMessage: string, credentials?: typeof guest) =>
    sts(credentials).send(new DecodeAuthorizationMessageCommand({ EncodedMessage }));
  await assert.rejects(decode(message, guest), { name: 'AccessDenied' });
  const altered = `${message.slice(0, -2)}${message.endsWith('AA') ? 'BB' : 'AA'}`;
  await assert.rejects(decode(altered), { name: 'InvalidAuthorizationMessageException' });
});
