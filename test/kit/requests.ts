/** Requests that the test server received, as facts about the clients that sent them. */
import diagnostics from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after } from 'node:test';

/** One request and the status of its response. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** Headers, with names in lower case. */
  readonly headers: IncomingMessage['headers'];
  readonly status: number;
}

/**
 * Collects the requests that servers of this process finish, until the tests of the file end. Node's HTTP server publishes them, so neither
 * the client nor the server behaves differently.
 */
export function collectRequests(): readonly SeenRequest[] {
  const seen: SeenRequest[] = [];
  const collect = (message: unknown) => {
    const { request, response } = message as { readonly request: IncomingMessage; readonly response: ServerResponse };
    seen.push({ method: request.method ?? '', target: request.url ?? '', headers: request.headers, status: response.statusCode });
  };
  diagnostics.subscribe('http.server.response.finish', collect);
  after(() => diagnostics.unsubscribe('http.server.response.finish', collect));
  return seen;
}

/** Returns the access key with which a request is signed, or undefined. */
export function accessKeyOf({ headers, target }: SeenRequest): string | undefined {
  return /(?:Credential=|AWSAccessKeyId=|AWS )([A-Z0-9]{16,32})/.exec(`${headers.authorization ?? ''} ${target}`)?.[1];
}
