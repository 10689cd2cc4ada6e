import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import type { ServiceName } from '#model/services.ts';
import type { RunningServer } from '#server/serving.ts';
import { readSettings } from '#server/settings.ts';
import { startServer } from '#server/start.ts';
import { newFolder } from './folder.ts';
import { type Keys, profileKeys } from './keys.ts';
import { setLeaseLength } from './lease-length.ts';
import { replayedAtStop } from './replay.ts';

/** Length of the leases of test servers on PostgreSQL, which a busy machine renews in time. The tests in `test/leases/` have shorter ones. */
const LEASE_MS = 30_000;

/** Settings of an SDK client. */
export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Keys;
  readonly maxAttempts: number;
}

/** A running server of one test file. At its first start, the server created an account with an administrator. */
export interface TestServer {
  /** URL of the HTTP listener, such as `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  /** URL of the HTTPS listener, such as `https://127.0.0.1:40124`. Its certificate authority is in `caFile`. */
  readonly httpsEndpoint: string;
  readonly caFile: string;
  /** URL of the metrics, if `BELFRY_METRICS` is not `off`. */
  readonly metricsUrl: string | undefined;
  readonly dataFolder: string;
  readonly accountId: string;
  /** Access key of the administrator. Clients use this key by default. */
  readonly credentials: Keys;
  /** Returns the settings of an SDK client: `new IAMClient(server.client())`. */
  client(keys?: Keys): ClientSettings;
  /** Returns the settings of a client of one service. The path selects the service, because all Chime services have one signing name. */
  at(service: ServiceName, keys?: Keys): ClientSettings;
  /** Returns the connections, requests and bytes that clients hold now. */
  readonly counts: RunningServer['counts'];
  stop(): Promise<void>;
}

/**
 * Starts a server on free ports, and stops it after the tests of the file. By default, the data folder is new.
 * `environment` has further `BELFRY_…` settings. After the stop, the recorded decisions are repeated (`replay.ts`).
 */
export async function startTestServer(
  environment: Readonly<Record<string, string>> = {},
  dataFolder = newFolder('test'),
): Promise<TestServer> {
  const settings = readSettings([], {
    BELFRY_DATA: dataFolder,
    BELFRY_HTTP: '127.0.0.1:0',
    BELFRY_HTTPS: '127.0.0.1:0',
    BELFRY_METRICS: 'off',
    BELFRY_LOOKUPS_PER_SECOND: '0',
    // High limit, because tests send many rejected requests from one address, and look up the record of each.
    BELFRY_UNPROVEN_RECORDS: '100000',
    ...environment,
  });
  if (settings.database.startsWith('postgres')) await setLeaseLength(settings.database, LEASE_MS);
  const { ready, stop, counts } = await startServer(settings, (why) => {
    throw new Error(`the server died: ${why}`);
  });
  const replay = replayedAtStop(settings.database);
  let stopped = false;
  const stopOnce = async () => {
    if (stopped) return;
    stopped = true;
    await stop();
    await replay();
  };
  after(stopOnce);
  const [endpoint = '', httpsEndpoint = ''] = ready.listeners.map((listener) => listener.endpoint);
  const credentials = profileKeys(dataFolder);
  const client = (keys: Keys = credentials) => ({ endpoint, region: 'us-east-1', credentials: keys, maxAttempts: 1 });
  return {
    endpoint,
    httpsEndpoint,
    metricsUrl: ready.metricsUrl,
    caFile: join(dataFolder, 'tls', 'ca.pem'),
    dataFolder,
    accountId: ready.core.firstStart?.accountId ?? '',
    credentials,
    client,
    at: (service, keys) => ({ ...client(keys), endpoint: `${endpoint}/_${service}` }),
    counts,
    stop: stopOnce,
  };
}

/**
 * Starts another server on the database of a server. Its data folder has the operator key of the first one, and also the administrator's profile:
 * a second server writes no profile, but `startTestServer` reads one.
 */
export async function startSecondServer(
  { dataFolder }: Pick<TestServer, 'dataFolder'>,
  environment: Readonly<Record<string, string>>,
): Promise<TestServer> {
  const folder = newFolder('second');
  mkdirSync(join(folder, 'aws'), { mode: 0o700 });
  for (const file of ['operator.key', join('aws', 'credentials')]) copyFileSync(join(dataFolder, file), join(folder, file));
  return await startTestServer(environment, folder);
}
