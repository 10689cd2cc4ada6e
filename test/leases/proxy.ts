import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

/** Proxy to the database that tests can interrupt. An interrupted proxy still accepts connections, but forwards no data. */
export interface DatabaseProxy {
  readonly url: string;
  /** Stops forwarding in both directions without an error: on all connections, or only on connections that renew the lease. */
  cut(which: 'everything' | 'renewals'): void;
  /** Resumes forwarding. Waiting data is delivered. */
  heal(): void;
  close(): Promise<void>;
}

/** Starts a proxy on loopback for the Unix socket of a test's PostgreSQL. */
export async function databaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const { hostname, pathname, username } = new URL(databaseUrl);
  const path = join(decodeURIComponent(hostname), '.s.PGSQL.5432');
  const sockets = new Map<Socket, { renews: boolean }>();
  let cut: 'nothing' | 'everything' | 'renewals' = 'nothing';
  const isCut = (connection: { renews: boolean }): boolean => cut === 'everything' || (cut === 'renewals' && connection.renews);
  const server = createServer((near) => {
    const far = createConnection(path);
    const connection = { renews: false };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.set(from, connection);
      from.on('data', (bytes) => {
        // A client's first message on a PostgreSQL connection contains its application name. Connections that renew the
        // lease have the name `belfry lease`.
        if (bytes.includes('belfry lease')) connection.renews = true;
        to.write(bytes);
        if (isCut(connection)) from.pause();
      });
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      if (isCut(connection)) from.pause();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  return {
    url: `postgres://${username}@127.0.0.1:${port}${pathname}`,
    cut(which) {
      cut = which;
      for (const [socket, connection] of sockets) if (isCut(connection)) socket.pause();
    },
    heal() {
      cut = 'nothing';
      for (const socket of sockets.keys()) socket.resume();
    },
    async close() {
      for (const socket of sockets.keys()) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
