import { webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { writeDurably } from './durable-file.ts';
import type { Settings } from './settings.ts';

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const SERVER_DAYS = 397;
/** A certificate with less than this left is made anew at start. */
const RENEW_BELOW_DAYS = 30;

/**
 * What the listener offers: TLS 1.2 and 1.3, suites with forward secrecy only, the server's order.
 * Requirements INF-2, INF-3.
 */
export const TLS_FLOOR: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  honorCipherOrder: true,
};

/**
 * The certificate and key to serve with: the configured files, else those of the local CA under `tls/` of the data folder,
 * made or renewed where they are missing or about to end. Clients trust `tls/ca.pem`.
 *
 * Writes: `tls/ca.pem`, `tls/ca.key`, `tls/server.pem`, `tls/server.key` (mode 0600).
 */
export async function tlsMaterial(settings: Settings, now: number): Promise<{ cert: string; key: string }> {
  if (settings.tlsCertificateFile !== undefined && settings.tlsKeyFile !== undefined) {
    return { cert: readFileSync(settings.tlsCertificateFile, 'utf8'), key: readFileSync(settings.tlsKeyFile, 'utf8') };
  }
  const folder = join(settings.dataFolder, 'tls');
  const file = (name: string) => join(folder, name);
  const names = certificateNames(settings);
  const kept = readKept(file('server.json'));
  const present = ['ca.pem', 'server.pem', 'server.key'].every((name) => existsSync(file(name)));
  if (
    present &&
    kept !== undefined &&
    kept.endsAtMs - now > RENEW_BELOW_DAYS * DAY_MS &&
    names.every((name) => kept.names.includes(name))
  ) {
    return { cert: readFileSync(file('server.pem'), 'utf8'), key: readFileSync(file('server.key'), 'utf8') };
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // It vouches for the other two: a start that is broken off between them leaves none, and the next one makes both anew.
  rmSync(file('server.json'), { force: true });
  const made = await makeCertificates(file, names, now);
  writeDurably(file('server.key'), made.key);
  writeDurably(file('server.pem'), made.cert);
  writeDurably(file('server.json'), JSON.stringify({ names, endsAtMs: now + SERVER_DAYS * DAY_MS }));
  return made;
}

interface Kept {
  readonly names: readonly string[];
  readonly endsAtMs: number;
}

/** What was written last when the certificate was made; undefined where it was not, or not to its end. */
function readKept(path: string): Kept | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Kept;
  } catch {
    return undefined;
  }
}

/** Returns the names and addresses that the certificate of the local CA is for. */
export function certificateNames(settings: Settings): string[] {
  const host = settings.https === 'off' ? 'localhost' : settings.https.host;
  const publicHost = settings.publicUrl === undefined ? host : new URL(settings.publicUrl).hostname.replace(/^\[(.*)\]$/, '$1');
  return [...new Set(['localhost', '127.0.0.1', '::1', hostname(), host, publicHost])].filter(
    (name) => name !== '0.0.0.0' && name !== '::',
  );
}

/** Loaded only when a certificate is made: an ordinary start does not pay for the library. */
async function makeCertificates(
  file: (name: string) => string,
  names: readonly string[],
  now: number,
): Promise<{ cert: string; key: string }> {
  await import('reflect-metadata'); // the certificate library asks for it
  const x509 = await import('@peculiar/x509');
  const { isIP } = await import('node:net');
  x509.cryptoProvider.set(webcrypto as never);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const { subtle } = webcrypto;
  const pem = async (key: webcrypto.CryptoKey) => x509.PemConverter.encode(await subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
  const serial = () =>
    Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
      .toString('hex')
      .replace(/^[89a-f]/, '1');

  let caCertificate: InstanceType<typeof x509.X509Certificate>;
  let caKey: webcrypto.CryptoKey;
  if (existsSync(file('ca.pem')) && existsSync(file('ca.key'))) {
    caCertificate = new x509.X509Certificate(readFileSync(file('ca.pem'), 'utf8'));
    const raw = x509.PemConverter.decodeFirst(readFileSync(file('ca.key'), 'utf8'));
    caKey = await subtle.importKey('pkcs8', raw, algorithm, true, ['sign']);
  } else {
    const keys = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
    caKey = keys.privateKey;
    caCertificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: `CN=Belfry local CA on ${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}`,
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + CA_DAYS * DAY_MS),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    // The certificate last: where it stands, its key is whole.
    writeDurably(file('ca.key'), await pem(caKey));
    writeDurably(file('ca.pem'), `${caCertificate.toString('pem')}\n`);
  }

  const keys = await subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=Belfry',
    issuer: caCertificate.subject,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + SERVER_DAYS * DAY_MS),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: caKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((name) => ({ type: isIP(name) ? 'ip' : 'dns', value: name }))),
      await x509.AuthorityKeyIdentifierExtension.create(caCertificate),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n${caCertificate.toString('pem')}\n`, key: await pem(keys.privateKey) };
}
