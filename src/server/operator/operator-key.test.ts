import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { operatorKeyRing } from '#access/operator-keys.ts';
import { openVault, vaultFingerprint } from '#access/vault.ts';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import { deliveryTargets, SEALED_TARGETS, secretOwner } from '#delivery/tables/delivery-targets.ts';
import { digestSigningKeys, keyOwner, SEALED_DIGEST_KEYS } from '#delivery/tables/digest-signing-keys.ts';
import { APP_INSTANCE, APP_INSTANCE_USER_ENDPOINT } from '#services/chime-kit/app-instances.ts';
import { type EndpointRecord, openAttributes } from '#services/chime-kit/user-endpoints.ts';
import { sealAttributes } from '#services/chime-sdk-identity/endpoint-records.ts';
import { sipCredentialBinding, VOICE_CONNECTOR } from '#services/chime-sdk-voice/kinds.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { FINGERPRINT, OPERATOR_ACCOUNT } from '../core/first-start.ts';
import { DECLARED } from '../core/services.ts';
import { operatorKeyCommands } from './operator-key.ts';

const ACCOUNT = '111122223333' as AccountId;
const KEYS = 120;
const SEALED = DECLARED.flatMap(({ sealed = [] }) => sealed);
const CONNECTOR = { accountId: ACCOUNT, region: 'eu-west-1', parent: '', id: 'connector' };
const DIGEST_KEY = { region: 'eu-west-1', fingerprint: '0123456789abcdef0123456789abcdef' };
const ENDPOINT = { accountId: ACCOUNT, region: 'eu-central-1', parent: 'a', id: 'ada/1' };

/** Returns a store with access keys, two SIP users and an app instance user's endpoint. A new operator key encrypts their secrets. */
async function sealedStore() {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-operator-key-'));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'operator.key');
  const vault = openVault(operatorKeyRing(path).keys);
  const store = await openSqlite(':memory:');
  await store.transaction(async (tx) => {
    await tx.meta.put(OPERATOR_ACCOUNT, ACCOUNT);
    await tx.meta.put(FINGERPRINT, vaultFingerprint(vault));
    for (let i = 0; i < KEYS; i++) {
      const accessKeyId = `AKIA${i}`;
      const sealedSecret = vault.seal(`secret ${i}`, accessKeyId);
      await tx.identity.put(ACCOUNT, 'access-key', accessKeyId, {
        accountId: ACCOUNT,
        accessKeyId,
        sealedSecret,
        status: 'Active',
        createdAt: instant(0),
      });
    }
    const times = { createdAt: instant(0), updatedAt: instant(0), tags: [] };
    await tx.resources.add(APP_INSTANCE, { ...ENDPOINT, ...times, parent: '', id: 'a', document: { Name: 'chat' } });
    const sealedAttributes = sealAttributes(vault, ENDPOINT, 'the device token');
    const document = { Type: 'GCM', ResourceArn: '', AllowMessages: 'ALL', sealedAttributes } as const;
    await tx.resources.add(APP_INSTANCE_USER_ENDPOINT, { ...ENDPOINT, ...times, document });
    const location = {
      kind: 's3',
      endpoint: 'https://s3.example',
      region: 'eu-west-1',
      accessKeyId: 'AKIA',
      allowInternal: false,
    } as const;
    const sealedSecret = vault.seal('the target', secretOwner({ bucket: 'logs' }));
    await tx.of(deliveryTargets).add({ bucket: 'logs', location, sealedSecret, createdAt: instant(0) });
    await tx.of(deliveryTargets).add({ bucket: 'folder', location: { kind: 'folder', path: '/logs' }, createdAt: instant(0) });
    const sealedPrivateKey = vault.seal('the digest key', keyOwner(DIGEST_KEY));
    await tx.of(digestSigningKeys).add({ ...DIGEST_KEY, sealedPrivateKey, validUntil: instant(1) });
    const sip = ['sip 1', 'sip 2'].map((password) => {
      const Username = `user of ${password}`;
      return { Username, sealedPassword: vault.seal(password, sipCredentialBinding('connector', Username)) };
    });
    await tx.resources.add(VOICE_CONNECTOR, {
      ...CONNECTOR,
      ...times,
      document: {
        Name: 'trunk',
        AwsRegion: 'eu-west-1',
        RequireEncryption: true,
        NetworkType: 'IPV4_ONLY',
        Credentials: sip,
      },
    });
  });
  return { path, store };
}

