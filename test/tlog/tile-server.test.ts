/** The HTTP server of tiles: how many reads requests cost, and what it does if reads take long or fail. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TileAddress } from '#tlog/tile-path.ts';
import { READS_WAITING_MAX, startTileServer, type TileSource } from '#tlog/tile-server.ts';
import { entriesOf, memoryLog } from '../kit/tlog.ts';
import { until } from '../kit/until.ts';

const SIZE = 25_000;
const LOG = memoryLog();
await LOG.append(entriesOf(SIZE));
const SIGNED = await LOG.checkpoint(SIZE);

/** Starts a server of a log in epoch 2, whose reads are noted. `wait` delays the reads of tiles. */
async function start(wait = async (): Promise<void> => undefined) {
  const reads: string[] = [];
  const errors: unknown[] = [];
  let inProgress = 0;
  let most = 0;
  const source: TileSource = {
    async checkpoints() {
      reads.push('checkpoints');
      return new Map([[2, { size: SIZE, signed: SIGNED }]]);
    },
    async tile(_epoch: number, { level, index, width }: TileAddress) {
      reads.push(`${level}/${index}/${width}`);
      most = Math.max(most, ++inProgress);
      await wait().finally(() => inProgress--);
      return (await LOG.read(Number(level), index, width)).subarray(0, width * 32);
    },
  };
  const server = await startTileServer({ source, host: '127.0.0.1', port: 0, onError: (error) => errors.push(error) });
  after(() => server.stop());
  const get = (path: string) => fetch(server.prefix(2) + path);
  return { server, get, reads, tileReads: () => reads.filter((each) => each !== 'checkpoints'), errors, most: () => most };
}

test('tile server: all widths of a tile cost one read, and paths that the checkpoint does not need cost none', async () => {
  const { get, server, tileReads } = await start();
  assert.match(server.prefix(2), /:\d+\/2$/);
  const last = Math.floor(SIZE / 256);
  for (let width = 1; width <= SIZE % 256; width++) {
    const response = await get(`/tile/0/0${last}.p/${width}`);
    assert.deepEqual([response.status, (await response.arrayBuffer()).byteLength], [200, width * 32]);
  }
  for (let width = (SIZE % 256) + 1; width < 256; width++) assert.equal((await get(`/tile/0/0${last}.p/${width}`)).status, 404);
  for (let index = last + 1; index < last + 200; index++)
    assert.equal((await get(`/tile/0/${String(index).padStart(3, '0')}`)).status, 404);
  assert.deepEqual(tileReads(), [`0/${last}/${SIZE % 256}`]);
});

test('tile server: one read at a time; requests for one tile share a read, and too many tiles at a time are refused', async () => {
  const gate = Promise.withResolvers<void>();
  const { get, tileReads, errors, most } = await start(() => gate.promise);
  assert.equal((await get('/checkpoint')).status, 200);
  const same = Array.from({ length: 50 }, () => get('/tile/0/000'));
  const others = Array.from({ length: 2 * READS_WAITING_MAX }, (_, i) => get(`/tile/0/${String(i + 1).padStart(3, '0')}`));
  const refused: Response[] = [];
  for (const each of others) void each.then((response) => response.status === 503 && refused.push(response));
  await until(
    () => refused.length >= READS_WAITING_MAX,
    () => `${refused.length} are refused`,
  );
  gate.resolve();
  for (const response of await Promise.all(same)) assert.equal(response.status, 200);
  const statuses = (await Promise.all(others)).map(({ status }) => status);
  assert.deepEqual([refused[0]?.headers.get('retry-after'), refused[0]?.headers.get('cache-control')], ['1', 'no-store']);
  assert.deepEqual([most(), tileReads().length, errors], [1, 1 + statuses.filter((status) => status === 200).length, []]);
});

test('tile server: a failed read is 503 without details, is reported once, and the next request reads again', async () => {
  let fails = true;
  const { get, errors } = await start(async () => {
    if (fails) throw new Error('the disk failed');
  });
  for (let i = 0; i < 3; i++) {
    const response = await get('/tile/0/000');
    assert.deepEqual([response.status, await response.text()], [503, '']);
  }
  assert.equal(errors.length, 1);
  fails = false;
  assert.equal((await get('/tile/0/000')).status, 200);
});
