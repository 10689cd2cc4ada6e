import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { operatorKeyRing } from '#access/operator-keys.ts';
import { openVault } from '#access/vault.ts';
import { instant } from '#core/instant.ts';
import { openSqlite } from '#store/sqlite.ts';
import { operatorKeyCommands } from './operator-key.ts';

test('operatorKeyCommands: the key is not rotated while another server, whose file would not have it, is on the database', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-operator-key-'));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'operator.key');
  const ring = operatorKeyRing(path);
  const before = readFileSync(path, 'utf8');
  const registered = (id: string) => ({ id, name: `host-${id} 1`, startedAt: instant(0), appliedVersion: 0, state: 'active' as const });
  const store = await openSqlite(':memory:');
  const commands = operatorKeyCommands({
    ring,
    vault: openVault(ring.keys),
    store,
    region: 'us-east-1',
    now: () => instant(0),
    lease: { serverId: () => 'a', servers: async () => [registered('a'), registered('b')] },
  });
  await assert.rejects(commands.rotate(), /^Error: other servers are on this database \(host-b 1\); stop them first\.$/);
  assert.equal(readFileSync(path, 'utf8'), before);
  await store.close();
});
