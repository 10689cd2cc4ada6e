import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from './sql.ts';
import type { TagRecord } from './tag-record.ts';

/** Kind of a resource: the name of its type in ARNs, and the type of its stored document. */
export interface ResourceKind<Document> {
  readonly name: string;
  /**
   * Converts a document that an earlier version stored. Reads apply it, so the next write stores the present form.
   * It must return a document of the present form unchanged.
   */
  readonly upgrade?: (stored: StoredDocument) => Document;
  /** For the compiler only. */
  readonly document?: Document;
}

/** Document as stored, by this version or an earlier one. */
export type StoredDocument = Readonly<Record<string, unknown>>;

/** Where resources of a kind are: an account, a region, and what they belong to. */
export interface ResourcePlace {
  readonly accountId: AccountId;
  /** The region of the control plane they were made in. */
  readonly region: string;
  /** The id of what they belong to: the app instance of a user; `''` where nothing. */
  readonly parent: string;
}

export interface ResourceKey extends ResourcePlace {
  /** Lists are in the order of ids, byte by byte. */
  readonly id: string;
}

/** A resource as kept. */
export interface ResourceRecord<Document> extends ResourceKey {
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** When it goes by itself; reads find it until it was removed. */
  readonly expiresAt?: Instant;
  readonly tags: readonly TagRecord[];
  readonly document: Document;
}

/**
 * Things that are made, read, changed, listed and removed one by one: app instances and their users, voice connectors, configurations.
 * What is written a thousand times as often (messages, attendees) has tables of its own.
 */
export interface Resources {
  /** 'exists' changes nothing. */
  add<Document>(kind: ResourceKind<Document>, resource: ResourceRecord<Document>): Promise<'added' | 'exists'>;
  get<Document>(kind: ResourceKind<Document>, key: ResourceKey): Promise<ResourceRecord<Document> | undefined>;
  /** Replaces all but `createdAt`, tags included. 'absent' changes nothing. */
  put<Document>(kind: ResourceKind<Document>, resource: ResourceRecord<Document>): Promise<'changed' | 'absent'>;
  /** What belongs to it stays: `removeAll` of each kind that may. */
  remove<Document>(kind: ResourceKind<Document>, key: ResourceKey): Promise<'removed' | 'absent'>;
  /** Removes every resource of a kind in a place; resolves to how many there were. */
  removeAll<Document>(kind: ResourceKind<Document>, place: ResourcePlace): Promise<number>;
  /** In the order of ids, only those after `after`. */
  list<Document>(
    kind: ResourceKind<Document>,
    place: ResourcePlace,
    limit: number,
    after?: string,
  ): Promise<readonly ResourceRecord<Document>[]>;
  /** Those of an account in whatever region, and whatever they belong to. */
  listOfAccount<Document>(kind: ResourceKind<Document>, accountId: AccountId, limit: number): Promise<readonly ResourceRecord<Document>[]>;
  /** How many there are in a place; counts no further than `most`. */
  count<Document>(kind: ResourceKind<Document>, place: ResourcePlace, most: number): Promise<number>;
  /** Those that were to go before `now`, in whatever account, the earliest first. */
  listExpired<Document>(kind: ResourceKind<Document>, now: Instant, limit: number): Promise<readonly ResourceRecord<Document>[]>;
}

interface ResourceRow {
  readonly account_id: AccountId;
  readonly region: string;
  readonly parent: string;
  readonly id: string;
  readonly created_at_ms: number;
  readonly updated_at_ms: number;
  readonly expires_at_ms: number | null;
  readonly tags: string;
  readonly document: string;
}

const INSERT = `
  INSERT INTO resource (account_id, kind, region, parent, id, created_at_ms, updated_at_ms, expires_at_ms, tags, document)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`;
const SELECT = 'SELECT * FROM resource WHERE account_id = $1 AND kind = $2 AND region = $3 AND parent = $4 AND id = $5';
const UPDATE = `
  UPDATE resource SET updated_at_ms = $6, expires_at_ms = $7, tags = $8, document = $9
  WHERE account_id = $1 AND kind = $2 AND region = $3 AND parent = $4 AND id = $5`;
