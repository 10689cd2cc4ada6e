/** HTTP requests to receivers without the protocol of AWS, through the guarded handler. */
import type { Connections } from '../../targets/connections.ts';
import { GuardedRequestProblem, guardedHandler } from '../../targets/guarded-handler.ts';

/** Longest response that is read. Its body is ignored, except the token of an OAuth endpoint. */
const RESPONSE_MAX_BYTES = 1_048_576;

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly allowInternal: boolean;
  readonly timeoutMs: number;
  readonly connections: Connections;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends one request. Rejects with `GuardedRequestProblem` or an error of the connection. Never follows a redirect. */
export async function exchange({ url, method, headers, body, allowInternal, timeoutMs, connections }: HttpRequest): Promise<HttpResponse> {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new GuardedRequestProblem('the endpoint is not an https URL', true);
  const handler = guardedHandler({ allowInternal, timeoutMs, maxBytes: RESPONSE_MAX_BYTES, connections });
  const { response } = await handler.handle({
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    method,
    path: `${url.pathname}${url.search}`,
    query: {},
    headers: { host: url.host, ...headers, ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }) },
    ...(body !== undefined && { body: Buffer.from(body) }),
  });
  return { status: response.statusCode, headers: response.headers, body: Buffer.from(response.body).toString('utf8') };
}
