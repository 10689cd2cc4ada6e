import { fork } from 'node:child_process';
import { once } from 'node:events';
import { until } from '../kit/until.ts';
import type { Flood } from './flood.ts';

/** Counts of a running server. */
interface Counted {
  counts(): { readonly requests: number };
}

/** Longest time until the process has its first connection. */
const ARRIVAL_MS = 60_000;

/** Floods a server from a process of its own until `wait` resolves. Then waits until the server has ended all requests. */
export async function runFlood(options: Flood, server: Counted, wait: () => Promise<unknown>): Promise<void> {
  const child = fork(new URL('./flood.ts', import.meta.url), []);
  child.send(options);
  try {
    await once(child, 'message', { signal: AbortSignal.timeout(ARRIVAL_MS) });
    await wait();
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await until(
    () => server.counts().requests === 0,
    () => 'requests do not end',
  );
}