const DELETE = 'DELETE FROM resource WHERE account_id = $1 AND kind = $2 AND region = $3 AND parent = $4 AND id = $5';
const DELETE_ALL = 'DELETE FROM resource WHERE account_id = $1 AND kind = $2 AND region = $3 AND parent = $4';
const SELECT_PAGE = `
  SELECT * FROM resource WHERE account_id = $1 AND kind = $2 AND region = $3 AND parent = $4 AND id > $5 ORDER BY id LIMIT $6`;
const SELECT_OF_ACCOUNT = 'SELECT * FROM resource WHERE account_id = $1 AND kind = $2 ORDER BY region, parent, id LIMIT $3';
const COUNT = `
  SELECT COUNT(*) AS count FROM (
    SELECT 1 FROM resource WHERE account_id = $1 AND kind = $2 AND region = $3 AND parent = $4 LIMIT $5) AS counted`;
const SELECT_EXPIRED = 'SELECT * FROM resource WHERE kind = $1 AND expires_at_ms <= $2 ORDER BY expires_at_ms LIMIT $3';

export function resources(sql: Sql): Resources {
  return {
    async add({ name }, { accountId, region, parent, id, createdAt, updatedAt, expiresAt, tags, document }) {
      const values = [createdAt, updatedAt, expiresAt ?? null, JSON.stringify(tags), JSON.stringify(document)];
      return (await sql.run(INSERT, [accountId, name, region, parent, id, ...values])) === 1 ? 'added' : 'exists';
    },
    async get(kind, { accountId, region, parent, id }) {
      const row = await sql.row<ResourceRow>(SELECT, [accountId, kind.name, region, parent, id]);
      return row && toResource(kind, row);
    },
    async put({ name }, { accountId, region, parent, id, updatedAt, expiresAt, tags, document }) {
      const values = [updatedAt, expiresAt ?? null, JSON.stringify(tags), JSON.stringify(document)];
      return (await sql.run(UPDATE, [accountId, name, region, parent, id, ...values])) === 1 ? 'changed' : 'absent';
    },
    async remove({ name }, { accountId, region, parent, id }) {
      return (await sql.run(DELETE, [accountId, name, region, parent, id])) === 1 ? 'removed' : 'absent';
    },
    removeAll: ({ name }, { accountId, region, parent }) => sql.run(DELETE_ALL, [accountId, name, region, parent]),
    async list(kind, { accountId, region, parent }, limit, after = '') {
      const rows = await sql.rows<ResourceRow>(SELECT_PAGE, [accountId, kind.name, region, parent, after, limit]);
      return rows.map((row) => toResource(kind, row));
    },
    async listOfAccount(kind, accountId, limit) {
      return (await sql.rows<ResourceRow>(SELECT_OF_ACCOUNT, [accountId, kind.name, limit])).map((row) => toResource(kind, row));
    },
    async count({ name }, { accountId, region, parent }, most) {
      return Number((await sql.row<{ readonly count: number }>(COUNT, [accountId, name, region, parent, most]))?.count ?? 0);
    },
    async listExpired(kind, now, limit) {
      return (await sql.rows<ResourceRow>(SELECT_EXPIRED, [kind.name, now, limit])).map((row) => toResource(kind, row));
    },
  };
}

function toResource<Document>({ upgrade }: ResourceKind<Document>, row: ResourceRow): ResourceRecord<Document> {
  const stored = JSON.parse(row.document) as StoredDocument;
  return {
    accountId: row.account_id,
    region: row.region,
    parent: row.parent,
    id: row.id,
    createdAt: row.created_at_ms as Instant,
    updatedAt: row.updated_at_ms as Instant,
    ...(row.expires_at_ms !== null && { expiresAt: row.expires_at_ms as Instant }),
    tags: JSON.parse(row.tags) as readonly TagRecord[],
    document: upgrade ? upgrade(stored) : (stored as Document),
  };
}
