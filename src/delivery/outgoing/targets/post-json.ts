import { connections } from '../../targets/connections.ts';
import { exchange } from './post.ts';

/** Time of an exchange with the endpoint of a bot. Source: Amazon Chime Administration Guide: an endpoint answers an event within 2 seconds. */
const REQUEST_MS = 2_000;

/**
 * Creates a function that sends JSON to an https URL, and resolves to the JSON of a response with the status 200. It resolves to undefined if the
 * exchange fails. `internalHosts` are hosts that may have internal addresses: `hooks.corp.example`, `localhost:8443`.
 */
export function jsonPoster(internalHosts: readonly string[]): (url: string, body: object) => Promise<unknown> {
  const once = connections('once');
  return async (text, content) => {
    const url = new URL(text);
    if (url.protocol !== 'https:') return undefined;
    try {
      const { status, body } = await exchange({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(content),
        allowInternal: internalHosts.includes(url.host),
        timeoutMs: REQUEST_MS,
        connections: once,
      });
      return status === 200 ? JSON.parse(body) : undefined;
    } catch {
      return undefined;
    }
  };
}
