/** A place for the contents of objects of servers on PostgreSQL. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { TestAccount } from './account.ts';
import { newFolder } from './folder.ts';

/** Creates the bucket `contents` in an account of another server. Returns the settings of a server that keeps its contents there. */
export async function contentsIn({ client, keys, server }: Pick<TestAccount, 'client' | 'keys' | 'server'>) {
  const keyFile = join(newFolder('contents'), 'key');
  const { accessKeyId, secretAccessKey } = keys;
  writeFileSync(keyFile, `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`, { mode: 0o600 });
  await new S3Client({ ...client(), forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: 'contents' }));
  return { BELFRY_OBJECTS_ENDPOINT: server.endpoint, BELFRY_OBJECTS_BUCKET: 'contents', BELFRY_OBJECTS_KEY_FILE: keyFile };
}
