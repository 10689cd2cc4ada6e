/** WebSocket upgrade requests for messaging sessions. Includes requests that an ordinary client would not send. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { WebSocket } from 'ws';
import { instant } from '#core/instant.ts';
import { presign } from '#sigv4/sign.ts';
import type { Keys } from './keys.ts';

/** Signature of a Connect request. */
export interface Signing {
  readonly keys: Keys;
  readonly region?: string;
  readonly signedAt?: number;
  readonly expiresSeconds?: number;
}

/** Returns the target of a Connect request, signed as the client does. */
export function connectTarget(
  endpoint: string,
  parameters: Readonly<Record<string, string>>,
  { keys, region = 'us-east-1', signedAt = Date.now(), expiresSeconds = 10 }: Signing,
): string {
  return presign(
    { method: 'GET', target: `/connect?${new URLSearchParams(parameters)}`, headers: { host: new URL(endpoint).host }, body: '' },
    { credentials: keys, region, signingName: 'chime', now: instant(signedAt), expiresSeconds },
  );
}

/** Sends an upgrade request, and closes the connection after the response. Returns the status and error code. */
export async function upgrade(
  endpoint: string,
  caFile: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly code: string | undefined }> {
  const { hostname, port } = new URL(endpoint);
  const sent = request({
    hostname,
    port,
    path,
    ca: readFileSync(caFile),
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...headers,
    },
  });
  sent.end();
  const [answer] = await Promise.race([once(sent, 'response'), once(sent, 'upgrade')]);
  sent.destroy();
  return { status: answer.statusCode, code: answer.headers['x-amzn-errortype'] };
}

/** Opens a WebSocket and waits until the server closes it. Returns the code and the reason of the close. */
export async function closing(endpoint: string, caFile: string, path: string): Promise<{ readonly code: number; readonly reason: string }> {
  const socket = new WebSocket(`${endpoint.replace('http', 'ws')}${path}`, { ca: readFileSync(caFile) });
  const [[code, reason]] = await Promise.all([once(socket, 'close'), once(socket, 'open')]);
  return { code, reason: String(reason) };
}
