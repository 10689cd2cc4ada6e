/**
 * Measures the resident memory of a server with 10,000 idle messaging sessions, over plain connections and over TLS. Command:
 * `npm run bench idle-sockets`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connectTarget, createChat, residentMiB, startClients } from './chat.ts';
import { startProcess } from './load.ts';

const SOCKETS = Number(process.env['SOCKETS'] ?? 10_000);
const USERS = 500;
/** Wait after the last connection, in milliseconds, so that garbage collections complete before the measurement. */
const SETTLE_MS = 20_000;

for (const [kind, https] of [
  ['plain', 'off'],
  ['TLS', '127.0.0.1:0'],
] as const) {
  const server = await startProcess('belfry', { environment: { BELFRY_HTTPS: https } });
  const chat = await createChat(server, USERS);
  await delay(SETTLE_MS);
  const before = residentMiB(server.pid);
  const clients = startClients();
  const targets = Array.from({ length: SOCKETS }, (_, i) => {
    return connectTarget(server, server.socketEndpoint, chat.userArns[i % USERS] as string, `s${i}`);
  });
  const { hostname, port, protocol } = new URL(server.socketEndpoint);
  const began = performance.now();
  const { sockets } = await clients.open({ host: hostname, port: Number(port), tls: protocol === 'https:', targets, firstFrames: 1 });
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  await delay(SETTLE_MS);
  const after = residentMiB(server.pid);
  const perSocket = (((after - before) * 1024) / sockets).toFixed(1);
  console.log(
    `${kind}: ${sockets} sockets (opened in ${seconds} s) ${(after - before).toFixed(0)} MiB, ${perSocket} KiB each; ${before.toFixed(0)} MiB before`,
  );
  clients.stop();
  await server.stop();
}
process.exit(0);
