import { type OperationTable, operationTable } from '../kit/operation-table.ts';
import { bucketOperations, type S3Deps } from './buckets.ts';
import { completeMultipartUpload } from './complete-upload.ts';
import { deleteObjects } from './delete-objects.ts';
import { LIFECYCLE_OPERATIONS } from './lifecycle.ts';
import { LIST_OPERATIONS } from './list-objects.ts';
import { UPLOAD_LIST_OPERATIONS } from './list-uploads.ts';
import { MULTIPART_OPERATIONS } from './multipart.ts';
import { OBJECT_OPERATIONS } from './objects.ts';
import { POLICY_OPERATIONS } from './policies.ts';
import { READ_OPERATIONS } from './read-objects.ts';

/** Returns the operations of S3. */
export function s3Operations(deps: S3Deps): OperationTable<'s3'> {
  return operationTable('s3', {
    ...bucketOperations(deps),
    ...POLICY_OPERATIONS,
    ...LIFECYCLE_OPERATIONS,
    ...LIST_OPERATIONS,
    ...OBJECT_OPERATIONS,
    ...READ_OPERATIONS,
    ...MULTIPART_OPERATIONS,
    ...UPLOAD_LIST_OPERATIONS,
    CompleteMultipartUpload: completeMultipartUpload(deps),
    DeleteObjects: deleteObjects,
  });
}
