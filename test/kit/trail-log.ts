/** A store with a transparency log of its trail records, which a test appends to without a server. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { openVault } from '#access/vault.ts';
import { systemClock } from '#server/core/clock.ts';
import { type Appender, type AppenderParts, appender } from '#server/core/trail-log-appender.ts';
import { trailLogHead } from '#server/core/trail-log-head.ts';
import { NOON, trailRow } from '#store/conformance-fixtures.ts';
import type { Sql } from '#store/sql.ts';
import type { Store } from '#store/store.ts';
import { type TrailLogRow, trailLog } from '#store/trail/log/trail-log.ts';
import { type ChainTip, extend, startLink, TRAIL_WRITER } from '#store/trail/trail-chain.ts';
import { recordsOf, TRAIL_PACK } from '#store/trail/trail-pack.ts';
import { createWitnessClient, type WitnessAddress } from '#tlog/witness/witness-client.ts';
import { appendJob } from '#trail/log/append-job.ts';
import { type VerifyOptions, type VerifyReport, verifyTrail } from '#trail/log/verify-trail.ts';

/** Vault of the server. An attacker with the signing key has it too. */
export const VAULT = openVault(() => [new Uint8Array(32).fill(7)]);

/** Writes four packs (rows with the records of one commit) of three records. */
export async function writeRecords(store: Store, name = 'e'): Promise<void> {
  for (let commit = 0; commit < 4; commit++) {
    await store.transaction(async (tx) => {
      for (let i = 0; i < 3; i++) await tx.trail.append(trailRow(`${name}${3 * commit + i + 1}`, NOON));
    });
  }
}

/** Creates an appender, as of one server. `own` replaces its parts. */
export function appenderOf(store: Store, own: Partial<AppenderParts> = {}, witnesses: readonly WitnessAddress[] = []): Appender {
  return appender({
    store,
    vault: VAULT,
    clock: systemClock,
    id: `server ${randomBytes(4).toString('hex')}`,
    shared: true,
    host: 'log.example',
    random: randomBytes,
    hash: appendJob,
    witnesses: witnesses.map(({ key }) => key.name),
    client: createWitnessClient({ witnesses }),
    head: trailLogHead(),
    onContradiction: async () => {},
    report: (line) => assert.fail(line),
    ...own,
  });
}

/** Returns the current log of a store. */
export async function logOf(store: Store): Promise<TrailLogRow> {
  return (await store.transaction((tx) => tx.of(trailLog).current())) ?? assert.fail('there is no log');
}

/** Verifies a trail. Asks no witness by default. */
export function verified(sql: Sql, own: Partial<VerifyOptions> = {}): Promise<VerifyReport> {
  return verifyTrail(sql, { acceptedEpochs: new Set(), witnesses: [], latest: async () => [], ...own });
}

/** Returns a connection that runs each statement in a transaction of its own. */
export function statementsOf(store: Store): Sql {
  return {
    row: (text, values) => store.transaction((tx) => tx.sql.row(text, values)),
    rows: (text, values) => store.transaction((tx) => tx.sql.rows(text, values)),
    run: (text, values) => store.transaction((tx) => tx.sql.run(text, values)),
  };
}

/** Error that rolls back the transaction of `verifiedAfter`. */
class RolledBack extends Error {}

/** Changes the database, verifies it, and rolls the change back. Returns the problems. */
export async function verifiedAfter(store: Store, change: (sql: Sql) => Promise<unknown>): Promise<VerifyReport> {
  let report: VerifyReport | undefined;
  await assert.rejects(
    store.transaction(async ({ sql }) => {
      await change(sql);
      report = await verified(sql);
      throw new RolledBack();
    }),
    RolledBack,
  );
  return report ?? assert.fail('the trail was not verified');
}

/** Selects the packs of the only writer. */
export const ALL_PACKS = `SELECT ${TRAIL_PACK.names} FROM trail_pack ORDER BY first_number`;

/** Computes all links of the only writer again, as an attacker does after a change. */
export async function linkAgain(sql: Sql): Promise<void> {
  const [writer] = await TRAIL_WRITER.page(sql, [], [''], 1);
  assert.ok(writer);
  let tip: ChainTip = { writer, isStarted: true, number: 0, link: startLink(writer) };
  for (const pack of await TRAIL_PACK.rows(sql, ALL_PACKS)) {
    const next = extend(tip, recordsOf(pack).length, pack.position, pack);
    await sql.run('UPDATE trail_pack SET link = $2, first_number = $3 WHERE position = $1', [
      pack.position,
      next.columns.link,
      next.columns.firstNumber,
    ]);
    ({ tip } = next);
  }
  await sql.run('UPDATE trail_writer SET ended_link = $2 WHERE id = $1 AND ended_number IS NOT NULL', [writer.id, tip.link]);
}
