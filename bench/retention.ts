import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { systemClock } from '#server/core/clock.ts';
import { NO_TRAILS } from '#server/core/retention-phases.ts';
import { retention } from '#server/core/trail-retention.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import { fillTrail } from './lib-fill-trail.ts';
import { cpuMs } from './lib-turns.ts';
import { median } from './load.ts';

/**
 * Deletes old trail records, step by step without pauses. Measures the time and the CPU time of a step. In the first trail, all records of a pack expire. In the second trail, half of them stay, so each pack is
 * rewritten. Command: `node bench/retention.ts [--records 300000]`.
 */
const { values: settings } = parseArgs({ options: { records: { type: 'string', default: '300000' } } });
const records = Number(settings.records);
const [short, long] = ['111122223333', '444455556666'] as [AccountId, AccountId];

/** Cases, with the accounts to which the records of a pack belong in turn. */
const CASES: readonly (readonly [title: string, accounts: readonly AccountId[]])[] = [
  ['whole packs', [short]],
  ['half of each pack', [short, long]],
];

function figures(name: string, milliseconds: readonly number[]): string {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const p99 = sorted[Math.floor(sorted.length * 0.99)] as number;
  return `${name} p50 ${median(sorted).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${(sorted.at(-1) as number).toFixed(1)} ms`;
}

for (const [title, accounts] of CASES) {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
  let now = Date.now();
  const store = await openSqlite(join(folder, 'data'), { now: () => now });
  try {
    await fillTrail(store, accounts, records);
    await store.transaction((tx) => tx.of(trailRetention).set(long, 3_653));
    now += 91 * DAY_MS;
    const clock = { ...systemClock, wall: () => instant(now) };
    const { step } = retention({
      store,
      region: 'us-east-1',
      defaultDays: 90,
      clock,
      newId: () => 'id',
      delivered: NO_TRAILS,
      report: console.error,
    });
    const times: number[] = [];
    const used: number[] = [];
    for (let more = true; more; ) {
      const [began, cpuBefore] = [performance.now(), cpuMs()];
      more = (await step()) === 'more';
      times.push(performance.now() - began);
      used.push(cpuMs() - cpuBefore);
    }
    const deleted = records / accounts.length;
    const usedTotal = used.reduce((sum, each) => sum + each, 0);
    console.log(
      `${title.padEnd(20)} ${times.length} steps  ${figures('time', times)}  ${figures('CPU', used)}  ${((usedTotal * 1000) / deleted).toFixed(1)} µs CPU a record`,
    );
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
