/**
 * Measures `belfry compliance report`: peak memory and wall time of the command, on a database with many users and trail records.
 * Command: `node bench/compliance-report.ts [--users 5000] [--records 1000000] [--engine sqlite|postgres] [--keep FOLDER]`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fillRecords, fillUsers } from '../test/compliance/large-database.ts';
import { appenderOf } from '../test/kit/trail-log.ts';
import { newDatabase } from './lib-database.ts';

const { values: settings } = parseArgs({
  options: {
    users: { type: 'string', default: '5000' },
    records: { type: 'string', default: '1000000' },
    engine: { type: 'string', default: 'sqlite' },
    keep: { type: 'string' },
  },
});
const [users, records] = [Number(settings.users), Number(settings.records)];
/** Bound of the peak memory. */
const MEMORY_MAX_MIB = 320;
/** Interval between two reads of the peak memory, which the system keeps. */
const LOOK_EVERY_MS = 100;

/** Runs the command. Returns its exit status and the peak of its resident memory. Source: proc(5), VmHWM. */
async function measured(args: readonly string[]): Promise<{ readonly status: number | null; readonly mib: number }> {
  // The option is that of `bin/belfry.mjs`, with which operators run the command.
  const command = [...process.execArgv, '--max-semi-space-size=4', 'bin/belfry.mjs', 'compliance', 'report', ...args];
  const child = spawn(process.execPath, command, { stdio: 'inherit' });
  let mib = 0;
  let status: number | null | undefined;
  child.once('exit', (code) => (status = code));
  while (status === undefined) {
    try {
      mib = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? mib * 1_024) / 1_024;
    } catch {
      // The process has ended.
    }
    await delay(LOOK_EVERY_MS);
  }
  return { status, mib };
}

const { url, store, remove } = await newDatabase(settings.engine);
const folder = mkdtempSync(join(tmpdir(), 'belfry-compliance-'));
try {
  await fillUsers(store, users, Date.now());
  await fillRecords(store, records, users, Date.now);
  await appenderOf(store).run();
  await store.close();
  const out = settings.keep ?? join(folder, 'report');
  const began = performance.now();
  const { status, mib } = await measured(['--out', out, '--database', url, '--data', folder]);
  const seconds = (performance.now() - began) / 1_000;
  console.log(
    `${settings.engine}: ${users} users and ${records} records in ${seconds.toFixed(1)} s, peak memory ${mib.toFixed(0)} MiB (bound ${MEMORY_MAX_MIB})`,
  );
  if (status !== 0 || mib > MEMORY_MAX_MIB) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
  await remove();
}
