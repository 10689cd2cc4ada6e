/** Facts about TLS: the floor and suites of the listener, and the certificates of the configured files. Requirements INF-2, INF-3. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { TLS_FLOOR } from '#server/tls-floor.ts';
import { described, flag, list, type Of, object, oneOf, optional, text, time, whole } from '../shape.ts';

const CERTIFICATE = object({
  subject: text,
  issuer: text,
  names: described(optional(text), 'Subject alternative names.'),
  validFrom: time,
  validTo: time,
  expired: flag,
  daysLeft: whole,
  key: described(text, 'Type and size of the public key.'),
  sha256: described(text, 'Fingerprint.'),
});

export const TLS = object({
  minVersion: text,
  maxVersion: text,
  suites: list(text),
  suitesFrom: described(text, 'How the versions and suites are known.'),
  source: described(
    oneOf('configured', 'local-ca', 'unknown'),
    'configured: the file of BELFRY_TLS_CERTIFICATE. local-ca: the file in the data folder. unknown: there is no such file on this machine.',
  ),
  certificates: described(list(CERTIFICATE), 'Certificates of the file, that of the server first.'),
  problem: optional(text),
});
export type TlsFacts = Of<typeof TLS>;

/** Largest file of certificates. */
const FILE_MAX_BYTES = 1_048_576;
const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,65536}-----END CERTIFICATE-----/g;

/**
 * Returns the facts about TLS. Reads certificates only, and never a private key.
 *
 * @param certificateFile  file of BELFRY_TLS_CERTIFICATE. Without it, the local CA of the data folder issues the certificate
 */
export function tlsSection(certificateFile: string | undefined, dataFolder: string, now: Instant): TlsFacts {
  const { minVersion, maxVersion, ciphers } = TLS_FLOOR;
  const facts = {
    ...{ minVersion, maxVersion },
    suites: ciphers.split(':'),
    suitesFrom: 'They are constants of the server (src/server/tls-floor.ts), which no setting changes.',
  };
  const own = join(dataFolder, 'tls', 'server.pem');
  const file = certificateFile ?? own;
  if (certificateFile === undefined && !existsSync(own)) return { ...facts, source: 'unknown', certificates: [] };
  const source = certificateFile === undefined ? 'local-ca' : 'configured';
  try {
    if (statSync(file).size > FILE_MAX_BYTES) throw new Error(`the file has more than ${FILE_MAX_BYTES} bytes`);
    const certificates = (readFileSync(file, 'latin1').match(PEM) ?? []).map((pem) => certificateFacts(new X509Certificate(pem), now));
    const problem = certificates.length === 0 ? 'the file has no certificate in PEM format' : undefined;
    return { ...facts, source, certificates, ...omitUndefined({ problem }) };
  } catch (error) {
    return { ...facts, source, certificates: [], problem: `the certificate cannot be read: ${(error as Error).message}` };
  }
}

function certificateFacts(certificate: X509Certificate, now: Instant): Of<typeof CERTIFICATE> {
  const { subject, issuer, subjectAltName, validFromDate, validToDate, fingerprint256, publicKey } = certificate;
  const { asymmetricKeyType = 'unknown', asymmetricKeyDetails } = publicKey;
  const size = asymmetricKeyDetails?.modulusLength ?? asymmetricKeyDetails?.namedCurve;
  return {
    subject: subject.replaceAll('\n', ', '),
    issuer: issuer.replaceAll('\n', ', '),
    ...omitUndefined({ names: subjectAltName }),
    validFrom: validFromDate.toISOString(),
    validTo: validToDate.toISOString(),
    expired: validToDate.getTime() < now,
    daysLeft: Math.max(0, Math.floor((validToDate.getTime() - now) / DAY_MS)),
    key: size === undefined ? asymmetricKeyType : `${asymmetricKeyType} ${size}`,
    sha256: fingerprint256,
  };
}
