/**
 * Measures CreateAttendee on PostgreSQL with conflicts: 64 callers add attendees to eight meetings for three seconds.
 * Then compares every response with the rows of the attendees and with the trail records in the database.
 * Command: `npm run bench contention`.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { profileKeys } from '../test/kit/keys.ts';
import { contend } from '../test/store/contention.ts';
import { testPostgres } from '../test/store/test-postgres.ts';
import { median } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 3);

const rates: number[] = [];
let contradictions = 0;
for (let round = 0; round < ROUNDS; round++) {
  const postgres = await testPostgres();
  const dataFolder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
  const settings = readSettings([], {
    BELFRY_DATA: dataFolder,
    BELFRY_HTTP: '127.0.0.1:0',
    BELFRY_HTTPS: 'off',
    BELFRY_DATABASE: postgres.url,
  });
  const { ready, stop } = await startServer(settings, (why) => {
    console.error(why);
    process.exit(1);
  });
  const history = await contend({
    endpoint: ready.listeners[0]?.endpoint as string,
    credentials: profileKeys(dataFolder),
    databaseUrl: postgres.url,
    callers: 64,
    seconds: 3,
    kinds: ['attendee'],
  });
  rates.push(history.acknowledged / history.fullAfterSeconds);
  contradictions += history.violations.length;
  await stop();
  await postgres.stop();
  rmSync(dataFolder, { recursive: true, force: true });
}
console.log(
  `CreateAttendee under conflict on PostgreSQL   ${Math.round(median(rates))} acknowledged /s   ${contradictions} contradictions   (64 callers, 8 meetings, medians of ${ROUNDS} rounds)`,
);
if (contradictions > 0) process.exitCode = 1;
