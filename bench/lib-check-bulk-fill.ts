/**
 * Compares the trail that `bulkFill` writes with the trail that a store writes for the same records.
 * Command: `node bench/lib-check-bulk-fill.ts [--records 1000000] [--engine sqlite|postgres]`.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AccountId } from '#core/arn.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Sql } from '#store/sql.ts';
import { checkChains } from '#store/trail/trail-chain-check.ts';
import { TRAIL_PACK } from '#store/trail/trail-pack.ts';
import { testPostgres } from '../test/store/test-postgres.ts';
import { bulkFill } from './lib-bulk-fill.ts';
import { fillTrail, untilIndexed } from './lib-fill-trail.ts';
import { processCpuMs } from './lib-turns.ts';

const { values: settings } = parseArgs({
  options: { records: { type: 'string', default: '1000000' }, engine: { type: 'string', default: 'sqlite' } },
});
const isPostgres = settings.engine === 'postgres';
const filling = {
  accounts: '111122223333' as AccountId,
  count: Number(settings.records),
  eventIdOf: (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  now: () => Date.UTC(2026, 10, 29, 12),
};
const PAGE = 256;

/** Returns hashes of the rows of the trail. The columns of the chain depend on the random ID of the writer, so `checkChains` checks them. */
async function facts(sql: Sql) {
  const packs = createHash('sha256');
  let count = 0;
  const select = `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE position > $1 AND heads <> '[]' ORDER BY position LIMIT ${PAGE}`;
  for (let page = await TRAIL_PACK.rows(sql, select, [-1]); page.length > 0; ) {
    for (const { position, eventId, keys, heads, documents, contexts } of page) {
      // Two writers of a store on PostgreSQL alternate, and the store has a share of the positions.
      packs.update(JSON.stringify([isPostgres ? count : position, eventId, keys, heads, documents, contexts]));
      count++;
    }
    page = await TRAIL_PACK.rows(sql, select, [page.at(-1)?.position ?? 0]);
  }
  const runs = await sql.rows<{ level: number; last_position: number }>(
    'SELECT level, last_position FROM trail_run ORDER BY last_position',
  );
  const blocks = createHash('sha256');
  for (const { level, last_position: last } of isPostgres ? [] : runs) {
    const rows = await sql.rows('SELECT * FROM trail_block WHERE level = $1 AND last_position = $2 ORDER BY first_key, first_position', [
      level,
      last,
    ]);
    blocks.update(JSON.stringify(rows));
  }
  const { records, faults } = await checkChains((read) => read(sql));
  return {
    packs: `${count} ${packs.digest('hex')}`,
    ...(isPostgres
      ? {}
      : { runs: runs.map(({ level, last_position: last }) => `${level} ${last}`).join(' '), blocks: blocks.digest('hex') }),
    records,
    faults,
  };
}

async function filled(fill: (url: string) => Promise<unknown>) {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
  const postgres = isPostgres ? await testPostgres() : undefined;
  try {
    const url = postgres?.url ?? folder;
    await (await open(url)).close();
    const [began, cpuBefore] = [performance.now(), processCpuMs()];
    await fill(url);
    const seconds = (performance.now() - began) / 1_000;
    const cpu = (processCpuMs() - cpuBefore) / 1_000;
    const database = await openReadOnly(postgres?.url ?? `file:${folder}`);
    const found = await facts(database.sql);
    await database.close();
    return { duration: `${seconds.toFixed(1)} s (${cpu.toFixed(1)} s of CPU time)`, found };
  } finally {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const open = (url: string) => (isPostgres ? openPostgres(url) : openSqlite(url, { now: filling.now }));

const bulk = await filled((url) => bulkFill(url, filling));
const stored = await filled(async (url) => {
  const store = await open(url);
  await fillTrail(store, filling.accounts, filling.count, filling);
  await untilIndexed(store);
  await store.close();
});
console.log(`${settings.engine}: ${filling.count} records in ${bulk.duration}, by a store in ${stored.duration}`);
const names = Object.keys(bulk.found) as (keyof typeof bulk.found)[];
for (const name of names) {
  const [one, other] = [JSON.stringify(bulk.found[name]), JSON.stringify(stored.found[name])];
  console.log(`${name}: ${one === other ? `equal (${one?.slice(0, 80)})` : `different: ${one?.slice(0, 200)}\n  ${other?.slice(0, 200)}`}`);
  if (one !== other) process.exitCode = 1;
}
