import type { Received } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { decode } from './decode.ts';
import { route } from './route.ts';
import type { Routed, RoutingRefusal } from './routed.ts';

export interface RequestForTests {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Service in the credential scope of the request's Authorization header. */
  readonly scope?: string;
}

/** Returns a request as received from the socket, without a signature. */
export function requestForTests(request: RequestForTests): Received {
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261122/us-east-1/${request.scope}/aws4_request, SignedHeaders=host, Signature=00`;
  const headers = { Host: 'localhost:8080', ...(request.scope === undefined ? {} : { Authorization: authorization }), ...request.headers };
  return {
    requestId: '6e61a3c4-0f0e-4a8e-9c0e-1d2c3b4a5f60',
    receivedAt: instant(0),
    method: request.method ?? 'GET',
    target: request.target ?? '/',
    rawHeaders: Object.entries(headers).flat(),
    body: typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? new Uint8Array()),
    sourceIp: '127.0.0.1',
  };
}

/** Routes a request with the server setting `guide2021` off, which is the default. */
export function routedForTests(request: RequestForTests): Routed | RoutingRefusal {
  return route(requestForTests(request), { guide2021: false });
}

/** Routes and decodes a request. @throws AwsError the request is invalid */
export function decodedForTests(request: RequestForTests): Record<string, unknown> {
  const received = requestForTests(request);
  const routed = route(received, { guide2021: false });
  if (routed.kind === 'refused') throw routed.error;
  return decode(routed, received);
}

/** Returns a rest-json request to a Chime service. The base path `/_<service>` of the request names the service. */
export function chimeRequest(service: string, method: string, path: string, body?: unknown): RequestForTests {
  return {
    method,
    target: `/_${service}${path}`,
    scope: 'chime',
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
}

/** Returns a query request with the parameters in a form. */
export function formRequest(scope: string, form: string): RequestForTests {
  return { method: 'POST', scope, headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' }, body: form };
}

/** Returns an awsJson request. */
export function targetRequest(scope: string, target: string, body: unknown): RequestForTests {
  return {
    method: 'POST',
    scope,
    headers: { 'X-Amz-Target': target, 'Content-Type': 'application/x-amz-json-1.1' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}
