/** Removal of contents: their files become garbage, which the server deletes later. */
import type { Work } from '../kit/events.ts';
import { garbage } from './tables/garbage.ts';
import { type ObjectRecord, objects } from './tables/objects.ts';
import { type UploadRecord, uploads } from './tables/uploads.ts';

type Discarding = Pick<Work, 'tx' | 'now'>;

/** Moves the files of an object to the garbage. It does not delete the object's row. */
export async function discardContent({ tx, now }: Discarding, { bodyId, parts }: ObjectRecord): Promise<void> {
  if (parts === 0) await tx.of(garbage).add(bodyId, now);
  else await tx.of(uploads).discardParts(bodyId, now);
}

/** Deletes an object and moves its files to the garbage. */
export async function discardObject(work: Discarding, object: ObjectRecord): Promise<void> {
  await work.tx.of(objects).remove(object.bucket, object.key);
  await discardContent(work, object);
}

/** Deletes an incomplete upload and moves the files of its parts to the garbage. */
export async function discardUpload(work: Discarding, upload: UploadRecord): Promise<void> {
  await work.tx.of(uploads).remove(upload);
  await work.tx.of(uploads).discardParts(upload.uploadId, work.now);
}
