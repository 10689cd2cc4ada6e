/** Writes responses and errors of S3. */
import type { Answer } from '#core/exchange.ts';
import type { Instant } from '#core/instant.ts';
import type { Member, OperationModel, ServiceModel, Shape } from '#model/model.ts';
import { uriEncode } from '#sigv4/canonical.ts';
import { shapeOf } from './document-reader.ts';
import type { Failure, FormattedError } from './errors.ts';
import { throwInvalid } from './json-writer.ts';
import { escapeXml, type WriteXml } from './xml-writer.ts';

/** Writes the output of one operation. */
export type WriteRestXml = (output: unknown, requestId: string) => Answer;

/**
 * Root elements of responses. The model does not have them, because clients ignore them.
 *
 * Source: Amazon S3 API Reference, the response syntax of each operation.
 */
const ROOTS: Readonly<Record<string, string>> = {
  ListBuckets: 'ListAllMyBucketsResult',
  GetBucketVersioning: 'VersioningConfiguration',
  GetBucketLifecycleConfiguration: 'LifecycleConfiguration',
  ListObjects: 'ListBucketResult',
  ListObjectsV2: 'ListBucketResult',
  DeleteObjects: 'DeleteResult',
  CreateMultipartUpload: 'InitiateMultipartUploadResult',
  CompleteMultipartUpload: 'CompleteMultipartUploadResult',
  ListMultipartUploads: 'ListMultipartUploadsResult',
  ListParts: 'ListPartsResult',
};

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
/** Operations that respond with status 204 although their model has status 200. Recorded: LocalStack's snapshots of AWS, record.md C5, row 11. */
const NO_CONTENT: ReadonlySet<string> = new Set(['PutBucketPolicy']);

const NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/**
 * Compiles the writer of an operation's output.
 *
 * - Members with the location `header` become headers. `ContentLength` becomes one only in responses to HEAD. The listener adds it to others.
 * - `Metadata` becomes headers `x-amz-meta-…`.
 * - A payload of bytes or a string becomes the body. Other members become a document.
 * - An output with `ContentRange` has status 206.
 * - With `EncodingType: 'url'`, the writer percent-encodes keys, prefixes, markers and the delimiter, except `/`. A space becomes `+`. The
 *   operation returns them as they are.
 *
 * Source: record.md C4, and C5 rows 7, 20 and 56; Amazon S3 API Reference. The `+`: brekkylab/backlot, issue 178, which measured S3.
 */
export function restXmlWriter(
  model: ServiceModel,
  operation: OperationModel,
  xml: { readonly member: (use: Member) => WriteXml },
): WriteRestXml {
  const { name, http } = operation;
  const success = NO_CONTENT.has(name) ? 204 : http.code;
  const shape: Shape = operation.output === undefined ? { type: 'structure' } : shapeOf(model, operation.output);
  const members = Object.entries(shape.members ?? {});
  const inHeaders = members.flatMap(([member, use]) => headerWriter(model, member, use, http.method === 'HEAD'));
  const body = bodyWriter(model, name, shape, xml);
  return (output, requestId) => {
    const document = (output ?? {}) as Readonly<Record<string, unknown>>;
    const headers = requestHeaders(requestId);
    for (const write of inHeaders) write(document, headers);
    const status = document['ContentRange'] === undefined ? success : 206;
    const { type, content } = body(document['EncodingType'] === 'url' ? urlEncoded(document) : document);
    const hasType = type !== undefined && document['ContentType'] === undefined;
    return { status, headers: hasType ? [...headers, 'content-type', type] : headers, body: status === 204 ? '' : content };
  };
}

/** Returns the headers with the IDs of a request. `x-amz-id-2` and `HostId` have no meaning. */
function requestHeaders(requestId: string): string[] {
  return ['x-amz-request-id', requestId, 'x-amz-id-2', hostId(requestId)];
}

function hostId(requestId: string): string {
  return Buffer.from(requestId).toString('base64');
}

type WriteHeader = (document: Readonly<Record<string, unknown>>, headers: string[]) => void;

function headerWriter(model: ServiceModel, member: string, use: Member, isHead: boolean): WriteHeader[] {
  const name = (use.locationName ?? member).toLowerCase();
  if (use.location === 'headers') {
    return [
      (document, headers) => {
        for (const [key, value] of Object.entries((document[member] ?? {}) as Readonly<Record<string, string>>))
          headers.push(`${name}${key}`, headerText(value));
      },
    ];
  }
  if (use.location !== 'header' || (name === 'content-length' && !isHead)) return [];
  const textOf = headerTextOf(shapeOf(model, use.shape), use);
  return [
    (document, headers) => {
      const value = document[member];
      if (value !== undefined && value !== null) headers.push(name, textOf(value));
    },
  ];
}

