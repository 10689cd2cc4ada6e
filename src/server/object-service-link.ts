/** Connection to the S3-compatible service with the contents of objects. AWS's client is loaded at the first use. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { MiddlewareStack } from '@smithy/types';
import { AwsError } from '#core/aws-error.ts';
import { HOUR_MS } from '#core/duration.ts';
import type { Log } from './log.ts';
import type { ObjectKey } from './object-key.ts';
import type { PartBufferLimits } from './part-buffers.ts';

/** Place of the contents. */
export interface ObjectService {
  /** URL without a path, such as `https://s3.example.com`. The bucket follows as the first part of the path. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Beginning of all keys. Empty, or ends with a slash. */
  readonly prefix: string;
}

export interface ObjectServiceParts {
  readonly service: ObjectService;
  /** Returns the access key. Called once, at the first use. */
  readonly key: () => ObjectKey;
  /** Returns the name that no other database has. It is the folder of the keys. */
  readonly folder: () => Promise<string>;
  readonly report: Log;
  readonly limits?: Partial<ObjectServiceLimits>;
}

export interface ObjectServiceLimits {
  readonly buffers: PartBufferLimits;
  /** Longest time of one request that sends a part, with its retries. */
  readonly partMs: number;
  /** Longest time of any other request, with its retries, until the head of the response. */
  readonly requestMs: number;
  /** Longest time of an upload in parts. */
  readonly uploadMs: number;
}

/**
 * Default limits. 10,000 parts of 8 MiB, the maximum number of parts, are more than 5 GiB, the maximum length of a content. 16 buffers are
 * 128 MiB.
 *
 * Source: S3 User Guide, "Amazon S3 multipart upload limits": 10,000 parts of at least 5 MiB.
 */
export const OBJECT_SERVICE_LIMITS: ObjectServiceLimits = {
  buffers: { bytes: 8 * 2 ** 20, count: 16, countOfOwner: 4, waitMs: 20_000 },
  partMs: 60_000,
  requestMs: 20_000,
  uploadMs: 12 * HOUR_MS,
};

/** Number of requests for one call, with the first. */
const ATTEMPTS = 3;
const CONNECT_MS = 5_000;
/** A connected service. */
export interface Connected {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
  readonly bucket: string;
  /** Beginning of all keys of this database. */
  readonly prefix: string;
}

/**
 * Runs requests to the service. `what` completes "could not …" in the log.
 *
 * @throws ServiceUnavailable  a request failed. The log has the reason
 */
export type UseService = <Result>(what: string, work: (connected: Connected) => Promise<Result>) => Promise<Result>;

/** Returns the function that runs requests. It connects at its first call. */
export function connecting({ service, key, folder, report }: ObjectServiceParts): UseService {
  let connected: Promise<Connected> | undefined;

  async function connect(): Promise<Connected> {
    const sdk = await import('@aws-sdk/client-s3');
    // The number of sockets has a limit of its own: each transfer belongs to a connection of a client.
    const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
    const client = new sdk.S3Client({
      endpoint: service.endpoint,
      region: service.region,
      credentials: key(),
      forcePathStyle: true,
      maxAttempts: ATTEMPTS,
      // The signature covers the hash of the body. Not every service knows newer checksums, or answers Expect in time.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      expectContinueHeader: false,
      requestHandler: { connectionTimeout: CONNECT_MS, httpAgent: agent, httpsAgent: agent },
    });
    return { sdk, client, bucket: service.bucket, prefix: `${service.prefix}${await folder()}/` };
  }

  return async (what, work) => {
    try {
      connected ??= connect().catch((error: unknown) => {
        connected = undefined;
        throw error;
      });
      return await work(await connected);
    } catch (error) {
      if (error instanceof AwsError) throw error;
      report(`could not ${what} in the object service: ${reasonOf(error)}`, 'error');
      throw new AwsError('ServiceUnavailable', 'The service is unavailable. Please retry.');
    }
  };
}

/** Returns the options of a request that ends, with its retries, after a time. */
export function within(milliseconds: number): { readonly abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(milliseconds) };
}

/** Adds the hash of the body to a request, so that the client does not hash a whole part in one turn of the event loop. */
export function withHash<Command extends { readonly middlewareStack: object }>(command: Command, sha256: string): Command {
  const stack = command.middlewareStack as MiddlewareStack<object, object>;
  stack.add(
    (next) => (args) => {
      (args.request as { readonly headers: Record<string, string> }).headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'hashOfPart' },
  );
  return command;
}

/** Describes an error for the log. A message of the client can contain what the service sent, so only codes are logged. */
function reasonOf(error: unknown): string {
  const { name = '', message = '', code, $metadata } = error as Partial<NodeJS.ErrnoException> & ServiceFailure;
  if ($metadata?.httpStatusCode !== undefined) return `it responded with status ${$metadata.httpStatusCode} and code ${safeCode(name)}`;
  if (name === 'AbortError' || name === 'TimeoutError') return 'it did not respond in time';
  return code === undefined ? message : `it cannot be reached (${safeCode(code)})`;
}

interface ServiceFailure {
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Returns a code that the service sent, if it has the form of one. */
export function safeCode(code = ''): string {
  return /^[A-Za-z][A-Za-z0-9._]{0,63}$/.test(code) ? code : 'unknown';
}
