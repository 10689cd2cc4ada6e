/** Registers people on a running server, as its registration page does after a person has proven an address. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type AccountId, arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { type RegisteringWork, registerUser } from '#services/chime/registration.ts';
import { roomMemberships } from '#services/chime/tables/room-memberships.ts';
import type { WebhookType } from '#services/chime/tables/webhooks.ts';
import { createWebhook } from '#services/chime/webhooks.ts';
import { resources } from '#store/resources.ts';
import type { Sql, SqlValue } from '#store/sql.ts';
import type { Tx } from '#store/store.ts';
import type { TestServer } from '../kit/server.ts';

/** Opens the database of a server, as another process may. */
function openDatabase({ dataFolder }: Pick<TestServer, 'dataFolder'>): DatabaseSync {
  return new DatabaseSync(join(dataFolder, 'belfry.db'), { timeout: 10_000 });
}

/** Makes an account an Enterprise account that has verified a domain. If the account has added the domain, it is verified there too. */
export function verifyDomain(server: Pick<TestServer, 'dataFolder'>, chimeAccountId: string, domain: string): void {
  const database = openDatabase(server);
  database
    .prepare(
      `UPDATE chime_account SET account_type = 'EnterpriseLWA', document = json_set(document, '$.Domains', json_array(?))
      WHERE chime_account_id = ?`,
    )
    .run(domain, chimeAccountId);
  database.prepare('UPDATE chime_domain SET is_verified = 1, due_at_ms = NULL WHERE domain = ?').run(domain);
  database.close();
}

/** Runs work in a transaction on the database of a server. */
async function within<Value>(
  server: Pick<TestServer, 'dataFolder'>,
  run: (work: Pick<RegisteringWork, 'tx' | 'newId' | 'emit' | 'random'>) => Promise<Value>,
): Promise<Value> {
  const database = openDatabase(server);
  const bound = (values: readonly SqlValue[] = []) => Object.fromEntries(values.map((value, i) => [`$${i + 1}`, value]));
  const sql: Sql = {
    row: async <Row>(text: string, values?: readonly SqlValue[]) => database.prepare(text).get(bound(values)) as Row | undefined,
    rows: async <Row>(text: string, values?: readonly SqlValue[]) => database.prepare(text).all(bound(values)) as Row[],
    run: async (text, values) => Number(database.prepare(text).run(bound(values)).changes),
  };
  const tx = { sql, resources: resources(sql), of: (repository: (on: Sql) => unknown) => repository(sql) } as unknown as Tx;
  try {
    database.exec('BEGIN IMMEDIATE');
    const value = await run({ tx, newId: randomUUID, emit: async () => undefined, random: (bytes: number) => randomBytes(bytes) });
    database.exec('COMMIT');
    return value;
  } finally {
    database.close();
  }
}

/** Registers people in an account of the first AWS account of a server. Resolves to their user IDs. */
export async function register(server: TestServer, chimeAccountId: string, ...addresses: readonly string[]): Promise<readonly string[]> {
  return await within(server, async (work) => {
    const ids: string[] = [];
    for (const [i, emailAddress] of addresses.entries()) {
      const registration = { accountId: server.accountId as AccountId, chimeAccountId, emailAddress };
      ids.push((await registerUser({ ...work, now: instant(Date.now() + i) }, registration)).userId);
    }
    return ids;
  });
}

/** Adds a bot to a room if it is not there, and creates webhooks as events of the bot do. Resolves to their paths. */
export async function webhooksOf(
  server: TestServer,
  wanted: { readonly chimeAccountId: string; readonly botId: string; readonly roomId: string; readonly type: WebhookType },
  count = 1,
): Promise<readonly string[]> {
  return await within(server, async (work) => {
    const now = instant(Date.now());
    const owned = { ...wanted, accountId: server.accountId as AccountId };
    const invitedBy = arn('iam', '', owned.accountId, 'root');
    const { roomId, accountId, chimeAccountId, botId: memberId } = owned;
    const member = { roomId, accountId, chimeAccountId, memberId, invitedBy, roomCreatedAt: now, updatedAt: now };
    if ((await work.tx.of(roomMemberships).get(roomId, memberId)) === undefined)
      await work.tx.of(roomMemberships).add([{ ...member, memberType: 'Bot', role: 'Member' }]);
    const paths: string[] = [];
    for (let i = 0; i < count; i++) paths.push((await createWebhook({ ...work, now }, owned)) ?? assert.fail('no webhook'));
    return paths;
  });
}
