/** Finds the operation of an S3 request, by method, bucket, key and the names in the query string. */
import { AwsError } from '#core/aws-error.ts';
import { header, type Received } from '#core/exchange.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { splitQuery } from './rest-routes.ts';
import type { RawPair, Routed, RoutingRefusal } from './routed.ts';
import { type S3Address, s3Text } from './s3-address.ts';

type Level = 'service' | 'bucket' | 'object';

/** Route of one operation of S3. */
interface Route {
  readonly name: string;
  readonly level: Level;
  readonly method: string;
  /** Pairs that the query string must have. An empty value matches every value: `?policy` and `?policy=`. */
  readonly literals: readonly RawPair[];
  /** Names that the query string must have, because the operation's input requires them: `uploadId`. */
  readonly required: readonly string[];
  /** Names of all members of the input in the query string. */
  readonly members: ReadonlySet<string>;
  /** Absent if the server does not have the operation. */
  readonly operation?: OperationModel;
}

/** Longest key, in bytes of UTF-8. Source: Amazon S3 User Guide, "Naming Amazon S3 objects". */
const KEY_MAX_BYTES = 1_024;

const LEVELS: Readonly<Record<string, Level>> = { '/': 'service', '/{Bucket}': 'bucket', '/{Bucket}/{Key+}': 'object' };
const RESOURCE_TYPES: Readonly<Record<Level, string>> = { service: 'SERVICE', bucket: 'BUCKET', object: 'OBJECT' };

/**
 * Routes a request that is for S3. The operation that matches the most names in the query string is used. A name that belongs to another
 * operation is an error, so that `DELETE /bucket?acl` cannot delete the bucket. An unknown name without a value is an error too, because it
 * selects an operation that is newer than the model: `DELETE /bucket/key?annotation` must not delete the object.
 *
 * The refusal has one of these codes:
 * - `InvalidURI`: the path or a name in the query is not percent-encoded UTF-8, or the key has more `..` segments than other segments
 *   before them
 * - `KeyTooLongError`: the key has more than 1,024 bytes
 * - `NotImplemented`: the operation exists in S3, and this server does not have it
 * - `MethodNotAllowed`: S3 has no such operation
 *
 * Source: service model of S3; record.md C3, and C5 rows 57 and 58; Amazon S3 User Guide, "Creating object key names" (`..` segments).
 * Assumed: the code for `..` segments. S3 ignores unknown names with a value.
 */
export function routeS3(
  received: Pick<Received, 'method' | 'rawHeaders'>,
  address: S3Address,
  query: readonly RawPair[],
): Routed | RoutingRefusal {
  const { method } = received;
  const level: Level = address.bucket === undefined ? 'service' : address.key === undefined ? 'bucket' : 'object';
  const uriProblem = addressProblem(address);
  if (uriProblem !== undefined) return refused(uriProblem);
  const sent = new Map<string, string>();
  for (const [encodedName, encodedValue] of query) {
    const [name, value] = [s3Text(encodedName), s3Text(encodedValue)];
    if (name === undefined || value === undefined) return refused(invalidUri());
    if (!sent.has(name)) sent.set(name, value);
  }
  const route = level === 'object' && copies(received) ? copyRoute(sent) : findRoute(method, level, sent);
  if (route === undefined) return refused(notAllowed(method, level), undefined);
  if (route.operation === undefined) return refused(notImplemented(received), route.name);
  for (const [name, value] of sent) {
    if (route.members.has(name) || route.literals.some(([literal]) => literal === name)) continue;
    if (subresources().has(name) || (value === '' && !names().has(name))) return refused(notImplemented(received), undefined);
  }
  const model = loadModel('s3');
  return {
    kind: 'routed',
    service: 's3',
    model,
    operation: route.operation,
    protocol: 'rest-xml',
    profile: 'sdk',
    labels: [address.bucket ?? '', address.key ?? ''],
    query,
    bodyKind: 'xml',
    contentEncoding: 'identity',
  };
}

/**
 * Reports whether the body of an operation is an object or a part: bytes that are never held in memory. The body of any other operation of
 * S3 is a document with the size limit of all other requests.
 */
export function hasObjectBody({ model, operation }: Pick<Routed, 'model' | 'operation'>): boolean {
  const shape = operation.input === undefined ? undefined : model.shapes[operation.input];
  return shape?.payload !== undefined && shape.members?.[shape.payload]?.streaming === true;
}

/** Operations that S3 performs without a checksum, although its model requires one. */
const WITHOUT_CHECKSUM: ReadonlySet<string> = new Set(['PutBucketPolicy']);

/**
 * Reports whether the request must have a checksum of its body: a header `Content-MD5` or `x-amz-checksum-…`.
 *
 * Source: `httpChecksum` of the operation in the model. Assumed: a bucket policy needs none, because `s3cmd setpolicy` sends none.
 */
