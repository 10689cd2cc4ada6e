/** A local OpenID provider (`oidc-provider`), and a client that signs users in like a browser. */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { tlsMaterial } from '#server/edge/tls.ts';
import { readSettings } from '#server/settings.ts';
import { newFolder } from '../kit/folder.ts';

/** A running provider. */
export interface OpenIdProvider {
  /** Issuer URL. Example: `https://localhost:40123`. */
  readonly issuer: string;
  /** Host and port. Example: `localhost:40123`. */
  readonly host: string;
  readonly clientId: string;
  /** Thumbprint of the provider's certificate authority, in the format of IAM's ThumbprintList. */
  readonly thumbprint: string;
  /** Signs a user in by the authorization code flow with PKCE. Returns the ID token. */
  signIn(login: string): Promise<string>;
}

const CLIENT_ID = 'standup-app';
const REDIRECT = 'https://app.example/signed-in';

/** Starts a provider that accepts any login name. It stops after the tests of the file. */
export async function startOpenIdProvider(): Promise<OpenIdProvider> {
  const folder = newFolder('openid');
  const { cert, key } = await tlsMaterial(readSettings([], { BELFRY_DATA: folder }), Date.now(), () => {});
  let answer: RequestListener = (_request, response) => void response.writeHead(503).end();
  const server = createServer({ cert, key }, (received, response) => answer(received, response));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  const issuer = `https://${host}`;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  answer = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        token_endpoint_auth_method: 'none',
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'first', alg: 'ES256', use: 'sig' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    findAccount: (_context: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: { devInteractions: { enabled: true } },
  }).callback();

  return {
    issuer,
    host,
    clientId: CLIENT_ID,
    thumbprint: new X509Certificate(cert.slice(cert.lastIndexOf('-----BEGIN'))).fingerprint.replaceAll(':', '').toLowerCase(),
    async signIn(login) {
      const verifier = randomBytes(32).toString('base64url');
      const browse = browser(issuer, cert);
      let at = await browse(
        `/auth?${new URLSearchParams({
          client_id: CLIENT_ID,
          response_type: 'code',
          scope: 'openid',
          redirect_uri: REDIRECT,
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
        })}`,
      );
      for (const form of [{ prompt: 'login', login, password: 'any' }, { prompt: 'consent' }]) at = await browse(at.location, form);
      const code = new URL(at.location).searchParams.get('code') as string;
      const { body } = await browse('/token', {
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT,
        client_id: CLIENT_ID,
        code_verifier: verifier,
      });
      return (JSON.parse(body) as { id_token: string }).id_token;
    },
  };
}

/**
 * Returns a client that follows redirects within the provider and stores the provider's cookies. The client stops at a
 * page, and at a redirect to another site.
 */
export function browser(issuer: string, ca: string) {
  const cookies = new Map<string, string>();
  return async function browse(
    location: string,
    form?: Readonly<Record<string, string>>,
  ): Promise<{ readonly location: string; readonly body: string }> {
    let url = new URL(location, issuer);
    let { next, body } = await ask(url, form);
    while (next !== undefined) {
      url = new URL(next, url);
      if (url.origin !== issuer) break;
      ({ next, body } = await ask(url));
    }
    return { location: url.href, body };
  };

  function ask(url: URL, form?: Readonly<Record<string, string>>): Promise<{ readonly next: string | undefined; readonly body: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      };
      const sent = request(url, { method: form ? 'POST' : 'GET', headers, ca, agent: false }, (response) => {
        for (const cookie of response.headers['set-cookie'] ?? []) {
          const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) as unknown as [string, string, string];
          cookies.set(name, value);
        }
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => {
          if ((response.statusCode ?? 500) >= 400)
            reject(new Error(`${url.pathname} answered ${response.statusCode}: ${body.slice(0, 500)}`));
          else resolve({ next: response.headers.location, body });
        });
      });
      sent.on('error', reject);
      sent.end(form && new URLSearchParams(form).toString());
    });
  }
}
