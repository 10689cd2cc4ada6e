/** An OpenID Connect provider on this machine: HTTPS with a certificate of its own authority, discovery, keys that can be changed. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { tlsMaterial } from '#server/edge/tls.ts';
import { readSettings } from '#server/settings.ts';

export interface IdentityProvider {
  /** `https://localhost:40123/realms/a`. */
  readonly issuer: string;
  /** `localhost:40123`. */
  readonly host: string;
  /** Of its certificate authority. */
  readonly thumbprint: string;
  /** What was asked of it, in order. */
  readonly asked: string[];
  /** What it answers by path; a test may change it. */
  readonly documents: Map<string, unknown>;
  /** A token that is right in all, with claims changed; `undefined` leaves one out. */
  token(change?: Readonly<Record<string, unknown>>, kid?: string): Promise<string>;
  /** Publishes a new key beside none of the old. */
  rotate(kid: string): Promise<void>;
}

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-idp-'));
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
    rmSync(folder, { recursive: true });
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
