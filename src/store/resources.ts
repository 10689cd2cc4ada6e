import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { inList, inListFrom } from './in-list.ts';
import type { Sql } from './sql.ts';
import { countOf, instant, json, optional, type Row, table, text, textOf } from './table.ts';
import type { TagRecord } from './tag-record.ts';

/** Resources of all kinds that have no table of their own. */
export const RESOURCE = table('resource', {
  columns: {
    accountId: textOf<AccountId>(),
    /** Name of the `ResourceKind`. */
    kind: text,
    region: text,
    parent: text,
    id: text,
    createdAt: instant,
    updatedAt: instant,
    expiresAt: optional(instant),
    tags: json<readonly TagRecord[]>(),
    document: json<StoredDocument>(),
  },
  key: ['accountId', 'kind', 'region', 'parent', 'id'],
  indexes: [
    { columns: ['kind', 'expiresAt'], where: 'expires_at_ms IS NOT NULL' },
    // SIP requests name a Voice Connector only by its ID.
    { columns: ['id'], where: "kind = 'vc'" },
  ],
});

/** Kind of a resource: the name of its type in ARNs, and the type of its stored document. */
export interface ResourceKind<Document> {
  readonly name: string;
  /**
   * Converts a document that an earlier version of Belfry stored. Each read converts it, so the next write stores the
   * current form. A document in the current form must be returned unchanged.
   */
  readonly upgrade?: (stored: StoredDocument) => Document;
  /** Type of the document, for the compiler only. The member is never set. */
  readonly document?: Document;
}

/** Document as stored, by this version of Belfry or an earlier one. */
export type StoredDocument = Readonly<Record<string, unknown>>;

/** Account, region and parent of resources. A parent is the resource that contains them, such as an app instance. */
export interface ResourcePlace {
  readonly accountId: AccountId;
  /** Region of the control plane that created the resources. */
  readonly region: string;
  /** ID of the parent, such as the app instance of a user. `''` if the resources have no parent. */
  readonly parent: string;
}

export interface ResourceKey extends ResourcePlace {
  /** ID of the resource. Lists are in the byte order of IDs. */
  readonly id: string;
}

/** A resource as stored. */
export interface ResourceRecord<Document> extends ResourceKey {
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** Time from which the sweep (a background task) deletes the resource. Reads find the resource until the deletion. */
  readonly expiresAt?: Instant;
  readonly tags: readonly TagRecord[];
  readonly document: Document;
}

/**
 * Resources that are created, read, changed, listed and deleted one by one: app instances and their users, voice connectors, configurations.
 * Resources that are written a thousand times as often (messages, attendees) have their own tables.
 */
export interface Resources {
  /**
   * Adds a resource. Returns 'exists' and changes nothing if there is a resource of this kind with the same account,
   * region, parent and ID.
   */
  add<Document>(kind: ResourceKind<Document>, resource: ResourceRecord<Document>): Promise<'added' | 'exists'>;
  /** Adds resources that do not exist. A resource that exists does not change. */
  addAll<Document>(kind: ResourceKind<Document>, resources: readonly ResourceRecord<Document>[]): Promise<void>;
  get<Document>(kind: ResourceKind<Document>, key: ResourceKey): Promise<ResourceRecord<Document> | undefined>;
  /** Returns the resources with one account, region and parent that have the given IDs, at most `IN_LIST_MAX`, in no order. */
  getSome<Document>(
    kind: ResourceKind<Document>,
    place: ResourcePlace,
    ids: readonly string[],
  ): Promise<readonly ResourceRecord<Document>[]>;
  /**
   * Replaces all members of a resource, including its tags, except `createdAt`. Returns 'absent' and changes nothing if
   * the resource does not exist.
   */
  put<Document>(kind: ResourceKind<Document>, resource: ResourceRecord<Document>): Promise<'changed' | 'absent'>;
  /** Deletes a resource. Its children remain: call `removeAll` for each kind of child. */
  remove<Document>(kind: ResourceKind<Document>, key: ResourceKey): Promise<'removed' | 'absent'>;
  /** Deletes all resources of a kind with one account, region and parent. Returns their number. */
  removeAll<Document>(kind: ResourceKind<Document>, place: ResourcePlace): Promise<number>;
  /** Returns resources with one account, region and parent in the order of IDs, starting after the ID `after`. */
  list<Document>(
    kind: ResourceKind<Document>,
    place: ResourcePlace,
    limit: number,
    after?: string,
  ): Promise<readonly ResourceRecord<Document>[]>;
  /** Returns resources of an account in all regions and of all parents. */
  listOfAccount<Document>(kind: ResourceKind<Document>, accountId: AccountId, limit: number): Promise<readonly ResourceRecord<Document>[]>;
  /** Returns the number of resources with one account, region and parent. Stops counting at `most`. */
  count<Document>(kind: ResourceKind<Document>, place: ResourcePlace, most: number): Promise<number>;
  /** Returns resources of all accounts that expired before `now`, earliest first. */
  listExpired<Document>(kind: ResourceKind<Document>, now: Instant, limit: number): Promise<readonly ResourceRecord<Document>[]>;
}

