/** Signatures of requests and presigned URLs. */
import type { S3Request } from '../../kit/s3.ts';
import { get, put, type S3Case } from './case.ts';

const url = (presigned: S3Request['presigned'], more: Partial<S3Request> = {}): S3Request => ({
  ...get('/logs/k'),
  ...more,
  ...(presigned && { presigned }),
});
const V2 = 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.';
const EXPIRES = 'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds';

// biome-ignore format: a table
export const SIGNATURE_CASES: readonly S3Case[] = [
  { row: 44, title: 'wrong signature',                    source: 'R', request: { ...get('/logs/k'), wrongSignature: true }, status: 403, code: 'SignatureDoesNotMatch', contains: '<StringToSign>AWS4-HMAC-SHA256' },
  { row: 44, title: 'wrong signature, canonical request', source: 'R', request: { ...get('/logs/k'), wrongSignature: true }, status: 403, code: 'SignatureDoesNotMatch', contains: '<CanonicalRequest>GET' },
  { row: 45, title: 'presigned URL',                      source: 'R', request: url({ expiresSeconds: 60 }), status: 200, body: 'abcdef' },
  { row: 45, title: 'presigned URL, PUT',                 source: 'R', request: { ...put('/logs/by-url', 'x'), presigned: { expiresSeconds: 60 } }, status: 200 },
  { row: 45, title: 'expired URL',                        source: 'R', request: url({ expiresSeconds: 60, ageSeconds: 61 }), status: 403, code: 'AccessDenied', message: 'Request has expired', elements: { 'X-Amz-Expires': '60' }, contains: '<ServerTime>' },
  { row: 46, title: 'URL without X-Amz-Signature',        source: 'R', request: url({ expiresSeconds: 60, without: 'X-Amz-Signature' }), status: 400, code: 'AuthorizationQueryParametersError' },
  { row: 46, title: 'URL for more than a week',           source: 'I', request: url({ expiresSeconds: 604_801 }), status: 400, code: 'AuthorizationQueryParametersError', message: EXPIRES },
  { row: 47, title: 'URL and an unsigned header',         source: 'R', request: { ...put('/logs/by-url', 'x'), presigned: { expiresSeconds: 60 }, unsigned: { 'x-amz-meta-x': 'a' } }, status: 403, code: 'AccessDenied', elements: { HeadersNotSigned: 'x-amz-meta-x' } },
  { row: 48, title: 'Signature 2, header',                source: 'I', request: { ...get('/logs/k'), authorization: 'AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=' }, status: 400, code: 'InvalidRequest', message: V2 },
  { row: 48, title: 'Signature 2, query',                 source: 'I', request: { ...get('/logs/k?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=2000000000&Signature=a'), authorization: null }, status: 400, code: 'InvalidRequest', message: V2 },
];
