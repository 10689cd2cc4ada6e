/**
 * The local CA. It signs the server's certificate. Clients reject certificates that it signs for names of other
 * servers.
 *
 * Clients trust `ca.pem` as a root. Its certificate has critical name constraints and the extended key usage serverAuth, so a stolen
 * `ca.key` can impersonate this server only. Decision 0017.
 *
 * Source: RFC 5280 §4.2.1.10. Chrome enforces the constraints of installed roots since version 112 (Chrome Enterprise policy
 * list, EnforceLocalAnchorConstraintsEnabled). OpenSSL, which Node and Python use, always does.
 */
import { DAY_MS } from '#core/duration.ts';
import 'reflect-metadata'; // the certificate library needs it
import { webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import * as x509 from '@peculiar/x509';
import { writeDurably } from '../durable-file.ts';
import type { TlsMaterial } from './tls-material.ts';

x509.cryptoProvider.set(webcrypto as never);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NAME_CONSTRAINTS = '2.5.29.30';
/** Loopback addresses of IPv4 and IPv6. */
const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** Certificate and key of the CA. */
export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
  readonly endsAtMs: number;
}

export interface AuthorityOptions {
  /** Returns the path of a file in the `tls` folder. */
  readonly file: (name: string) => string;
  /** Names that a new CA permits. */
  readonly names: readonly string[];
  /** Names that a CA must permit. An existing CA that does not permit one of them is renewed. */
  readonly required: readonly string[];
  readonly now: number;
  readonly days: number;
  /** Remaining validity of the CA certificate, in days, below which the CA is renewed. */
  readonly renewBelow: number;
  readonly report: (line: string) => void;
}

/**
 * Returns the CA of the data folder. Creates, renews or replaces it first if necessary.
 *
 * - A CA that is about to expire is renewed with the same key. Clients with the old CA certificate accept the server
 *   until the old certificate expires.
 * - A CA that does not permit a required name is also renewed with the same key. Clients with the old CA certificate
 *   reject the server until they get the new certificate.
 * - A CA without constraints is replaced, and its key is overwritten. Some clients still trust the old CA, but nothing
 *   more can be signed with its key.
 *
 * Writes: `ca.key`, `ca.pem`.
 */
export async function localAuthority(options: AuthorityOptions): Promise<Authority> {
  const { file, required, now, renewBelow, report } = options;
  const path = file('ca.pem');
  const found = await readAuthority(file);
  if (found === undefined) {
    const isFirst = !existsSync(path);
    const created = await createAuthority(options);
    if (!isFirst) report(`created a new local CA, because '${path}' or its key could not be read; copy the new ca.pem to the clients`);
    return created;
  }
  const constraints = found.certificate.getExtension(NAME_CONSTRAINTS);
  if (constraints === null) {
    const replaced = await createAuthority(options);
    report(
      `replaced the local CA, which could sign for any name until ${dayOf(found.endsAtMs)}; copy '${path}' to the clients, and remove the old certificate from their trusted roots`,
    );
    return replaced;
  }
  const missing = required.find((name) => !permits(constraints, name));
  if (missing === undefined && found.endsAtMs - now > renewBelow * DAY_MS) return found;
  const keys = { privateKey: found.key, publicKey: await found.certificate.publicKey.export() };
  const renewed = await createAuthority(options, { keys, subject: found.certificate.subject });
  report(
    missing === undefined
      ? `renewed the local CA; copy '${path}' to the clients before the old certificate expires on ${dayOf(found.endsAtMs)}`
      : `renewed the local CA, because it did not permit '${missing}'; copy '${path}' to the clients, because clients with the old certificate reject the server`,
  );
  return renewed;
}

/** Returns the stored CA, or undefined if a file is missing or cannot be read. */
async function readAuthority(file: (name: string) => string): Promise<Authority | undefined> {
  if (!existsSync(file('ca.pem')) || !existsSync(file('ca.key'))) return undefined;
  try {
    const certificate = new x509.X509Certificate(readFileSync(file('ca.pem'), 'utf8'));
    const raw = x509.PemConverter.decodeFirst(readFileSync(file('ca.key'), 'utf8'));
    const key = await webcrypto.subtle.importKey('pkcs8', raw, ALGORITHM, true, ['sign']);
    return { certificate, key, endsAtMs: certificate.notAfter.getTime() };
  } catch {
    return undefined;
  }
}

