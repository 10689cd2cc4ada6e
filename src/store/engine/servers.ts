import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { HELD_KINDS, type HeldKind, type IdentityChange, type StoredRecord } from '../identity/identity.ts';
import { TEXT_SQL } from '../identity/record-parts.ts';
import { CHANGE_COLUMNS, type ChangeRow, JOIN_DETAILS, noIdentityCounter, toChange } from '../identity/repository.ts';
import type { Sql } from '../sql.ts';
import { instant, int, type Row, table, text, textOf } from '../table.ts';

/**
 * Servers on one database, and the feed of identity changes that each server reads. Owns the SQL statements. The
 * protocol is in `access/lease.ts`. Each method runs one statement with its own commit, so its result is one snapshot
 * of the primary.
 */
export interface Servers {
  /**
   * Returns the duration of a lease. During a lease, a server may authorize with its copy of the identity records. The
   * database stores the duration, so that all servers use the same value. Change the value only while no server runs.
   */
  leaseMilliseconds(): Promise<number>;
  /**
   * Registers a server that has applied all changes up to `version` and has no lease yet. A second call for the same
   * server changes nothing.
   */
  register(server: { readonly id: string; readonly name: string; readonly startedAt: number }, version: number): Promise<void>;
  /**
   * Returns the next page of all records of the kinds that servers hold in memory (`HELD_KINDS`), in the order of their
   * keys. `after` is the last record of the previous page. The page also has the identity version and the epoch (the
   * identifier of the database's history) at the time of the read.
   *
   * Each page is a different snapshot. So a page can have the old or the new form of a record that changed after the
   * first page, or lack the record. A reader completes the pages with all changes after the version of the first page.
   *
   * @throws Error  the database is a standby, or did not respond in time
   */
  page(after?: Pick<StoredRecord, 'accountId' | 'kind' | 'key'>): Promise<IdentityPage>;
  /**
   * Returns the version, all changes after `since`, and the registration of the server, from one snapshot of the primary.
   *
   * @throws Error  the database is a standby, or did not respond in time
   */
  renew(id: string, since: number): Promise<Renewal>;
  /**
   * Stores that the server has applied all changes up to `version`. A lower version than the stored one changes
   * nothing. Returns 'absent' if the server is not registered.
   */
  acknowledge(id: string, version: number): Promise<'acknowledged' | 'absent'>;
  /** Stores that a server runs at `now`, with its addresses. Does nothing if the server is not registered. */
  seen(id: string, address: string, now: Instant): Promise<void>;
  registered(): Promise<readonly RegisteredServer[]>;
  /** Starts the removal of a server, after which it gets no lease. Returns 'absent' if the server is not registered. */
  drain(id: string): Promise<'draining' | 'absent'>;
  /** Ends the removal of a draining server. Call it after all its leases have expired. */
  remove(id: string): Promise<'removed' | 'absent'>;
  /**
   * Deletes a server immediately if it has not acknowledged `version`. Call it after all leases older than the commit
   * of `version` have ended. Then a server without the acknowledgement has no lease, and cannot get one. Returns 'kept'
   * if the server has acknowledged `version` or is absent.
   */
  expire(id: string, version: number): Promise<'expired' | 'kept'>;
  /** Deletes the registration of this server, which has ended its lease. */
  leave(id: string): Promise<void>;
  /** Deletes all registrations. Only for the embedded engine: the process that opened the file is the only server. */
  leaveAll(): Promise<void>;
  /**
   * Deletes the tombstones (rows of deleted records) that all registered servers have applied. Returns the number of
   * deleted rows.
   */
  trim(): Promise<number>;
}

/** Servers that are registered on the database. */
export const SERVER = table('server', {
  columns: {
    id: text,
    /** Display name. */
    name: text,
    /** Identity version that the server has acknowledged. */
    appliedVersion: int,
    state: textOf<'active' | 'draining'>(),
    startedAt: instant,
    /**
     * Addresses of the server's listeners, separated by spaces, for display only. Empty until the addresses are known.
     */
    address: text,
    /** Last time at which the server stored that it runs, by the server's own clock. */
    seenAt: instant,
  },
  key: ['id'],
});
export type RegisteredServer = Row<typeof SERVER>;