export function requiresChecksum({ operation }: Pick<Routed, 'operation'>): boolean {
  return operation.checksumRequired === true && !WITHOUT_CHECKSUM.has(operation.name);
}

function addressProblem({ bucket, key }: S3Address): AwsError | undefined {
  if (bucket !== undefined && s3Text(bucket) === undefined) return invalidUri();
  if (key === undefined) return undefined;
  const text = s3Text(key);
  if (text === undefined) return invalidUri();
  const size = Buffer.byteLength(text);
  if (size > KEY_MAX_BYTES) return new AwsError('KeyTooLongError', 'Your key is too long', { Size: size, MaxSizeAllowed: KEY_MAX_BYTES });
  return leavesBucket(text) ? invalidUri() : undefined;
}

/** Reports whether a key, read as a relative path, names a place outside the bucket: `../b`, `a/../../b`. */
function leavesBucket(key: string): boolean {
  if (!key.includes('..')) return false;
  let depth = 0;
  for (const segment of key.split('/')) {
    if (segment === '..') depth -= 1;
    else if (segment !== '' && segment !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

function findRoute(method: string, level: Level, sent: ReadonlyMap<string, string>): Route | undefined {
  return routes().find(
    (route) =>
      route.method === method &&
      route.level === level &&
      route.literals.every(([name, value]) => sent.has(name) && (value === '' || sent.get(name) === value)) &&
      route.required.every((name) => sent.has(name)),
  );
}

/** Reports whether a request copies an object. Only this header distinguishes CopyObject from PutObject. */
function copies(received: Pick<Received, 'method' | 'rawHeaders'>): boolean {
  return received.method === 'PUT' && header(received, 'x-amz-copy-source') !== undefined;
}

function copyRoute(sent: ReadonlyMap<string, string>): Route | undefined {
  const name = sent.has('uploadId') ? 'UploadPartCopy' : 'CopyObject';
  return routes().find((route) => route.name === name);
}

let ROUTES: readonly Route[] | undefined;

/** Returns all routes. Those with more names come first, and among them those of operations that the server has. */
function routes(): readonly Route[] {
  if (ROUTES !== undefined) return ROUTES;
  const { operations, unsupported = {} } = loadModel('s3');
  const own = Object.values(operations).flatMap((operation) => routeOf(operation.name, operation.http, operation));
  const others = Object.entries(unsupported).flatMap(([name, http]) => routeOf(name, http));
  const weight = ({ literals, required }: Route) => literals.length + required.length;
  ROUTES = [...own, ...others].sort((a, b) => weight(b) - weight(a));
  return ROUTES;
}

function routeOf(name: string, http: { readonly method: string; readonly uri: string }, operation?: OperationModel): readonly Route[] {
  const [path = '', query = ''] = http.uri.split('?');
  const level = LEVELS[path];
  if (level === undefined) return [];
  const shape = operation?.input === undefined ? undefined : loadModel('s3').shapes[operation.input];
  const members = Object.entries(shape?.members ?? {}).filter(([, { location }]) => location === 'querystring');
  const required = members.filter(([member]) => shape?.required?.includes(member));
  const nameOf = ([member, use]: (typeof members)[number]) => use.locationName ?? member;
  return [
    {
      name,
      level,
      method: http.method,
      literals: splitQuery(query),
      required: required.map(nameOf),
      members: new Set(members.map(nameOf)),
      ...(operation !== undefined && { operation }),
    },
  ];
}

let SUBRESOURCES: ReadonlySet<string> | undefined;

/** Returns the names in a query string that select an operation: `policy`, `uploadId`. */
function subresources(): ReadonlySet<string> {
  SUBRESOURCES ??= new Set(routes().flatMap(({ literals, required }) => [...literals.map(([name]) => name), ...required]));
  return SUBRESOURCES;
}

let NAMES: ReadonlySet<string> | undefined;

/** Returns all names that the query string of an operation of this server can have. */
function names(): ReadonlySet<string> {
  NAMES ??= new Set(routes().flatMap(({ members, literals }) => [...members, ...literals.map(([name]) => name)]));
  return NAMES;
}

function refused(error: AwsError, operationName?: string): RoutingRefusal {
  return {
    kind: 'refused',
    protocol: 'rest-xml',
    service: 's3',
    authenticated: true,
    ...(operationName !== undefined && { operationName }),
    error,
  };
}

function invalidUri(): AwsError {
  return new AwsError('InvalidURI', "Couldn't parse the specified URI.");
}

function notAllowed(method: string, level: Level): AwsError {
  const members = { Method: method.slice(0, 32), ResourceType: RESOURCE_TYPES[level] };
  return new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', members);
}

function notImplemented(received: Pick<Received, 'method' | 'rawHeaders'>): AwsError {
  const members = copies(received) ? { Header: 'x-amz-copy-source' } : {};
  return new AwsError('NotImplemented', 'A header or query you provided requested a function that is not implemented.', members);
}
