import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DAY_MS } from '#core/duration.ts';
import { writeDurably } from '../durable-file.ts';
import type { Settings } from '../settings.ts';
import type { TlsMaterial } from './tls-material.ts';

const CA_DAYS = 730;
const SERVER_DAYS = 397;
/** Remaining validity, in days, below which the server renews its certificate. */
const RENEW_BELOW_DAYS = 30;
/**
 * Remaining validity, in days, below which the server renews the CA certificate. Every server certificate therefore
 * expires before its CA, and clients have more than a year to get the renewed CA.
 */
const RENEW_CA_BELOW_DAYS = SERVER_DAYS + RENEW_BELOW_DAYS;

/**
 * Returns the certificate and key of the HTTPS listener. They are the configured files, or files that the local CA
 * issued in the folder `tls/` of the data folder.
 *
 * Without configured files, issues the certificates again if they are missing, about to expire or for other names.
 * Clients trust `tls/ca.pem`. If clients need a new `tls/ca.pem`, the server reports this in one line.
 *
 * Writes: `tls/ca.pem`, `tls/ca.key`, `tls/server.pem`, `tls/server.key`, `tls/server.json` (mode 0600).
 */
export async function tlsMaterial(settings: Settings, now: number, report: (line: string) => void): Promise<TlsMaterial> {
  if (settings.tlsCertificateFile !== undefined && settings.tlsKeyFile !== undefined) {
    return { cert: readFileSync(settings.tlsCertificateFile, 'utf8'), key: readFileSync(settings.tlsKeyFile, 'utf8') };
  }
  const folder = join(settings.dataFolder, 'tls');
  const file = (name: string) => join(folder, name);
  const names = certificateNames(settings);
  const issued = readIssued(file('server.json'));
  const present = ['ca.pem', 'server.pem', 'server.key'].every((name) => existsSync(file(name)));
  if (
    present &&
    issued?.caEndsAtMs !== undefined &&
    issued.endsAtMs - now > RENEW_BELOW_DAYS * DAY_MS &&
    issued.caEndsAtMs - now > RENEW_CA_BELOW_DAYS * DAY_MS &&
    names.every((name) => issued.names.includes(name))
  ) {
    return { cert: readFileSync(file('server.pem'), 'utf8'), key: readFileSync(file('server.key'), 'utf8') };
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Without server.json, the other files are not used. So if this start is interrupted, the next start issues the
  // certificate again.
  rmSync(file('server.json'), { force: true });
  // This import is dynamic, so that an ordinary start does not load the library.
  const { localAuthority, serverCertificate } = await import('./local-ca.ts');
  const authority = await localAuthority({
    file,
    names,
    required: settingNames(settings),
    now,
    days: CA_DAYS,
    renewBelow: RENEW_CA_BELOW_DAYS,
    report,
  });
  const made = await serverCertificate(authority, { names, now, days: SERVER_DAYS });
  writeDurably(file('server.key'), made.key);
  writeDurably(file('server.pem'), made.cert);
  const record: Issued = { names, endsAtMs: now + SERVER_DAYS * DAY_MS, caEndsAtMs: authority.endsAtMs };
  writeDurably(file('server.json'), JSON.stringify(record));
  return made;
}

/**
 * Facts about the server's certificate. The server writes them to `server.json` after it has written the certificate.
 */
interface Issued {
  readonly names: readonly string[];
  readonly endsAtMs: number;
  /**
   * Time at which the CA certificate expires. Absent for a CA that an earlier version of the server created and that
   * can sign for any name.
   */
  readonly caEndsAtMs?: number;
}

/** Returns the recorded facts, or undefined if the certificate was never written completely. */
function readIssued(path: string): Issued | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Issued;
  } catch {
    return undefined;
  }
}

/**
 * Returns the names and addresses for the server certificate that the local CA issues: loopback names, the names in the
 * settings, and the machine's name.
 */
export function certificateNames(settings: Settings): string[] {
  return [...new Set([...settingNames(settings), hostname()])];
}

/**
 * Returns the loopback names and the names in the settings. Omits the machine's name, which can change with each start, for example in a
 * container.
 */
function settingNames(settings: Settings): string[] {
  const host = settings.https === 'off' ? 'localhost' : settings.https.host.replace(/%.*/, '');
  const publicHost = settings.publicUrl === undefined ? host : new URL(settings.publicUrl).hostname.replace(/^\[(.*)\]$/, '$1');
  return [...new Set(['localhost', '127.0.0.1', '::1', host, publicHost])].filter((name) => name !== '0.0.0.0' && name !== '::');
}
