/** What a browser does with the sign-in: keeps one cookie, follows nothing by itself, says which page asks. */
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Page {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json(): Readonly<Record<string, string>>;
}

export interface Browser {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Page>;
  /** From a page of the server itself, unless the headers say otherwise. */
  post(path: string, body?: string | object, headers?: Readonly<Record<string, string | undefined>>): Promise<Page>;
  send(method: string, path: string, headers?: Readonly<Record<string, string | undefined>>, body?: string): Promise<Page>;
  /** `name=value`, as it was last set. */
  cookie: string | undefined;
}

export function browser(endpoint: string, caFile?: string): Browser {
  const ca = caFile === undefined ? {} : { ca: readFileSync(caFile) };
  const own: Browser = {
    cookie: undefined,
    get: (path, headers = {}) => own.send('GET', path, headers),
    post(path, body = '', headers = {}) {
      const form = typeof body === 'string';
      const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
      return own.send('POST', path, { 'content-type': type, origin: endpoint, ...headers }, form ? body : JSON.stringify(body));
    },
    send: (method, path, given = {}, body = '') =>
      new Promise((resolve, reject) => {
        const headers: Record<string, string> = { 'content-length': String(Buffer.byteLength(body)) };
        if (own.cookie !== undefined) headers['cookie'] = `other=1; ${own.cookie}`;
        for (const [name, value] of Object.entries(given)) if (value !== undefined) headers[name] = value;
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
      }),
  };
  return own;
}

/** `?Action=…` with every value escaped. */
export function query(parameters: Readonly<Record<string, string>>): string {
  return `?${new URLSearchParams(parameters)}`;
}
