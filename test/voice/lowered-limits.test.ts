/** Limits that the operator lowers after Voice Connectors were stored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import type { SipHandlers } from '#server/sip/open-sip.ts';
import { VOICE_CONNECTOR } from '#services/chime-sdk-voice/kinds.ts';
import { startTestCore } from '../kit/core.ts';
import { listenForCore } from '../kit/core-listener.ts';

const SOURCE = '8.8.8.8';
const CALLS = 10;

test('CpsLimit: a stored value above the setting limits calls as the setting does, and stays stored', async () => {
  let handlers: SipHandlers | undefined;
  const core = await startTestCore({
    sip: {
      async listen(opened) {
        handlers = opened;
        return { close: async () => undefined };
      },
      resolve: async () => [],
    },
  });
  const endpoint = `${await listenForCore(core)}/_chime-sdk-voice`;
  const voice = new sdk.ChimeSDKVoiceClient({ endpoint, region: 'us-east-1', credentials: core.credentials, maxAttempts: 1 });
  const { VoiceConnector } = await voice.send(new sdk.CreateVoiceConnectorCommand({ Name: 'trunk', RequireEncryption: false }));
  const VoiceConnectorId = VoiceConnector?.VoiceConnectorId as string;
  const Termination = {
    ...{ CallingRegions: ['US'], CidrAllowedList: [`${SOURCE}/32`], DefaultPhoneNumber: '+12065550100', Disabled: false },
    CpsLimit: 1,
  };
  await voice.send(new sdk.PutVoiceConnectorTerminationCommand({ VoiceConnectorId, Termination }));
  // The default of the setting is 1, so this value is from a time with a higher setting.
  await core.store.transaction(async (tx) => {
    const key = { accountId: core.accountId, region: 'us-east-1', parent: '', id: VoiceConnectorId };
    const stored = await tx.resources.get(VOICE_CONNECTOR, key);
    assert.ok(stored?.document.Termination !== undefined);
    const document = { ...stored.document, Termination: { ...stored.document.Termination, CpsLimit: CALLS } };
    await tx.resources.put(VOICE_CONNECTOR, { ...stored, document });
    await tx.sql.run(
      `INSERT INTO phone_number (number, account_id, order_id, product_type, state, created_at_ms, updated_at_ms, acquired_at_ms, association_name, associated_to, document)
       VALUES ('+12065550100', $1, 'o', 'VoiceConnector', 'Assigned', 0, 0, 0, 'VoiceConnectorId', $2, '{}')`,
      [core.accountId, VoiceConnectorId],
    );
  });
  const ru = `sip:+12065550123@${VoiceConnectorId}.voiceconnector.chime.aws`;
  const request = { m: 'INVITE', i: 1, l: 2, src: SOURCE, port: 5060, proto: 'udp', ru, tu: ru, fu: 'sip:pbx@pbx', ci: 'c' };
  const decide = async () => JSON.parse((await handlers?.decide(Buffer.from(JSON.stringify(request)))) ?? '{}').r as string;
  const reasons = await Promise.all(Array.from({ length: CALLS }, decide));
  assert.ok(reasons.includes('No carrier'), reasons.join());
  assert.ok(reasons.includes('Service Unavailable'), reasons.join());
  const read = await voice.send(new sdk.GetVoiceConnectorTerminationCommand({ VoiceConnectorId }));
  assert.equal(read.Termination?.CpsLimit, CALLS);
});
