/** `belfry trail serve-tiles`: serves the transparency log to monitors over HTTP. A process of its own, which only reads the database. */
import { type Flag, FlagError } from '#server/flags.ts';
import { describeBug, log } from '#server/log.ts';
import { addressOrOff, isPostgres } from '#server/setting-types.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import type { ReadOnlyDatabase } from '#store/engine/read-only-database.ts';
import type { Sql } from '#store/sql.ts';
import type { ChainOrder } from '#store/trail/trail-writers.ts';
import { startTileServer } from '#tlog/tile-server.ts';
import { publishedLogs, publishedTile } from '#trail/log/published-log.ts';
import { DATA, DATABASE, databaseOf, type Subcommand } from './command.ts';

const LISTEN_DEFAULT = '127.0.0.1:7420';

/** Lines of `belfry trail --help`. */
export const TILES_USAGE =
  'belfry trail serve-tiles [--listen HOST:PORT]   serve the transparency log to monitors over HTTP until SIGINT or SIGTERM';
export const TILES_FLAGS = `  --listen HOST:PORT   address of this HTTP server (default: ${LISTEN_DEFAULT})`;

const LISTEN: Flag = { flag: '--listen', valid: 'HOST:PORT' };

/** Time for which reads share one snapshot. A longer one would keep the log of the database from being reused. */
const SNAPSHOT_MS = 1_000;

export const tilesCommand: Subcommand = {
  flags: [LISTEN, DATA, DATABASE],
  async run(parsed) {
    const listen = parsed.values.get(LISTEN.flag) ?? LISTEN_DEFAULT;
    const address = addressOrOff.read(listen);
    if (address === undefined || address === 'off') throw new FlagError(`--listen is '${listen}'; it must be ${LISTEN.valid}`);
    const setting = databaseOf(parsed);
    const order: ChainOrder = isPostgres(setting) ? 'first_number' : 'position';
    const snapshots = snapshotsOf(() => openReadOnly(setting));
    const source = {
      checkpoints: async () => new Map((await snapshots.within(publishedLogs)).map(({ epoch, checkpoint }) => [epoch, checkpoint])),
      tile: (...[epoch, tile]: Parameters<Parameters<typeof startTileServer>[0]['source']['tile']>) =>
        snapshots.within((sql) => publishedTile(sql, order, epoch, tile)),
    };
    const logs = await snapshots.within(publishedLogs);
    // Before the address is printed, so that a signal after it stops the server.
    const signal = new Promise<void>((stop) => {
      for (const each of ['SIGINT', 'SIGTERM'] as const) process.on(each, () => stop());
    });
    const onError = (error: unknown) => log(`could not read the trail log: ${describeBug(error)}`, 'error');
    const server = await startTileServer({ source, ...address, onError });
    for (const { epoch, origin, vkey } of logs)
      console.log(`belfry: the log '${origin}' with the key ${vkey} is on ${server.prefix(epoch)}`);
    console.log(`belfry: serving transparency logs on ${server.prefix(1)}`);
    await signal;
    await server.stop();
    await snapshots.close();
    return 0;
  },
};

/** Returns a function that reads a recent snapshot. Its calls must not overlap. Without calls, no snapshot is open. */
function snapshotsOf(open: () => Promise<ReadOnlyDatabase>) {
  let current: ReadOnlyDatabase | undefined;
  let isOld = false;
  let reading = false;
  let timer: NodeJS.Timeout | undefined;

  async function close(): Promise<void> {
    clearTimeout(timer);
    const closed = current;
    current = undefined;
    await closed?.close();
  }
  function expire(): void {
    isOld = true;
    if (!reading) void close().catch(() => undefined);
  }

  return {
    async within<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
      reading = true;
      try {
        if (current === undefined) {
          current = await open();
          isOld = false;
          timer = setTimeout(expire, SNAPSHOT_MS);
        }
        return await work(current.sql);
      } catch (error) {
        // The next read opens another connection, as after a restart of the database.
        isOld = true;
        throw error;
      } finally {
        reading = false;
        if (isOld) await close().catch(() => undefined);
      }
    },
    close,
  };
}
