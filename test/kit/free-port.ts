import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports below those that the kernel gives to connections and to listeners on port 0, so that no other program takes one in the meantime.
 * Source: Linux, `ip_local_port_range`: 32768 to 60999 by default.
 */
const PORTS = { from: 10_000, to: 32_767 } as const;

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}

/**
 * Returns a random free port of `127.0.0.1` and `::1`, for a listener that cannot choose its port itself: a program that takes a fixed port,
 * or a server that later listens on the same port again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from + 1));
    if ((await isFree(port, '127.0.0.1')) && (await isFree(port, '::1'))) return port;
  }
}
