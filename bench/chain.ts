/**
 * Measures the CPU time of the chain of trail records for each record: a pack with its link, and the same pack without. Also measures
 * a hash for each record, which the chain does not compute. The rounds are interleaved.
 * Command: `node bench/chain.ts`, with `ROUNDS` (default 21).
 */
import { hash } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { extend, newTip } from '#store/trail/trail-chain.ts';
import { packInserts } from '#store/trail/trail-pack.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 21);
const PACKS = 2_000;
/** Length of the document of a GetMeeting, in characters. */
const DOCUMENT_LENGTH = 1_200;
const now = instant(Date.now());

function trailRow(i: number): TrailRow {
  const eventId = crypto.randomUUID();
  const document = JSON.stringify({ eventVersion: '1.11', eventID: eventId, rest: 'x'.repeat(DOCUMENT_LENGTH - 80) });
  const resources = [{ type: 'AWS::Chime::Meeting', name: `meeting-${i}` }];
  const accountId = '111122223333' as AccountId;
  return {
    eventId,
    accountId,
    region: 'us-east-1',
    at: now,
    eventName: 'GetMeeting',
    eventSource: 'chime.amazonaws.com',
    readOnly: true,
    userName: 'ann',
    resources,
    document,
  };
}

/** Returns the CPU time of each record in microseconds. */
function measure(work: () => void, records: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < PACKS; i++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / PACKS / records;
}

for (const records of [1, 16]) {
  const rows = Array.from({ length: records }, (_, i) => trailRow(i));
  let tip = newTip();
  let position = 0;
  const [, , , heads = '', documents = ''] = packInserts(rows, () => ++position, tip).flatMap(({ values }) => values.map(String));
  const content = { heads, documents };
  const candidates: Readonly<Record<string, () => void>> = {
    'pack with its link': () => {
      tip = packInserts(rows, () => ++position, tip)[0]?.tip ?? tip;
    },
    'the link alone': () => {
      ({ tip } = extend(tip, records, ++position, content));
    },
    'a hash for each record': () => {
      for (const { document } of rows) hash('sha256', document, 'buffer');
    },
  };
  const times = new Map(Object.keys(candidates).map((name) => [name, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, work] of Object.entries(candidates)) {
      const time = measure(work, records);
      // The first round only warms up.
      if (round > 0) times.get(name)?.push(time);
    }
  }
  for (const [name, each] of times) {
    const sorted = each.sort((one, other) => one - other).map((time) => time.toFixed(2));
    console.log(
      `${name.padEnd(24)} ${String(records).padStart(2)} records a pack: median ${sorted[sorted.length >> 1]} µs a record, rounds ${sorted[0]} to ${sorted.at(-1)}`,
    );
  }
}
