/**
 * A process that calls GetCallerIdentity through the unmodified client, one call after the other, and measures the longest and the median delay.
 * `workload.ts` starts it. The caller has its own process, so that its event loop does not wait for work of the server
 * or the attack.
 */
import { Agent } from 'node:http';
import { performance } from 'node:perf_hooks';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Measured, type OtherCallerOptions, WARM_UP_CALLS } from './workload.ts';

const { localAddress, ...client } = JSON.parse(process.argv[2] as string) as OtherCallerOptions;
const requestHandler = { httpAgent: new Agent({ keepAlive: true, ...(localAddress !== undefined && { localAddress }) }) };
const sts = new STSClient({ ...client, maxAttempts: 1, requestHandler });
let measuring = false;

async function measure(): Promise<Measured> {
  const times: number[] = [];
  while (measuring) {
    const from = performance.now();
    await sts.send(new GetCallerIdentityCommand({}));
    times.push(performance.now() - from);
    // Waits for one turn of the event loop, so that the message that ends the measurement can arrive.
    await new Promise((resolve) => setImmediate(resolve));
  }
  times.sort((a, b) => a - b);
  return { longestMs: times.at(-1) ?? 0, medianMs: times[times.length >> 1] ?? 0, calls: times.length };
}

process.on('message', (message: 'start' | 'stop') => {
  measuring = message === 'start';
  if (measuring) void measure().then((measured) => process.send?.(measured));
});
process.on('disconnect', () => process.exit(0));
for (let i = 0; i < WARM_UP_CALLS; i++) await sts.send(new GetCallerIdentityCommand({}));
process.send?.('ready');