/** Returns the operator commands of a server that starts with this key file. */
function commandsOn(path: string, store: Store) {
  const ring = operatorKeyRing(path);
  const vault = openVault(ring.keys);
  const alone = { serverId: () => 'a', servers: async () => [] };
  return {
    ring,
    vault,
    commands: operatorKeyCommands({
      ring,
      vault,
      store,
      region: 'us-east-1',
      now: () => instant(0),
      newId: randomUUID,
      lease: alone,
      sealed: SEALED,
      rows: [SEALED_TARGETS, SEALED_DIGEST_KEYS],
    }),
  };
}

const secrets = (store: Store, vault: Vault) =>
  store.transaction(async (tx) => {
    const keys = await tx.identity.list(ACCOUNT, 'access-key');
    const credentials = (await tx.resources.get(VOICE_CONNECTOR, CONNECTOR))?.document.Credentials ?? [];
    const endpoint = (await tx.resources.get(APP_INSTANCE_USER_ENDPOINT, ENDPOINT)) as EndpointRecord;
    return [
      ...keys.map(({ record }) => vault.open(record.sealedSecret, record.accessKeyId)).sort(),
      ...credentials.map(({ Username, sealedPassword }) => vault.open(sealedPassword, sipCredentialBinding('connector', Username))),
      openAttributes<string>(vault, endpoint),
      vault.open((await tx.of(deliveryTargets).get('logs'))?.sealedSecret ?? '', secretOwner({ bucket: 'logs' })),
      ...(await tx.of(digestSigningKeys).list()).map((key) => vault.open(key.sealedPrivateKey, keyOwner(key))),
    ];
  });
/** All secrets in the store: of the access keys (re-encrypted in three transactions), the SIP users, the endpoint, the target and the digests. */
const EVERY = [
  ...Array.from({ length: KEYS }, (_, i) => `secret ${i}`).sort(),
  'sip 1',
  'sip 2',
  'the device token',
  'the target',
  'the digest key',
];

for (const failing of [1, 2, 3, 4]) {
  test(`operatorKeyCommands: if transaction ${failing} of rotate() fails, no secret is lost, and a retry succeeds`, async () => {
    const { path, store } = await sealedStore();
    let step = 0;
    const stopping: Store = {
      ...store,
      transaction: (work) => (step++ === failing ? Promise.reject(new Error('the machine stopped')) : store.transaction(work)),
    };
    await assert.rejects(commandsOn(path, stopping).commands.rotate(), /the machine stopped/);

    const { ring, vault, commands } = commandsOn(path, store);
    assert.equal(ring.keys().length, 2);
    assert.deepEqual(await secrets(store, vault), EVERY);
    await assert.rejects(commands.forgetOlder(), /no key was deleted/);
    assert.equal((await commands.rotate()).resealed, EVERY.length);
    await commands.forgetOlder();
    const after = commandsOn(path, store);
    assert.equal(after.ring.keys().length, 1);
    assert.deepEqual(await secrets(store, after.vault), EVERY);
    await store.close();
  });
}

test('operatorKeyCommands: concurrent rotations run one after the other', async () => {
  const { path, store } = await sealedStore();
  const { ring, vault, commands } = commandsOn(path, store);
  const [first, second] = await Promise.all([commands.rotate(), commands.rotate()]);
  assert.deepEqual([first.older.length, second.older.length, second.older[0]], [1, 2, first.newest]);
  await commands.forgetOlder();
  assert.equal(ring.keys().length, 1);
  assert.deepEqual(await secrets(store, vault), EVERY);
  await store.close();
});

test('operatorKeyCommands: rotate fails while another server uses the database', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-operator-key-'));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'operator.key');
  const ring = operatorKeyRing(path);
  const before = readFileSync(path, 'utf8');
  const registered = (id: string) => ({
    id,
    name: `host-${id} 1`,
    startedAt: instant(0),
    appliedVersion: 0,
    state: 'active' as const,
    address: '',
    seenAt: instant(0),
  });
  const store = await openSqlite(':memory:');
  const commands = operatorKeyCommands({
    ring,
    vault: openVault(ring.keys),
    store,
    region: 'us-east-1',
    now: () => instant(0),
    newId: randomUUID,
    sealed: SEALED,
    rows: [SEALED_TARGETS, SEALED_DIGEST_KEYS],
    lease: { serverId: () => 'a', servers: async () => [registered('a'), registered('b')] },
  });
  await assert.rejects(commands.rotate(), /^Error: other servers use this database \(host-b 1\); stop these servers first$/);
  assert.equal(readFileSync(path, 'utf8'), before);
  await store.close();
});
