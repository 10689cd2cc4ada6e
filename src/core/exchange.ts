import type { Instant } from './instant.ts';

/** Facts about a request that policies can test and that its trail event contains. */
export interface RequestFacts {
  /** UUID of the request. It is `x-amzn-requestid` of the response and `requestID` of the trail event. */
  readonly requestId: string;
  /** Name, value, name, value … in the order of arrival, with duplicates (Node's `rawHeaders`). */
  readonly rawHeaders: readonly string[];
  /**
   * Address of the client. IPv4-mapped IPv6 addresses are converted to IPv4. Behind a trusted proxy, it is the address of the proxy's
   * client.
   */
  readonly sourceIp: string;
  /** Whether the client connected over TLS, as the connection or a trusted proxy states. Absent means false. */
  readonly secureTransport?: boolean;
  /** TLS parameters of the client's own connection, if known. A proxy that sends only headers does not state them. */
  readonly tls?: { readonly version: string; readonly cipherSuite: string };
}

/** HTTP request as received from the socket, not authenticated. Plain data that can be sent between threads. */
export interface Received extends RequestFacts {
  readonly receivedAt: Instant;
  readonly method: string;
  /** Request target as sent: the path, and the query after the first `?`. Do not parse it with a URL library, which would normalize it. */
  readonly target: string;
  /** Body as sent, before the decompression that `content-encoding` requires. */
  readonly body: Uint8Array;
}

/** HTTP response. Plain data that can be sent between threads. */
export interface Answer {
  readonly status: number;
  /** Name, value, name, value … without `content-length`, `date` and `connection`, which the listener adds. */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array;
}

/** Returns the first value of a header by its lower-case name. */
export function header({ rawHeaders }: Pick<RequestFacts, 'rawHeaders'>, lowerCaseName: string): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName) return rawHeaders[i + 1];
  }
  return undefined;
}