export interface Renewal {
  readonly version: number;
  /**
   * Version up to which tombstones are deleted. A server that has applied only an older version must read all identity
   * records again.
   */
  readonly trimmedTo: number;
  /** Identifier of the database's history. It changes if the database is restored or replaced. */
  readonly epoch: string;
  readonly registration: 'active' | 'draining' | 'absent';
  /** Version that the server has acknowledged. 0 if the server is absent. */
  readonly acknowledged: number;
  readonly changes: readonly IdentityChange[];
}

/** A page of all records of the kinds that servers hold in memory (`HELD_KINDS`). */
export interface IdentityPage extends Pick<Renewal, 'version' | 'epoch'> {
  readonly records: readonly StoredRecord<HeldKind>[];
  readonly isLast: boolean;
}

/** Maximum number of records in a page. SQLite reads a page in one turn of the event loop, and other callers wait for this turn. */
const PAGE_MAX = 200;

/** SQL expression of an empty epoch, for databases that do not report their history. */
export const NO_EPOCH = "''";

/**
 * SQL expression for the epoch (the identifier of the history) of a PostgreSQL primary: the IDs of its cluster and its
 * timeline. The timeline changes at each failover. The expression fails on a standby, which must never grant a lease.
 *
 * Source: PostgreSQL manual, "System Administration Functions" (pg_current_wal_lsn "cannot be executed during recovery") and "High
 * Availability", timelines.
 */
export const POSTGRES_EPOCH =
  "(SELECT system_identifier FROM pg_control_system()) || ' ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";

const SELECT_LEASE = "SELECT value FROM counter WHERE name = 'lease_ms'";
const REGISTER =
  "INSERT INTO server (id, name, applied_version, state, started_at_ms) VALUES ($1, $2, $3, 'active', $4) ON CONFLICT (id) DO NOTHING";
// Each change is joined with the counter's row, so the changes and the counter are from one snapshot. If there are no
// changes, the result is one row.
const renewText = (epoch: string): string => `
  SELECT counter.value AS counter, trimmed.value AS trimmed, ${epoch} AS epoch, server.state AS registration, server.applied_version AS acknowledged,
    ${CHANGE_COLUMNS}
  FROM counter JOIN counter AS trimmed ON trimmed.name = 'identity_trimmed'
    LEFT JOIN server ON server.id = $2
    LEFT JOIN identity_document AS d ON d.version > $1 ${JOIN_DETAILS}
  WHERE counter.name = 'identity'
  ORDER BY d.version, d.account_id, d.kind, d.key`;
// The page is joined with the counter's row, so the records and the counter are from one snapshot. If the page is
// empty, the result is one row.
const pageText = (epoch: string): string => `
  SELECT counter.value AS counter, ${epoch} AS epoch, d.account_id, d.kind, d.key, ${TEXT_SQL} AS text
  FROM counter LEFT JOIN (
    SELECT * FROM identity_document
    WHERE (account_id, kind, key) > ($1, $2, $3) AND deleted = 0 AND kind IN (${HELD_KINDS.map((kind) => `'${kind}'`).join(', ')})
    ORDER BY account_id, kind, key LIMIT ${PAGE_MAX}
  ) AS d ON 1 = 1 ${JOIN_DETAILS}
  WHERE counter.name = 'identity'
  ORDER BY d.account_id, d.kind, d.key`;
