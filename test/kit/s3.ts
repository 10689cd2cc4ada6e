/** Requests of S3 as bytes on a socket, signed by the test itself, for requests that clients do not send. */
import { createHash, createHmac } from 'node:crypto';
import type { Keys } from './keys.ts';
import { connect, type Reply } from './raw.ts';
import { type ChunkedBody, chunkedBytes } from './s3-chunks.ts';

/** Request to sign and send. */
export interface S3Request {
  readonly method: string;
  /** Path and query as sent: `/bucket/a%2Fb?list-type=2`. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Value of `x-amz-content-sha256`. Default: the hash of the body. `null` omits the header. */
  readonly payload?: string | null;
  readonly region?: string;
  /** Headers that are sent but not signed. */
  readonly unsigned?: Readonly<Record<string, string>>;
  /** Replaces the header `authorization` after signing. `null` omits it. */
  readonly authorization?: string | null;
  /** Changes the last character of the signature. */
  readonly wrongSignature?: boolean;
  /** Signs the request in the query. */
  readonly presigned?: Presigned;
  /** Sends the body in the encoding `aws-chunked`. `payload` then names its form. */
  readonly chunks?: ChunkedBody;
}

/** Signature in the query. */
export interface Presigned {
  readonly expiresSeconds: number;
  /** Age of the signature. Default: 0. */
  readonly ageSeconds?: number;
  /** Parameter to omit after signing. */
  readonly without?: string;
}

const hex = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Key, date and scope of a signature, for the signatures of chunks. */
export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: string;
  readonly key: Buffer;
  readonly amzDate: string;
  readonly scope: string;
}

/** Signs a request of S3 with Signature Version 4. The path is signed as it is sent. */
export function signS3(endpoint: string, { accessKeyId, secretAccessKey, sessionToken }: Keys, request: S3Request): Signed {
  const { method, target, body = '', region = 'us-east-1', payload = hex(body) } = request;
  const amzDate = dateOf(Date.now());
  const scope = `${amzDate.slice(0, 8)}/${region}/s3/aws4_request`;
  const headers: Record<string, string> = {
    host: new URL(endpoint).host,
    'x-amz-date': amzDate,
    ...(payload !== null && { 'x-amz-content-sha256': payload }),
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
    ...request.headers,
  };
  const names = Object.keys(headers).sort();
  const { signature, key } = signatureOf(secretAccessKey, { method, target, headers, payload: payload ?? hex(body) }, amzDate, scope);
  const sent = request.wrongSignature === true ? altered(signature) : signature;
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${sent}`;
  return { headers: { ...headers, authorization }, signature, key, amzDate, scope };
}

/** Returns the target of a request that is signed in the query. */
export function presignS3(endpoint: string, { accessKeyId, secretAccessKey }: Keys, request: S3Request): string {
  const { method, target, headers = {}, region = 'us-east-1', presigned } = request;
  const { expiresSeconds, ageSeconds = 0, without } = presigned as Presigned;
  const amzDate = dateOf(Date.now() - ageSeconds * 1000);
  const scope = `${amzDate.slice(0, 8)}/${region}/s3/aws4_request`;
  const all: Record<string, string> = { host: new URL(endpoint).host, ...headers };
  const parameters = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': amzDate,
    'X-Amz-Expires': `${expiresSeconds}`,
    'X-Amz-SignedHeaders': Object.keys(all).sort().join(';'),
  });
  const unsigned = `${target}${target.includes('?') ? '&' : '?'}${parameters}`;
  const { signature } = signatureOf(
    secretAccessKey,
    { method, target: unsigned, headers: all, payload: 'UNSIGNED-PAYLOAD' },
    amzDate,
    scope,
  );
  const signed = `${unsigned}&X-Amz-Signature=${request.wrongSignature === true ? altered(signature) : signature}`;
  return without === undefined ? signed : signed.replace(new RegExp(`&${without}=[^&]*`), '');
}

const dateOf = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/[-:]|\.\d+/g, '');
const altered = (signature: string): string => signature.slice(0, -1) + (signature.endsWith('0') ? '1' : '0');

/** Request as it is signed. */
interface Canonical {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

function signatureOf(secretAccessKey: string, { method, target, headers, payload }: Canonical, amzDate: string, scope: string) {
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const names = Object.keys(headers).sort();
  const pairs = query
    .split('&')
    .filter((each) => each !== '')
    .map((each) => (each.includes('=') ? each : `${each}=`));
  const lines = names.map((name) => `${name}:${headers[name]?.trim()}`);
  const canonical = [method, path, pairs.sort().join('&'), ...lines, '', names.join(';'), payload].join('\n');
  const text = ['AWS4-HMAC-SHA256', amzDate, scope, hex(canonical)].join('\n');
  const key = scope.split('/').reduce<Buffer | string>((k, each) => hmac(k, each), `AWS4${secretAccessKey}`) as Buffer;
  return { signature: hmac(key, text).toString('hex'), key };
}

/** Formats the head of a request. */
export function headOf({ method, target }: S3Request, headers: Readonly<Record<string, string>>): string {
  return `${method} ${target} HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
}

/** Returns the function that signs and sends requests, each on a connection of its own. */
export function s3Caller(endpoint: string, keys: Keys) {
  return async (request: S3Request): Promise<Reply> => {
    const { method } = request;
    const signed = request.presigned === undefined ? signS3(endpoint, keys, request) : undefined;
    const target = signed === undefined ? presignS3(endpoint, keys, request) : request.target;
    const body = request.chunks === undefined ? Buffer.from(request.body ?? '') : chunkedBytes(request.chunks, signed as Signed);
    const { authorization, ...headers } = signed?.headers ?? { host: new URL(endpoint).host, ...request.headers };
    const proof = request.authorization === undefined ? authorization : (request.authorization ?? undefined);
    const connection = await connect(endpoint);
    try {
      const length = { 'content-length': String(body.length) };
      const all = {
        ...headers,
        ...(proof !== undefined && { authorization: proof }),
        ...request.unsigned,
        ...(method === 'GET' || method === 'HEAD' ? {} : length),
      };
      connection.write(headOf({ method, target }, all));
      connection.write(body);
      return await connection.reply(method !== 'HEAD');
    } finally {
      connection.close();
    }
  };
}

/** Returns the text of the first element with a name, or undefined. */
export function element({ body }: Reply, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(body.toString())?.[1];
}

/** Returns the header `content-md5` of a body. */
export function contentMd5(body: string): Readonly<Record<string, string>> {
  return { 'content-md5': createHash('md5').update(body).digest('base64') };
}
