/**
 * Starts a server for the benchmarks: `server-process.ts DATA [belfry | without-recording | bare | plain-ws] [SETTINGS]`. Prints its
 * endpoints.
 */
import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';

const [dataFolder, what, more = '{}'] = process.argv.slice(2) as [string, string | undefined, string | undefined];
if (what === 'plain-ws') {
  // A plain server of the package `ws`. It sends each message that arrives on `/publish` to the sockets on all other
  // paths.
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  const clients = new Set<WebSocket>();
  server.on('connection', (socket, { url }) => {
    if (url !== '/publish') {
      clients.add(socket);
      socket.on('close', () => clients.delete(socket));
      return;
    }
    socket.on('message', (data) => {
      const message = String(data);
      for (const client of clients) client.send(message);
    });
  });
  server.once('listening', () => console.log(`http://127.0.0.1:${(server.address() as { port: number }).port}`));
} else if (what === 'bare') {
  // A bare node:http server, with which Belfry is compared.
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"Meeting":{"MeetingId":"00000000-0000-4000-8000-000000000000"}}');
  });
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as { port: number }).port}`));
} else {
  // All load comes from one source (client address) and one account. So the limits per source, account and user are
  // raised. LookupEvents has no limit.
  const settings = readSettings([], {
    BELFRY_DATA: dataFolder,
    BELFRY_HTTP: '127.0.0.1:0',
    BELFRY_HTTPS: 'off',
    BELFRY_METRICS: 'off',
    BELFRY_SOURCE_SHARE: '100',
    BELFRY_REQUESTS_PER_SOURCE: '100000',
    BELFRY_SESSIONS_PER_ACCOUNT: '1000000',
    BELFRY_SESSIONS_PER_USER: '1000000',
    BELFRY_LOOKUPS_PER_SECOND: '0',
    ...(JSON.parse(more) as Record<string, string>),
  });
  const { ready, stop } = await startServer(
    settings,
    (why) => {
      console.error(why);
      process.exit(1);
    },
    { recording: what !== 'without-recording' },
  );
  console.log(ready.listeners.map(({ endpoint }) => endpoint).join(' '));
  process.once('SIGINT', () => void stop().then(() => process.exit(0)));
}
