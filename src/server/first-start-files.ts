import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FirstStartFiles, NewAdministrator } from './core/first-start.ts';
import { endFirstStart, mayCreateAccount } from './data-folder.ts';
import { writeDurably } from './durable-file.ts';
import { endpointOf, type Settings } from './settings.ts';

/** Returns the files of a first start in the data folder of `settings`. */
export function filesOfFirstStart(settings: Settings): FirstStartFiles {
  return {
    mayCreateAccount: () => mayCreateAccount(settings),
    writeProfile: (administrator) => writeProfile(settings, administrator),
    end: () => endFirstStart(settings),
  };
}

/** Writes the profile `belfry` for `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`. */
function writeProfile(settings: Settings, { accessKeyId, secretAccessKey }: NewAdministrator): void {
  const folder = join(settings.dataFolder, 'aws');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [scheme, address] = settings.http === 'off' ? (['https', settings.https] as const) : (['http', settings.http] as const);
  const endpoint = address === 'off' || address.port === 0 ? '' : `endpoint_url = ${endpointOf(scheme, address)}\n`;
  // A configured certificate has another CA, and then the server creates no local CA.
  const local = settings.http === 'off' && settings.tlsCertificateFile === undefined;
  const trust = local ? `ca_bundle = ${join(settings.dataFolder, 'tls', 'ca.pem')}\n` : '';
  writeDurably(join(folder, 'config'), `[profile belfry]\nregion = ${settings.region}\noutput = json\n${endpoint}${trust}`);
  writeDurably(join(folder, 'credentials'), `[belfry]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
}
