import { Agent, request } from 'node:http';
import { instant } from '#core/instant.ts';
import { type Credentials, sign } from '#sigv4/sign.ts';
import { allow, policy } from '../kit/policy.ts';

/** Outcome of a call: allowed (200), denied (403, by policy or because of the key), unavailable (another status), or no answer. */
export type Outcome = 'allowed' | 'denied' | 'unavailable' | 'no answer';

const AGENT = new Agent({ keepAlive: true, maxSockets: 64 });

/** Sends one signed IAM call. The outcome is `no answer` if the connection fails, or sends nothing for `timeoutMilliseconds`. */
export async function iamCall(
  endpoint: string,
  credentials: Credentials,
  parameters: Readonly<Record<string, string>>,
  timeoutMilliseconds = 60_000,
): Promise<{ readonly outcome: Outcome; readonly status: number; readonly body: string }> {
  const { host, hostname, port } = new URL(endpoint);
  const body = new URLSearchParams({ Version: '2010-05-08', ...parameters }).toString();
  const headers = sign(
    { method: 'POST', target: '/', headers: { host, 'content-type': 'application/x-www-form-urlencoded' }, body },
    { credentials, region: 'us-east-1', signingName: 'iam', now: instant(Date.now()) },
  );
  return await new Promise((resolve) => {
    const none = (): void => resolve({ outcome: 'no answer', status: 0, body: '' });
    const sent = request(
      { hostname, port, method: 'POST', path: '/', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, agent: AGENT },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', none);
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          resolve({ outcome: status === 200 ? 'allowed' : status === 403 ? 'denied' : 'unavailable', status, body: text });
        });
      },
    );
    sent.setTimeout(timeoutMilliseconds, () => sent.destroy());
    sent.on('error', none);
    sent.end(body);
  });
}

/** Returns the content of the first XML element with this name, or an empty string. */
export function element(body: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
}

/** Returns a policy that allows or denies every IAM action. */
export const iamPolicy = (effect: 'Allow' | 'Deny') => policy({ ...allow('iam:*'), Effect: effect });
