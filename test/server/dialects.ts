import type { Plain } from '../kit/raw.ts';

/** A protocol of a service, with a request that requires no other resource and changes nothing. */
export interface Dialect {
  readonly name: string;
  readonly signingName: string;
  readonly eventName: string;
  readonly plain: Plain & { readonly headers: Readonly<Record<string, string>>; readonly body: string | Buffer };
  /** Base path that selects the service. */
  readonly base: string;
  /** Format of error codes: `query` for IAM and STS, `json` for the other services. */
  readonly errors: 'query' | 'json';
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
const NOWHERE = '00000000-0000-4000-8000-000000000000';

// biome-ignore format: a table
/** All dialects, each with a request. */
export const DIALECTS: readonly Dialect[] = [
  { name: 'query of IAM',             base: '/_iam', signingName: 'iam',        errors: 'query', eventName: 'ListUsers',         plain: { method: 'POST', target: '/', headers: FORM, body: 'Action=ListUsers&Version=2010-05-08' } },
  { name: 'query of STS',             base: '/_sts', signingName: 'sts',        errors: 'query', eventName: 'GetCallerIdentity', plain: { method: 'POST', target: '/', headers: FORM, body: 'Action=GetCallerIdentity&Version=2011-06-15' } },
  { name: 'REST of meetings',         base: '/_chime-sdk-meetings', signingName: 'chime',      errors: 'json',  eventName: 'GetMeeting',        plain: { method: 'GET',  target: `/meetings/${NOWHERE}`, headers: {}, body: '' } },
  { name: 'REST of the classic Chime', base: '/_chime', signingName: 'chime',     errors: 'json',  eventName: 'GetAccount',        plain: { method: 'GET',  target: `/accounts/${NOWHERE}`, headers: {}, body: '' } },
  { name: 'JSON of CloudTrail',       base: '/_cloudtrail', signingName: 'cloudtrail', errors: 'json',  eventName: 'LookupEvents',      plain: { method: 'POST', target: '/', headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents' }, body: '{"MaxResults":1}' } },
  { name: 'CBOR of CloudWatch',       base: '/_cloudwatch', signingName: 'monitoring', errors: 'json',  eventName: 'ListMetrics',       plain: { method: 'POST', target: '/service/GraniteServiceVersion20100801/operation/ListMetrics', headers: { 'content-type': 'application/cbor', accept: 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' }, body: Buffer.of(0xa0) } },
];
