/**
 * Measures `belfry trail verify`: records that one minute of CPU time of this process checks, in a database with chains, a transparency log and decision
 * contexts. Also prints the wall time.
 * Command: `node bench/verify.ts [--records 200000] [--engine sqlite|postgres]`, with `ROUNDS` (default 5).
 */
import { parseArgs } from 'node:util';
import type { AccountId } from '#core/arn.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import { appenderOf, verified } from '../test/kit/trail-log.ts';
import { newDatabase } from './lib-database.ts';
import { fillTrail } from './lib-fill-trail.ts';
import { processCpuMs } from './lib-turns.ts';
import { median } from './load.ts';

const { values: settings } = parseArgs({
  options: { records: { type: 'string', default: '200000' }, engine: { type: 'string', default: 'sqlite' } },
});
const records = Number(settings.records);
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);

const { url, store, remove } = await newDatabase(settings.engine);
try {
  await fillTrail(store, '111122223333' as AccountId, records);
  await appenderOf(store).run();
  await store.close();
  const [used, elapsed]: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    const database = await openReadOnly(url);
    const [cpuBefore, began] = [processCpuMs(), performance.now()];
    const report = await verified(database.sql, { second: await database.second() });
    // The first round only warms up.
    if (round > 0) {
      used.push(processCpuMs() - cpuBefore);
      elapsed.push(performance.now() - began);
    }
    await database.close();
    if (report.problems.length > 0 || report.records < records) throw new Error(`${report.records} records: ${report.problems.join(', ')}`);
  }
  const perMinute = (ms: number) => `${((records / ms) * 0.06).toFixed(2)} million`;
  console.log(
    `${settings.engine}: ${perMinute(median(used))} records a minute of CPU time (rounds ${perMinute(Math.max(...used))} to ${perMinute(Math.min(...used))}), ` +
      `${((median(used) * 1000) / records).toFixed(1)} µs each; ${perMinute(median(elapsed))} a minute of wall time`,
  );
} finally {
  await remove();
}
