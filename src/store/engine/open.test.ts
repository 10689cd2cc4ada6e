import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { openStore } from './open.ts';

const base = mkdtempSync(join(tmpdir(), 'belfry-open-'));
after(() => rmSync(base, { recursive: true, force: true }));

for (const [name, settingOf] of [
  ['a path', (folder: string) => `file:${folder}`],
  ['a URL', (folder: string) => pathToFileURL(folder).href],
] as const) {
  test(`openStore: a folder given as ${name}, with a space and a percent sign in it, is that folder`, async () => {
    const folder = join(base, `${name} 100%`);
    await (await openStore(settingOf(folder), {})).close();
    assert.ok(existsSync(join(folder, 'belfry.db')));
  });
}

test('openStore: file::memory: keeps nothing', async () => {
  const store = await openStore('file::memory:', {});
  assert.equal(await store.transaction((tx) => tx.meta.add('k', 'v')), 'added');
  await store.close();
});

test('openStore: any other setting is refused, without repeating what may hold a password', async () => {
  await assert.rejects(
    openStore('mysql://root:secret@db/belfry', {}),
    (error: Error) => /file: or postgres:/.test(error.message) && !error.message.includes('secret'),
  );
});
