/** A compliance report on many users and records: each statement reads a bounded number of rows, and the report has a bounded size. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ACCESS_LIMITS } from '#compliance/report/access.ts';
import { ACTIVITY_LIMITS } from '#compliance/report/activity.ts';
import { CREDENTIALS_MAX } from '#compliance/report/credentials.ts';
import { writeReport } from '#compliance/report/write-report.ts';
import { instant } from '#core/instant.ts';
import { readSettings } from '#server/settings.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql, SqlValue } from '#store/sql.ts';
import { newFolder } from '../kit/folder.ts';
import { appenderOf } from '../kit/trail-log.ts';
import { DENIED_EVERY, fillRecords, fillUsers } from './large-database.ts';

const USERS = 1_000;
const RECORDS = 20_000;
/** Most rows that one statement returns. */
const ROWS_MAX = 512;
/** Most bytes of the report and of the page, which do not grow with users and records. */
const REPORT_MAX_BYTES = 1_500_000;

test('large database: the report names a part, the files have everything, and no statement reads many rows', async () => {
  const folder = newFolder('large');
  const store = await openSqlite(folder);
  await fillUsers(store, USERS, Date.now());
  await fillRecords(store, RECORDS, USERS, Date.now);
  await appenderOf(store).run();
  await store.close();

  const database = await openReadOnly(`file:${folder}`);
  let most = 0;
  let total = 0;
  const counted: Sql = {
    ...database.sql,
    async rows<Row>(text: string, values?: readonly SqlValue[]) {
      const rows = await database.sql.rows<Row>(text, values);
      most = Math.max(most, rows.length);
      total += rows.length;
      return rows;
    },
  };
  const out = join(newFolder('large-report'), 'report');
  const settings = readSettings([], { BELFRY_DATA: folder });
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
  const { report } = await writeReport({ ...database, sql: counted, second: async () => counted }, request);
  await database.close();

  assert.ok(most <= ROWS_MAX, `${most} rows`);
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
});
