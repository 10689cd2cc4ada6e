/** HTTP requests as bytes on a socket, for requests that clients refuse to send. */
import { readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { instant } from '#core/instant.ts';
import { type Credentials, sign } from '#sigv4/sign.ts';

/** A response. Header names are in lower case. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An open connection. */
export interface Connection {
  readonly socket: Socket;
  write(bytes: string | Buffer): void;
  /**
   * Returns the next response. Pass false for the response to HEAD, which has no body whatever its length says.
   *
   * @throws Error  the connection ends before the response is complete
   */
  reply(hasBody?: boolean): Promise<Reply>;
  /** Resolves when the server has ended the connection. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Opens a connection, from `localAddress` if set. `caFile` has the certificate of an `https://` endpoint. */
export async function connect(endpoint: string, caFile?: string, localAddress?: string): Promise<Connection> {
  const { hostname, port, protocol } = new URL(endpoint);
  const secure = protocol === 'https:';
  const to = { host: hostname, port: Number(port), ...(localAddress !== undefined && { localAddress }) };
  const socket = secure ? connectTls({ ...to, ...(caFile !== undefined && { ca: readFileSync(caFile) }) }) : createConnection(to);
  await new Promise<void>((resolve, reject) => {
    socket.once(secure ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  let read: Buffer = Buffer.alloc(0);
  let ended = false;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    read = Buffer.concat([read, chunk]);
    wake();
  });
  // Ignores errors, because a server that rejects a request may reset the connection. Tests check the response and the
  // end of the connection.
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      ended = true;
      wake();
      resolve();
    });
  });
  socket.on('end', () => socket.end());

  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    async reply(hasBody = true) {
      for (;;) {
        const found = readReply(read, hasBody);
        if (found !== undefined) {
          read = read.subarray(found.length);
          return found.reply;
        }
        if (ended) throw new Error(`the connection ended after ${read.length} bytes of a response`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    closed,
    close: () => void socket.destroy(),
  };
}

/** Returns the first complete response and its length. Skips interim responses (`100 Continue`). */
function readReply(read: Buffer, hasBody: boolean): { readonly reply: Reply; readonly length: number } | undefined {
  const head = read.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const [first = '', ...lines] = read.toString('latin1', 0, head).split('\r\n');
  const status = Number(first.split(' ')[1]);
  if (status === 100) {
    const later = readReply(read.subarray(head + 4), hasBody);
    return later && { reply: later.reply, length: later.length + head + 4 };
  }
  const headers: Record<string, string> = {};
  for (const line of lines) headers[line.slice(0, line.indexOf(':')).toLowerCase()] = line.slice(line.indexOf(':') + 1).trim();
  const length = head + 4 + (hasBody ? Number(headers['content-length'] ?? 0) : 0);
  return read.length < length ? undefined : { reply: { status, headers, body: read.subarray(head + 4, length) }, length };
}

/** Unsigned request. Header names are in lower case. `signedHeaders` adds `host`, `bytesOf` adds `content-length`. */
export interface Plain {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Credentials and scope of a signature. */
export interface SignedBy {
  readonly credentials: Credentials;
  readonly signingName: string;
  readonly region?: string;
  /** Time of the signature, in milliseconds since the epoch. Default: now. */
  readonly at?: number;
}

/** Returns the headers of a signed request. */
export function signedHeaders(endpoint: string, plain: Plain, by: SignedBy): Record<string, string> {
  const body = plain.body ?? '';
  return sign(
    { method: plain.method, target: plain.target, headers: { host: new URL(endpoint).host, ...plain.headers }, body },
    { credentials: by.credentials, region: by.region ?? 'us-east-1', signingName: by.signingName, now: instant(by.at ?? Date.now()) },
  );
}

/** Returns a request as bytes. */
export function bytesOf(plain: Plain, headers: Readonly<Record<string, string>> | readonly (readonly [string, string])[]): Buffer {
  const body = Buffer.from(plain.body ?? '');
  const pairs = Array.isArray(headers) ? (headers as readonly (readonly [string, string])[]) : Object.entries(headers);
  const framed = pairs.some(([name]) => name === 'content-length' || name === 'transfer-encoding');
  const lines = pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = framed ? '' : `content-length: ${body.length}\r\n`;
  return Buffer.concat([Buffer.from(`${plain.method} ${plain.target} HTTP/1.1\r\n${lines}${length}\r\n`, 'latin1'), body]);
}

/** Sends bytes on a new connection and returns the first response. */
export async function exchange(endpoint: string, bytes: string | Buffer, caFile?: string, localAddress?: string): Promise<Reply> {
  const connection = await connect(endpoint, caFile, localAddress);
  try {
    connection.write(bytes);
    return await connection.reply();
  } finally {
    connection.close();
  }
}

/** Returns the error code of a response in any protocol, as clients read it. */
export function errorCodeOf({ headers, body }: Reply): string | undefined {
  const text = body.toString('latin1');
  return headers['x-amzn-errortype'] ?? /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? /__type.([A-Za-z.#0-9]*)/.exec(text)?.[1];
}

/** Returns the message of an error response in any protocol. */
export function errorTextOf({ body }: Reply): string {
  const text = body.toString('utf8');
  const found = /<Message>([\s\S]*?)<\/Message>/.exec(text)?.[1] ?? /"[mM]essage":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text;
  return found.replaceAll('&apos;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&#39;', "'");
}
