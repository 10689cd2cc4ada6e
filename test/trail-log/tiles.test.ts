/** The transparency log over HTTP (`belfry trail serve-tiles`), read by a verifier in Go that has no code of ours. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { NOON, trailRow } from '#store/conformance-fixtures.ts';
import { openPostgres } from '#store/engine/postgres.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { dataFolders } from '#store/engine/sqlite-fixture.ts';
import type { Store } from '#store/store.ts';
import { packUpdate, TRAIL_PACK } from '#store/trail/trail-pack.ts';
import { noteRemoved } from '#store/trail/trail-removed.ts';
import { newFolder } from '../kit/folder.ts';
import { buildVerifier } from '../kit/go-verifier.ts';
import { startTiles, type TileProcess } from '../kit/tile-process.ts';
import { appenderOf, logOf } from '../kit/trail-log.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';

const RECORDS_OF_PACK = 3;
/** Commits of each of the three runs of a server. Their records are more than three full tiles. */
const COMMITS = 90;
const SIZE = 3 * COMMITS * RECORDS_OF_PACK;
const FULL_TILE_BYTES = 256 * 32;
const LEAF_BYTES = 65;
const FOR_EVER = 'public, max-age=31536000, immutable';

const verify = buildVerifier(newFolder('witness'));
const folder = dataFolders()();
const postgres = await testPostgres();
const started: TileProcess[] = [];
after(async () => {
  for (const each of started) await each.stop();
  await postgres.stop();
});

/** Writes records in commits that overlap, so that PostgreSQL uses several connections, each of which is a writer. */
async function write(store: Store, name: string): Promise<void> {
  const commits = Array.from({ length: COMMITS }, (_, commit) =>
    store.transaction(async (tx) => {
      for (let i = 0; i < RECORDS_OF_PACK; i++) await tx.trail.append(trailRow(`${name}${commit}-${i}`, NOON));
    }),
  );
  await Promise.all(commits);
}

/** Deletes the records of some packs as the retention does: all of one half, and the first of each other pack. */
async function removeSome(store: Store): Promise<number> {
  return await store.transaction(async ({ sql }) => {
    const packs = await TRAIL_PACK.rows(sql, `SELECT ${TRAIL_PACK.names} FROM trail_pack WHERE event_id LIKE 'b%-%' ORDER BY position`);
    for (const [i, pack] of packs.entries()) {
      const isWhole = i < packs.length / 2;
      await noteRemoved(sql, pack, (index) => isWhole || index === 0);
      const rest = packUpdate(pack, (index) => index !== 0);
      if (isWhole) await sql.run('DELETE FROM trail_pack WHERE position = $1 AND event_id = $2', [pack.position, pack.eventId]);
      else await sql.run(rest.text, rest.values);
    }
    return packs.length;
  });
}

// biome-ignore format: a table
const ENGINES: readonly (readonly [engine: string, setting: string, open: () => Promise<Store>])[] = [
  ['SQLite',     `file:${folder}`, () => openSqlite(folder)],
  ['PostgreSQL', postgres.url,     () => openPostgres(postgres.url)],
];

for (const [engine, setting, open] of ENGINES) {
  describe(`the transparency log over HTTP, on ${engine}`, () => {
    let url = '';

    test('tiles: a verifier in Go reads checkpoint, tiles and entries, and checks the tree, also of deleted records', async () => {
      for (const name of ['a', 'b', 'c']) {
        const store = await open();
        await write(store, name);
        await appenderOf(store, { shared: false }).run();
        await store.close();
      }
      const store = await open();
      assert.ok((await removeSome(store)) >= 4);
      const { vkey, size } = await logOf(store);
      assert.equal(size, SIZE);
      const served = await startTiles(setting);
      started.push(served);
      url = served.url;
      assert.ok(served.written().includes(vkey));
      const [status, output] = await verify('site', url, vkey);
      assert.equal(status, 0, `${output}\n${served.written()}`);
      assert.match(output, new RegExp(`^ok ${SIZE} entries$[\\s\\S]*^ok inclusion of ${SIZE - 1}$`, 'm'));

      await write(store, 'd');
      await appenderOf(store, { shared: false }).run();
      await until(
        async () => (await (await fetch(`${url}/checkpoint`)).text()).split('\n')[1] === String((await logOf(store)).size),
        () => 'the checkpoint does not grow',
      );
      assert.equal((await verify('site', url, vkey))[0], 0);
      await store.close();
    });

    test('tiles: responses have the types, sizes and caching of the specification', async () => {
      // biome-ignore format: a table
      const PATHS: readonly (readonly [path: string, bytes: number, type: string, caching: string])[] = [
        ['/tile/0/000',             FULL_TILE_BYTES,        'application/octet-stream',  FOR_EVER],
        ['/tile/0/000.p/17',        17 * 32,                'application/octet-stream',  FOR_EVER],
        ['/tile/1/000.p/2',         2 * 32,                 'application/octet-stream',  FOR_EVER],
        ['/tile/entries/000',       256 * (2 + LEAF_BYTES), 'application/octet-stream',  FOR_EVER],
        ['/tile/entries/002.p/5',   5 * (2 + LEAF_BYTES),   'application/octet-stream',  FOR_EVER],
      ];
      for (const [path, bytes, type, caching] of PATHS) {
        const response = await fetch(url + path);
        const body = await response.arrayBuffer();
        const { headers } = response;
        assert.deepEqual([path, response.status, body.byteLength], [path, 200, bytes]);
        assert.deepEqual([headers.get('content-type'), headers.get('cache-control')], [type, caching]);
        const head = await fetch(url + path, { method: 'HEAD' });
        assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(bytes)]);
      }
      const { headers } = await fetch(`${url}/checkpoint`);
      assert.deepEqual([headers.get('content-type'), headers.get('cache-control')], ['text/plain; charset=utf-8', 'no-cache']);
    });

    for (const path of [
      ...['/', '/tile', '/checkpoint/', '/checkpoint?x', '/1/checkpoint', '/2/checkpoint', '/tile/0/0', '/tile/00/000', '/tile/64/000'],
      ...[
        '/tile/0/000.p/256',
        '/tile/0/000.p/0',
        '/tile/0/000.p/017',
        '/tile/0/999',
        '/tile/entries/x001/000',
        '/tile/1/000',
        '/tile/5/000.p/1',
      ],
      ...['/tile/entries/x999/x999/x999/x999/x999/999', '//checkpoint'],
    ]) {
      test(`tiles: ${path} does not exist`, async () => {
        const response = await fetch(url + path);
        assert.deepEqual([response.status, response.headers.get('cache-control'), await response.text()], [404, 'no-store', '']);
      });
    }

    test('tiles: a method other than GET and HEAD is refused', async () => {
      const response = await fetch(`${url}/checkpoint`, { method: 'POST', body: 'x' });
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD']);
    });
  });
}
