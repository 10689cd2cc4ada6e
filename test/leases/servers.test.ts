import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { ALICE, BOB, group } from '#store/conformance-fixtures.ts';
import { openStore } from '#store/engine/open.ts';
import { openServers } from '#store/engine/open-servers.ts';
import { testPostgres } from '../store/test-postgres.ts';

const postgres = await testPostgres();
const opened: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of opened) await close();
  await postgres.stop();
});

for (const [engine, setting] of [
  ['SQLite', 'file::memory:'],
  ['PostgreSQL', postgres.url],
] as const) {
  describe(`the registry of servers on ${engine}: servers register, renew and leave`, async () => {
    const store = await openStore(setting, {});
    const { servers, close } = await openServers(setting, store);
    opened.push(async () => {
      await close();
      await store.close();
    });
    const server = (id: string) => ({ id, name: `name of ${id}`, startedAt: 5 });
    const put = (key: string) => store.transaction((tx) => tx.identity.put(ALICE, 'group', key, group(key)));
    const remove = (key: string) => store.transaction((tx) => tx.identity.remove(ALICE, 'group', key));

    test(`servers on ${engine}: the default length of a lease is two seconds`, async () => {
      assert.equal(await servers.leaseMilliseconds(), 2_000);
    });

    test(`servers on ${engine}: a repeated register() changes nothing, and seen() stores address and time`, async () => {
      await servers.register(server('a'), 3);
      await servers.register(server('a'), 7);
      const registered = { ...server('a'), appliedVersion: 3, state: 'active', address: '', seenAt: 0 };
      assert.deepEqual(await servers.registered(), [registered]);
      await servers.seen('a', 'https://a.example', instant(7));
      await servers.seen('unknown', 'https://b.example', instant(7));
      assert.deepEqual(await servers.registered(), [{ ...registered, address: 'https://a.example', seenAt: 7 }]);
    });

    test(`servers on ${engine}: a renewal returns version, changes and registration state`, async () => {
      await put('one');
      const { version } = await servers.renew('a', 0);
      await put('two');
      const renewal = await servers.renew('a', version);
      assert.deepEqual(
        [renewal.version, renewal.registration, renewal.changes.map(({ key }) => key), renewal.trimmedTo],
        [version + 1, 'active', ['two'], 0],
      );
      assert.deepEqual((await servers.renew('a', renewal.version)).changes, []);
      assert.equal((await servers.renew('unknown', 0)).registration, 'absent');
    });

    test(`servers on ${engine}: a late acknowledgement does not lower the acknowledged version`, async () => {
      await servers.acknowledge('a', 9);
      await servers.acknowledge('a', 8);
      assert.deepEqual(
        (await servers.registered()).map(({ appliedVersion }) => appliedVersion),
        [9],
      );
    });

    test(`servers on ${engine}: only a draining server is removed, and a renewal reports the state draining`, async () => {
      await servers.register(server('b'), 1);
      assert.equal(await servers.remove('b'), 'absent');
      assert.equal(await servers.drain('b'), 'draining');
      assert.equal((await servers.renew('b', 0)).registration, 'draining');
      assert.equal(await servers.remove('b'), 'removed');
      assert.equal(await servers.drain('b'), 'absent');
    });

    test(`servers on ${engine}: trim() deletes tombstones that all servers applied, and sets trimmedTo`, async () => {
      await servers.leaveAll();
      const { version } = await servers.renew('a', 0);
      await put('gone');
      await remove('gone');
      await put('later');
      await remove('later');
      await servers.register(server('fast'), version + 4);
      await servers.register(server('slow'), version + 2);
      assert.equal(await servers.trim(), 1);
      const { trimmedTo, changes } = await servers.renew('slow', version + 2);
      assert.deepEqual([trimmedTo, changes.map(({ key, text }) => [key, text])], [version + 2, [['later', undefined]]]);
      await servers.leave('slow');
      assert.equal(await servers.trim(), 1);
      assert.equal((await servers.renew('fast', version + 4)).trimmedTo, version + 4);
      assert.equal(await servers.trim(), 0);
    });

    test(`servers on ${engine}: the pages of identity contain each record once, in the order of keys`, async () => {
      const keys = Array.from({ length: 450 }, (_, i) => `page${String(i).padStart(3, '0')}`);
      await store.transaction(async ({ identity }) => {
        for (const key of keys) await identity.put(BOB, 'group', key, group(key));
        await identity.put(BOB, 'membership', 'page', { accountId: BOB });
        await identity.put(BOB, 'group', 'removed', group('removed'));
        await identity.remove(BOB, 'group', 'removed');
      });
      const { version, epoch } = await servers.renew('unknown', 0);
      const found: string[] = [];
      let pages = 0;
      for (let page = await servers.page(); ; page = await servers.page(page.records.at(-1))) {
        pages++;
        assert.deepEqual([page.version, page.epoch], [version, epoch]);
        found.push(...page.records.filter(({ accountId }) => accountId === BOB).map(({ kind, key }) => `${kind} ${key}`));
        assert.ok(page.records.every(({ text }) => text.includes('"groupId"')));
        if (page.isLast) break;
      }
      assert.deepEqual([pages, found], [3, keys.map((key) => `group ${key}`)]);
    });
  });
}
