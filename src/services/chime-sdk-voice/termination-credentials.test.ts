import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openVault } from '#access/vault.ts';
import type { Credential } from '#model/generated/chime-sdk-voice.ts';
import { DEFAULT_VOICE_LIMITS } from '../chime-kit/voice-limits.ts';
import { ACCOUNT, openFixture, TERMINATION } from './fixture.ts';
import { sipCredentialBinding, VOICE_CONNECTOR } from './kinds.ts';

const vault = openVault([new Uint8Array(32).fill(7)]);
const ADA = { Username: 'ada', Password: 'first secret' };
const BOB = { Username: 'bob', Password: 'second secret' };

async function openTermination() {
  const fixture = await openFixture({ vault, limits: { ...DEFAULT_VOICE_LIMITS, credentials: 2 } });
  const VoiceConnectorId = await fixture.connector();
  await fixture.run('PutVoiceConnectorTermination', { VoiceConnectorId, Termination: TERMINATION });
  const kept = async () => {
    const key = { accountId: ACCOUNT, region: 'us-east-1', parent: '', id: VoiceConnectorId };
    return (await fixture.store.transaction((tx) => tx.resources.get(VOICE_CONNECTOR, key)))?.document.Credentials ?? [];
  };
  return {
    ...fixture,
    VoiceConnectorId,
    kept,
    put: (Credentials: readonly Credential[]) => fixture.run('PutVoiceConnectorTerminationCredentials', { VoiceConnectorId, Credentials }),
    usernames: async () => (await fixture.run('ListVoiceConnectorTerminationCredentials', { VoiceConnectorId })).Usernames,
    passwords: async () =>
      (await kept()).map(({ Username, sealedPassword }) => vault.open(sealedPassword, sipCredentialBinding(VoiceConnectorId, Username))),
  };
}

test('PutVoiceConnectorTerminationCredentials: adds users, replaces passwords, and lists only names', async () => {
  const { put, usernames, passwords } = await openTermination();
  assert.deepEqual(await put([ADA]), {});
  await put([BOB, { ...ADA, Password: 'third secret' }]);
  assert.deepEqual(await usernames(), ['ada', 'bob']);
  assert.deepEqual(await passwords(), ['third secret', 'second secret']);
});

test('PutVoiceConnectorTerminationCredentials: a password is stored encrypted, bound to its user (LOG-4)', async () => {
  const { put, kept, VoiceConnectorId } = await openTermination();
  await put([ADA, BOB]);
  const [ada] = await kept();
  assert.ok(ada);
  assert.ok(!JSON.stringify(await kept()).includes('secret'));
  assert.throws(() => vault.open(ada.sealedPassword, sipCredentialBinding(VoiceConnectorId, 'bob')));
});

test('DeleteVoiceConnectorTerminationCredentials: deletes SIP users and ignores unknown names', async () => {
  const { run, put, usernames, VoiceConnectorId } = await openTermination();
  await put([ADA, BOB]);
  await run('DeleteVoiceConnectorTerminationCredentials', { VoiceConnectorId, Usernames: ['ada', 'unknown'] });
  assert.deepEqual(await usernames(), ['bob']);
});

test('DeleteVoiceConnectorTermination: deletes the termination and its SIP users', async () => {
  const { run, put, usernames, VoiceConnectorId } = await openTermination();
  await put([ADA]);
  await run('DeleteVoiceConnectorTermination', { VoiceConnectorId });
  assert.deepEqual(await usernames(), []);
  await assert.rejects(put([ADA]), { code: 'NotFoundException' });
});

// biome-ignore format: a table
const REFUSED: readonly [title: string, credentials: readonly Credential[]][] = [
  ['no password',                  [{ Username: 'eve' }]],
  ['no name',                      [{ Password: 'secret' }]],
  ['an empty name',                [{ Username: '', Password: 'secret' }]],
  ['a password outside US-ASCII',  [{ Username: 'eve', Password: 'gehëim' }]],
  ['a control character',          [{ Username: 'e\r\nve', Password: 'secret' }]],
  ['a name twice',                 [BOB, BOB]],
  ['one user over the limit',      [BOB, { Username: 'eve', Password: 'secret' }]],
];

for (const [title, credentials] of REFUSED) {
  test(`Termination credentials: ${title} is BadRequestException, whose message has no name or password`, async () => {
    const { put, kept } = await openTermination();
    await put([ADA]);
    const before = await kept();
    await assert.rejects(put(credentials), (error: { code: string; message: string }) => {
      assert.equal(error.code, 'BadRequestException');
      for (const { Username, Password } of credentials) {
        assert.ok(!(Username && error.message.includes(Username)) && !(Password && error.message.includes(Password)));
      }
      return true;
    });
    assert.deepEqual(await kept(), before);
  });
}
