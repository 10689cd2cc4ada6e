/** A small proxy for tests, on raw sockets. It terminates or forwards TLS, and adds HTTP headers or a PROXY protocol header. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { TestServer } from '../kit/server.ts';

export interface ProxyOptions {
  /** Endpoint of the server. */
  readonly target: string;
  /** Address that the proxy connects from. */
  readonly from: string;
  /** Server whose certificate the proxy uses to terminate TLS. If absent, the proxy forwards the bytes unchanged. */
  readonly tlsOf?: TestServer;
  /** Header lines that the proxy adds to each request. */
  readonly lines?: (clientAddress: string) => readonly string[];
  /** Bytes that the proxy sends first on each connection. */
  readonly first?: (client: Socket) => Buffer;
}

/** Starts a proxy, and stops it after the tests of the file. Returns its endpoint. */
export async function startProxy({ target, from, tlsOf, lines, first }: ProxyOptions): Promise<string> {
  const { hostname, port, protocol } = new URL(target);
  const onClient = (client: Socket) => {
    const server = createConnection({ host: hostname, port: Number(port), localAddress: from });
    client.on('error', () => server.destroy()).on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
    if (first !== undefined) server.write(first(client));
    server.pipe(client);
    if (lines === undefined) {
      client.pipe(server);
      return;
    }
    let head = '';
    const read = (chunk: Buffer) => {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      client.off('data', read);
      const added = lines(client.remoteAddress ?? '').map((line) => `\r\n${line}`);
      server.write(Buffer.from(`${head.slice(0, end)}${added.join('')}${head.slice(end)}`, 'latin1'));
      client.pipe(server);
    };
    client.on('data', read);
  };
  const tls = (name: string) => readFileSync(join((tlsOf as TestServer).dataFolder, 'tls', name));
  const proxy: Server =
    tlsOf === undefined ? createServer(onClient) : createTlsServer({ cert: tls('server.pem'), key: tls('server.key') }, onClient);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  after(() => proxy.close());
  const scheme = tlsOf === undefined ? protocol : 'https:';
  return `${scheme}//127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

/** Returns one type-length-value of the PROXY protocol. */
export function tlv(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** Returns the TLV of a client that uses TLS. Source: proxy-protocol.txt, section 2.2.6. */
export function sslTlv(version: string, cipher: string): Buffer {
  const inner = Buffer.concat([Buffer.from([0x01, 0, 0, 0, 0]), tlv(0x21, version), tlv(0x23, cipher)]);
  return tlv(0x20, inner);
}

/**
 * Returns a PROXY protocol header of version 2 for a client with an IPv4 address. If `address` is undefined, the header
 * is for a connection of the proxy itself.
 */
export function proxyHeader(address: string | undefined, ...tlvs: readonly Buffer[]): Buffer {
  const ports = Buffer.from([0x30, 0x39, 0x01, 0xbb]);
  const ends = address === undefined ? Buffer.alloc(0) : Buffer.from([...address.split('.').map(Number), 192, 0, 2, 1]);
  const variable = Buffer.concat([ends, address === undefined ? Buffer.alloc(0) : ports, ...tlvs]);
  const fixed = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
  const command = address === undefined ? [0x20, 0x00] : [0x21, 0x11];
  return Buffer.concat([fixed, Buffer.from([...command, variable.length >> 8, variable.length & 255]), variable]);
}
