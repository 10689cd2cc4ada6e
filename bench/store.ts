import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { openStore } from '#store/engine/open.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { nodeSqlite, type SqliteOpen } from '#store/engine/sqlite-driver.ts';
import type { Store, Tx } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';

/**
 * Measures durable transactions per second of the store. Each of the concurrent callers waits for its commit before the next transaction.
 * Shows the cost of recording every call.
 * Command: `node bench/store.ts [--seconds 5] [--callers 64] [--database file:… | postgres://…]`. The default database is a
 * new temporary file.
 */
const { values: settings } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, callers: { type: 'string', default: '64' }, database: { type: 'string' } },
});
const seconds = Number(settings.seconds);
const callers = Number(settings.callers);
const folder = mkdtempSync(join(tmpdir(), 'belfry-bench-'));
const accountId = '111122223333' as AccountId;
const document = JSON.stringify({ eventVersion: '1.11', requestParameters: 'x'.repeat(1200) });

function trailRow(i: number): TrailRow {
  const at = instant(Date.now());
  const resources = [{ type: 'AWS::Chime::Meeting', name: `meeting-${i}` }];
  const eventId = crypto.randomUUID();
  return {
    eventId,
    accountId,
    region: 'us-east-1',
    at,
    eventName: 'CreateMeeting',
    eventSource: 'chime.amazonaws.com',
    readOnly: false,
    userName: 'ann',
    resources,
    document,
  };
}

const WORKLOADS: Readonly<Record<string, (tx: Tx, i: number) => Promise<unknown>>> = {
  'record only': (tx, i) => tx.trail.append(trailRow(i)),
  'read and record': async (tx, i) => {
    await tx.identity.get(accountId, 'user', `user-${i % 100}`);
    await tx.trail.append(trailRow(i));
  },
  'change, token and record': async (tx, i) => {
    const expiresAt = instant(Date.now() + 86_400_000);
    await tx.idempotency.put(
      { accountId, region: 'us-east-1', operation: 'chime:CreateMeeting', token: `${i}` },
      { requestHash: 'h', answer: '{}', expiresAt },
    );
    await tx.trail.append(trailRow(i));
  },
  'identity change and record': async (tx, i) => {
    await tx.identity.put(accountId, 'membership', `g u${i % 1000}`, { accountId });
    await tx.trail.append(trailRow(i));
  },
};

let commits = 0;

/** Opens Node's SQLite and counts its commits. */
const counting: SqliteOpen = (path) => {
  const driver = nodeSqlite(path);
  const prepare: typeof driver.prepare = (text) => {
    const statement = driver.prepare(text);
    if (text !== 'COMMIT') return statement;
    const run: typeof statement.run = (values) => {
      commits++;
      return statement.run(values);
    };
    return { ...statement, run };
  };
  return { ...driver, prepare };
};

async function measure(name: string, store: Store): Promise<void> {
  const work = WORKLOADS[name] as (tx: Tx, i: number) => Promise<unknown>;
  const latencies: number[] = [];
  let i = 0;
  commits = 0;
  const began = performance.now();
  const end = began + seconds * 1000;
  const cpu = process.cpuUsage();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) {
        const asked = performance.now();
        await store.transaction((tx) => work(tx, i++));
        latencies.push(performance.now() - asked);
      }
    }),
  );
  const elapsed = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const at = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
  const rate = latencies.length / elapsed;
  console.log(
    `${name.padEnd(28)} ${callers} callers  ${rate.toFixed(0).padStart(7)} transactions/s  p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  ${((user + system) / latencies.length).toFixed(1)} µs CPU each${commits === 0 ? '' : `  ${(latencies.length / commits).toFixed(1)} transactions per commit`}`,
  );
}

const store = await (settings.database === undefined
  ? openSqlite(join(folder, 'data'), { open: counting })
  : openStore(settings.database, {}));
try {
  for (const name of Object.keys(WORKLOADS)) await measure(name, store);
} finally {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
}
