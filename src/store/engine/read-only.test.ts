import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openReadOnly } from './read-only.ts';
import { openSqlite } from './sqlite.ts';
import { dataFolders } from './sqlite-fixture.ts';

const newDataFolder = dataFolders();
const folder = newDataFolder();
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

test('openReadOnly: a file that loses its end while it is read is an error that names the file, and the process goes on', () => {
  const cut = newDataFolder();
  mkdirSync(cut);
  const script = `
    import { truncateSync } from 'node:fs';
    import { openReadOnly } from ${JSON.stringify(new URL('./read-only.ts', import.meta.url).href)};
    const { sql, close } = await openReadOnly(${JSON.stringify(`file:${cut}`)});
    await sql.row('SELECT COUNT(*) FROM schema_version');
    truncateSync(${JSON.stringify(join(cut, 'belfry.db'))}, 4_096);
    await sql.rows('SELECT * FROM padding').catch((error) => console.log(error.message));
    await close();
    console.log('closed');`;
  const db = new DatabaseSync(join(cut, 'belfry.db'));
  db.exec('CREATE TABLE schema_version (version INTEGER); CREATE TABLE padding (text TEXT)');
  db.exec(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99) INSERT INTO padding SELECT hex(zeroblob(9999)) FROM n',
  );
  db.close();
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.deepEqual([status, signal], [0, null], stderr);
  assert.match(stdout, /^the database '.*belfry\.db' is damaged \(.+\); restore it from a backup, .+\nclosed\n$/);
});
