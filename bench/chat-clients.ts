/**
 * Process with chat clients for the benchmarks. The clients are WebSockets that count the received frames and answer
 * pings. A benchmark forks this file, and sends the messages `open` and `count` to the new process.
 */
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Message `open`: opens one socket for each target. */
export interface OpenSockets {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly targets: readonly string[];
  /** Number of frames that a socket must receive before it counts as open. */
  readonly firstFrames: number;
}

export type ToClients = { readonly open: OpenSockets } | 'count' | 'close';
/** Response to the messages `open` and `count`. */
export interface ClientCounts {
  readonly sockets: number;
  /** Number of frames received since the last message `count`. */
  readonly frames: number;
  readonly closed: number;
}

/** Maximum number of sockets that are opened at the same time. */
const OPENING_MAX = 64;
/**
 * Buffer that all sockets without TLS share for reading. One buffer is enough, because the frames of a read are counted
 * before the next read.
 */
const buffer = Buffer.allocUnsafe(256 * 1024);
const sockets = new Set<Socket>();
let frames = 0;
let closed = 0;

const PING = 0x89;
/** A masked pong without payload. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/**
 * Returns a function that reads the frames of a stream. That function calls `onFrame` after each frame, with the first
 * byte of the frame.
 */
function frameReader(onFrame: (kind: number) => void): (bytes: Buffer, length: number) => void {
  /** Number of bytes of the current frame that are not received yet. */
  let left = 0;
  const head = Buffer.alloc(10);
  let headLength = 0;
  return (bytes, length) => {
    for (let at = 0; at < length; ) {
      if (left > 0) {
        const taken = Math.min(left, length - at);
        left -= taken;
        at += taken;
        if (left === 0) onFrame(head[0] as number);
        continue;
      }
      head[headLength++] = bytes[at++] as number;
      const kind = headLength < 2 ? 0 : (head[1] as number) & 127;
      if (headLength < 2 || (kind === 126 && headLength < 4) || (kind === 127 && headLength < 10)) continue;
      left = kind === 126 ? head.readUInt16BE(2) : kind === 127 ? Number(head.readBigUInt64BE(2)) : kind;
      headLength = 0;
      if (left === 0) onFrame(head[0] as number);
    }
  };
}

/** Opens a socket. Resolves when the socket has received `firstFrames` frames. */
function open({ host, port, tls, firstFrames }: OpenSockets, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let upgraded = '';
    let received = 0;
    const read = frameReader((kind) => {
      if (kind === PING) {
        socket.write(PONG);
        return;
      }
      frames += 1;
      if (++received === firstFrames) resolve();
    });
    const onBytes = (length: number, bytes: Buffer): boolean => {
      if (upgraded === 'done') {
        read(bytes, length);
        return true;
      }
      upgraded += bytes.toString('latin1', 0, length);
      const end = upgraded.indexOf('\r\n\r\n');
      if (end < 0) return true;
      if (!upgraded.startsWith('HTTP/1.1 101')) reject(new Error(upgraded));
      const rest = Buffer.from(upgraded.slice(end + 4), 'latin1');
      upgraded = 'done';
      if (firstFrames === 0) resolve();
      read(rest, rest.length);
      return true;
    };
    const onread = { buffer, callback: (length: number, bytes: Uint8Array) => onBytes(length, bytes as Buffer) };
    const socket = tls ? connectTls({ host, port, rejectUnauthorized: false }) : createConnection({ host, port, onread });
    if (tls) socket.on('data', (bytes: Buffer) => onBytes(bytes.length, bytes));
    socket.on('error', reject);
    socket.on('close', () => {
      closed += 1;
      sockets.delete(socket);
    });
    sockets.add(socket);
    socket.write(
      `GET ${target} HTTP/1.1\r\nhost: ${host}:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
  });
}

async function openAll(request: OpenSockets): Promise<void> {
  const targets = [...request.targets];
  const worker = async () => {
    for (let target = targets.pop(); target !== undefined; target = targets.pop()) await open(request, target);
  };
  await Promise.all(Array.from({ length: OPENING_MAX }, worker));
}

function counts(): ClientCounts {
  const result = { sockets: sockets.size, frames, closed };
  frames = 0;
  return result;
}

process.on('message', (message: ToClients) => {
  if (message === 'count') process.send?.(counts());
  else if (message === 'close') process.exit(0);
  else
    void openAll(message.open).then(
      () => process.send?.(counts()),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
});