const ACKNOWLEDGE = 'UPDATE server SET applied_version = CASE WHEN applied_version < $2 THEN $2 ELSE applied_version END WHERE id = $1';
const SEEN = 'UPDATE server SET address = $2, seen_at_ms = $3 WHERE id = $1';
const SELECT_ALL = 'SELECT * FROM server ORDER BY started_at_ms, id';
const DRAIN = "UPDATE server SET state = 'draining' WHERE id = $1";
const REMOVE = "DELETE FROM server WHERE id = $1 AND state = 'draining'";
const EXPIRE = 'DELETE FROM server WHERE id = $1 AND applied_version < $2';
const LEAVE = 'DELETE FROM server WHERE id = $1';
const LEAVE_ALL = 'DELETE FROM server';
const RAISE_TRIMMED = `
  UPDATE counter SET value = (SELECT MIN(applied_version) FROM server)
  WHERE name = 'identity_trimmed' AND value < (SELECT MIN(applied_version) FROM server)`;
const TRIM = "DELETE FROM identity_document WHERE deleted = 1 AND version <= (SELECT value FROM counter WHERE name = 'identity_trimmed')";

type RenewalRow = {
  readonly counter: number;
  readonly trimmed: number;
  readonly epoch: string;
  readonly registration: 'active' | 'draining' | null;
  readonly acknowledged: number | null;
} & (ChangeRow | { readonly version: null });

type PageRow = { readonly counter: number; readonly epoch: string } & (
  | { readonly account_id: AccountId; readonly kind: HeldKind; readonly key: string; readonly text: string }
  | { readonly account_id: null }
);

/** Creates the registry of servers. Both engines run the same SQL. `sql` commits each statement separately. */
export function servers(sql: Sql, epoch: string): Servers {
  const RENEW = renewText(epoch);
  const PAGE = pageText(epoch);
  return {
    async leaseMilliseconds() {
      const lease = await sql.row<{ readonly value: number }>(SELECT_LEASE);
      if (lease === undefined)
        throw new Error(
          'the database does not contain the lease duration that Belfry stores, so it is not a database of Belfry; check BELFRY_DATABASE',
        );
      return lease.value;
    },
    async register({ id, name, startedAt }, version) {
      await sql.run(REGISTER, [id, name, version, startedAt]);
    },
    async page(after) {
      const rows = await sql.rows<PageRow>(PAGE, [after?.accountId ?? '', after?.kind ?? '', after?.key ?? '']);
      const [first] = rows;
      if (first === undefined) throw noIdentityCounter();
      const records = rows.flatMap((row) =>
        row.account_id === null ? [] : [{ accountId: row.account_id, kind: row.kind, key: row.key, text: row.text }],
      );
      return { version: first.counter, epoch: first.epoch, records, isLast: records.length < PAGE_MAX };
    },
    async renew(id, since) {
      const rows = await sql.rows<RenewalRow>(RENEW, [since, id]);
      const [first] = rows;
      if (first === undefined) throw noIdentityCounter();
      return {
        version: first.counter,
        trimmedTo: first.trimmed,
        epoch: first.epoch,
        registration: first.registration ?? 'absent',
        acknowledged: first.acknowledged ?? 0,
        changes: rows.flatMap((row) => (row.version === null ? [] : [toChange(row)])),
      };
    },
    acknowledge: async (id, version) => ((await sql.run(ACKNOWLEDGE, [id, version])) === 1 ? 'acknowledged' : 'absent'),
    expire: async (id, version) => ((await sql.run(EXPIRE, [id, version])) === 1 ? 'expired' : 'kept'),
    async seen(id, address, now) {
      await sql.run(SEEN, [id, address, now]);
    },
    registered: () => SERVER.rows(sql, SELECT_ALL),
    drain: async (id) => ((await sql.run(DRAIN, [id])) === 1 ? 'draining' : 'absent'),
    remove: async (id) => ((await sql.run(REMOVE, [id])) === 1 ? 'removed' : 'absent'),
    async leave(id) {
      await sql.run(LEAVE, [id]);
    },
    async leaveAll() {
      await sql.run(LEAVE_ALL);
    },
    async trim() {
      // Raises the counter before it deletes the tombstones. A server that reads between the two statements may load
      // all records needlessly, but misses no deletion.
      await sql.run(RAISE_TRIMMED);
      return await sql.run(TRIM);
    },
  };
}
