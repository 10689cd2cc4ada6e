import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { recordsOf } from '#store/trail/trail-pack.ts';
import { bytesOf, connect, type Plain } from '../kit/raw.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { everyEvent } from '../kit/trail.ts';
import { delayOfOthers, type Figure, WARM_UP_CALLS, type Workload } from './workload.ts';

/**
 * Maximum number of records that the server writes for one source (client address) in a minute. A run can begin in the
 * middle of a minute, and can then have the records of one more minute.
 */
const PER_MINUTE = 20;
const CONNECTIONS = 4;
/**
 * Minimum number of requests of each connection, also on a slow machine. It exceeds `PER_MINUTE`, so that the source
 * reaches the limit. Above the limit, the server only counts the requests.
 */
const REQUESTS_LEAST = 50;
const GZIP = { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' };
/**
 * Maximum size of the record of a request without a valid signature: five fields of at most 1 KB, and the fields of
 * fixed size.
 */
const RECORD_MOST_BYTES = 6_144;

/**
 * One source floods the trail with unsigned requests whose records are much larger than the requests, and with requests
 * that match no operation.
 */
export const trailFloods: Workload = {
  name: 'trail floods',
  async run({ seconds, seed }) {
    const server = await startTestServer({ BELFRY_UNPROVEN_RECORDS: String(PER_MINUTE) });
    const requests = worstRequests(server, seed);
    const before = trailOf(server);
    const startedAt = Date.now();
    let sentBytes = 0;
    let sent = 0;
    const flood = async (of: readonly Buffer[]) => {
      const connection = await connect(server.endpoint);
      const until = Date.now() + seconds * 1000;
      for (let i = 0; Date.now() < until || i < REQUESTS_LEAST; i++) {
        const bytes = of[i % of.length] as Buffer;
        connection.write(bytes);
        await connection.reply();
        sentBytes += bytes.length;
        sent += 1;
      }
      connection.close();
    };
    const { longestMs, calls } = await delayOfOthers(server, () => Promise.all(Array.from({ length: CONNECTIONS }, () => flood(requests))));
    const proven = (await everyEvent(new CloudTrailClient(server.client()))).filter(({ eventName }) => eventName === 'GetCallerIdentity');
    const windows = Math.ceil((Date.now() - startedAt) / 60_000) + 1;
    await server.stop();

    const after = trailOf(server);
    const bytes = after.bytes - before.bytes;
    const rows = after.rows - before.rows;
    const omitted = after.omitted;
    const figures: readonly Figure[] = [
      { what: 'requests of one source', value: sent, unit: 'count' },
      { what: 'bytes sent', value: sentBytes, unit: 'bytes' },
      { what: 'records of one source', value: rows, unit: 'rows', most: windows * PER_MINUTE },
      { what: 'bytes of its records', value: bytes, unit: 'bytes', most: windows * PER_MINUTE * RECORD_MOST_BYTES },
      { what: 'bytes of its records for each byte sent', value: bytes / sentBytes, unit: 'count', most: 1 },
      { what: 'bytes of its records a second', value: bytes / seconds, unit: 'bytes' },
      { what: 'largest record', value: after.largest, unit: 'bytes', most: RECORD_MOST_BYTES },
      { what: 'longest delay of another caller', value: longestMs, unit: 'ms' },
    ];
    for (const { what, value, most } of figures) assert.ok(most === undefined || value <= most, `${what}: ${value}, at most ${most}`);
    assert.equal(rows + omitted, sent, 'each request has a record or is counted');
    // `proven` also has the calls that warm up the connection before the attack.
    assert.equal(proven.length, calls + WARM_UP_CALLS, 'each signed request has a record of its own');
    return figures;
  },
};

/** Names of events that are not unsigned requests of the attack. `trailOf` does not count their records. */
const OTHERS: ReadonlySet<string> = new Set(['OmitUnprovenRequests', 'GetCallerIdentity', 'LookupEvents']);

/**
 * Returns the number and size of the records of unsigned requests in the database of a server. `omitted` is the number
 * of requests without a record, which the server counts in summary records.
 */
function trailOf(server: TestServer): { rows: number; bytes: number; largest: number; omitted: number } {
  const db = new DatabaseSync(join(server.dataFolder, 'belfry.db'), { readOnly: true, timeout: 10_000 });
  try {
    const records = (db.prepare('SELECT heads, documents FROM trail_pack').all() as { heads: string; documents: string }[]).flatMap(
      recordsOf,
    );
    const lengths = records.filter(({ eventName }) => !OTHERS.has(eventName)).map(({ document }) => document.length);
    const omitted = records
      .filter(({ eventName }) => eventName === 'OmitUnprovenRequests')
      .map(({ document }) => JSON.parse(document).serviceEventDetails.omittedRequests as number);
    const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
    return { rows: lengths.length, bytes: sum(lengths), largest: Math.max(0, ...lengths), omitted: sum(omitted) };
  } finally {
    db.close();
  }
}

/** Returns unsigned requests that are small, but whose records are large. */
function worstRequests(server: TestServer, seed: number): readonly Buffer[] {
  const host = new URL(server.endpoint).host;
  const bytes = (plain: Plain): Buffer => bytesOf(plain, { host, ...plain.headers });
  const head = 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/Host&RoleSessionName=session';
  // The parameters have just under 100 KB. CloudTrail omits parameters of 100 KB or more from the record.
  const arn = `arn:aws:iam::aws:policy/${'a'.repeat(1_900 + (seed % 50))}`;
  const arns = Array.from({ length: 50 }, (_, i) => `&PolicyArns.member.${i + 1}.arn=${arn}`).join('');
  const quotes = '"'.repeat(8_000);
  return [
    bytes({ method: 'POST', target: '/', headers: GZIP, body: gzipSync(`${head}&WebIdentityToken=none${arns}`) }),
    bytes({ method: 'GET', target: '/meetings/x', headers: { 'user-agent': quotes } }),
    bytes({ method: 'GET', target: `/${'x'.repeat(8_000)}`, headers: {} }),
    bytes({ method: 'POST', target: '/', headers: { ...GZIP, 'content-encoding': 'br' }, body: `Action=${'A'.repeat(128)}&Version=x` }),
  ];
}
