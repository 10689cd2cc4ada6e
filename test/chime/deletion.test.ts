/** Deletion of accounts of Amazon Chime on both engines: restore within 90 days, and no trace in any table afterwards. The clock is set. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { disabledAccounts, restoreAccount } from '#services/chime/disabled-accounts.ts';
import { CHIME_OPENID_CONFIG, openIdKey } from '#services/chime/openid-kind.ts';
import { releaseManaged } from '#services/chime/released-domains.ts';
import { accounts } from '#services/chime/tables/accounts.ts';
import { botsOf, CHIME_BOT } from '#services/chime-kit/chime-bots.ts';
import { ACCOUNT, START } from '#services/kit/fixture.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import type { Store } from '#store/store.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { openAging } from './aging.ts';

const postgres = await testPostgres();
const STORES = { SQLite: await openSqlite(':memory:'), PostgreSQL: await openPostgres(postgres.url) };
after(async () => {
  await STORES.PostgreSQL.close();
  await postgres.stop();
});

interface Column {
  readonly table: string;
  readonly name: string;
  readonly isText: boolean;
}

/** Returns the columns of all tables. */
async function columnsOf(engine: keyof typeof STORES): Promise<readonly Column[]> {
  const query =
    engine === 'SQLite'
      ? `SELECT m.name AS "table", c.name AS name, lower(c.type) AS type FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'`
      : `SELECT table_name AS "table", column_name AS name, data_type AS type FROM information_schema.columns WHERE table_schema = current_schema()`;
  const rows = await STORES[engine].transaction(({ sql }) => sql.rows<{ table: string; name: string; type: string }>(query, []));
  return rows.map(({ table, name, type }) => ({ table, name, isText: type.includes('text') }));
}

/** Returns the tables that have a text. The trail keeps it, so its tables are omitted. */
async function tablesWith(store: Store, columns: readonly Column[], text: string): Promise<readonly string[]> {
  const found = new Set<string>();
  await store.transaction(async ({ sql }) => {
    for (const { table, name, isText } of columns) {
      if (!isText || found.has(table) || table.startsWith('trail_')) continue;
      const row = await sql.row<{ count: number }>(`SELECT COUNT(*) AS count FROM ${table} WHERE ${name} LIKE $1`, [`%${text}%`]);
      if (Number(row?.count) > 0) found.add(table);
    }
  });
  return [...found].sort();
}

