import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FirstStartFiles, NewAdministrator } from './core/first-start.ts';
import { endFirstStart, mayCreateAccount } from './data-folder.ts';
import { writeDurably } from './durable-file.ts';
import { endpointOf, type Settings } from './settings.ts';

/** Returns the files of a first start in the data folder of `settings`. `opened` resolves when every listener is open. */
export function filesOfFirstStart(settings: Settings, opened: Promise<void>): FirstStartFiles {
  return {
    async mayCreateAccount() {
      if (!mayCreateAccount(settings)) return false;
      await opened;
      return true;
    },
    writeProfile: (administrator) => writeProfile(settings, administrator),
    end: () => endFirstStart(settings),
  };
}

/**
 * Line before each endpoint in `aws/config` that the server updates. The server does not change an endpoint without
 * this line.
 */
const MARK = '# The server updates this endpoint at each start. Remove this line to keep the endpoint.';
const MARKED = new RegExp(`^(${MARK}\\nendpoint_url = ).*\\n`, 'gm');

/** Updates the endpoint in the profiles that the server wrote, if the server's address has changed since then. */
export function updateProfiles(settings: Settings, endpoint: string): void {
  const file = join(settings.dataFolder, 'aws', 'config');
  if (!existsSync(file)) return;
  const text = readFileSync(file, 'utf8');
  const bundle = endpoint.startsWith('https:') && !text.includes('ca_bundle') ? localBundle(settings) : '';
  const updated = text.replaceAll(MARKED, (_line, start: string) => `${start}${endpoint}\n${bundle}`);
  if (updated !== text) writeDurably(file, updated);
}

/**
 * Returns the profile's line `ca_bundle`. Returns an empty string if the operator configured a certificate, because
 * there is then no local CA.
 */
function localBundle({ dataFolder, tlsCertificateFile }: Settings): string {
  return tlsCertificateFile === undefined ? `ca_bundle = ${join(dataFolder, 'tls', 'ca.pem')}\n` : '';
}

/**
 * Writes the profile `belfry` into `aws/config` and `aws/credentials`. Users set `AWS_CONFIG_FILE` and
 * `AWS_SHARED_CREDENTIALS_FILE` to these files.
 */
function writeProfile(settings: Settings, { accessKeyId, secretAccessKey }: NewAdministrator): void {
  const folder = join(settings.dataFolder, 'aws');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [scheme, address] = settings.http === 'off' ? (['https', settings.https] as const) : (['http', settings.http] as const);
  const endpoint = address === 'off' || address.port === 0 ? '' : `${MARK}\nendpoint_url = ${endpointOf(scheme, address)}\n`;
  const trust = settings.http === 'off' ? localBundle(settings) : '';
  writeDurably(join(folder, 'config'), `[profile belfry]\nregion = ${settings.region}\noutput = json\n${endpoint}${trust}`);
  writeDurably(join(folder, 'credentials'), `[belfry]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
}
