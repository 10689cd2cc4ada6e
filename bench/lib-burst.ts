/** Process that sends a burst over a WebSocket: `lib-burst.ts URL frames|pings COUNT BYTES`. Prints the code with which the socket closes. */
import { once } from 'node:events';
import WebSocket from 'ws';

const [url, kind, count, bytes] = process.argv.slice(2) as [string, 'frames' | 'pings', string, string];
const socket = new WebSocket(url);
await once(socket, 'open');
const closed = once(socket, 'close');
const data = Buffer.alloc(Number(bytes), 'a');
for (let i = 0; i < Number(count) && socket.readyState === WebSocket.OPEN; i++) {
  if (kind === 'pings') socket.ping(data);
  else socket.send(data);
}
socket.close();
const [code] = await closed;
console.log(code);
