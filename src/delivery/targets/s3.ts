/** Buckets of S3-compatible services as targets of log files. AWS's client is loaded with the first file. */
import type { S3Client } from '@aws-sdk/client-s3';
import { GuardedRequestProblem, guardedHandler } from './guarded-handler.ts';
import { type LogTarget, OBJECT_ACL, TargetError } from './log-target.ts';

/** Address and credentials of an S3-compatible service. */
export interface S3Service {
  /** URL such as `https://s3.example.com`. The bucket follows as the first part of the path. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whether the host may have an internal address. Only then may the URL be an `http` URL. */
  readonly allowInternal: boolean;
}

/** Number of requests for one object. The delivery itself tries again later. */
const ATTEMPTS = 2;
/** Longest time of one request, in milliseconds. */
const REQUEST_MS = 25_000;

/** Creates a target that writes objects to the buckets of a service. */
export function s3Target(service: S3Service, requestMs = REQUEST_MS): LogTarget {
  let client: S3Client | undefined;

  async function put({ bucket, key, body, contentType, contentEncoding, metadata }: Parameters<LogTarget['put']>[0]): Promise<void> {
    const { PutObjectCommand, S3Client: Client } = await import('@aws-sdk/client-s3');
    client ??= new Client({
      endpoint: service.endpoint,
      region: service.region,
      credentials: { accessKeyId: service.accessKeyId, secretAccessKey: service.secretAccessKey },
      forcePathStyle: true,
      maxAttempts: ATTEMPTS,
      // The signature covers the hash of the body. Not every service knows newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: guardedHandler({ allowInternal: service.allowInternal, timeoutMs: requestMs }),
    });
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentType: contentType,
        ...(contentEncoding !== undefined && { ContentEncoding: contentEncoding }),
        ACL: OBJECT_ACL,
        ...(metadata !== undefined && { Metadata: { ...metadata } }),
      }),
    );
  }

  return {
    put: (object) =>
      put(object).catch((error: unknown) => {
        throw targetError(error);
      }),
  };
}

/** Converts an error of the client. Only a code that the service sent becomes the code. The service can send any string. */
function targetError(error: unknown): TargetError {
  const { name = '', $metadata } = error as { readonly name?: string; readonly $metadata?: { readonly httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) {
    const code = /^[A-Za-z][A-Za-z0-9.]{0,63}$/.test(name) ? name : 'UnknownError';
    return new TargetError(code, `the service responded with the status ${status} and the code ${code}`);
  }
  if (error instanceof GuardedRequestProblem) return new TargetError(undefined, error.message);
  return new TargetError(undefined, `the service cannot be reached (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
}
