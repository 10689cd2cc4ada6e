/**
 * A compliance report on many users and records: each statement reads a bounded number of rows, the memory in use does not grow with records, and
 * the report has a bounded size.
 */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ACCESS_LIMITS } from '#compliance/report/access.ts';
import { ACTIVITY_LIMITS } from '#compliance/report/activity.ts';
import { CREDENTIALS_MAX } from '#compliance/report/credentials.ts';
import { writeReport } from '#compliance/report/write-report.ts';
import { instant } from '#core/instant.ts';
import { readSettings } from '#server/settings.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql, SqlValue } from '#store/sql.ts';
import { newFolder } from '../kit/folder.ts';
import { appenderOf } from '../kit/trail-log.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { DENIED_EVERY, fillRecords, fillUsers } from './large-database.ts';

const USERS = 1_000;
const RECORDS = 20_000;
/** Most rows that one statement returns, and most characters of their strings. 128 packs with 32 records of 1 KB have 4.5 million. */
const ROWS_MAX = 256;
const CHARACTERS_MAX = 5_000_000;
/** Most bytes by which the heap in use may grow while records are read: the groups of activity, and two pages. The records have 25 MB. */
const HELD_MAX_BYTES = 12_000_000;
/** Most bytes of the report and of the page, which do not grow with users and records. */
const REPORT_MAX_BYTES = 1_500_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const postgres = await testPostgres();
after(postgres.stop);

for (const engine of ['SQLite', 'PostgreSQL'] as const) {
  test(`large database on ${engine}: the report names a part, the files have everything, and no statement reads many rows`, () =>
    reportOn(engine));
}

async function reportOn(engine: 'SQLite' | 'PostgreSQL'): Promise<void> {
  const folder = newFolder('large');
  const url = engine === 'SQLite' ? `file:${folder}` : postgres.url;
  const store = engine === 'SQLite' ? await openSqlite(folder) : await openPostgres(url);
  await fillUsers(store, USERS, Date.now());
  await fillRecords(store, RECORDS, USERS, Date.now);
  await appenderOf(store).run();
  await store.close();

  const database = await openReadOnly(url);
  let most = 0;
  let characters = 0;
  const held: number[] = [];
  let total = 0;
  const counted = (sql: Sql): Sql => ({
    ...sql,
    async rows<Row>(text: string, values?: readonly SqlValue[]) {
      const rows = await sql.rows<Row>(text, values);
      most = Math.max(most, rows.length);
      total += rows.length;
      characters = Math.max(characters, sizeOf(rows));
      if (text.includes('trail_pack')) {
        collectGarbage();
        held.push(process.memoryUsage().heapUsed);
      }
      return rows;
    },
  });
  const out = join(newFolder('large-report'), 'report');
  const settings = readSettings([], { BELFRY_DATA: folder, BELFRY_DATABASE: url });
  const now = instant(Date.now() + 1);
  const request = {
    out,
    accountId: undefined,
    days: 1,
    now,
    settings,
    eventHistoryDays: undefined,
    witnesses: [],
    acceptedEpochs: new Set<number>(),
  };
  const second = async () => counted(await database.second());
  const { report } = await writeReport({ ...database, sql: counted(database.sql), second }, request);
  await database.close();

  assert.ok(most <= ROWS_MAX, `${most} rows`);
  assert.ok(characters <= CHARACTERS_MAX, `${characters} characters`);
  const growth = Math.max(...held) - (held[0] as number);
  assert.ok(held.length > 10 && growth <= HELD_MAX_BYTES, `${growth} bytes after ${held.length} measurements`);
  // Each user is read for access, credentials and rules, with its key and last use, and each pack of up to 32 records twice.
  assert.ok(total < 30 * USERS + RECORDS, `${total} rows`);
  const { access, activity, credentials, trail } = report;
  assert.deepEqual(trail.problems, []);
  assert.deepEqual(
    [access.principals.total, access.principals.more, access.users],
    [USERS + 1, USERS + 1 - ACCESS_LIMITS.principals, USERS],
  );
  assert.deepEqual([activity.requests, activity.denied, activity.errors], [RECORDS, RECORDS / DENIED_EVERY, RECORDS / DENIED_EVERY]);
  assert.deepEqual([activity.principals.total, activity.principals.more], [USERS, USERS - ACTIVITY_LIMITS.principals]);
  assert.deepEqual([credentials.oldest.total, credentials.oldest.more], [USERS + 1, USERS + 1 - CREDENTIALS_MAX]);
  const lines = (file: string) => readFileSync(join(out, file), 'utf8').split('\n').length - 1;
  assert.deepEqual([lines('access.jsonl'), lines('credentials.jsonl')], [USERS + 1, USERS + 1]);
  for (const file of ['report.json', 'report.html']) assert.ok(statSync(join(out, file)).size < REPORT_MAX_BYTES, file);
  assert.ok(!readFileSync(join(out, 'credentials.jsonl'), 'utf8').includes('canary'));
}

/** Returns the number of characters of the strings in rows. */
function sizeOf(rows: readonly unknown[]): number {
  const values = (rows as readonly object[]).flatMap((row) => Object.values(row));
  return values.reduce((sum: number, value) => sum + (typeof value === 'string' ? value.length : 0), 0);
}
