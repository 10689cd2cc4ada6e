/** An HTTPS endpoint of bots on loopback, with a certificate of its own. It is closed after the tests of the file. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { newFolder } from '../kit/folder.ts';

/** Request that the endpoint received. */
export interface BotRequest {
  readonly path: string;
  readonly type: string | undefined;
  readonly body: unknown;
  readonly text: string;
  readonly timestamp: string;
  readonly signature: string;
}

/** Responses to a challenge by path. The endpoint does not respond to challenges on other paths. */
const RESPONSES: Readonly<Record<string, (challenge: string) => readonly [status: number, body: string]>> = {
  '/ok': (Challenge) => [200, JSON.stringify({ Challenge })],
  '/wrong': () => [200, JSON.stringify({ Challenge: '00000000000000000000' })],
  '/failing': (Challenge) => [500, JSON.stringify({ Challenge })],
  '/text': (challenge) => [200, challenge],
  '/moved': () => [302, ''],
};

/** Starts the endpoint. */
export async function startBotEndpoint() {
  const folder = newFolder('bots');
  const [keyFile, certFile] = [join(folder, 'bot.key'), join(folder, 'bot.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=bot'],
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', certFile],
    ],
    { stdio: 'ignore' },
  );
  const received: BotRequest[] = [];
  const statuses: number[] = [];
  const endpoint = createServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) }, async (request, response) => {
    const path = request.url ?? '';
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text) as { readonly Challenge?: string };
    const { 'content-type': type, 'chime-request-timestamp': timestamp, 'chime-signature': signature } = request.headers;
    received.push({ path, type, body, text, timestamp: String(timestamp), signature: String(signature) });
    if (body.Challenge === undefined) {
      response.writeHead(statuses.shift() ?? 200).end();
      return;
    }
    const [status, answer] = RESPONSES[path]?.(body.Challenge) ?? [];
    if (status !== undefined) response.writeHead(status, { location: '/ok' }).end(answer);
  });
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  after(() => {
    endpoint.close();
    endpoint.closeAllConnections();
  });
  const { port } = endpoint.address() as AddressInfo;
  return {
    port,
    /** URL without a path, such as `https://localhost:40123`. */
    host: `https://localhost:${port}`,
    received,
    /** Statuses of the next responses to events. The default is 200. */
    statuses,
    /** Settings of a server process that can reach the endpoint. */
    settings: { NODE_EXTRA_CA_CERTS: certFile, BELFRY_OUTGOING_INTERNAL_HOSTS: `localhost:${port}` },
  };
}
