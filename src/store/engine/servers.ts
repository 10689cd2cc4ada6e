import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { HELD_KINDS, type HeldKind, type IdentityChange, type StoredRecord } from '../identity/identity.ts';
import { TEXT_SQL } from '../identity/record-parts.ts';
import { CHANGE_COLUMNS, type ChangeRow, JOIN_DETAILS, noIdentityCounter, toChange } from '../identity/repository.ts';
import type { Sql } from '../sql.ts';
import { instant, int, type Row, table, text, textOf } from '../table.ts';

/**
 * Servers on one database, and the feed of identity changes that each of them reads. Owns the statements. The protocol is in
 * `access/lease.ts`. Each call is one statement with its own commit, so its result is one snapshot of the primary.
 */
export interface Servers {
  /** Returns the duration of a lease. It is stored in the database, because it is the same for all servers. Change it only while no server runs. */
  leaseMilliseconds(): Promise<number>;
  /** Registers a server that has applied all changes up to `version` and has no lease yet. A second call changes nothing. */
  register(server: { readonly id: string; readonly name: string; readonly startedAt: number }, version: number): Promise<void>;
  /**
   * Returns the next page of all records of the held kinds, in the order of their keys. The page has the version and epoch of the database
   * when it was read. `after` is the last record of the previous page.
   *
   * Each page is a different snapshot. So a page can have the old or the new form of a record that changed after the first page, or lack the
   * record. The changes after the version of the first page complete the pages.
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
  /** Stores that a server's decisions use `version` or a later one. A lower version changes nothing. 'absent': the server is not registered. */
  acknowledge(id: string, version: number): Promise<'acknowledged' | 'absent'>;
  /** Stores that a server runs at `now`, with its addresses. Does nothing if it is not registered. */
  seen(id: string, address: string, now: Instant): Promise<void>;
  registered(): Promise<readonly RegisteredServer[]>;
  /** Starts the removal of a server: it gets no further lease. 'absent': it is not registered. */
  drain(id: string): Promise<'draining' | 'absent'>;
  /** Ends the removal of a draining server. Call it after all its leases have expired. */
  remove(id: string): Promise<'removed' | 'absent'>;
  /**
   * Deletes a server that has not acknowledged `version`, at once. Call it after all leases older than the commit of `version` have ended.
   * A server without the acknowledgement then has no lease, and cannot get one. 'kept': the server has acknowledged, or is absent.
   */
  expire(id: string, version: number): Promise<'expired' | 'kept'>;
  /** Deletes the registration of this server, which has ended its lease. */
  leave(id: string): Promise<void>;
  /** Deletes all registrations. Only for the embedded engine: the process that opened the file is the only server. */
  leaveAll(): Promise<void>;
  /** Deletes the tombstones that every registered server has applied. Resolves to their number. */
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
    /** Addresses of its listeners, separated by spaces, for display only. Empty until they are known. */
    address: text,
    /** Last time at which the server stored that it runs, by its own clock. */
    seenAt: instant,
  },
  key: ['id'],
});
export type RegisteredServer = Row<typeof SERVER>;

export interface Renewal {
  readonly version: number;
  /** Version up to which tombstones are deleted. A server with an older version must read the whole identity. */
  readonly trimmedTo: number;
  /** Identifier of the database's history. It changes if the database is restored or replaced. */
  readonly epoch: string;
  readonly registration: 'active' | 'draining' | 'absent';
  /** Version that the server has acknowledged. 0 if the server is absent. */
  readonly acknowledged: number;
  readonly changes: readonly IdentityChange[];
}

/** A page of all records of the held kinds. */
export interface IdentityPage extends Pick<Renewal, 'version' | 'epoch'> {
  readonly records: readonly StoredRecord<HeldKind>[];
  readonly isLast: boolean;
}

/** Maximum number of records in a page. SQLite reads a page in one turn of the event loop, and other callers wait for this turn. */
const PAGE_MAX = 200;

/** SQL expression of an empty epoch, for databases that do not report their history. */
export const NO_EPOCH = "''";

/**
 * SQL expression for the epoch of a PostgreSQL primary: its cluster and its timeline. The timeline changes at each failover. The
 * expression fails on a standby, which must never grant a lease.
 *
 * Source: PostgreSQL manual, "System Administration Functions" (pg_current_wal_lsn "cannot be executed during recovery") and "High
 * Availability", timelines.
 */
export const POSTGRES_EPOCH =
  "(SELECT system_identifier FROM pg_control_system()) || ' ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)";

const SELECT_LEASE = "SELECT value FROM counter WHERE name = 'lease_ms'";
const REGISTER =
  "INSERT INTO server (id, name, applied_version, state, started_at_ms) VALUES ($1, $2, $3, 'active', $4) ON CONFLICT (id) DO NOTHING";
// Each change is joined with the counter's row, so one snapshot has both. If there are no changes, the result is one row.
const renewText = (epoch: string): string => `
  SELECT counter.value AS counter, trimmed.value AS trimmed, ${epoch} AS epoch, server.state AS registration, server.applied_version AS acknowledged,
    ${CHANGE_COLUMNS}
  FROM counter JOIN counter AS trimmed ON trimmed.name = 'identity_trimmed'
    LEFT JOIN server ON server.id = $2
    LEFT JOIN identity_document AS d ON d.version > $1 ${JOIN_DETAILS}
  WHERE counter.name = 'identity'
  ORDER BY d.version, d.account_id, d.kind, d.key`;
// The counter's row is joined with the page, so one snapshot has both. For an empty page, the result is one row.
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

/** Creates the registry. Both engines run the same SQL. `sql` commits each statement separately. */
export function servers(sql: Sql, epoch: string): Servers {
  const RENEW = renewText(epoch);
  const PAGE = pageText(epoch);
  return {
    async leaseMilliseconds() {
      const lease = await sql.row<{ readonly value: number }>(SELECT_LEASE);
      if (lease === undefined)
        throw new Error('the duration of leases is missing, so this is not a database of Belfry; check BELFRY_DATABASE');
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
      // Raises the counter first. A server that reads between the two statements may load all records needlessly, but misses no deletion.
      await sql.run(RAISE_TRIMMED);
      return await sql.run(TRIM);
    },
  };
}
