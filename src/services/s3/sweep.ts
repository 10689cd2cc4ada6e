/** Background deletion of expired objects and of abandoned multipart uploads. */
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Work } from '../kit/events.ts';
import type { Sweep } from '../kit/service.ts';
import { discardObject, discardUpload } from './discard.ts';
import { expirationOf, midnightAfter } from './expiry.ts';
import { type BucketRecord, buckets } from './tables/buckets.ts';
import { objects } from './tables/objects.ts';
import { uploads } from './tables/uploads.ts';

/** Maximum number of objects or uploads that one step reads. Other requests run between two steps. */
const ROWS_OF_STEP = 500;
/**
 * Interval between two runs over all buckets with a lifecycle configuration. Source: S3 User Guide, "Expiring objects": S3 removes expired
 * objects some time after they expire. Assumed: an hour is early enough.
 */
const RUN_EVERY_MS = HOUR_MS;

/** Position of a run: a bucket, and the last key that the run has seen in it. */
interface Position {
  readonly bucket: string;
  readonly kind: 'objects' | 'uploads';
  readonly key: string;
  readonly uploadId: string;
}

/** Creates the sweep. It reads every object of the buckets with a lifecycle configuration once an hour. */
export const lifecycleSweep: Sweep = () => {
  let nextRunAt: Instant = instant(0);
  let position: Position | undefined;

  return async (work) => {
    if (position === undefined) {
      if (work.now < nextRunAt) return 'done';
      nextRunAt = instant(work.now + RUN_EVERY_MS);
    }
    // A transaction may run again, so the position changes only at the end.
    position = await step(work, position);
    return position === undefined ? 'done' : 'more';
  };
};

async function step(work: Work, position: Position | undefined): Promise<Position | undefined> {
  const { tx } = work;
  if (position !== undefined) {
    const bucket = await tx.of(buckets).get(position.bucket);
    const next =
      bucket?.lifecycle &&
      (position.kind === 'objects' ? await objectsStep(work, bucket, position) : await uploadsStep(work, bucket, position));
    if (next !== undefined) return next;
  }
  const bucket = await tx.of(buckets).nextWithLifecycle(position?.bucket ?? '');
  return bucket && { bucket: bucket.name, kind: 'objects', key: '', uploadId: '' };
}

async function objectsStep(work: Work, bucket: BucketRecord, { key }: Position): Promise<Position> {
  const page = await work.tx.of(objects).list(bucket.name, { from: key, exclusive: true, before: undefined }, ROWS_OF_STEP);
  for (const object of page) {
    const expiration = expirationOf(bucket, object);
    if (expiration !== undefined && expiration.at <= work.now) await discardObject(work, object);
  }
  const last = page.at(-1);
  const isEnd = last === undefined || page.length < ROWS_OF_STEP;
  return { bucket: bucket.name, kind: isEnd ? 'uploads' : 'objects', key: isEnd ? '' : last.key, uploadId: '' };
}

async function uploadsStep(work: Work, bucket: BucketRecord, { key, uploadId }: Position): Promise<Position | undefined> {
  const rules = (bucket.lifecycle?.rules ?? []).filter(({ enabled, abortDays }) => enabled && abortDays !== undefined);
  if (rules.length === 0) return undefined;
  const page = await work.tx.of(uploads).list(bucket.name, key, uploadId, ROWS_OF_STEP);
  for (const upload of page) {
    const isOld = rules.some(
      ({ prefix, abortDays = 0 }) => upload.key.startsWith(prefix) && midnightAfter(upload.initiatedAt, abortDays) <= work.now,
    );
    if (isOld) await discardUpload(work, upload);
  }
  const last = page.at(-1);
  return last === undefined || page.length < ROWS_OF_STEP
    ? undefined
    : { bucket: bucket.name, kind: 'uploads', key: last.key, uploadId: last.uploadId };
}
