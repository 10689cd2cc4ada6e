/** A local OpenID provider (`oidc-provider`) for people of Amazon Chime, whose claims a test sets. */
import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { tlsMaterial } from '#server/edge/tls.ts';
import { readSettings } from '#server/settings.ts';
import { browser } from '../guide/openid-provider.ts';
import { newFolder } from '../kit/folder.ts';

export interface PeopleProvider {
  readonly issuer: string;
  readonly host: string;
  /** File with the certificate authority of the provider. */
  readonly caFile: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** Claims by login name. */
  readonly people: Map<string, Readonly<Record<string, unknown>>>;
  /** Registers a callback of the server. */
  open(callback: string): void;
  /** Signs a person in at the URL of an authorization request. Resolves to the URL to which the provider leads the browser. */
  signIn(url: string, login: string): Promise<URL>;
}

/** Starts the provider. It stops after the tests of the file. */
export async function startPeopleProvider(): Promise<PeopleProvider> {
  const folder = newFolder('people-provider');
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
  const client = { id: 'belfry', secret: randomBytes(16).toString('hex') };
  const people = new Map<string, Readonly<Record<string, unknown>>>();
  const callbacks: string[] = [];
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: 'first', alg: 'ES256', use: 'sig' };
  return {
    ...{ issuer, host, client, people },
    caFile: join(folder, 'tls', 'ca.pem'),
    open(callback) {
      callbacks.push(callback);
      answer = new Provider(issuer, {
        clients: [
          {
            client_id: client.id,
            client_secret: client.secret,
            redirect_uris: callbacks,
            grant_types: ['authorization_code'],
            response_types: ['code'],
            id_token_signed_response_alg: 'ES256',
          },
        ],
        pkce: { required: () => true },
        scopes: ['openid', 'email', 'profile', 'groups'],
        claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
        jwks: { keys: [jwk] },
        cookies: { keys: [randomBytes(16).toString('hex')] },
        findAccount: (_context: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub, ...people.get(sub) }) }),
        features: { devInteractions: { enabled: true } },
      }).callback();
    },
    async signIn(url, login) {
      const browse = browser(issuer, cert);
      let at = await browse(url);
      for (const form of [{ prompt: 'login', login, password: 'any' }, { prompt: 'consent' }]) at = await browse(at.location, form);
      return new URL(at.location);
    },
  };
}
