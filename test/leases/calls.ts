import { Agent, request } from 'node:http';
import { instant } from '#core/instant.ts';
import { type Credentials, sign } from '#sigv4/sign.ts';

/** What a call came to: allowed, refused by policy or for the key, the server not able to say, or no answer. */
export type Outcome = 'allowed' | 'denied' | 'unavailable' | 'no answer';

const AGENT = new Agent({ keepAlive: true, maxSockets: 64 });

/** One signed call of IAM, answered or not within `timeoutMilliseconds`; who asks for nothing else learns only its outcome. */
export async function iamCall(
  endpoint: string,
  credentials: Credentials,
  parameters: Readonly<Record<string, string>>,
  timeoutMilliseconds = 10_000,
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

/** The text of the first element of that name. */
export function element(body: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? '';
}
