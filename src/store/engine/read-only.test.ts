import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openReadOnly } from './read-only.ts';
import { openSqlite } from './sqlite.ts';
import { dataFolders } from './sqlite-fixture.ts';

const folder = dataFolders()();
await (await openSqlite(folder)).close();

test('openReadOnly: a read of rows ends the turn of the event loop, so that unused stacks can be freed in a long run', async () => {
  const { sql, close } = await openReadOnly(`file:${folder}`);
  let turns = 0;
  for (let read = 1; read <= 3; read++) {
    setImmediate(() => turns++);
    await sql.rows('SELECT version FROM schema_version');
    assert.equal(turns, read);
  }
  await close();
});

test('openReadOnly: only a command that asks for it maps the file', async () => {
  for (const [mapped, size] of [
    [false, 0],
    [true, 0x7fff0000],
  ] as const) {
    const { sql, close } = await openReadOnly(`file:${folder}`, { mapped });
    assert.deepEqual({ ...(await sql.row<object>('PRAGMA mmap_size')) }, { mmap_size: size });
    await close();
  }
});
