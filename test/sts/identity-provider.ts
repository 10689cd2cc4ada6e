/** A local OpenID Connect provider: HTTPS with a private certificate authority, discovery, and keys that tests can rotate. */
import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { tlsMaterial } from '#server/edge/tls.ts';
import { readSettings } from '#server/settings.ts';
import { newFolder } from '../kit/folder.ts';

/** A running provider. */
export interface IdentityProvider {
  /** Issuer URL. Example: `https://localhost:40123/realms/a`. */
  readonly issuer: string;
  /** Host and port. Example: `localhost:40123`. */
  readonly host: string;
  /** Thumbprint of the provider's certificate authority. */
  readonly thumbprint: string;
  /** Paths of the received requests, in order. */
  readonly asked: string[];
  /** Responses by path: a document, or a number for the status of a redirect. Tests may change them. */
  readonly documents: Map<string, unknown>;
  /** Returns a signed token. The default claims are valid. `change` replaces claims, and `undefined` omits a claim. */
  token(change?: Readonly<Record<string, unknown>>, kid?: string): Promise<string>;
  /** Replaces all signing keys by one new key. */
  rotate(kid: string): Promise<void>;
}

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const folder = newFolder('idp');
  const { cert, key } = await tlsMaterial(readSettings([], { BELFRY_DATA: folder }), Date.now(), () => {});
  const asked: string[] = [];
  const documents = new Map<string, unknown>();
  const server: Server = createServer({ cert, key }, (request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const document = documents.get(path);
    if (document === undefined) response.writeHead(404).end();
    else if (typeof document === 'number') response.writeHead(document, { location: `https://${host}/elsewhere` }).end();
    else response.end(typeof document === 'string' ? document : JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  const issuer = `https://${host}/realms/a`;
  const authority = new X509Certificate(cert.slice(cert.lastIndexOf('-----BEGIN')));

  let signing: { readonly kid: string; readonly key: CryptoKey };
  async function rotate(kid: string): Promise<void> {
    const pair = await generateKeyPair('ES256', { extractable: true });
    signing = { kid, key: pair.privateKey };
    documents.set('/keys', { keys: [{ ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256', use: 'sig' }] });
  }
  await rotate('first');
  documents.set('/realms/a/.well-known/openid-configuration', { issuer, jwks_uri: `https://${host}/keys` });

  return {
    issuer,
    host,
    thumbprint: authority.fingerprint.replaceAll(':', '').toLowerCase(),
    asked,
    documents,
    rotate,
    token(change = {}, kid = signing.kid) {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: issuer, sub: 'user-1', aud: 'client-1', iat: now, exp: now + 600, ...change };
      const payload = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)) as JWTPayload;
      return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid }).sign(signing.key);
    },
  };
}
