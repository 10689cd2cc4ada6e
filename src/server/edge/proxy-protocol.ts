import type { Socket } from 'node:net';
import { plainAddress } from '#core/source-address.ts';

/** Facts about a client that its proxy states at the beginning of a connection. */
export interface ProxyHeader {
  /** Address of the client, in canonical form. Absent for the proxy's own connections, such as health checks. */
  readonly address?: string;
  /** State of the client's TLS connection. Absent if the proxy does not state it. */
  readonly ssl?: { readonly secure: false } | { readonly secure: true; readonly version?: string; readonly cipherSuite?: string };
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_BYTES = 16;
/**
 * Maximum bytes of addresses and TLVs (type-length-value fields). HAProxy sends less than 1 KiB, even with a client
 * certificate.
 */
const VARIABLE_MAX_BYTES = 4_096;

const COMMAND = { local: 0x20, proxy: 0x21 };
/**
 * Number of bytes of the two addresses and two ports of a connection, by family and transport: TCP over IPv4, TCP over
 * IPv6.
 */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x11, 12],
  [0x21, 36],
]);
const TLV = { ssl: 0x20, version: 0x21, cipher: 0x23 };
const CLIENT_SSL = 0x01;

/**
 * Parses a PROXY protocol header of version 2, or its beginning. Ignores the checksum TLV, which the specification
 * makes optional.
 *
 * Returns `more` until the header is complete. Returns `refused` in these cases:
 *
 * - the bytes are not such a header
 * - the addresses and TLVs have more than 4,096 bytes
 * - the client does not use TCP over IPv4 or IPv6
 *
 * Source: The PROXY protocol, versions 1 & 2 (haproxy.org, proxy-protocol.txt), sections 2.2 to 2.2.6.
 */
export function parseProxyHeader(bytes: Buffer): { readonly header: ProxyHeader; readonly length: number } | 'more' | 'refused' {
  const seen = Math.min(bytes.length, SIGNATURE.length);
  if (!bytes.subarray(0, seen).equals(SIGNATURE.subarray(0, seen))) return 'refused';
  if (bytes.length < FIXED_BYTES) return 'more';
  const variableBytes = bytes.readUInt16BE(14);
  if (variableBytes > VARIABLE_MAX_BYTES) return 'refused';
  const length = FIXED_BYTES + variableBytes;
  const command = bytes[12] as number;
  if (command !== COMMAND.local && command !== COMMAND.proxy) return 'refused';
  if (bytes.length < length) return 'more';
  if (command === COMMAND.local) return { header: {}, length };
  const family = bytes[13] as number;
  const addressBytes = ADDRESS_BYTES.get(family);
  if (addressBytes === undefined || addressBytes > variableBytes) return 'refused';
  const address = addressOf(bytes.subarray(FIXED_BYTES), family);
  const ssl = readSsl(bytes.subarray(FIXED_BYTES + addressBytes, length));
  if (ssl === 'refused') return 'refused';
  return { header: ssl === undefined ? { address } : { address, ssl }, length };
}

function addressOf(bytes: Buffer, family: number): string {
  if (family === 0x11) return bytes.subarray(0, 4).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return plainAddress(groups.join(':')) as string;
}

/**
 * Returns TLVs (type-length-value fields) by type. Returns undefined if a length exceeds the buffer, or if a type in
 * `once` is repeated.
 */
function readTlvs(bytes: Buffer, once: readonly number[]): ReadonlyMap<number, Buffer> | undefined {
  const found = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    if (at + 3 > bytes.length) return undefined;
    const type = bytes[at] as number;
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length || (found.has(type) && once.includes(type))) return undefined;
    found.set(type, bytes.subarray(at + 3, end));
    at = end;
  }
  return found;
}

function readSsl(bytes: Buffer): ProxyHeader['ssl'] | 'refused' {
  const tlvs = readTlvs(bytes, [TLV.ssl]);
  if (tlvs === undefined) return 'refused';
  const ssl = tlvs.get(TLV.ssl);
  if (ssl === undefined) return undefined;
  if (ssl.length < 5) return 'refused';
  if (((ssl[0] as number) & CLIENT_SSL) === 0) return { secure: false };
  const details = readTlvs(ssl.subarray(5), [TLV.version, TLV.cipher]);
  if (details === undefined) return 'refused';
  const version = readName(details.get(TLV.version));
  const cipherSuite = readName(details.get(TLV.cipher));
  return { secure: true, ...(version !== undefined && { version }), ...(cipherSuite !== undefined && { cipherSuite }) };
}

/** Reads a name in OpenSSL's format: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
function readName(bytes: Buffer | undefined): string | undefined {
  const text = bytes?.toString('latin1') ?? '';
  return /^[A-Za-z0-9._-]{1,64}$/.test(text) ? text : undefined;
}

/**
 * Reads the header from a new connection. The bytes after the header stay in the socket, for the HTTP or TLS server.
 *
 * Calls `done` once, with undefined if the bytes are refused or the connection ends first. The caller limits the time.
 */
export function readProxyHeader(socket: Socket, done: (header: ProxyHeader | undefined) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const finish = (header: ProxyHeader | undefined) => {
    socket.off('data', read).off('end', fail).off('error', fail).off('close', fail);
    done(header);
  };
  const fail = () => finish(undefined);
  const read = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const parsed = parseProxyHeader(bytes);
    if (parsed === 'more') return;
    if (parsed === 'refused') {
      fail();
      return;
    }
    socket.pause();
    if (parsed.length < bytes.length) socket.unshift(bytes.subarray(parsed.length));
    finish(parsed.header);
  };
  socket.on('data', read).on('end', fail).on('error', fail).on('close', fail);
}