for (const [engine, store] of Object.entries(STORES) as [keyof typeof STORES, Store][]) {
  test(`Deleted accounts on ${engine}: nothing of an account is in any table after 90 days`, async () => {
    const aging = openAging(store);
    const { chime, account, person, send, setDay, sweep } = aging;
    const AccountId = await account('gone.example.com');
    const other = await account('kept.example.com');
    const [ada, eve] = [await person(AccountId, 'ada@gone.example.com'), await person(other, 'eve@kept.example.com')];
    const room = (await chime('CreateRoom', { AccountId, Name: 'room' })).Room?.RoomId as string;
    const foreign = (await chime('CreateRoom', { AccountId: other, Name: 'other' })).Room?.RoomId as string;
    await chime('BatchCreateRoomMembership', { AccountId, RoomId: room, MembershipItemList: [{ MemberId: ada }, { MemberId: eve }] });
    await chime('BatchCreateRoomMembership', {
      AccountId: other,
      RoomId: foreign,
      MembershipItemList: [{ MemberId: ada }, { MemberId: eve }],
    });
    const memberOf = (await aging.conversation(ada, eve)).replace(/[^/]*$/, room);
    await send(memberOf, ada, 'hello in the room');
    await chime('PutRetentionSettings', { AccountId, RetentionSettings: { ConversationRetentionSettings: { RetentionDays: 5 } } });
    // Rows that these operations did not write, in each table that names accounts, and resources of the account.
    const columns = await columnsOf(engine);
    const naming = [...new Set(columns.filter(({ name }) => name === 'chime_account_id').map(({ table }) => table))].sort();
    assert.ok(naming.length > 10, naming.join());
    const written = await tablesWith(store, columns, AccountId);
    await store.transaction(async (tx) => {
      for (const table of naming.filter((each) => !written.includes(each))) {
        const own = columns.filter((column) => column.table === table);
        const values = own.map(({ name, isText }) => {
          if (name === 'chime_account_id') return AccountId;
          if (name === 'account_id') return ACCOUNT;
          if (!isText) return 0;
          return name === 'document' ? '{}' : `text of ${name}`;
        });
        await tx.sql.run(`INSERT INTO ${table} (${own.map(({ name }) => name)}) VALUES (${own.map((_, i) => `$${i + 1}`)})`, values);
      }
      const named = { accountId: ACCOUNT, chimeAccountId: AccountId };
      const times = { createdAt: START, updatedAt: START, tags: [] };
      const bot = { DisplayName: 'b (Bot)', BotEmail: 'b@gone.example.com', Disabled: false, sealedToken: '' };
      await tx.resources.add(CHIME_BOT, { ...botsOf(named), id: 'bot', ...times, document: bot });
      const openId = { clientId: 'c', issuer: 'https://id.example.com', sealedSecret: '' };
      await tx.resources.add(CHIME_OPENID_CONFIG, { ...openIdKey(named), ...times, document: openId as never });
      await releaseManaged({ tx, now: START }, { ...named, domain: 'gone.example.com' });
    });
    const before = await tablesWith(store, columns, AccountId);
    assert.deepEqual(
      naming.filter((table) => !before.includes(table)),
      [],
    );

    await store.transaction(async (tx) => {
      const found = await tx.of(accounts).get(ACCOUNT, AccountId);
      assert.ok(found);
      const { Domains: _domains, ...document } = found.document;
      await tx.of(accounts).put({ ...found, accountType: 'Team', document });
    });
    await chime('BatchSuspendUser', { AccountId, UserIdList: [ada] });
    await chime('DeleteAccount', { AccountId });
    setDay(89);
    await sweep();
    assert.equal((await chime('GetAccount', { AccountId })).Account?.AccountStatus, 'Suspended');
    setDay(90);
    await sweep();
    assert.deepEqual(await tablesWith(store, columns, AccountId), []);
    // The messages of the room are deleted with it, and the user is in no list, no room and no app instance.
    assert.deepEqual(await tablesWith(store, columns, 'hello in the room'), []);
    assert.deepEqual(
      (await tablesWith(store, columns, ada)).filter((table) => table.startsWith('chime_')),
      [],
    );
    await assert.rejects(chime('GetAccount', { AccountId }), { code: 'NotFoundException' });
    const { RoomMemberships } = await chime('ListRoomMemberships', { AccountId: other, RoomId: foreign });
    assert.deepEqual(
      RoomMemberships?.map(({ Member }) => Member?.MemberId),
      [eve],
    );
  });

  test(`Deleted accounts on ${engine}: an account is restored until 90 days have passed, as it was`, async () => {
    const { chime, account, person, setDay, sweep } = openAging(store);
    const AccountId = await account();
    const ada = await person(AccountId, `ada@${engine}.example.org`, true);
    await chime('UpdateAccountSettings', { AccountId, AccountSettings: { EnableDialOut: true } });
    await chime('BatchSuspendUser', { AccountId, UserIdList: [ada] });
    const [before, user] = [await chime('GetAccount', { AccountId }), await chime('GetUser', { AccountId, UserId: ada })];
    const restoreOn = (day: number) => store.transaction((tx) => restoreAccount(tx, AccountId, instant(START + day * DAY_MS)));
    const listedOn = async (day: number) =>
      (await store.transaction((tx) => disabledAccounts(tx, instant(START + day * DAY_MS), 9))).map(({ chimeAccountId }) => chimeAccountId);
    assert.deepEqual([await restoreOn(0), await listedOn(0)], ['absent', []]);
    await chime('DeleteAccount', { AccountId });
    assert.deepEqual([await listedOn(89), await listedOn(90)], [[AccountId], []]);
    assert.equal(await restoreOn(90), 'absent');
    setDay(89);
    await sweep();
    assert.notEqual(await restoreOn(89), 'absent');
    setDay(400);
    await sweep();
    assert.deepEqual([await chime('GetAccount', { AccountId }), await chime('GetUser', { AccountId, UserId: ada })], [before, user]);
    assert.equal((await chime('GetAccountSettings', { AccountId })).AccountSettings?.EnableDialOut, true);
    assert.ok((await chime('ListAccounts', {})).Accounts?.some((each) => each.AccountId === AccountId));
  });
}
