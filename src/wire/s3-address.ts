/** Recognizes S3 requests on the shared port, and reads the bucket and the key from host and path. */
import type { RequestFacts } from '#core/exchange.ts';
import { uriDecode } from '#sigv4/canonical.ts';
import { type Clues, readClues, serviceOfHost } from './clues.ts';
import { splitQuery } from './rest-routes.ts';
import type { RouteSettings } from './routed.ts';

/** Bucket and key of a request, still percent-encoded. The bucket is absent in a request for all buckets, the key in one for a bucket. */
export interface S3Address {
  readonly bucket?: string;
  readonly key?: string;
}

/** Base path of S3, for clients without a signature. Bucket names start with a letter or digit, so no bucket has this name. */
const BASE = '/_s3';

/**
 * Returns the bucket and key of a request if it is for S3, and otherwise `undefined`.
 *
 * A request is for S3 if one of the following holds:
 * - its credential scope names the service `s3`, or it has a signature of Signature Version 2
 * - its path begins with `/_s3`
 * - it has no credential scope, and its host begins with the label `s3`, or is a name below the configured host (`BUCKET.HOST`)
 *
 * Other requests are never for S3: `/channels` may be a bucket. With a scope `s3`, the names of pages and base paths are bucket names.
 *
 * Source: record.md C1.
 */
export function s3Address(clues: Clues, path: string, { s3Host }: Pick<RouteSettings, 's3Host'>): S3Address | undefined {
  if (path === BASE || path.startsWith(`${BASE}/`)) return inPath(path.slice(BASE.length) || '/');
  const isSigned = clues.scope === 's3' || clues.signature2;
  if (!isSigned && clues.scope !== undefined) return undefined;
  const host = hostName(clues.host);
  const bucket = bucketOfHost(host, s3Host);
  const service = serviceOfHost(host);
  if (!isSigned && service !== 's3' && (service !== undefined || bucket === undefined)) return undefined;
  return bucket === undefined ? inPath(path) : { bucket, ...keyOf(path.slice(1)) };
}

/**
 * Reports whether a request is for S3. Only the head of the request is read. Pages and probes of the server must not answer such a
 * request, because their paths are legal names of buckets or keys.
 */
export function isS3Request(
  { rawHeaders, target }: Pick<RequestFacts, 'rawHeaders'> & { readonly target: string },
  settings: RouteSettings,
) {
  const question = target.indexOf('?');
  const query = question < 0 ? [] : splitQuery(target.slice(question + 1));
  const path = question < 0 ? target : target.slice(0, question);
  return s3Address(readClues({ rawHeaders }, query), path, settings) !== undefined;
}

function inPath(path: string): S3Address {
  const slash = path.indexOf('/', 1);
  const bucket = path.slice(1, slash < 0 ? undefined : slash);
  if (bucket === '' && slash < 0) return {};
  return { bucket, ...keyOf(slash < 0 ? '' : path.slice(slash + 1)) };
}

function keyOf(key: string): Pick<S3Address, 'key'> {
  return key === '' ? {} : { key };
}

function hostName(host: string | undefined): string {
  return (host ?? '').toLowerCase().replace(/:[0-9]{1,5}$/, '');
}

function bucketOfHost(host: string, s3Host: string | undefined): string | undefined {
  if (s3Host === undefined || !host.endsWith(`.${s3Host}`)) return undefined;
  const bucket = host.slice(0, -s3Host.length - 1);
  // `s3.HOST` is a name of the service. No bucket has a name of two characters.
  return bucket === '' || bucket === 's3' ? undefined : bucket;
}

/**
 * Decodes a bucket, a key or a parameter: percent-decodes it once, and reads the bytes as UTF-8. `+` is a plus sign. Returns `undefined`
 * for an invalid escape, bytes that are not UTF-8, and U+0000, which the store cannot contain.
 */
export function s3Text(encoded: string): string | undefined {
  const bytes = uriDecode(encoded);
  if (bytes === undefined || bytes.includes('\0')) return undefined;
  try {
    return UTF8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
