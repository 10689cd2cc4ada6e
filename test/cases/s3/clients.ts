/** Requests that unmodified clients send, with the status of their responses. */
import type { SeenRequest } from '../../kit/requests.ts';

/** A client of S3. */
export type ClientName = 'sdk' | 'awscli' | 's3cmd' | 'rclone';

/** A request that some clients send. */
export interface ClientCase {
  /** Number of the rule, from 1 to 60. Absent for requests that belong to no rule. */
  readonly row?: number;
  readonly title: string;
  readonly method: string;
  /** Pattern of the path and the query. */
  readonly target: RegExp;
  /** Header that the request has, with a pattern of its value. */
  readonly header?: readonly [name: keyof SeenRequest['headers'] & string, value: RegExp];
  readonly status: number;
  readonly clients: readonly ClientName[];
}

const ALL: readonly ClientName[] = ['sdk', 'awscli', 's3cmd', 'rclone'];
/** Path of the bucket. The SDK has the bucket in the host name. */
const B = '^(?:/[a-z0-9]+-logs)?/?';
const bucket = (query = '$') => new RegExp(`${B}${query}`);
const key = (name: string, query = '(?:$|\\?x-id=)') => new RegExp(`${B}/?${name}${query}`);
const SMALL = 'a%20b/small%2B1.txt';

// biome-ignore format: a table
export const CLIENT_CASES: readonly ClientCase[] = [
  { row:  1, title: 'PUT bucket',                    method: 'PUT',    target: bucket(),                    status: 200, clients: ALL },
  { row:  5, title: 'PUT bucket in region US',       method: 'PUT',    target: bucket(), header: ['authorization', /\/US\/s3\//], status: 400, clients: ['s3cmd'] },
  { row:  6, title: 'HEAD bucket',                   method: 'HEAD',   target: bucket(),                    status: 200, clients: ['sdk'] },
  { row:  7, title: 'location',                      method: 'GET',    target: bucket('\\?location'),       status: 200, clients: ['sdk', 's3cmd'] },
  { row:  8, title: 'DELETE bucket with objects',    method: 'DELETE', target: bucket(),                    status: 409, clients: ['s3cmd'] },
  { row:  9, title: 'location of a missing bucket',  method: 'GET',    target: bucket('\\?location'),       status: 404, clients: ['s3cmd'] },
  { row: 11, title: 'PUT policy',                    method: 'PUT',    target: bucket('\\?policy'),         status: 204, clients: ['sdk', 's3cmd'] },
  { row: 16, title: 'PUT object, signed body',       method: 'PUT',    target: key(SMALL), header: ['x-amz-content-sha256', /^[0-9a-f]{64}$/], status: 200, clients: ['sdk', 's3cmd'] },
  { row: 16, title: 'PUT object, unsigned body',     method: 'PUT',    target: key(SMALL), header: ['x-amz-content-sha256', /^UNSIGNED-PAYLOAD$/], status: 200, clients: ['awscli', 'rclone'] },
  { row: 16, title: 'PUT after 100 Continue',        method: 'PUT',    target: /partNumber=1/, header: ['expect', /^100-continue$/i], status: 200, clients: ['sdk', 'awscli', 'rclone'] },
  { row: 16, title: 'GET object',                    method: 'GET',    target: key(SMALL),                  status: 200, clients: ALL },
  { row: 16, title: 'HEAD object',                   method: 'HEAD',   target: key('large'),                status: 200, clients: ['s3cmd', 'rclone'] },
  { row: 17, title: 'HEAD missing key',              method: 'HEAD',   target: key('none'),          status: 404, clients: ['sdk'] },
  { row: 18, title: 'DELETE object',                 method: 'DELETE', target: key(SMALL),                  status: 204, clients: ['awscli', 'rclone'] },
  { row: 19, title: 'DELETE of several keys',        method: 'POST',   target: bucket('\\?delete'),         status: 200, clients: ['sdk', 's3cmd'] },
  { row: 20, title: 'range',                         method: 'GET',    target: key('large'), header: ['range', /^bytes=0-8388607$/], status: 206, clients: ['awscli'] },
  { row: 21, title: 'range without an end',          method: 'GET',    target: key('large'), header: ['range', /^bytes=8388608-$/], status: 206, clients: ['awscli'] },
  { row: 30, title: 'GET with its checksum',         method: 'GET',    target: key(SMALL), header: ['x-amz-checksum-mode' as never, /^ENABLED$/], status: 200, clients: ['sdk'] },
  { row: 35, title: 'CRC32 in a trailer',            method: 'PUT',    target: key('stream'), header: ['x-amz-trailer' as never, /^x-amz-checksum-crc32$/], status: 200, clients: ['sdk'] },
  { row: 45, title: 'presigned URL',                 method: 'GET',    target: /[?&]X-Amz-Signature=/,      status: 200, clients: ['sdk', 'awscli', 'rclone'] },
  { row: 48, title: 'presigned URL, Signature 2',    method: 'GET',    target: /[?&]AWSAccessKeyId=/,       status: 400, clients: ['s3cmd'] },
  { row: 51, title: 'create upload',                 method: 'POST',   target: key('large', '\\?uploads'),  status: 200, clients: ALL },
  { row: 51, title: 'part',                          method: 'PUT',    target: key('large', '\\?.*partNumber=2'), status: 200, clients: ALL },
  { row: 51, title: 'complete',                      method: 'POST',   target: key('large', '\\?uploadId='), status: 200, clients: ALL },
  { row: 53, title: 'complete, no algorithm',        method: 'POST',   target: key('no-algorithm', '\\?uploadId='), status: 200, clients: ['sdk'] },
  { row: 54, title: 'list v1',                       method: 'GET',    target: bucket('(?:$|\\?delimiter=)'), status: 200, clients: ['s3cmd', 'rclone'] },
  { row: 55, title: 'list v2',                       method: 'GET',    target: bucket('\\?list-type=2'),    status: 200, clients: ['sdk', 'awscli'] },
  { row: 56, title: 'encoding-type=url',             method: 'GET',    target: /encoding-type=url/,         status: 200, clients: ['awscli'] },
  { row: 60, title: 'PUT lifecycle',                 method: 'PUT',    target: bucket('\\?lifecycle'),      status: 200, clients: ['sdk'] },
  {          title: 'versioning',                    method: 'GET',    target: bucket('\\?versioning'),     status: 200, clients: ['rclone'] },
  {          title: 'DELETE bucket',                 method: 'DELETE', target: bucket(),                    status: 204, clients: ALL },
];
