/**
 * Compares the CPU time of the core thread for one GetMeeting in this worktree and in another one, in short interleaved
 * rounds with 64 connections. Also prints the records of each pack and the stored bytes of the decision contexts for each record.
 * Command: `node bench/core-time.ts OTHER_WORKTREE`, with `ROUNDS` (default 15) and `SECONDS_EACH` (default 2).
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { compareCoreTimes } from './lib-core-time.ts';
import { type Process, startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 15);
const SECONDS = Number(process.env['SECONDS_EACH'] ?? 2);
const [other] = process.argv.slice(2);
if (other === undefined) throw new Error('usage: node bench/core-time.ts OTHER_WORKTREE');

/** Starts the server of a worktree. */
async function startIn(tree: string): Promise<Process> {
  const here = process.cwd();
  process.chdir(tree);
  try {
    return await startProcess('belfry');
  } finally {
    process.chdir(here);
  }
}

const servers = { other: await startIn(resolve(other)), this: await startIn(process.cwd()) };
await compareCoreTimes(servers, { rounds: ROUNDS, seconds: SECONDS });
await Promise.all([servers.other.stop(), servers.this.stop()]);
for (const name of ['other', 'this'] as const) {
  const database = new DatabaseSync(join(servers[name].dataFolder, 'belfry.db'), { readOnly: true });
  const row = database
    .prepare(
      'SELECT SUM(length(CAST(contexts AS BLOB))) AS bytes, SUM(json_array_length(heads)) AS records, COUNT(*) AS packs FROM trail_pack',
    )
    .get() as { bytes: number; records: number; packs: number };
  const [bytes, pack] = [row.bytes / row.records, row.records / row.packs];
  console.log(`${name.padEnd(6)} ${row.records} records, ${pack.toFixed(2)} a pack, ${bytes.toFixed(1)} bytes of contexts a record`);
  database.close();
  rmSync(servers[name].dataFolder, { recursive: true, force: true });
}