const SELECT_SOME = `
  SELECT * FROM resource WHERE account_id = $1 AND kind = $2 AND region = $3 AND parent = $4
    AND id IN (${inListFrom(5)})`;
const DELETE_ALL = 'DELETE FROM resource WHERE account_id = $1 AND kind = $2 AND region = $3 AND parent = $4';
const SELECT_OF_ACCOUNT = 'SELECT * FROM resource WHERE account_id = $1 AND kind = $2 ORDER BY region, parent, id LIMIT $3';
const COUNT = `
  SELECT COUNT(*) AS count FROM (
    SELECT 1 FROM resource WHERE account_id = $1 AND kind = $2 AND region = $3 AND parent = $4 LIMIT $5) AS counted`;
const SELECT_EXPIRED = 'SELECT * FROM resource WHERE kind = $1 AND expires_at_ms <= $2 ORDER BY expires_at_ms LIMIT $3';

const put = RESOURCE.update('updatedAt', 'expiresAt', 'tags', 'document');

export function resources(sql: Sql): Resources {
  return {
    add: ({ name }, resource) => RESOURCE.add(sql, toRow(name, resource)),
    async addAll({ name }, resources) {
      await RESOURCE.addAll(
        sql,
        resources.map((each) => toRow(name, each)),
      );
    },
    async get(kind, { accountId, region, parent, id }) {
      const row = await RESOURCE.get(sql, accountId, kind.name, region, parent, id);
      return row && toResource(kind, row);
    },
    async getSome(kind, { accountId, region, parent }, ids) {
      if (ids.length === 0) return [];
      const rows = await RESOURCE.rows(sql, SELECT_SOME, [accountId, kind.name, region, parent, ...inList(ids)]);
      return rows.map((row) => toResource(kind, row));
    },
    put: ({ name }, resource) => put(sql, toRow(name, resource)),
    remove: ({ name }, { accountId, region, parent, id }) => RESOURCE.remove(sql, accountId, name, region, parent, id),
    removeAll: ({ name }, { accountId, region, parent }) => sql.run(DELETE_ALL, [accountId, name, region, parent]),
    list: async (kind, { accountId, region, parent }, limit, after = '') =>
      (await RESOURCE.page(sql, [accountId, kind.name, region, parent], [after], limit)).map((row) => toResource(kind, row)),
    listOfAccount: async (kind, accountId, limit) =>
      (await RESOURCE.rows(sql, SELECT_OF_ACCOUNT, [accountId, kind.name, limit])).map((row) => toResource(kind, row)),
    count: ({ name }, { accountId, region, parent }, most) => countOf(sql, COUNT, [accountId, name, region, parent, most]),
    listExpired: async (kind, now, limit) =>
      (await RESOURCE.rows(sql, SELECT_EXPIRED, [kind.name, now, limit])).map((row) => toResource(kind, row)),
  };
}

function toRow<Document>(kind: string, { document, ...resource }: ResourceRecord<Document>): Row<typeof RESOURCE> {
  return { ...resource, kind, document: document as StoredDocument };
}

function toResource<Document>(
  { upgrade }: ResourceKind<Document>,
  { kind, document, ...resource }: Row<typeof RESOURCE>,
): ResourceRecord<Document> {
  return { ...resource, document: upgrade ? upgrade(document) : (document as Document) };
}
