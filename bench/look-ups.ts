import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { LookupAttribute } from '#store/trail/trail-row.ts';
import { fillTrail } from './lib-fill-trail.ts';
import { cpuMs } from './lib-turns.ts';
import { median } from './load.ts';

/**
 * Measures look-ups in a trail of many records, one after the other, and the size of the index.
 * Command: `node bench/look-ups.ts [--records 1000000]`. Ten million records need 14 GB of disk and some minutes.
 */
const { values: settings } = parseArgs({ options: { records: { type: 'string', default: '1000000' } } });
const records = Number(settings.records);
const folder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
const accountId = '111122223333' as AccountId;
const ROUNDS = 200;

/** Values to look up. `of` returns the value for a round. The records have 100 users, and one in 1,000 has the event name `Rare`. */
const VALUES: readonly (readonly [title: string, name: LookupAttribute, of: (round: number, id: string) => string])[] = [
  ['a frequent event name', 'EventName', () => 'CreateMeeting'],
  ['a user with 1 % of the records', 'Username', (round) => `user-${round % 100}`],
  ['a key with 100 records', 'AccessKeyId', (round) => `ASIA${round}`],
  ['an event ID', 'EventId', (_, id) => id],
  ['an absent resource', 'ResourceName', (round) => `absent-${round}`],
];

const store = await openSqlite(join(folder, 'data'));
try {
  const eventIds = await fillTrail(store, accountId, records);
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
  rmSync(folder, { recursive: true, force: true });
}
