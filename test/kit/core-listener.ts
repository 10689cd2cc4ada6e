/** HTTP listener for a core in the thread of the test, so that clients can call a core whose clock the test sets. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { instant } from '#core/instant.ts';
import type { TestCore } from './core.ts';

/**
 * Starts a listener on a free port, and closes it after the tests of the file. Returns its URL. `now` is the time of its `Date` header, by
 * which clients of the AWS SDK correct the time of their signatures.
 */
export async function listenForCore({ answer }: Pick<TestCore, 'answer'>, now: () => number = Date.now): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', url: target = '/', rawHeaders } = request;
    const facts = { requestId: randomUUID(), receivedAt: instant(now()), sourceIp: '127.0.0.1' };
    const { status, headers, body } = await answer({ received: { ...facts, method, target, rawHeaders, body: Buffer.concat(chunks) } });
    response.writeHead(status, [...headers, 'date', new Date(now()).toUTCString()]).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
