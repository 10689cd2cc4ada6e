/** HTTPS receiver in a thread of its own, so that its CPU time does not count. Posts a message when it has the requests of a round. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { key, cert } = workerData as { readonly key: string; readonly cert: string };
let received = 0;
let wanted = 0;
const receiver = createServer({ key, cert }, (incoming, response) => {
  incoming.resume();
  incoming.on('end', () => {
    response.end('{}');
    if (++received === wanted) parentPort?.postMessage({ done: received });
  });
});
receiver.listen(0, '127.0.0.1', () => parentPort?.postMessage({ port: (receiver.address() as AddressInfo).port }));
parentPort?.on('message', (count: number) => {
  received = 0;
  wanted = count;
  parentPort?.postMessage({ ready: true });
});