/**
 * Creates a CA and writes its files. If `existing` is passed, the new CA has the key pair and the name of the existing
 * CA.
 */
async function createAuthority(
  { file, names, now, days }: AuthorityOptions,
  existing?: { readonly keys: webcrypto.CryptoKeyPair; readonly subject: string },
): Promise<Authority> {
  const keys = existing?.keys ?? (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']));
  const endsAtMs = now + days * DAY_MS;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name: existing?.subject ?? `CN=Belfry local CA on ${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}`,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(endsAtMs),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.Extension(NAME_CONSTRAINTS, true, nameConstraints([...names, ...LOOPBACK])),
    ],
  });
  // The key is written before the certificate. So if the certificate exists, its key is complete.
  if (existing === undefined) writeDurably(file('ca.key'), await pem(keys.privateKey));
  writeDurably(file('ca.pem'), `${certificate.toString('pem')}\n`);
  return { certificate, key: keys.privateKey, endsAtMs };
}

/** Signs a new certificate for the names that the CA permits. */
export async function serverCertificate(
  { certificate: ca, key }: Authority,
  { names, now, days }: { readonly names: readonly string[]; readonly now: number; readonly days: number },
): Promise<TlsMaterial> {
  const constraints = ca.getExtension(NAME_CONSTRAINTS);
  const permitted = names.filter((name) => constraints !== null && permits(constraints, name));
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: 'CN=Belfry',
    issuer: ca.subject,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(permitted.map((name) => ({ type: isIP(name) ? 'ip' : 'dns', value: name }))),
      // Identifies the CA by its key and not by a serial number, because a renewed CA certificate has the same key.
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n${ca.toString('pem')}\n`, key: await pem(keys.privateKey) };
}

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** Returns 16 random bytes in hexadecimal. The first bit is 0, so that the integer is positive. */
function newSerialNumber(): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
    .toString('hex')
    .replace(/^[89a-f]/, '1');
}

function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

/** Reports whether name constraints that this module created permit a name. A permitted name is a listed name or a loopback address. */
function permits(constraints: x509.Extension, name: string): boolean {
  return isLoopbackIpv4(name) || Buffer.from(constraints.value).includes(subtree(name));
}

/**
 * Encodes permitted names, addresses and networks.
 *
 *     NameConstraints ::= SEQUENCE { permittedSubtrees [0] GeneralSubtrees OPTIONAL, excludedSubtrees [1] GeneralSubtrees OPTIONAL }
 *     GeneralSubtree  ::= SEQUENCE { base GeneralName, minimum [0] BaseDistance DEFAULT 0, maximum [1] BaseDistance OPTIONAL }
 *
 * Source: RFC 5280 §4.2.1.10.
 */
function nameConstraints(permitted: readonly string[]): Buffer {
  const subtrees = new Map(permitted.filter((name) => !isLoopbackIpv4(name)).map((name) => [subtree(name).toString('hex'), subtree(name)]));
  return der(0x30, der(0xa0, ...subtrees.values()));
}

function isLoopbackIpv4(name: string): boolean {
  return isIP(name) === 4 && name.startsWith('127.');
}

/**
 * Encodes one permitted name, address or network. A DNS name also permits its subdomains. A single address is encoded
 * as a network that contains only this address.
 */
function subtree(text: string): Buffer {
  const [name = '', prefix] = text.split('/');
  const family = isIP(name);
  if (family === 0) return der(0x30, der(0x82, Buffer.from(name.toLowerCase(), 'latin1')));
  const bytes = family === 4 ? Buffer.from(name.split('.').map(Number)) : ipv6Bytes(name);
  const bits = prefix === undefined ? bytes.length * 8 : Number(prefix);
  const mask = Buffer.from(bytes.map((_, i) => (0xff00 >> Math.min(Math.max(bits - i * 8, 0), 8)) & 0xff));
  return der(0x30, der(0x87, bytes, mask));
}

function ipv6Bytes(address: string): Buffer {
  // `URL` formats all groups in hexadecimal, also those of an embedded IPv4 address.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const zeros = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(zeros).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** Encodes one element in DER: tag, length, content. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  const length =
    bytes.length < 0x80 ? [bytes.length] : bytes.length < 0x100 ? [0x81, bytes.length] : [0x82, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
}
