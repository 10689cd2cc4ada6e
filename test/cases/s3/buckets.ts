/** Buckets, their policies and their lifecycle. */
import { contentMd5, type S3Request } from '../../kit/s3.ts';
import { get, head, put, remove, type S3Case } from './case.ts';

const CONSTRAINT = (region: string) =>
  `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
const euro: S3Request = { ...put('/in-europe', CONSTRAINT('eu-west-1')), region: 'eu-west-1' };
const policy = (body: string, bucket = 'logs'): S3Request => put(`/${bucket}?policy`, body, contentMd5(body));
const statement = (Effect: string, Action: string, Resource: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Principal: '*', Action, Resource: `arn:aws:s3:::${Resource}` }] });
const lifecycle = (rule: string): S3Request => {
  const body = `<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status>${rule}</Rule></LifecycleConfiguration>`;
  return put('/logs?lifecycle', body, contentMd5(body));
};
const days = '<Expiration><Days>1</Days></Expiration>';
const date = (text: string) => `<Expiration><Date>${text}</Date></Expiration>`;
const EXPIRY = { 'x-amz-expiration': 'expiry-date="Tue, 01 Jan 2030 00:00:00 GMT", rule-id="r"' };

// biome-ignore format: a table
export const BUCKET_CASES: readonly S3Case[] = [
  { row:  1, title: 'PUT bucket',                       source: 'R', request: put('/first-bucket'), status: 200, headers: { location: '/first-bucket' } },
  { row:  2, title: 'PUT own bucket again, us-east-1',  source: 'G', request: put('/first-bucket'), status: 200 },
  { row:  2, title: 'PUT bucket in eu-west-1',          source: 'R', request: euro, status: 200 },
  { row:  2, title: 'PUT own bucket again, eu-west-1',  source: 'R', request: euro, status: 409, code: 'BucketAlreadyOwnedByYou', elements: { BucketName: 'in-europe' } },
  { row:  3, title: 'PUT bucket of another account',    source: 'G', request: put('/logs'), by: 'other', status: 409, code: 'BucketAlreadyExists', elements: { BucketName: 'logs' } },
  { row:  4, title: 'PUT bucket with capitals',         source: 'R', request: put('/Upper'), status: 400, code: 'InvalidBucketName', elements: { BucketName: 'Upper' } },
  { row:  5, title: 'unknown constraint',               source: 'R', request: put('/third', CONSTRAINT('foo')), status: 400, code: 'InvalidLocationConstraint', elements: { LocationConstraint: 'foo' } },
  { row:  5, title: 'constraint of another region',     source: 'R', request: put('/third', CONSTRAINT('eu-west-1')), status: 400, code: 'IllegalLocationConstraintException' },
  { row:  6, title: 'HEAD bucket',                      source: 'R', request: head('/logs'), status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' }, body: '' },
  { row:  6, title: 'HEAD bucket, signed for another region', source: 'R', request: head('/in-europe'), status: 200, headers: { 'x-amz-bucket-region': 'eu-west-1' } },
  { row:  6, title: 'HEAD missing bucket',              source: 'R', request: head('/no-such-bucket'), status: 404, body: '' },
  { row:  7, title: 'location of us-east-1',            source: 'R', request: get('/logs?location'), status: 200, contains: '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>' },
  { row:  7, title: 'location of eu-west-1',            source: 'R', request: get('/in-europe?location'), status: 200, contains: '>eu-west-1</LocationConstraint>' },
  { row:  8, title: 'DELETE bucket with objects',       source: 'R', request: remove('/logs'), status: 409, code: 'BucketNotEmpty', elements: { BucketName: 'logs' } },
  { row:  9, title: 'missing bucket, GET object',       source: 'R', request: get('/no-such-bucket/k'), status: 404, code: 'NoSuchBucket', elements: { BucketName: 'no-such-bucket' } },
  { row:  9, title: 'missing bucket, list',             source: 'R', request: get('/no-such-bucket'), status: 404, code: 'NoSuchBucket', elements: { BucketName: 'no-such-bucket' } },
  { row: 10, title: 'GET policy, none',                 source: 'R', request: get('/logs?policy'), status: 404, code: 'NoSuchBucketPolicy', elements: { BucketName: 'logs' } },
  { row: 11, title: 'PUT policy',                       source: 'R', request: policy(statement('Allow', 's3:GetObject', 'logs/shared/*')), status: 204, body: '' },
  { row: 11, title: 'PUT policy without a checksum',    source: 'T', request: put('/logs?policy', statement('Allow', 's3:GetObject', 'logs/shared/*')), status: 204 },
  { row: 11, title: 'GET policy',                       source: 'R', request: get('/logs?policy'), status: 200, body: statement('Allow', 's3:GetObject', 'logs/shared/*') },
  { row: 11, title: 'DELETE policy',                    source: 'R', request: remove('/logs?policy'), status: 204 },
  { row: 11, title: 'DELETE policy, again',             source: 'R', request: remove('/logs?policy'), status: 204 },
  { row: 12, title: 'policy is not JSON',               source: 'R', request: policy('x'), status: 400, code: 'MalformedPolicy', message: "Policies must be valid JSON and the first byte must be '{'" },
  { row: 13, title: 'policy without a statement',       source: 'R', request: policy('{}'), status: 400, code: 'MalformedPolicy', message: 'Missing required field Statement' },
  { row: 14, title: 'another expected owner',           source: 'R', request: get('/logs/k', { 'x-amz-expected-bucket-owner': '999999999999' }), status: 403, code: 'AccessDenied' },
  { row: 14, title: 'malformed expected owner',         source: 'R', request: get('/logs/k', { 'x-amz-expected-bucket-owner': '0000' }), status: 400, code: 'InvalidBucketOwnerAWSAccountID' },
  { row: 15, title: 'policy allows GET',                source: 'G', request: policy(statement('Allow', 's3:GetObject', 'logs/*')), status: 204 },
  { row: 15, title: 'GET by a user of the account',     source: 'G', request: get('/logs/k'), by: 'ada', status: 200 },
  { row: 17, title: 'GET missing key without s3:ListBucket', source: 'G', request: get('/logs/none'), by: 'ada', status: 403, code: 'AccessDenied' },
  { row: 15, title: 'PUT policy that denies GET',       source: 'G', request: policy(statement('Deny', 's3:GetObject', 'logs/*')), status: 204 },
  { row: 15, title: 'policy denies GET',                source: 'G', request: get('/logs/k'), status: 403, code: 'AccessDenied' },
  { row: 15, title: 'the denying policy is deleted',    source: 'G', request: remove('/logs?policy'), status: 204 },
  { row: 59, title: 'lifecycle, Prefix and Filter',     source: 'R', request: lifecycle(`<Prefix>a</Prefix><Filter><Prefix>a</Prefix></Filter>${days}`), status: 400, code: 'MalformedXML' },
  { row: 59, title: 'lifecycle, Date is not midnight',  source: 'R', request: lifecycle(`<Prefix></Prefix>${date('2030-01-01T01:00:00Z')}`), status: 400, code: 'InvalidArgument' },
  { row: 60, title: 'PUT lifecycle',                    source: 'R', request: lifecycle(`<Filter><Prefix>k</Prefix></Filter>${date('2030-01-01T00:00:00Z')}`), status: 200 },
  { row: 60, title: 'GET lifecycle',                    source: 'R', request: get('/logs?lifecycle'), status: 200, elements: { ID: 'r', Prefix: 'k', Status: 'Enabled' } },
  { row: 60, title: 'expiration on GET',                source: 'R', request: get('/logs/k'), status: 200, headers: EXPIRY },
  { row: 60, title: 'expiration on HEAD',               source: 'R', request: head('/logs/k'), status: 200, headers: EXPIRY },
  {          title: 'lifecycle without a checksum',     source: 'G', request: put('/logs?lifecycle', '<LifecycleConfiguration/>'), status: 400, code: 'InvalidRequest' },
  {          title: 'versioning is off',                source: 'R', request: get('/logs?versioning'), status: 200, elements: { Status: undefined } },
  {          title: 'an operation that Belfry lacks',   source: 'T', request: get('/logs?acl'), status: 501, code: 'NotImplemented' },
  {          title: 'DELETE of a subresource that Belfry lacks', source: 'A', request: remove('/first-bucket?cors'), status: 501, code: 'NotImplemented' },
  {          title: 'the bucket still exists',          source: 'A', request: head('/first-bucket'), status: 200 },
  {          title: 'an anonymous request',             source: 'A', request: { ...get('/_s3/logs/k'), authorization: null }, status: 403, code: 'AccessDenied' },
];
