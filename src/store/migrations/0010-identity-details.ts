import type { Migration } from '../migrate.ts';
import type { Sql } from '../sql.ts';

/** Members of each kind of record that move to the table `identity_details`. */
const DETAILS: Readonly<Record<string, readonly string[]>> = {
  user: ['attachedPolicyArns', 'inlinePolicies', 'tags'],
  group: ['attachedPolicyArns', 'inlinePolicies'],
  role: ['attachedPolicyArns', 'inlinePolicies', 'tags', 'trustPolicy', 'trustPrincipals'],
  policy: ['documents', 'tags'],
  'mfa-device': ['tags'],
  'saml-provider': ['metadata', 'tags'],
  'oidc-provider': ['clientIds', 'tags', 'thumbprints'],
  'organization-account': ['tags'],
  'organizational-unit': ['tags'],
  'service-control-policy': ['content', 'tags'],
  handshake: ['notes', 'tags'],
};

/** Number of rows that one statement reads. It is small, because the row of a SAML provider has up to 2 MiB. */
const BATCH = 16;

const TABLE = `
  CREATE TABLE identity_details (
    account_id {text} NOT NULL, kind {text} NOT NULL, key {text} NOT NULL, details {text} NOT NULL,
    PRIMARY KEY (account_id, kind, key)) {tail}`;
const SELECT = `
  SELECT account_id, kind, key, version, document FROM identity_document
  WHERE deleted = 0 AND (account_id, kind, key) > ($1, $2, $3) ORDER BY account_id, kind, key LIMIT $4`;
const SELECT_GROUP = "SELECT document FROM identity_document WHERE account_id = $1 AND kind = 'group' AND key = $2 AND deleted = 0";
const UPDATE = 'UPDATE identity_document SET document = $4 WHERE account_id = $1 AND kind = $2 AND key = $3';
const INSERT_DETAILS = 'INSERT INTO identity_details (account_id, kind, key, details) VALUES ($1, $2, $3, $4)';
const INSERT = `
  INSERT INTO identity_document (account_id, kind, key, version, deleted, document) VALUES ($1, $2, $3, $4, 0, $5)
  ON CONFLICT (account_id, kind, key) DO UPDATE SET version = excluded.version, deleted = 0, document = excluded.document`;
const DELETE = 'DELETE FROM identity_document WHERE account_id = $1 AND kind = $2 AND key = $3';

type Row = {
  readonly account_id: string;
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  readonly document: string;
};
type Members = Readonly<Record<string, unknown>>;

/**
 * Moves the large members of records to the table `identity_details`. In the records of users and memberships, replaces
 * the names of groups with the groups' unique IDs. Adds index records for unique IDs of groups, access keys of root
 * users, and open invitations.
 */
async function convert(sql: Sql): Promise<void> {
  const groupIds = new Map<string, string | undefined>();

  async function groupId(accountId: string, name: string): Promise<string | undefined> {
    const place = `${accountId} ${name.toLowerCase()}`;
    if (!groupIds.has(place)) {
      const row = await sql.row<{ readonly document: string }>(SELECT_GROUP, [accountId, name.toLowerCase()]);
      groupIds.set(place, row && (JSON.parse(row.document) as { readonly groupId: string }).groupId);
    }
    return groupIds.get(place);
  }

  async function idsOf(accountId: string, names: readonly string[]): Promise<string[]> {
    const ids: string[] = [];
    for (const name of names) {
      const id = await groupId(accountId, name);
      if (id !== undefined) ids.push(id);
    }
    return ids;
  }

  /** Returns the record with the new member names: `groupIds` in a user, and `documents` in a policy. */
  async function renamed({ account_id, kind, document }: Row): Promise<Members> {
    const record = JSON.parse(document) as Members;
    if (kind === 'user') {
      const { groupNames, ...user } = record;
      return { ...user, groupIds: await idsOf(account_id, groupNames as readonly string[]) };
    }
    if (kind === 'policy') {
      const versions = record['versions'] as readonly {
        readonly versionId: string;
        readonly createdAt: number;
        readonly document: string;
      }[];
      return {
        ...record,
        versions: versions.map(({ versionId, createdAt }) => ({ versionId, createdAt })),
        documents: versions.map((version) => version.document),
      };
    }
    return record;
  }

  async function convertRow(row: Row): Promise<void> {
    const { account_id, kind, key, version } = row;
    const index = (indexKind: string, indexKey: string, record: Members) =>
      sql.run(INSERT, [account_id, indexKind, indexKey, version, JSON.stringify({ accountId: account_id, ...record })]);
    if (kind === 'membership') {
      // A key that begins with AGPA already has the unique ID of a group. An old key begins with a name in lower case.
      if (key.startsWith('AGPA')) return;
      const [groupKey = '', userKey = ''] = key.split(' ');
      const id = await groupId(account_id, groupKey);
      await sql.run(DELETE, [account_id, kind, key]);
      if (id !== undefined) await index('membership', `${id} ${userKey}`, {});
      return;
    }
    const record = await renamed(row);
    if (kind === 'group') await index('unique-id', record['groupId'] as string, { kind: 'group', key });
    if (kind === 'access-key' && record['userName'] === undefined) await index('root-access-key', key, {});
    if (kind === 'handshake' && record['state'] === 'OPEN') await index('open-handshake', key, {});
    const names = DETAILS[kind];
    if (names === undefined) return;
    const part = (isDetail: boolean) =>
      JSON.stringify(Object.fromEntries(Object.entries(record).filter(([name]) => names.includes(name) === isDetail)));
    await sql.run(UPDATE, [account_id, kind, key, part(false)]);
    await sql.run(INSERT_DETAILS, [account_id, kind, key, part(true)]);
  }

  let after: readonly [string, string, string] = ['', '', ''];
  for (;;) {
    const rows = await sql.rows<Row>(SELECT, [...after, BATCH]);
    for (const row of rows) await convertRow(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH) return;
    after = [last.account_id, last.kind, last.key];
  }
}

export const migration: Migration = { title: 'details of identity', statements: [TABLE], convert };
