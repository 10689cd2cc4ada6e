/** The client of a request: the peer of the connection, or the client that a trusted proxy states. */
import type { TLSSocket } from 'node:tls';
import type { Received } from '#core/exchange.ts';
import { forwardedClient } from './forwarded.ts';
import type { ProxyHeader } from './proxy-protocol.ts';
import type { IsTrusted } from './trusted-proxies.ts';

/** Client of every request on a connection, unless the headers of a request name another client. */
export interface Peer {
  readonly address: string;
  /** Whether the headers `Forwarded` and `X-Forwarded-…` are read. */
  readonly trusted: boolean;
  readonly secure: boolean;
  readonly tls?: NonNullable<Received['tls']>;
  /** Whether the PROXY protocol header states `secure` and `tls`. */
  readonly stated?: boolean;
}

/** Returns the client that a PROXY protocol header states. */
export function statedPeer({ address, ssl }: ProxyHeader, proxyAddress: string, trusted: boolean): Peer {
  const peer = { address: address ?? proxyAddress, trusted, secure: ssl?.secure ?? false, stated: ssl !== undefined };
  if (!ssl?.secure || ssl.version === undefined || ssl.cipherSuite === undefined) return peer;
  return { ...peer, tls: { version: ssl.version, cipherSuite: ssl.cipherSuite } };
}

/** Returns the parameters of a TLS connection. */
export function tlsOf(stream: TLSSocket): NonNullable<Received['tls']> {
  // `getCipher` returns null if the socket has closed.
  const cipher = stream.getCipher() as { readonly standardName: string } | null;
  return { version: stream.getProtocol() ?? 'unknown', cipherSuite: cipher?.standardName ?? 'unknown' };
}

/** Facts about the client of one request. */
export type Client = Pick<Received, 'sourceIp' | 'secureTransport' | 'tls'>;

/**
 * Returns the client of a request. Requirement CTX-2: the connection or the headers of a trusted proxy determine the
 * client. Returns undefined if the proxy's headers are ambiguous.
 *
 * A client that a header names has no `tls`, because the proxy does not state the client's TLS parameters. The
 * parameters of the proxy's connection would be wrong in the trail.
 */
export function clientOf({ address, trusted, secure, tls }: Peer, rawHeaders: readonly string[], isTrusted: IsTrusted): Client | undefined {
  const forwarded = trusted ? forwardedClient(rawHeaders, isTrusted) : 'absent';
  if (forwarded === 'ambiguous') return undefined;
  if (forwarded !== 'absent') return { sourceIp: forwarded.address, secureTransport: forwarded.secure };
  return { sourceIp: address, secureTransport: secure, ...(tls === undefined ? {} : { tls }) };
}
