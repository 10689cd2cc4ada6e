/**
 * Measures `belfry policy replay`: records that one second of CPU time of this process decides again, with reading the store. The records are of 100
 * users with three policies each, and name 1,000 meetings. One in 20 requests was denied. `--mix varied` has 5,000 users with 12 policies each, 40
 * actions, and a session with one of 200 session policies for half of the records. `--mix distinct` has a session of its own for each record. Also
 * prints the peak of the memory that is not of files.
 * Command: `node bench/replay.ts [--records 1000000] [--engine sqlite|postgres] [--mix usual|varied|distinct]`, with `ROUNDS` (default 5).
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { proposal } from '#access/past/proposal.ts';
import { type Replayed, replayWindow } from '#access/past/replay-window.ts';
import { instant } from '#core/instant.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import type { Store } from '#store/store.ts';
import { newDatabase } from './lib-database.ts';
import { ACCOUNT, fillIdentity, mixes, newContexts } from './lib-replay-mixes.ts';
import { processCpuMs } from './lib-turns.ts';
import { median } from './load.ts';

const { values: settings } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    engine: { type: 'string', default: 'sqlite' },
    mix: { type: 'string', default: 'usual' },
  },
});
const RECORDS = Number(settings.records);
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const MIX = mixes(RECORDS)[settings.mix];
if (MIX === undefined) throw new Error(`there is no mix '${settings.mix}'`);
/** Records of one pack, as under the load of `bench/get-meeting.ts`. */
const PACK = 16;
const NOW = Date.now();
const IGNORE = () => {};
const PADDING = 'p'.repeat(1_000);

async function fill(store: Store, mix: NonNullable<typeof MIX>): Promise<void> {
  await fillIdentity(store, mix);
  const { version } = await store.transaction(({ identity }) => identity.changesSince(0));
  const contextOf = newContexts(mix, version);
  for (let from = 0; from < RECORDS; from += PACK) {
    await store.transaction(async (tx) => {
      for (let i = from; i < from + PACK; i++) {
        const eventId = `${String(i).padStart(8, '0')}-0000-4000-8000-000000000000`;
        await tx.trail.append({
          ...{ eventId, accountId: ACCOUNT, region: 'us-east-1', at: instant(NOW + i), eventName: 'GetMeeting' },
          ...{ eventSource: 'chime.amazonaws.com', readOnly: true, userName: `user-${i % mix.users}`, accessKeyId: `AKIA${i % mix.users}` },
          ...{ resources: [], document: `{"padding":"${PADDING}"}`, context: await contextOf(tx, i) },
        });
      }
    });
  }
}

/** Returns the memory of this process that is not of files, in MiB. */
function ownMiB(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Math.round(Number(/^RssAnon:\s+([0-9]+) kB$/m.exec(status)?.[1]) / 1024);
}

const { url, store, remove } = await newDatabase(settings.engine);
try {
  await fill(store, MIX);
  await store.close();
  const rates: number[] = [];
  let peakMiB = 0;
  const notePeak = ({ facts }: Replayed): void => {
    if (facts.at % 4_096 === 0) peakMiB = Math.max(peakMiB, ownMiB());
  };
  for (let round = 0; round <= ROUNDS; round++) {
    const database = await openReadOnly(url);
    const before = processCpuMs();
    const window = { accountIds: undefined, from: instant(NOW - 1_000), to: instant(NOW + 10 * RECORDS + 3_600_000) };
    const counts = await replayWindow(database.sql, [ACCOUNT], window, proposal([]), IGNORE, round === 0 ? notePeak : undefined);
    const used = processCpuMs() - before;
    await database.close();
    if (counts.decided < RECORDS || counts.flipped > 0) throw new Error(`${counts.decided} decided, ${counts.flipped} flipped`);
    // The first round only warms up, and measures the memory.
    if (round > 0) rates.push((RECORDS / used) * 1_000);
  }
  const shown = (rate: number) => Math.round(rate).toLocaleString('en');
  console.log(
    `${settings.engine}, ${settings.mix}: ${shown(median(rates))} records a second of CPU time (rounds ${shown(Math.min(...rates))} to ${shown(Math.max(...rates))}), ` +
      `${(1e6 / median(rates)).toFixed(2)} µs each, peak of ${peakMiB} MiB`,
  );
} finally {
  await remove();
}
