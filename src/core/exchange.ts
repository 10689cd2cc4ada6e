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
  readonly secureTransport?: boolean | undefined;
  /**
   * TLS parameters of the client's own connection, if known. They are unknown behind a proxy that passes only HTTP
   * headers.
   */
  readonly tls?: { readonly version: string; readonly cipherSuite: string } | undefined;
}

/** HTTP request as received from the socket, not authenticated. Plain data that can be sent between threads. */
export interface Received extends RequestFacts {
  readonly receivedAt: Instant;
  readonly method: string;
  /** Request target as sent: the path, and the query after the first `?`. Do not parse it with a URL library, which would normalize it. */
  readonly target: string;
  /** Body as sent, before the decompression that `content-encoding` requires. Empty if the body is in `stored`. */
  readonly body: Uint8Array;
  /** Content of a streamed body, which the main thread has stored. Only the main thread sets it. */
  readonly stored?: StoredBody | undefined;
}

/** Checksums that clients can send with an object and that the server can compute. */
export type ChecksumAlgorithmName = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';

/**
 * Content of a request that the server has stored durably, after it has decoded and verified the content. No other file
 * has the ID.
 */
export interface StoredBody {
  /** 32 random characters of lower-case hex. */
  readonly id: string;
  /** Length of the content in bytes, without the framing of `aws-chunked`. */
  readonly length: number;
  /** MD5 of the content, in lower-case hex. */
  readonly md5: string;
  /** Checksum that the client sent, or CRC64NVME if it sent none. The value is in base64. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithmName; readonly value: string; readonly sent: boolean };
  /** CRC64NVME in base64. Present for parts of multipart uploads, and if the client sent no other checksum. */
  readonly crc64nvme?: string;
}

/** Stored bytes that a response sends as its body: the pieces in their order. */
export interface StoredRange {
  readonly pieces: readonly { readonly id: string; readonly start: number; readonly length: number }[];
}

/** HTTP response. Plain data that can be sent between threads. */
export interface Answer {
  readonly status: number;
  /**
   * Name, value, name, value … without `date` and `connection`, which the listener adds. The listener also adds
   * `content-length`, unless the header is present, as in a response to HEAD.
   */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array;
  /** Stored bytes to send instead of `body`. */
  readonly file?: StoredRange | undefined;
}

/** Returns the first value of a header by its lower-case name. */
export function header({ rawHeaders }: Pick<RequestFacts, 'rawHeaders'>, lowerCaseName: string): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName) return rawHeaders[i + 1];
  }
  return undefined;
}
