/**
 * Measures the delivery of log files: records of one account that a trail delivers to a folder in one run, compared with plain gzip of the same
 * bytes. The rounds alternate. CPU time is that of the whole process, because files are compressed in other threads. On PostgreSQL, the CPU
 * time of the database is not included.
 * Command: `node bench/trail-delivery.ts [--records 100000] [--engine sqlite|postgres]`, with `ROUNDS` (default 3).
 */

import { randomUUID } from 'node:crypto';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { gunzipSync, gzip } from 'node:zlib';
import type { AccountId } from '#core/arn.ts';
import { isoSeconds } from '#core/instant.ts';
import { deliveryFixture, INTERVAL_MS, testClock } from '#delivery/delivery-fixture.ts';
import { folderTarget } from '#delivery/targets/folder.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { LATEST_MS } from '#store/trail/trail-search.ts';
import { testPostgres } from '../test/store/test-postgres.ts';
import { median } from './load.ts';

const { values: settings } = parseArgs({
  options: { records: { type: 'string', default: '100000' }, engine: { type: 'string', default: 'sqlite' } },
});
const records = Number(settings.records);
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const accountId = '111122223333' as AccountId;
const compress = promisify(gzip);

/** Returns a record of a GetMeeting, with about 1,100 characters. */
function record(i: number, at: TrailRow['at']): TrailRow {
  const [eventId, meetingId] = [randomUUID(), randomUUID()];
  const arn = `arn:aws:chime:us-east-1:${accountId}:meeting/${meetingId}`;
  const userName = `user-${i % 100}`;
  const principal = {
    type: 'IAMUser',
    principalId: `AIDA${i % 100}`,
    arn: `arn:aws:iam::${accountId}:user/${userName}`,
    accountId,
    userName,
  };
  const document = {
    eventVersion: '1.11',
    userIdentity: { ...principal, accessKeyId: `AKIA${i % 100}` },
    eventTime: isoSeconds(at),
    eventSource: 'chime.amazonaws.com',
    eventName: 'GetMeeting',
    awsRegion: 'us-east-1',
    sourceIPAddress: `10.1.${i % 7}.${i % 251}`,
    userAgent: 'aws-sdk-js/3.1175.0 ua/2.1 os/linux#6.1.0 lang/js md/nodejs#24.21.0 api/chime-sdk-meetings#3.1175.0',
    requestParameters: { meetingId },
    responseElements: null,
    requestID: randomUUID(),
    eventID: eventId,
    readOnly: true,
    resources: [{ accountId, type: 'AWS::Chime::Meeting', ARN: arn }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: accountId,
    eventCategory: 'Management',
    tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256', clientProvidedHostHeader: 'chime.example.com' },
  };
  return {
    ...{
      eventId,
      accountId,
      region: 'us-east-1',
      at,
      eventName: 'GetMeeting',
      eventSource: 'chime.amazonaws.com',
      readOnly: true,
      userName,
    },
    resources: [{ type: 'AWS::Chime::Meeting', name: arn }],
    document: JSON.stringify(document),
  };
}

/** Number of records that one transaction writes. */
const BATCH = 500;

async function write(store: Store, at: TrailRow['at']): Promise<void> {
  for (let from = 0; from < records; from += BATCH) {
    await store.transaction(async (tx) => {
      for (let i = from; i < Math.min(from + BATCH, records); i++) await tx.trail.append(record(i, at));
    });
  }
}

/** Runs `work`. Returns its CPU time and its wall time in milliseconds. */
async function measured(work: () => Promise<void>): Promise<{ readonly cpu: number; readonly wall: number }> {
  const [before, began] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1_000, wall: performance.now() - began };
}

/** Opens a new database. `open` opens it again. */
async function newDatabase(data: string) {
  if (settings.engine !== 'postgres')
    return { open: openSqlite.bind(undefined, data), remove: async () => rmSync(data, { recursive: true, force: true }) };
  const { url, stop } = await testPostgres();
  return { open: openPostgres.bind(undefined, url), remove: stop };
}

const folder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
const times = { delivery: [] as { cpu: number; wall: number }[], gzip: [] as { cpu: number; wall: number }[] };
try {
  for (let round = 0; round < ROUNDS; round++) {
    const [data, delivered] = [join(folder, `data-${round}`), join(folder, `delivered-${round}`)];
    mkdirSync(delivered);
    const clock = testClock(Date.now());
    const { open, remove } = await newDatabase(data);
    const written = await open({ now: () => clock.wall() });
    await deliveryFixture(written, clock).trail(accountId);
    await write(written, clock.wall());
    // The threads of the first store would still work for the records that were written.
    await written.close();
    const store = await open({ now: () => clock.wall() });
    const { server, reports } = deliveryFixture(store, clock);
    clock.set(clock.wall() + INTERVAL_MS + LATEST_MS);
    times.delivery.push(await measured(() => server({ target: folderTarget(delivered) }).run()));
    await store.close();
    const contents = globSync('**/*.json.gz', { cwd: delivered }).map((name) => gunzipSync(readFileSync(join(delivered, name))));
    const count = contents.reduce((sum, content) => sum + (JSON.parse(content.toString()) as { Records: unknown[] }).Records.length, 0);
    if (count !== records) throw new Error(`${count} of ${records} records were delivered: ${reports.join(', ')}`);
    times.gzip.push(await measured(async () => void (await Promise.all(contents.map((content) => compress(content))))));
    await remove();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const [name, each] of Object.entries(times)) {
  const perSecond = (kind: 'cpu' | 'wall') => Math.round((1_000 * records) / median(each.map((time) => time[kind]))).toLocaleString('en');
  console.log(`${name.padEnd(8)} ${perSecond('cpu')} records for each second of CPU time, ${perSecond('wall')} /s of wall time`);
}
const ratios = times.delivery.map(({ cpu }, i) => cpu / (times.gzip[i]?.cpu as number));
console.log(`CPU time of the delivery, compared with gzip alone: ${median(ratios).toFixed(2)} times`);
