/** Objects that the server itself writes, such as log files of trails. */
import type { StoredBody } from '#core/exchange.ts';
import type { Work } from '../kit/events.ts';
import { discardContent } from './discard.ts';
import { objectOf } from './objects.ts';
import { buckets } from './tables/buckets.ts';
import { type ObjectDocument, type ObjectRecord, objects } from './tables/objects.ts';

/** Object that the server writes. `stored` is the content, which is already durable (`putBody` in `server/stored-body.ts`). */
export interface OwnObject {
  readonly bucket: string;
  readonly key: string;
  readonly stored: StoredBody;
  readonly document: ObjectDocument;
}

/**
 * Writes an object for the server itself, and replaces an existing one. It checks no permission: the caller decides with the policy of
 * the bucket. If the transaction fails, or the result is `no-bucket`, the caller deletes the content.
 *
 *     const stored = await putBody(contents, gzip);
 *     await store.transaction(async (tx) => putOwnObject({ tx, now }, { bucket, key, stored, document: { contentType: 'application/json' } }));
 */
export async function putOwnObject(
  work: Pick<Work, 'tx' | 'now'>,
  { bucket, key, stored, document }: OwnObject,
): Promise<ObjectRecord | 'no-bucket'> {
  const { tx, now } = work;
  if ((await tx.of(buckets).get(bucket)) === undefined) return 'no-bucket';
  const existing = await tx.of(objects).get(bucket, key);
  if (existing !== undefined) await discardContent(work, existing);
  const object = objectOf({ bucket, key }, stored, { document, modifiedAt: now });
  await tx.of(objects).put(object);
  return object;
}
