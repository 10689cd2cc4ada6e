import type { Instant } from './instant.ts';

/** One HTTP request as it came over the socket; nothing in it is trusted yet. Plain data: it crosses threads. */
export interface Received {
  /** A UUID, answered as `x-amzn-requestid` and recorded as `requestID`. */
  readonly requestId: string;
  readonly receivedAt: Instant;
  readonly method: string;
  /** The request target exactly as sent: path, and query after the first `?`. Never parsed by a URL library, which would normalise it. */
  readonly target: string;
  /** Name, value, name, value … in the order of arrival, duplicates kept (Node's `rawHeaders`). */
  readonly rawHeaders: readonly string[];
  /** As sent: still compressed where `content-encoding` says so. */
  readonly body: Uint8Array;
  /** Address of the client, IPv4-mapped IPv6 addresses already converted to IPv4. Behind a trusted proxy it is the proxy's client. */
  readonly sourceIp: string;
  /** Whether the client connected over TLS, as the connection or a trusted proxy states. Absent means false. */
  readonly secureTransport?: boolean;
  /** TLS parameters of the client's own connection, if known. A proxy that sends only headers does not state them. */
  readonly tls?: { readonly version: string; readonly cipherSuite: string };
}

/** One HTTP answer. Plain data: it crosses threads. */
export interface Answer {
  readonly status: number;
  /** Name, value, name, value … without `content-length`, `date` and `connection`, which the listener writes. */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array;
}

/** The first value of a header, by its lower-case name. */
export function header(received: Received, lowerCaseName: string): string | undefined {
  const { rawHeaders } = received;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName) return rawHeaders[i + 1];
  }
  return undefined;
}
