/** Requests to OpenID providers. */
import { connections } from '../../targets/connections.ts';
import { exchange, type HttpResponse } from './post.ts';

/** Time of one request. */
const REQUEST_MS = 5_000;

export interface IssuerRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Sends one request to an https URL. Rejects if the exchange fails, or if the address is internal and the operator does not allow its host. */
export type ContactIssuer = (url: string, request: IssuerRequest) => Promise<HttpResponse>;

/** Creates the function. `internalHosts` are hosts that may have internal addresses: `keycloak.corp.example`, `localhost:8443`. */
export function issuerContact(internalHosts: readonly string[]): ContactIssuer {
  const once = connections('once');
  return async (text, request) => {
    const url = new URL(text);
    if (url.protocol !== 'https:') throw new Error('an OpenID provider needs https URLs');
    return await exchange({ url, ...request, allowInternal: internalHosts.includes(url.host), timeoutMs: REQUEST_MS, connections: once });
  };
}
