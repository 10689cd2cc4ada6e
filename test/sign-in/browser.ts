/**
 * A simulated browser on the sign-in pages. It stores one cookie, sends the origin of its page, and does not follow redirects. It repeats
 * requests that the server asks to retry.
 */
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { repeated } from '../kit/lost-lease.ts';

/** Response of the server. */
export interface Page {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json(): Readonly<Record<string, string>>;
}

/** A browser with its cookie. */
export interface Browser {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Page>;
  /** Sends a POST request as a page of the server does. `headers` can replace the origin. */
  post(path: string, body?: string | object, headers?: Readonly<Record<string, string | undefined>>): Promise<Page>;
  send(method: string, path: string, headers?: Readonly<Record<string, string | undefined>>, body?: string): Promise<Page>;
  /** Last cookie that the server set, as `name=value`. */
  cookie: string | undefined;
}

/** Creates a browser without a cookie. */
export function browser(endpoint: string, caFile?: string): Browser {
  const ca = caFile === undefined ? {} : { ca: readFileSync(caFile) };
  const once = (method: string, path: string, more: Readonly<Record<string, string | undefined>> = {}, body = ''): Promise<Page> =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string> = { 'content-length': String(Buffer.byteLength(body)) };
      if (own.cookie !== undefined) headers['cookie'] = `other=1; ${own.cookie}`;
      for (const [name, value] of Object.entries(more)) if (value !== undefined) headers[name] = value;
      const send = endpoint.startsWith('https:') ? httpsRequest : httpRequest;
      const sent = send(`${endpoint}${path}`, { method, headers, agent: false, ...ca }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const set = response.headers['set-cookie']?.[0]?.split(';')[0];
          if (set !== undefined) own.cookie = set.endsWith('=') ? undefined : set;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const own: Browser = {
    cookie: undefined,
    get: (path, headers = {}) => own.send('GET', path, headers),
    post(path, body = '', headers = {}) {
      const form = typeof body === 'string';
      const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
      return own.send('POST', path, { 'content-type': type, origin: endpoint, ...headers }, form ? body : JSON.stringify(body));
    },
    send: (...args) =>
      repeated(
        () => once(...args),
        ({ status, text }) => status === 503 && text.includes('Please retry.'),
      ),
  };
  return own;
}

/** Returns a query string such as `?Action=…`, with escaped values. */
export function query(parameters: Readonly<Record<string, string>>): string {
  return `?${new URLSearchParams(parameters)}`;
}
