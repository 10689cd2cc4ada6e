/** All cases of S3, in the order in which they run. Rows 1 to 60 are the rules that clients rely on. */
import { BODY_CASES } from './bodies.ts';
import { BUCKET_CASES } from './buckets.ts';
import type { S3Case } from './case.ts';
import { LIST_CASES } from './lists.ts';
import { MULTIPART_CASES } from './multipart.ts';
import { OBJECT_CASES } from './objects.ts';
import { SIGNATURE_CASES } from './signatures.ts';

/** The bucket `logs` and its object `k` with the content `abcdef` exist before the first case. */
export const S3_CASES: readonly S3Case[] = [
  ...BUCKET_CASES,
  ...OBJECT_CASES,
  ...BODY_CASES,
  ...SIGNATURE_CASES,
  ...MULTIPART_CASES,
  ...LIST_CASES,
];

/** Number of the last row. */
export const LAST_ROW = 60;