function headerTextOf(shape: Shape, use: Member): (value: unknown) => string {
  switch (shape.type) {
    case 'timestamp':
      return (value) =>
        (use.timestampFormat ?? shape.timestampFormat) === 'iso8601' ? new Date(value as Instant).toISOString() : httpDate(value);
    case 'list':
      return (value) => headerText((value as readonly string[]).join(','));
    default:
      return (value) => (typeof value === 'object' ? throwInvalid(value, 'header') : headerText(`${value}`));
  }
}

function httpDate(value: unknown): string {
  return typeof value === 'number' ? new Date(value).toUTCString() : throwInvalid(value, 'timestamp');
}

/** Returns a string that Node accepts as a header: UTF-8 bytes as Latin-1 characters, and spaces in place of control characters. */
function headerText(text: string): string {
  const bytes = /[^\u0000-\u00ff]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
  return bytes.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, ' ');
}

interface Body {
  /** Absent if there is no body. */
  readonly type?: string;
  readonly content: string | Uint8Array;
}

function bodyWriter(
  model: ServiceModel,
  operation: string,
  shape: Shape,
  xml: { readonly member: (use: Member) => WriteXml },
): (document: Readonly<Record<string, unknown>>) => Body {
  const { payload } = shape;
  if (payload !== undefined) {
    const isText = shapeOf(model, shape.members?.[payload]?.shape ?? '').type === 'string';
    return (document) => {
      const content = (document[payload] ?? '') as string | Uint8Array;
      return { content, type: isText ? 'application/json' : 'binary/octet-stream' };
    };
  }
  if (operation === 'GetBucketLocation') return locationBody;
  const root = ROOTS[operation];
  if (root === undefined) return () => ({ content: '' });
  const writers = Object.entries(shape.members ?? {})
    .filter(([, { location }]) => location === undefined)
    .map(([name, use]) => ({ name, step: use.locationName ?? name, write: xml.member(use) }));
  return (document) => {
    const content = writers.map(({ name, step, write }) => {
      const value = document[name];
      return value === undefined || value === null ? '' : write(step, value);
    });
    return { type: 'application/xml', content: `${DECLARATION}<${root}${NAMESPACE}>${content.join('')}</${root}>` };
  };
}

/** Writes the region of a bucket: an element with the region, which is empty for us-east-1. */
function locationBody(document: Readonly<Record<string, unknown>>): Body {
  const region = document['LocationConstraint'];
  const content = typeof region === 'string' ? escapeXml(region) : '';
  return { type: 'application/xml', content: `${DECLARATION}<LocationConstraint${NAMESPACE}>${content}</LocationConstraint>` };
}

/** Members of list results that `encoding-type=url` encodes. Source: Amazon S3 API Reference, EncodingType of the list operations. */
const ENCODED: ReadonlySet<string> = new Set([
  ...['Key', 'Prefix', 'Delimiter', 'Marker', 'NextMarker', 'StartAfter', 'KeyMarker', 'NextKeyMarker'],
]);
/** Members of list results that contain structures with encoded members. */
const WITH_ENCODED: ReadonlySet<string> = new Set(['Contents', 'CommonPrefixes', 'Uploads']);

function urlEncoded(document: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const encoded = Object.entries(document).map(([name, value]) => {
    if (ENCODED.has(name) && typeof value === 'string') return [name, listedText(value)] as const;
    if (WITH_ENCODED.has(name) && Array.isArray(value)) return [name, value.map(urlEncoded)] as const;
    return [name, value] as const;
  });
  return Object.fromEntries(encoded);
}

/** Percent-encodes the UTF-8 bytes of a string, except `/`. `uriEncode` expects one character per byte. */
function listedText(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return bytes.split('/').map(uriEncode).join('/').replaceAll('%20', '+');
}

/**
 * Writes an error: `<Error><Code/><Message/>…<RequestId/><HostId/></Error>`. Each scalar in `members` of the error becomes an element with its
 * name. The operation declares them: `new AwsError('NoSuchKey', 'The specified key does not exist.', { Key: key })`.
 *
 * The error `NotModified` (304) has no body. Its members `ETag` and `LastModified` (an `Instant`) become headers.
 *
 * Source: record.md C4, and C5 row 25.
 */
export function restXmlError({ code, status }: Pick<FormattedError, 'code' | 'status'>, error: Failure, requestId: string): Answer {
  const headers = requestHeaders(requestId);
  if (status === 304) {
    const { ETag: etag, LastModified: modified } = error.members;
    if (typeof etag === 'string') headers.push('etag', headerText(etag));
    if (modified !== undefined) headers.push('last-modified', httpDate(modified));
    return { status, headers, body: '' };
  }
  const elements: (readonly [name: string, value: unknown])[] = [
    ['Code', code],
    ['Message', error.message],
    ...Object.entries(error.members),
    ['RequestId', requestId],
    ['HostId', hostId(requestId)],
  ];
  const content = elements.map(([name, value]) => (isScalar(value) ? `<${name}>${escapeXml(`${value}`)}</${name}>` : ''));
  return { status, headers: [...headers, 'content-type', 'application/xml'], body: `${DECLARATION}<Error>${content.join('')}</Error>` };
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
