/** Signed requests of simulated clients, and what they read of the responses. */
import crypto from 'node:crypto';
import type { Answer, Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { type Credentials, sign } from '#sigv4/sign.ts';
import type { Response } from './server.ts';

/** A request before it is signed. */
export interface Request {
  readonly signingName: 'iam' | 'sts' | 'chime';
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

/** Signs a request. `userAgent` names the call in its trail record. */
export function signed({ signingName, method, target, headers, body }: Request, credentials: Credentials, userAgent: string): Received {
  const now = instant(Date.now());
  const all = sign(
    { method, target, headers: { host: 'localhost:7443', ...headers }, body },
    { credentials, region: 'us-east-1', signingName, now },
  );
  return {
    requestId: crypto.randomUUID(),
    receivedAt: now,
    method,
    target,
    rawHeaders: [...Object.entries(all).flat(), 'user-agent', userAgent],
    body: Buffer.from(body),
    sourceIp: '127.0.0.1',
    secureTransport: true,
  };
}

/** What a client knows after a call: the output, the code of the error, or nothing. */
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
}

export function outcomeOf(response: Response): Outcome {
  if (response === 'none') return { kind: 'unknown', status: 0 };
  const { status } = response;
  const output = outputOf(response);
  if (status < 300) return { kind: 'done', output };
  if (status >= 500) return { kind: 'unknown', status };
  const code = headerOf(response, 'x-amzn-errortype') ?? output.members('Code')[0] ?? '';
  return { kind: 'refused', code: code.replace(/Exception$/, ''), message: output.members('Message')[0] ?? output.text };
}

function outputOf({ body }: Answer): Output {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString();
  const members = (name: string): readonly string[] => {
    const found = text.matchAll(new RegExp(text.startsWith('{') ? `"${name}":"((?:[^"\\\\]|\\\\.)*)"` : `<${name}>([^<]*)</${name}>`, 'g'));
    return [...found].map(([, value]) => value as string);
  };
  return {
    text,
    members,
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
