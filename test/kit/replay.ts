/**
 * Replay of the decisions of test servers. When the last server of a database has stopped, all its recorded decisions are repeated with the
 * policies as they were. The database of server processes is replayed at the end of the test file. With unchanged policies, no decision may
 * flip. Decision 0047.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { ReplayCounts } from '#access/past/replay-window.ts';
import type { Sql } from '#store/sql.ts';

/** Reasons why a decision cannot be repeated that Decisions 0023 and 0047 document. Any other reason fails the test. */
const DOCUMENTED: ReadonlySet<string> = new Set([
  'no policy decided',
  'the facts of the decision are too large to be stored',
  'identity changed during the request',
  'another server decided with an earlier version of identity',
]);

/** Number of running servers of each database. */
const running = new Map<string, number>();
/** Databases of server processes that have ended, and that are not replayed yet. */
const ended = new Set<string>();
/** Databases that are not replayed, or `all`, with the reason. */
const skipped = new Map<string, string>();

/** Skips the replay of the servers on a database, or of all servers of this test file, because the tests change stored data on purpose. */
export function skipReplay(reason: string, database = 'all'): void {
  skipped.set(database, reason);
}

/**
 * Notes that a server in this process starts on a database. Returns the function to call when the server has stopped. The function of the last
 * server replays the database.
 */
export function replayedAtStop(database: string): () => Promise<void> {
  started(database);
  return async () => {
    if (!isLast(database)) return;
    ended.delete(database);
    await replay(database);
  };
}

/**
 * Notes that a server process starts on a database. Returns the function to call when the process has exited. The database is replayed once,
 * by `replayEnded` or `replayBeforeDeletion`, because a later process can continue on it.
 */
export function replayedAtEnd(database: string): () => void {
  started(database);
  return () => {
    if (isLast(database)) ended.add(database);
  };
}

/** Repeats the decisions of all server processes that have ended. A database on which a server still runs is replayed when that server stops. */
export async function replayEnded(): Promise<void> {
  for (const database of ended) {
    if (running.has(database)) continue;
    ended.delete(database);
    await replay(database);
  }
}

/** Repeats the decisions of a database before it is deleted, if servers still run on it or processes ended on it. */
export async function replayBeforeDeletion(database: string): Promise<void> {
  const isRunning = running.delete(database);
  const hasEnded = ended.delete(database);
  if (isRunning || hasEnded) await replay(database);
}

function started(database: string): void {
  running.set(database, (running.get(database) ?? 0) + 1);
}

/** Notes that a server has stopped. Returns whether it was the last one of a database that is not deleted. */
function isLast(database: string): boolean {
  const left = (running.get(database) ?? 0) - 1;
  if (left <= 0) return running.delete(database);
  running.set(database, left);
  return false;
}

async function replay(database: string): Promise<void> {
  if (skipped.has('all') || skipped.has(database)) return;
  const began = process.cpuUsage();
  // The module is loaded here, so that a test file loads it only when it stops a server.
  const { openReadOnly } = await import('#store/engine/read-only.ts');
  const { sql, close } = await openReadOnly(database);
  try {
    await assertNothingFlips(sql, began);
  } finally {
    await close();
  }
}

/** Repeats all decisions of a database. Fails if one flips, or cannot be repeated without a documented reason. */
export async function assertNothingFlips(sql: Sql, began = process.cpuUsage()): Promise<ReplayCounts> {
  const [{ replayWindow }, { proposal }, { accountsIn }, { instant }] = await Promise.all([
    import('#access/past/replay-window.ts'),
    import('#access/past/proposal.ts'),
    import('../../src/cli/policy-window.ts'),
    import('#core/instant.ts'),
  ]);
  const flips: string[] = [];
  const window = { accountIds: undefined, from: instant(0), to: instant(Date.UTC(2200, 0, 1)) };
  const counts = await replayWindow(sql, await accountsIn(sql), window, proposal([]), ({ facts, principal, context, allowed }) => {
    const { eventName, eventId } = facts;
    flips.push(
      `${eventName} of ${principal.arn} (event ${eventId}): ${JSON.stringify(context.outcome)}, now ${allowed ? 'Allow' : 'Deny'}`,
    );
  });
  note(counts, began);
  assert.deepEqual(flips, [], 'with unchanged policies, no recorded decision flips');
  const reasons = [...counts.unknown.keys()].filter((reason) => !DOCUMENTED.has(reason));
  assert.deepEqual(reasons, [], 'each decision that cannot be repeated has a documented reason');
  return counts;
}

/** Writes the counts of a replay as a line of JSON into the file that TEST_REPLAYS names, if it is set. */
function note({ records, decided, flipped, unknown }: ReplayCounts, began: NodeJS.CpuUsage): void {
  const file = process.env['TEST_REPLAYS'];
  if (file === undefined) return;
  const { user, system } = process.cpuUsage(began);
  const test = relative('.', process.argv[1] ?? '');
  const line = { test, records, decided, flipped, unknown: Object.fromEntries(unknown), cpuMs: Math.round((user + system) / 1_000) };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}
