/** A process that floods a server with pipelined requests until it is killed. The first message to it has the options, because a request can be longer than an argument. The process
 * sends a message with each connection. `connection-abuse.ts` starts it. */
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

/** Floods the server with connections that open again after their end. */
function start({ port, localAddress, connections, request, reads }: Flood): void {
  // The request, repeated so often that the bytes exceed the data that the server receives in one read.
  const bytes = Buffer.from(request.repeat(Math.ceil(131_072 / request.length)));

  function send(socket: Socket): void {
    while (!socket.destroyed && socket.write(bytes));
  }

  function open(): void {
    const socket = createConnection({ host: '127.0.0.1', port, localAddress });
    socket.on('connect', () => {
      process.send?.('connected');
      send(socket);
    });
    socket.on('drain', () => send(socket));
    if (reads) socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => setTimeout(open, 10));
  }

  for (let i = 0; i < connections; i++) open();
}

process.once('message', start);
process.on('disconnect', () => process.exit(0));
