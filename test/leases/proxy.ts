import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

/** A way to the database that can be cut: nothing is refused, nothing arrives. */
export interface DatabaseProxy {
  readonly url: string;
  /** From now on nothing goes through, in either direction, and nobody is told. */
  cut(): void;
  /** What waited goes on. */
  heal(): void;
  close(): Promise<void>;
}

/** A proxy on loopback before the Unix socket of a test's PostgreSQL. */
export async function databaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const { hostname, pathname, username } = new URL(databaseUrl);
  const path = join(decodeURIComponent(hostname), '.s.PGSQL.5432');
  const sockets = new Set<Socket>();
  let whole = true;
  const server = createServer((near) => {
    const far = createConnection(path);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      if (!whole) from.pause();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  return {
    url: `postgres://${username}@127.0.0.1:${port}${pathname}`,
    cut() {
      whole = false;
      for (const socket of sockets) socket.pause();
    },
    heal() {
      whole = true;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
