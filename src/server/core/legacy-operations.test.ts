import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadLegacyModel, loadModel } from '#model/load.ts';
import type { Member } from '#model/model.ts';
import { DEFAULT_PIPELINE_LIMITS, DEFAULT_VOICE_LIMITS } from '#services/chime-kit/voice-limits.ts';
import { callerOf } from '#services/kit/fixture.ts';
import type { Access } from '#services/kit/operation.ts';
import { redactedMembers } from '#trail/redact.ts';
import { sample, withCanonicalArns } from '../../../test/wire/samples.ts';
import { allOperations, type ServiceParts } from './services.ts';

const unused = () => {
  throw new Error('access does not depend on it');
};
const PARTS = {
  vault: { seal: unused, open: unused },
  operatorKeys: [new Uint8Array(32)],
  publicUrl: () => 'https://localhost',
  localUrl: () => undefined,
  privateSipPeers: [],
  sipHostSuffix: '.voiceconnector.chime.aws',
  voiceLimits: DEFAULT_VOICE_LIMITS,
  pipelineLimits: DEFAULT_PIPELINE_LIMITS,
} as unknown as ServiceParts;
const LEGACY = loadLegacyModel();
const TABLE = await allOperations({ ...PARTS, legacyChime: true })('chime');
const FORM = { timestamp: (at: number) => at, milliseconds: 0, blob: (bytes: Uint8Array) => bytes, elements: 1 };

/** Operations that create the service-linked role of Voice Connectors if the account does not have it. */
const CREATE_ROLE = new Set(['CreateSipMediaApplication', 'UpdateSipMediaApplication', 'PutVoiceConnectorStreamingConfiguration']);

for (const operation of Object.values(LEGACY.operations)) {
  test(`legacy, CHM-1, TAG-2: ${operation.name} requires its own action on *, and no other of Chime`, () => {
    const input = operation.input === undefined ? {} : sample(LEGACY, { shape: operation.input } satisfies Member, FORM);
    assert.ok(input !== undefined);
    const access = TABLE[operation.name]?.access(withCanonicalArns(LEGACY, operation, input), callerOf({ profile: 'classic' }));
    const [own, ...others] = access as readonly Access[];
    assert.deepEqual(own, { action: `chime:${operation.name}`, resources: ['*'] });
    const expected = CREATE_ROLE.has(operation.name) ? ['iam:CreateServiceLinkedRole'] : [];
    assert.deepEqual(
      others.map(({ action }) => action),
      expected,
    );
  });
}

test('legacy: trail records hide what they hide for the successors', () => {
  const shown: string[] = [];
  for (const [name, [service]] of Object.entries(LEGACY.successors ?? {})) {
    const today = loadModel(service as 'chime');
    for (const side of ['input', 'output'] as const) {
      const [before, now] = [LEGACY.operations[name]?.[side], today.operations[name]?.[side]];
      if (before === undefined || now === undefined) continue;
      const hidden = redactedMembers(LEGACY, before);
      for (const [path, treatment] of redactedMembers(today, now)) {
        if (hidden.get(path) !== treatment && hasPath(before, path)) shown.push(`${name} ${side} ${path}`);
      }
    }
  }
  assert.deepEqual(shown, []);
});

/** Reports whether a shape of the old model has a member: `Tags[].Key`, `Arguments{key}`. */
function hasPath(shape: string, path: string): boolean {
  let at = shape;
  for (const step of path.split(/\.|(?=\[\])|(?=\{)/)) {
    const { members, member, key } = LEGACY.shapes[at] ?? {};
    const next = step === '[]' || step === '{}' ? member : step === '{key}' ? key : members?.[step];
    if (next === undefined) return false;
    at = next.shape;
  }
  return true;
}

test('legacy: without the setting, the removed operations of chime are refused', async () => {
  const off = await allOperations({ ...PARTS, legacyChime: false })('chime');
  const call = { accountId: '111122223333' } as never;
  for (const name of Object.keys(loadModel('chime').removed)) {
    await assert.rejects(async () => off[name]?.handle(call, {}), { code: 'ForbiddenException' }, name);
  }
});
