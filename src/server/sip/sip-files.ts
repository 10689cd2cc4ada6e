/** Files for the SIP proxy: the token and the certificate authority of the private listener. */
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { writeDurably } from '../durable-file.ts';
import type { TlsMaterial } from '../edge/tls-material.ts';

/** The proxy pins the CA. So it must be valid longer than the proxy runs with one configuration. */
const CA_DAYS = 3_650;
const SERVER_DAYS = 397;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Returns the folder of the files in a data folder. Creates it if necessary. @throws Error  it is a symbolic link */
export function sipFolder(dataFolder: string): string {
  const folder = join(dataFolder, 'sip');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!lstatSync(folder).isDirectory()) throw new Error(`'${folder}' is a symbolic link; replace it with a real folder`);
  chmodSync(folder, 0o700);
  return folder;
}

/**
 * Returns the token of the proxy: 43 characters that need no escape in a URL. It stays the same after a restart.
 *
 * Writes: `token` (mode 0600), if it does not exist.
 */
export function sipToken(folder: string): string {
  const path = join(folder, 'token');
  const found = read(path);
  if (found !== undefined && TOKEN.test(found)) return found;
  const token = randomBytes(32).toString('base64url');
  writeDurably(path, token);
  return token;
}

/**
 * Issues a certificate of the listener, for loopback addresses. Its key stays in memory.
 *
 * Writes: `ca.pem`, `ca.key` (mode 0600), if they do not exist or expire in the next year.
 */
export async function sipCertificate(folder: string, report: (line: string) => void): Promise<TlsMaterial> {
  const { localAuthority, serverCertificate } = await import('../edge/local-ca.ts');
  const names = ['localhost', '127.0.0.1', '::1'];
  const now = Date.now();
  const authority = await localAuthority({
    file: (name) => join(folder, name),
    names: [...names, hostname()],
    required: names,
    now,
    days: CA_DAYS,
    renewBelow: SERVER_DAYS + 1,
    report,
  });
  return await serverCertificate(authority, { names, now, days: SERVER_DAYS });
}

/** Writes the addresses of the listeners, such as `127.0.0.1:5070`. Port 0 in a setting lets the system choose a port. */
export function writeAddress(folder: string, name: 'address' | 'hep-address', address: string): void {
  writeDurably(join(folder, name), address);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
