/** Functions that create the requests of simulated clients and parse the responses. */
import crypto from 'node:crypto';
import type { Answer, Received } from '#core/exchange.ts';
import { type Instant, instant } from '#core/instant.ts';
import { type Credentials, presign, sign } from '#sigv4/sign.ts';
import type { Response } from './server.ts';

/** A request before it is signed. */
export interface Request {
  /** Absent if the request is not signed. */
  readonly signingName?: 'iam' | 'sts' | 'chime';
  /** True if the signature is in the query, as in an upgrade request. */
  readonly presigned?: true;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const VERSION = { iam: '2010-05-08', sts: '2011-06-15' } as const;

/** Creates a request of the query protocol. */
export function queryRequest(service: 'iam' | 'sts', Action: string, members: Readonly<Record<string, string>>): Request {
  return {
    signingName: service,
    method: 'POST',
    target: '/',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ Action, Version: VERSION[service], ...members }).toString(),
  };
}

/** Creates a request of one of the Chime SDK services. */
export function chimeRequest(
  service: 'meetings' | 'identity' | 'messaging',
  method: string,
  path: string,
  { body, bearer }: { readonly body?: object; readonly bearer?: string } = {},
): Request {
  return {
    signingName: 'chime',
    method,
    target: `/_chime-sdk-${service}${path}`,
    headers: { 'content-type': 'application/json', ...(bearer !== undefined && { 'x-amz-chime-bearer': bearer }) },
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

/** Creates the upgrade request of a messaging session. */
export function connectRequest(userArn: string, sessionId: string): Request {
  const target = `/connect?${new URLSearchParams({ userArn, sessionId })}`;
  return { signingName: 'chime', presigned: true, method: 'GET', target, headers: {}, body: '' };
}

/** Creates a request of a browser to a sign-in page. */
export function pageRequest(
  method: string,
  target: string,
  { body, cookie }: { readonly body?: object; readonly cookie?: string } = {},
): Request {
  return {
    method,
    target,
    headers: { origin: `https://${HOST}`, 'content-type': 'application/json', ...(cookie !== undefined && { cookie }) },
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

/** Signs a request, unless clients send it unsigned. `userAgent` identifies the call in its trail record. */
export function signed(request: Request, credentials: Credentials | undefined, userAgent: string): Received {
  const { method, headers, body } = request;
  const now = instant(Date.now());
  const { target, all } = withSignature(request, credentials, now);
  return {
    requestId: crypto.randomUUID(),
    receivedAt: now,
    method,
    target,
    rawHeaders: [...Object.entries({ host: HOST, ...headers, ...all }).flat(), 'user-agent', userAgent],
    body: Buffer.from(body),
    sourceIp: '127.0.0.1',
    secureTransport: true,
  };
}

const HOST = 'localhost:7443';

/**
 * Signs a request. Returns the signed target and the headers. If the request is to be unsigned, returns the target
 * unchanged and no headers.
 */
function withSignature(
  { signingName, presigned, method, target, headers, body }: Request,
  credentials: Credentials | undefined,
  now: Instant,
): { readonly target: string; readonly all: Readonly<Record<string, string>> } {
  if (signingName === undefined || credentials === undefined) return { target, all: {} };
  const unsigned = { method, target, headers: { host: HOST, ...headers }, body };
  const signWith = { credentials, region: 'us-east-1', signingName, now };
  if (presigned === true) return { target: presign(unsigned, { ...signWith, expiresSeconds: 10 }), all: {} };
  return { target, all: sign(unsigned, signWith) };
}

/**
 * Result of a call, as the client sees it: the output, the error, or `unknown`. The result is unknown if there was no
 * response (status 0), or if the status is 500 or higher.
 */
export type Outcome =
  | { readonly kind: 'done'; readonly output: Output }
  /** `code` is without the suffix `Exception`, which some protocols add. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'unknown'; readonly status: number };

/** Members of a response by name, in JSON or in XML. */
export interface Output {
  readonly text: string;
  member(name: string): string;
  members(name: string): readonly string[];
  /** Returns a header by its lower-case name. */
  header(name: string): string | undefined;
}

export function outcomeOf(response: Response): Outcome {
  if (response === 'none') return { kind: 'unknown', status: 0 };
  const { status } = response;
  const output = outputOf(response);
  if (status < 300) return { kind: 'done', output };
  if (status >= 500) return { kind: 'unknown', status };
  const code = headerOf(response, 'x-amzn-errortype') ?? output.members('Code')[0] ?? output.members('code')[0] ?? '';
  return { kind: 'refused', code: code.replace(/Exception$/, ''), message: output.members('Message')[0] ?? output.text };
}

function outputOf(answer: Answer): Output {
  const { body } = answer;
  const text = typeof body === 'string' ? body : Buffer.from(body).toString();
  const members = (name: string): readonly string[] => {
    const found = text.matchAll(new RegExp(text.startsWith('{') ? `"${name}":"((?:[^"\\\\]|\\\\.)*)"` : `<${name}>([^<]*)</${name}>`, 'g'));
    return [...found].map(([, value]) => value as string);
  };
  return {
    text,
    members,
    header: (name) => headerOf(answer, name),
    member(name) {
      const [value] = members(name);
      if (value === undefined) throw new Error(`the response has no ${name}: ${text}`);
      return value;
    },
  };
}

function headerOf({ headers }: Answer, name: string): string | undefined {
  const at = headers.indexOf(name);
  return at < 0 ? undefined : headers[at + 1];
}
