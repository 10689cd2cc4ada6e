import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { ServiceName } from '#model/services.ts';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { type Keys, profileKeys } from './keys.ts';

/** Settings of an SDK client. */
export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Keys;
  readonly maxAttempts: number;
}

/** A running server of one test file, after its first start. */
export interface TestServer {
  /** URL of the HTTP listener, such as `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  /** URL of the HTTPS listener, such as `https://127.0.0.1:40124`. Its certificate authority is in `caFile`. */
  readonly httpsEndpoint: string;
  readonly caFile: string;
  readonly dataFolder: string;
  readonly accountId: string;
  /** Key of the administrator, which clients use by default. */
  readonly credentials: Keys;
  /** Returns the settings of an SDK client: `new IAMClient(server.client())`. */
  client(keys?: Keys): ClientSettings;
  /** Returns the settings of a client of one service. The path selects the service, because all Chime services have one signing name. */
  at(service: ServiceName, keys?: Keys): ClientSettings;
  stop(): Promise<void>;
}

/**
 * Starts a server on free ports, and stops it after the tests of the file. The data folder is new, or the specified one.
 * `environment` has further `BELFRY_…` settings.
 */
export async function startTestServer(
  environment: Readonly<Record<string, string>> = {},
  dataFolder = mkdtempSync(join(tmpdir(), 'belfry-test-')),
): Promise<TestServer> {
  const settings = readSettings([], {
    BELFRY_DATA: dataFolder,
    BELFRY_HTTP: '127.0.0.1:0',
    BELFRY_HTTPS: '127.0.0.1:0',
    BELFRY_LOOKUPS_PER_SECOND: '0',
    // Tests send many rejected requests from one address and look up each record.
    BELFRY_UNPROVEN_RECORDS: '100000',
    ...environment,
  });
  const { ready, stop } = await startServer(settings, (why) => {
    throw new Error(`the server died: ${why}`);
  });
  let stopped = false;
  const stopOnce = async () => {
    if (stopped) return;
    stopped = true;
    await stop();
  };
  after(async () => {
    await stopOnce();
    rmSync(dataFolder, { recursive: true, force: true });
  });
  const [endpoint = '', httpsEndpoint = ''] = ready.listeners.map((listener) => listener.endpoint);
  const credentials = profileKeys(dataFolder);
  const client = (keys: Keys = credentials) => ({ endpoint, region: 'us-east-1', credentials: keys, maxAttempts: 1 });
  return {
    endpoint,
    httpsEndpoint,
    caFile: join(dataFolder, 'tls', 'ca.pem'),
    dataFolder,
    accountId: ready.core.firstStart?.accountId ?? '',
    credentials,
    client,
    at: (service, keys) => ({ ...client(keys), endpoint: `${endpoint}/_${service}` }),
    stop: stopOnce,
  };
}
