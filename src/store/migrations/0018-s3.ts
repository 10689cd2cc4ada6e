import type { Migration } from '../migrate.ts';

/**
 * Creates the tables of S3. The contents of objects are files, and the tables contain their IDs. Only text with byte
 * order (`{text}`) lists keys in the order of S3.
 */
export const migration: Migration = {
  title: 's3',
  statements: [
    `CREATE TABLE s3_bucket (
      name {text} NOT NULL PRIMARY KEY, account_id {text} NOT NULL, region {text} NOT NULL, created_at_ms {int} NOT NULL,
      policy {text}, lifecycle {text}) {clustered}`,
    'CREATE INDEX s3_bucket_account ON s3_bucket (account_id, name)',
    `CREATE TABLE s3_object (
      bucket {text} NOT NULL, key {text} NOT NULL, body_id {text} NOT NULL, parts {int} NOT NULL, size {int} NOT NULL, etag {text} NOT NULL,
      checksum_algorithm {text} NOT NULL, checksum_type {text} NOT NULL, checksum {text} NOT NULL, modified_at_ms {int} NOT NULL,
      document {text} NOT NULL, PRIMARY KEY (bucket, key)) {clustered}`,
    'CREATE INDEX s3_object_body ON s3_object (body_id)',
    `CREATE TABLE s3_upload (
      bucket {text} NOT NULL, key {text} NOT NULL, upload_id {text} NOT NULL, initiated_at_ms {int} NOT NULL, document {text} NOT NULL,
      PRIMARY KEY (bucket, key, upload_id)) {clustered}`,
    `CREATE TABLE s3_part (
      upload_id {text} NOT NULL, part_number {int} NOT NULL, file_id {text} NOT NULL, size {int} NOT NULL, etag {text} NOT NULL,
      checksum {text} NOT NULL, modified_at_ms {int} NOT NULL, PRIMARY KEY (upload_id, part_number)) {clustered}`,
    'CREATE INDEX s3_part_file ON s3_part (file_id)',
    'CREATE TABLE s3_garbage (file_id {text} NOT NULL PRIMARY KEY, since_ms {int} NOT NULL) {clustered}',
    'CREATE INDEX s3_garbage_since ON s3_garbage (since_ms)',
  ],
};
