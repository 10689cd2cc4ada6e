/** Writes a content into the object service, in bounded memory. */
import { createHash } from 'node:crypto';
import { AwsError } from '#core/aws-error.ts';
import type { BodyWriter } from './object-files.ts';
import { type ObjectServiceLimits, type UseService, withHash, within } from './object-service-link.ts';
import type { PartBuffers } from './part-buffers.ts';

export interface WriterParts {
  readonly using: UseService;
  readonly buffers: PartBuffers;
  readonly limits: ObjectServiceLimits;
}

/** Longest wait for the deletion of what a failed upload has left. The search for orphans deletes the rest. */
const CLEAN_UP_MS = 5_000;

const TOO_SLOW = 'Your socket connection to the server was not read from or written to within the timeout period.';

/**
 * Begins a content. A content of at most one buffer is one PutObject when it commits. A longer one is a multipart upload. The writer holds a
 * buffer of `owner` from the first byte to the end.
 */
export function serviceWriter(id: string, owner: string, { using, buffers, limits }: WriterParts): BodyWriter {
  let startedAt = 0;
  const sent: { ETag: string | undefined; PartNumber: number }[] = [];
  let buffer: Buffer | undefined;
  let used = 0;
  let hash = createHash('sha256');
  let UploadId: string | undefined;
  let mayExist = false;

  const content = () => buffer?.subarray(0, used) ?? new Uint8Array(0);

  async function sendPart(): Promise<void> {
    if (UploadId === undefined) startedAt = performance.now();
    // A longer upload could look like an orphan to another server.
    if (performance.now() - startedAt > limits.uploadMs) throw new AwsError('RequestTimeout', TOO_SLOW);
    await using('store a part of an object', async ({ sdk, client, bucket, prefix }) => {
      const at = { Bucket: bucket, Key: prefix + id };
      UploadId ??= (await client.send(new sdk.CreateMultipartUploadCommand(at), within(limits.requestMs))).UploadId;
      const PartNumber = sent.length + 1;
      const command = withHash(new sdk.UploadPartCommand({ ...at, UploadId, PartNumber, Body: content() }), hash.digest('hex'));
      const { ETag } = await client.send(command, within(limits.partMs));
      sent.push({ ETag, PartNumber });
    });
    used = 0;
    hash = createHash('sha256');
  }

  function release(): void {
    if (buffer !== undefined) buffers.giveBack(owner, buffer);
    buffer = undefined;
    used = 0;
  }

  return {
    id,
    async write(bytes) {
      for (let from = 0; from < bytes.length; ) {
        buffer ??= await buffers.take(owner);
        // A full buffer is sent only before further bytes, so a content that fits into it is one PutObject.
        if (used === buffer.length) await sendPart();
        const piece = bytes.subarray(from, from + buffer.length - used);
        buffer.set(piece, used);
        hash.update(piece);
        used += piece.length;
        from += piece.length;
      }
    },
    async commit() {
      if (UploadId !== undefined) await sendPart();
      await using('store an object', async ({ sdk, client, bucket, prefix }) => {
        const at = { Bucket: bucket, Key: prefix + id };
        mayExist = true;
        if (UploadId === undefined) {
          await client.send(withHash(new sdk.PutObjectCommand({ ...at, Body: content() }), hash.digest('hex')), within(limits.partMs));
          return;
        }
        const complete = new sdk.CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: sent } });
        await client.send(complete, within(limits.partMs));
      });
      UploadId = undefined;
      release();
    },
    async abort() {
      release();
      if (UploadId === undefined && !mayExist) return;
      await using('delete the rest of a failed upload', async ({ sdk, client, bucket, prefix }) => {
        const at = { Bucket: bucket, Key: prefix + id };
        const cleanUp = within(CLEAN_UP_MS);
        const aborting = UploadId && client.send(new sdk.AbortMultipartUploadCommand({ ...at, UploadId }), cleanUp);
        await Promise.all([aborting, mayExist && client.send(new sdk.DeleteObjectCommand(at), cleanUp)]);
      }).catch(() => undefined);
    },
  };
}
