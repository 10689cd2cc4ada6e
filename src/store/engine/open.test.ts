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
  test(`openStore: opens a folder with a space and a percent sign, written as ${name}`, async () => {
    const folder = join(base, `${name} 100%`);
    await (await openStore(settingOf(folder), {})).close();
    assert.ok(existsSync(join(folder, 'belfry.db')));
  });
}

test("openStore: the setting 'file::memory:' opens a new empty database each time", async () => {
  const store = await openStore('file::memory:', {});
  assert.equal(await store.transaction((tx) => tx.meta.add('k', 'v')), 'added');
  await store.close();
});

test('openStore: the error of an invalid setting does not contain the setting, which may have a password', async () => {
  await assert.rejects(
    openStore('mysql://root:secret@db/belfry', {}),
    (error: Error) => /must be file:FOLDER or postgres:/.test(error.message) && !error.message.includes('secret'),
  );
});
