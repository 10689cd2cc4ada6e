import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { LookupAttribute } from '#store/trail/trail-row.ts';
import { testPostgres } from '../test/store/test-postgres.ts';
import { bulkFill } from './lib-bulk-fill.ts';
import { fillTrail, levels, tail, untilIndexed } from './lib-fill-trail.ts';
import { cpuMs, processCpuMs } from './lib-turns.ts';
import { median } from './load.ts';

/**
 * Measures look-ups in a trail of many records, one after the other, after the index is complete, and counts the runs of the index.
 * `--fill store` writes the records as a server does, and also measures the cost of writing them and their index.
 * Command: `node bench/look-ups.ts [--records 1000000] [--engine sqlite|postgres] [--fill bulk|store]`.
 */
const { values: settings } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    engine: { type: 'string', default: 'sqlite' },
    fill: { type: 'string', default: 'bulk' },
  },
});
const records = Number(settings.records);
const accountId = '111122223333' as AccountId;
const ROUNDS = 200;

/** Values to look up. `of` returns the value for a round. The records have 100 users, and one in 1,000 has the event name `Rare`. */
const VALUES: readonly (readonly [title: string, name: LookupAttribute, of: (round: number, id: string) => string])[] = [
  ['a frequent event name', 'EventName', () => 'CreateMeeting'],
  ['a rare event name', 'EventName', () => 'Rare'],
  ['a user with 1 % of the records', 'Username', (round) => `user-${round % 100}`],
  ['a key with 100 records', 'AccessKeyId', (round) => `ASIA${round}`],
  ['an event ID', 'EventId', (_, id) => id],
  ['an absent resource', 'ResourceName', (round) => `absent-${round}`],
];

async function newDatabase() {
  if (settings.engine === 'postgres') {
    const { url, stop } = await testPostgres();
    return { url, open: () => openPostgres(url), remove: stop };
  }
  const folder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
  return { url: folder, open: () => openSqlite(folder), remove: async () => rmSync(folder, { recursive: true, force: true }) };
}

/** Writes the records through a store, as a server does. Prints what a record and its index cost. */
async function fillThroughStore(): Promise<readonly string[]> {
  const cpuAtStart = cpuMs();
  const eventIds = await fillTrail(store, accountId, records);
  const filled = cpuMs();
  const behind = await tail(store);
  if (settings.engine === 'postgres') {
    // On PostgreSQL, a record gets its index half a minute after its commit. The next record starts the index of the settled ones.
    await delay(31_000);
    await fillTrail(store, accountId, 1_000);
  }
  await untilIndexed(store);
  const perRecord = (ms: number) => `${((ms * 1000) / records).toFixed(2)} µs`;
  console.log(`a record cost ${perRecord(filled - cpuAtStart)} of CPU time, and ${perRecord(cpuMs() - filled)} afterwards for its index`);
  console.log(`packs without an index at the end of the writes: ${behind}`);
  return eventIds;
}

/** Writes the same records faster. */
async function fillAtOnce(): Promise<readonly string[]> {
  await store.close();
  const [began, cpuBefore] = [performance.now(), processCpuMs()];
  const eventIds = await bulkFill(url, { accounts: accountId, count: records });
  const seconds = (ms: number) => (ms / 1_000).toFixed(0);
  console.log(`filled in ${seconds(performance.now() - began)} s, ${seconds(processCpuMs() - cpuBefore)} s of CPU time`);
  store = await open();
  return eventIds;
}

const { url, open, remove } = await newDatabase();
let store = await open();
try {
  const eventIds = settings.fill === 'store' ? await fillThroughStore() : await fillAtOnce();
  const runs = (await levels(store)).map(({ level, count }) => `${count} of level ${level}`).join(', ');
  console.log(`runs: ${runs}; packs without an index: ${await tail(store)}`);
  const to = instant(Date.now());
  for (const [title, name, of] of VALUES) {
    const times: number[] = [];
    let usedMs = 0;
    let found = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const attribute = { name, value: of(round, eventIds[(round * 7_919) % eventIds.length] as string) };
      const cpuBefore = cpuMs();
      const began = performance.now();
      const { rows } = await store.transaction((tx) =>
        tx.trail.lookup({ accountId, region: 'us-east-1', from: instant(0), to, attribute, limit: 50 }),
      );
      times.push(performance.now() - began);
      usedMs += cpuMs() - cpuBefore;
      found += rows.length;
    }
    times.sort((a, b) => a - b);
    const p99 = times[Math.floor(ROUNDS * 0.99)] as number;
    console.log(
      `${title.padEnd(32)} p50 ${median(times).toFixed(2)} ms  p99 ${p99.toFixed(2)} ms  CPU ${(usedMs / ROUNDS).toFixed(2)} ms  ${(found / ROUNDS).toFixed(1)} records each`,
    );
  }
} finally {
  await store.close();
  await remove();
}
