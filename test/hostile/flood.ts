/** A process that floods a server with pipelined requests until it is killed. `connection-abuse.ts` starts it. */
import { createConnection, type Socket } from 'node:net';

export interface Flood {
  readonly port: number;
  readonly localAddress: string;
  readonly connections: number;
  /** Request that the process sends again and again. */
  readonly request: string;
  /** Whether the process reads the responses. */
  readonly reads: boolean;
}

const { port, localAddress, connections, request, reads } = JSON.parse(process.argv[2] as string) as Flood;
/** The request, repeated so often that the bytes exceed the data that the server receives in one read. */
const bytes = Buffer.from(request.repeat(Math.ceil(131_072 / request.length)));

function send(socket: Socket): void {
  while (!socket.destroyed && socket.write(bytes));
}

function open(): void {
  const socket = createConnection({ host: '127.0.0.1', port, localAddress });
  socket.on('connect', () => send(socket));
  socket.on('drain', () => send(socket));
  if (reads) socket.resume();
  socket.on('error', () => {});
  socket.on('close', () => setTimeout(open, 10));
}

for (let i = 0; i < connections; i++) open();
process.on('disconnect', () => process.exit(0));
