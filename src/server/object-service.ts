/**
 * Contents of objects in an S3-compatible service, for servers that share a database in PostgreSQL. This module does not own the rows of the
 * objects.
 */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import { DAY_MS } from '#core/duration.ts';
import type { Contents } from './core/contents.ts';
import {
  connecting,
  OBJECT_SERVICE_LIMITS,
  type ObjectServiceLimits,
  type ObjectServiceParts,
  safeCode,
  type UseService,
  within,
} from './object-service-link.ts';
import { serviceWriter } from './object-service-writer.ts';
import { partBuffers } from './part-buffers.ts';

/**
 * Age from which a content without a row is an orphan, in milliseconds. It is longer than an upload in parts may take (`uploadMs`), because
 * the time of such a content is the begin of its upload, and another server may be about to commit the row.
 *
 * Source: S3 User Guide, "Working with object metadata": the Last-Modified of a multipart upload is the date of its initiation.
 */
const ORPHAN_AGE_MS = DAY_MS;
/** Source: S3 API Reference, DeleteObjects: at most 1,000 keys. */
const DELETED_AT_ONCE = 1_000;
const ID = /^[0-9a-f]{32}$/;

/**
 * Opens the contents in a service. Opens no connection before the first call. If the service fails, calls throw `ServiceUnavailable`, and the
 * log has the reason.
 */
export function openObjectService(parts: ObjectServiceParts): Contents {
  const limits = { ...OBJECT_SERVICE_LIMITS, ...parts.limits };
  const buffers = partBuffers(limits.buffers);
  const using = connecting(parts);
  return {
    orphanAgeMs: ORPHAN_AGE_MS,
    create: async (owner = '') => serviceWriter(randomBytes(16).toString('hex'), owner, { using, buffers, limits }),
    read: (id, start, length) => readRange(using, limits, { id, start, length }),
    remove: (ids) => removeAll(using, limits, ids),
    list: (before) => listOlder(using, limits, before),
    endUploads: (before) => endUploads(using, limits, before),
  };
}

async function readRange(
  using: UseService,
  { requestMs }: ObjectServiceLimits,
  { id, start, length }: { readonly id: string; readonly start: number; readonly length: number },
): Promise<Readable> {
  return await using('read an object', async ({ sdk, client, bucket, prefix }) => {
    // The time ends with the head of the response. The client of this server may read the body slowly.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), requestMs);
    try {
      const range = `${start}-${start + length - 1}`;
      const get = new sdk.GetObjectCommand({ Bucket: bucket, Key: prefix + requireId(id), Range: `bytes=${range}` });
      const { Body, ContentRange = '', ContentLength } = await client.send(get, { abortSignal: late.signal });
      const bytes = Body as Readable;
      if (ContentLength === length && ContentRange.startsWith(`bytes ${range}/`)) return bytes;
      bytes.on('error', () => undefined).destroy();
      throw new Error('the response does not have the requested range');
    } finally {
      clearTimeout(timer);
    }
  });
}

async function removeAll(using: UseService, { requestMs }: ObjectServiceLimits, ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += DELETED_AT_ONCE) {
    await using('delete objects', async ({ sdk, client, bucket, prefix }) => {
      const keys = ids.slice(from, from + DELETED_AT_ONCE).map((id) => ({ Key: prefix + requireId(id) }));
      const command = new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys, Quiet: true } });
      const { Errors: errors = [] } = await client.send(command, within(requestMs));
      if (errors[0] !== undefined) throw new Error(`the code for ${errors.length} of them is ${safeCode(errors[0].Code)}`);
    });
  }
}

async function* listOlder(using: UseService, { requestMs }: ObjectServiceLimits, before: number): AsyncGenerator<readonly string[]> {
  let next: string | undefined;
  do {
    const page = await using('list objects', async ({ sdk, client, bucket, prefix }) => {
      const from = next === undefined ? {} : { ContinuationToken: next };
      return {
        prefix,
        ...(await client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...from }), within(requestMs))),
      };
    });
    const old = (page.Contents ?? []).filter(({ LastModified }) => LastModified !== undefined && LastModified.getTime() < before);
    yield old.map(({ Key = '' }) => Key.slice(page.prefix.length)).filter((id) => ID.test(id));
    next = page.NextContinuationToken;
  } while (next !== undefined);
}

/** Ends the multipart uploads that began before a time. Their server stopped, or could not end them itself. */
async function endUploads(using: UseService, { requestMs }: ObjectServiceLimits, before: number): Promise<void> {
  let from: { readonly KeyMarker?: string | undefined; readonly UploadIdMarker?: string | undefined } = {};
  let page: ListMultipartUploadsCommandOutput;
  do {
    page = await using('end abandoned uploads', async ({ sdk, client, bucket, prefix }) => {
      const list = new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...from });
      const listed = await client.send(list, within(requestMs));
      for (const { Key = '', UploadId, Initiated } of listed.Uploads ?? []) {
        if (Initiated === undefined || Initiated.getTime() >= before || !ID.test(Key.slice(prefix.length))) continue;
        await client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }), within(requestMs));
      }
      return listed;
    });
    from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  } while (page.IsTruncated === true);
}

function requireId(id: string): string {
  if (!ID.test(id)) throw new Error('an ID is not that of a stored content');
  return id;
}
